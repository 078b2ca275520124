"""What each error of AWS's libraries means to the user: tables of a class, a message and a hint, without any logic.

`{names}` in a message are the values of `failures.py`, which looks in these tables.
"""

from __future__ import annotations

from rds_iam_magic.errors import AwsError, CredentialsError, RdsIamError, RegionError

Entry = tuple[type[RdsIamError], str, str]

_NETWORK = "Check the network, the proxy settings and AWS_ENDPOINT_URL."
_CONFIGURATION = "Check the AWS configuration: the file ~/.aws/config (or AWS_CONFIG_FILE) and the AWS_* variables."
_NO_REGION = "Add --region, or set AWS_REGION or a region in the AWS profile."
_LOGIN = "Run aws login (with --profile, if you use one), then this again."
_PROCESS = "Run the profile's credential_process yourself and read what it says: it has to print JSON with Version 1."
_NAMES = "Check the names and ARNs that you gave."
_UPDATE = "Update boto3 and botocore (pip install -U boto3), then run this again; else please report it."

_NO_CREDENTIALS: Entry = (
    CredentialsError,
    "No AWS credentials were found.",
    "Run aws configure or aws sso login, set AWS_PROFILE, or add --profile NAME.",
)
EXPIRED: Entry = (
    CredentialsError,
    "The AWS credentials have expired.",
    "Get fresh ones (aws sso login, or your usual way), then run this again.",
)
_SSO: Entry = (
    CredentialsError,
    "The AWS SSO session has ended.",
    "Run aws sso login (with --profile, if you use one), then this again.",
)
_SOURCE: Entry = (
    CredentialsError,
    "The source of the AWS credentials failed ({provider}).",
    "Check the profile's settings; aws sts get-caller-identity shows whether they work.",
)
PROCESS_FAILED: Entry = (CredentialsError, "The profile's credential_process failed.", _PROCESS)
PROCESS_NOT_RUN: Entry = (
    CredentialsError,
    "The profile's credential_process could not be run: {reason}.",
    "Correct the credential_process in ~/.aws/config: it needs the full path of a program that is there.",
)
PROCESS_NO_JSON: Entry = (
    CredentialsError,
    "The profile's credential_process printed no JSON of the form that AWS asks for.",
    _PROCESS,
)
SOURCE_UNREADABLE: Entry = (
    CredentialsError,
    "What the source of the AWS credentials gave cannot be read as credentials.",
    _SOURCE[2],
)
NOT_SENDABLE: Entry = (AwsError, "AWS cannot be asked: a value holds a character that cannot be sent.", _NAMES)
_UNREACHABLE: Entry = (AwsError, "AWS cannot be reached at {endpoint}: {reason}.", _NETWORK)
_NOT_AWS: Entry = (AwsError, "What answered while {doing} is not AWS: its answer cannot be read.", _NETWORK)
BAD_ENDPOINT: Entry = (
    AwsError,
    "Invalid endpoint in the AWS configuration, met while {doing}.",
    "Correct AWS_ENDPOINT_URL (or endpoint_url in the profile): it has the form https://HOST:PORT.",
)
_BAD_VALUE: Entry = (AwsError, "AWS cannot be asked: a value has another form than {doing} takes.", _NAMES)
_BAD_SETTING: Entry = (AwsError, "A setting in the AWS configuration is not valid ({class}).", _CONFIGURATION)
_BAD_FILE: Entry = (
    AwsError,
    "The AWS configuration file {path} cannot be read: {reason}.",
    "Correct the file; it is in INI form, in UTF-8.",
)
_FILE: Entry = (
    AwsError,
    "A file or program that the AWS configuration names cannot be used: {reason}.",
    _CONFIGURATION,
)
_NOT_READABLE: Entry = (AwsError, "Something that was read while {doing} is not of the form expected.", _CONFIGURATION)
_UNKNOWN_REGION: Entry = (RegionError, "{region_name} is not an AWS region.", "Check --region, as in eu-west-1.")
_UNKNOWN_ENDPOINT: Entry = (
    RegionError,
    "boto3 knows no endpoint of AWS for this service and region{in_region}.",
    "Check --region and the settings use_fips_endpoint and use_dualstack_endpoint.",
)
_BOTO3: Entry = (AwsError, "boto3 failed while {doing} ({class}).", _UPDATE)
ANY: Entry = (AwsError, "AWS failed while {doing} ({class}).", "Check the network and the AWS configuration.")

# By the name of the class or of one that it derives from, the nearest first. Names rather than classes: which of them
# there are depends on botocore's version, and botocore is imported late.
BY_CLASS: dict[str, Entry] = {
    # Credentials
    "NoCredentialsError": _NO_CREDENTIALS,
    "NoAuthTokenError": _NO_CREDENTIALS,
    "PartialCredentialsError": (
        CredentialsError,
        "The AWS credentials are incomplete: {cred_var} is missing ({provider}).",
        "Set it in the profile, or in the AWS_* variables.",
    ),
    "ProfileNotFound": (
        CredentialsError,
        "The config profile ({profile}) could not be found.",
        "aws configure list-profiles names those that exist.",
    ),
    "UnknownCredentialError": (CredentialsError, "The AWS profile names an unknown source of credentials.", _SOURCE[2]),
    "UnknownTokenProviderError": _SOURCE,
    "CredentialRetrievalError": _SOURCE,
    "MetadataRetrievalError": (
        CredentialsError,
        "The service that gives this machine its AWS credentials failed.",
        "Check the role of the instance or container, or add --profile NAME.",
    ),
    "BadIMDSRequestError": _SOURCE,
    "RefreshWithMFAUnsupportedError": (
        CredentialsError,
        "The profile's role asks for an MFA code, which cannot be given here.",
        "Get credentials on the command line (aws sts get-session-token), then run this again.",
    ),
    "InfiniteLoopConfigError": (
        CredentialsError,
        "The profile {source_profile} takes its credentials from itself, by way of source_profile.",
        "Correct source_profile in ~/.aws/config.",
    ),
    "InvalidConfigError": (
        CredentialsError,
        "The AWS profile is not complete, or its settings do not go together.",
        _CONFIGURATION,
    ),
    "SSOError": _SSO,
    "TokenRetrievalError": _SSO,
    "LoginError": (CredentialsError, "The session of aws login has ended, or cannot be read.", _LOGIN),
    "LoginInsufficientPermissions": (
        CredentialsError,
        "AWS does not permit the session of aws login to be refreshed.",
        "Ask for the permission signin:CreateOAuth2Token, or use other credentials (--profile).",
    ),
    "MissingDependencyException": (
        CredentialsError,
        "boto3 lacks a part that these credentials need.",
        'Install it: pip install "botocore[crt]".',
    ),
    # Configuration
    "ConfigNotFound": (AwsError, "The AWS configuration file {path} was not found.", "Check AWS_CONFIG_FILE."),
    "ConfigParseError": _BAD_FILE,
    "InvalidRetryConfigurationError": _BAD_SETTING,
    "InvalidChecksumConfigError": _BAD_SETTING,
    "InvalidDefaultsMode": _BAD_SETTING,
    "InvalidEndpointConfigurationError": BAD_ENDPOINT,
    "InvalidEndpointDiscoveryConfigurationError": _BAD_SETTING,
    "InvalidIMDSEndpointError": _BAD_SETTING,
    "InvalidIMDSEndpointModeError": _BAD_SETTING,
    "InvalidProxiesConfigError": _BAD_SETTING,
    "InvalidS3AddressingStyleError": _BAD_SETTING,
    "InvalidS3UsEast1RegionalEndpointConfigError": _BAD_SETTING,
    "InvalidSTSRegionalEndpointsConfigError": _BAD_SETTING,
    "UnknownSignatureVersionError": _BAD_SETTING,
    "UnsupportedSignatureVersionError": _BAD_SETTING,
    "UnsupportedS3ConfigurationError": _BAD_SETTING,
    "UnsupportedS3ControlConfigurationError": _BAD_SETTING,
    # Regions
    "NoRegionError": (RegionError, "No AWS region is known.", _NO_REGION),
    "InvalidRegionError": _UNKNOWN_REGION,
    "UnknownRegionError": _UNKNOWN_REGION,
    "ServiceNotInRegionError": _UNKNOWN_ENDPOINT,
    "BaseEndpointResolverError": _UNKNOWN_ENDPOINT,
    "EndpointProviderError": _UNKNOWN_ENDPOINT,
    # Values
    "ParamValidationError": _BAD_VALUE,
    "ValidationError": _BAD_VALUE,
    "MissingParametersError": _BAD_VALUE,
    "InvalidDNSNameError": _BAD_VALUE,
    "InvalidHostLabelError": _BAD_VALUE,
    "InvalidArnException": _BAD_VALUE,
    "UnsupportedOutpostResourceError": _BAD_VALUE,
    "UnsupportedS3AccesspointConfigurationError": _BAD_VALUE,
    "UnsupportedS3ArnError": _BAD_VALUE,
    "UnsupportedS3ControlArnError": _BAD_VALUE,
    # The network
    "EndpointConnectionError": _UNREACHABLE,
    "ConnectTimeoutError": (AwsError, "AWS cannot be reached at {endpoint}: connecting timed out.", _NETWORK),
    "ReadTimeoutError": (AwsError, "AWS does not answer at {endpoint}: reading timed out.", _NETWORK),
    "ConnectionClosedError": (AwsError, "AWS at {endpoint} closed the connection without an answer.", _NETWORK),
    "ProxyConnectionError": (
        AwsError,
        "The proxy {endpoint} cannot be reached: {reason}.",
        "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
    ),
    "SSLError": (
        AwsError,
        "No TLS session with AWS at {endpoint}: {reason}.",
        "Check AWS_CA_BUNDLE, the proxy settings and AWS_ENDPOINT_URL.",
    ),
    "ConnectionError": _UNREACHABLE,
    "HTTPClientError": _UNREACHABLE,
    "HTTPError": _UNREACHABLE,  # urllib3's base
    "IncompleteReadError": (AwsError, "The answer of AWS was cut off while {doing}.", _NETWORK),
    "ChecksumError": (AwsError, "The answer of AWS was damaged on its way while {doing}.", _NETWORK),
    "FlexibleChecksumError": (AwsError, "The answer of AWS was damaged on its way while {doing}.", _NETWORK),
    "ResponseParserError": _NOT_AWS,
    "CapacityNotAvailableError": (AwsError, "AWS is asked too often while {doing}.", "Try again in a minute."),
    # boto3's own
    "BotoCoreError": _BOTO3,
    "UndefinedModelAttributeError": _BOTO3,
    "Boto3Error": _BOTO3,
    # What lies beneath
    "ImportError": _BOTO3,
    "RecursionError": _NOT_READABLE,
    "MemoryError": (AwsError, "This machine's memory was not enough for {doing}.", "Free some, then run this again."),
    "EOFError": _NOT_READABLE,
    "JSONDecodeError": _NOT_READABLE,
    "UnicodeEncodeError": NOT_SENDABLE,
    "UnicodeError": _NOT_READABLE,
    "SubprocessError": PROCESS_FAILED,
    "OSError": _FILE,
    "LookupError": _NOT_READABLE,
    "ValueError": (AwsError, "A value in the AWS configuration is not valid, met while {doing}.", _CONFIGURATION),
}

# AWS's own codes; the first entry whose pattern matches counts.
BY_CODE: tuple[tuple[str, Entry], ...] = (
    ("ExpiredToken|RequestExpired", EXPIRED),
    (
        "InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|InvalidToken|"
        "InvalidSignature|IncompleteSignature|AuthFailure|MissingAuthenticationToken",
        (
            CredentialsError,
            "AWS does not accept the access key ({code}).",
            "Check the profile, the AWS_* variables and this machine's clock; mixing keys of two accounts is the "
            "usual cause.",
        ),
    ),
    (
        "AccessDenied|UnauthorizedOperation|NotAuthorized|OptInRequired|403$",
        (AwsError, "AWS does not permit {doing} with these credentials ({code}).", ""),
    ),
    (
        "Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit|ProvisionedThroughput",
        (AwsError, "AWS failed while {doing}: it is asked too often ({code}).", "Try again in a minute."),
    ),
    (
        "Internal|ServiceUnavailable|ServiceFailure|5\\d\\d$",
        (AwsError, "AWS failed while {doing}: a fault on its side ({code}).", "Try again in a minute."),
    ),
    (
        "Validation|Invalid|Malformed|MissingParameter",
        (AwsError, "AWS failed while {doing}: it takes no value of this form ({code}).", _NAMES),
    ),
    ("", (AwsError, "AWS failed while {doing} ({code}).", "Check the network and the AWS configuration.")),
)
