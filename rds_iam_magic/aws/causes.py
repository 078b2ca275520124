"""Tables from errors of AWS's libraries to a class, a cause and a message; no logic.

`failures.py` looks entries up and fills in the `{names}` of their messages.
"""

from __future__ import annotations

from rds_iam_magic.errors import AwsError, CredentialsError, RdsIamError, RegionError

Entry = tuple[type[RdsIamError], str, str]
"""The class, the cause (which has the hint, in `hints.py`), and the message."""

_NO_CREDENTIALS: Entry = (CredentialsError, "credentials-missing", "No AWS credentials were found.")
EXPIRED: Entry = (CredentialsError, "credentials-expired", "The AWS credentials have expired.")
_SSO: Entry = (CredentialsError, "sso-session-ended", "The AWS SSO session has ended.")
_SOURCE: Entry = (
    CredentialsError,
    "credentials-source-failed",
    "The source of the AWS credentials failed ({provider}).",
)
PROCESS_FAILED: Entry = (
    CredentialsError,
    "credential-process-failed",
    "The profile's credential_process failed.",
)
PROCESS_NOT_RUN: Entry = (
    CredentialsError,
    "credential-process-not-run",
    "The profile's credential_process could not be run: {reason}.",
)
PROCESS_NO_JSON: Entry = (
    CredentialsError,
    "credential-process-malformed",
    "The profile's credential_process did not print the JSON that AWS defines.",
)
SOURCE_UNREADABLE: Entry = (
    CredentialsError,
    "credentials-unusable",
    "The source of the AWS credentials returned something other than credentials.",
)
NOT_SENDABLE: Entry = (
    AwsError,
    "aws-value-invalid",
    "The AWS request cannot be sent: a value contains an invalid character.",
)
_UNREACHABLE: Entry = (AwsError, "aws-unreachable", "AWS cannot be reached at {endpoint}: {reason}.")
NOT_AWS: Entry = (
    AwsError,
    "aws-response-invalid",
    "Something other than AWS answered while {doing}: the response cannot be parsed.",
)
BAD_ENDPOINT: Entry = (
    AwsError,
    "aws-endpoint-invalid",
    "The AWS configuration has an invalid endpoint, used while {doing}.",
)
_BAD_VALUE: Entry = (
    AwsError,
    "aws-value-invalid",
    "The AWS request cannot be sent: a value is not valid for {doing}.",
)
_BAD_SETTING: Entry = (
    AwsError,
    "aws-configuration-invalid",
    "A setting in the AWS configuration is not valid ({class}).",
)
_BAD_FILE: Entry = (
    AwsError,
    "aws-configuration-unreadable",
    "The AWS configuration file {path} cannot be read: {reason}.",
)
_FILE: Entry = (
    AwsError,
    "aws-configuration-invalid",
    "A file or program named in the AWS configuration cannot be used: {reason}.",
)
_NOT_READABLE: Entry = (
    AwsError,
    "aws-configuration-invalid",
    "The data read while {doing} has an unexpected format.",
)
_UNKNOWN_REGION: Entry = (RegionError, "region-unknown", "{region_name} is not an AWS region.")
_UNKNOWN_ENDPOINT: Entry = (
    RegionError,
    "region-without-endpoint",
    "boto3 knows no AWS endpoint for this service and region{in_region}.",
)
_BOTO3: Entry = (AwsError, "boto3-failed", "boto3 failed while {doing} ({class}).")
LOOKUP_DENIED: Entry = (
    AwsError,
    "aws-lookup-denied",
    "AWS does not permit {doing} with these credentials ({code}).",
)
ANY: Entry = (AwsError, "aws-failed", "AWS failed while {doing} ({class}).")

# By the name of the class or of the nearest base class. Names rather than classes: which classes exist depends on
# botocore's version, and botocore is imported late.
BY_CLASS: dict[str, Entry] = {
    # Credentials
    "NoCredentialsError": _NO_CREDENTIALS,
    "NoAuthTokenError": _NO_CREDENTIALS,
    "PartialCredentialsError": (
        CredentialsError,
        "credentials-incomplete",
        "The AWS credentials are incomplete: {cred_var} is missing ({provider}).",
    ),
    "ProfileNotFound": (
        CredentialsError,
        "profile-unknown",
        "The config profile ({profile}) could not be found.",
    ),
    "UnknownCredentialError": (
        CredentialsError,
        "credentials-source-failed",
        "The AWS profile names an unknown source of credentials.",
    ),
    "UnknownTokenProviderError": _SOURCE,
    "CredentialRetrievalError": _SOURCE,
    "MetadataRetrievalError": (
        CredentialsError,
        "machine-credentials-failed",
        "The credentials service of this instance or container failed.",
    ),
    "BadIMDSRequestError": _SOURCE,
    "RefreshWithMFAUnsupportedError": (
        CredentialsError,
        "mfa-code-required",
        "The profile's role requires an MFA code, which cannot be entered here.",
    ),
    "InfiniteLoopConfigError": (
        CredentialsError,
        "profile-invalid",
        "The profile {source_profile} gets its credentials from itself: its source_profile settings form a loop.",
    ),
    "InvalidConfigError": (
        CredentialsError,
        "profile-invalid",
        "The AWS profile is incomplete, or its settings contradict each other.",
    ),
    "SSOError": _SSO,
    "TokenRetrievalError": _SSO,
    "LoginError": (
        CredentialsError,
        "login-session-ended",
        "The session of aws login has ended, or cannot be read.",
    ),
    "LoginInsufficientPermissions": (
        CredentialsError,
        "login-session-denied",
        "AWS does not allow the session of aws login to be refreshed.",
    ),
    "MissingDependencyException": (
        CredentialsError,
        "boto3-part-missing",
        "boto3 lacks a component that these credentials need.",
    ),
    # Configuration
    "ConfigNotFound": (
        AwsError,
        "aws-configuration-not-found",
        "The AWS configuration file {path} was not found.",
    ),
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
    "NoRegionError": (RegionError, "region-missing", "No AWS region is known."),
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
    "ConnectTimeoutError": (AwsError, "aws-unreachable", "AWS cannot be reached at {endpoint}: connecting timed out."),
    "ReadTimeoutError": (AwsError, "aws-unreachable", "AWS does not answer at {endpoint}: reading timed out."),
    "ConnectionClosedError": (
        AwsError,
        "aws-unreachable",
        "AWS at {endpoint} closed the connection without an answer.",
    ),
    "ProxyConnectionError": (
        AwsError,
        "aws-proxy-unreachable",
        "The proxy {endpoint} cannot be reached: {reason}.",
    ),
    "SSLError": (
        AwsError,
        "aws-tls-failed",
        "TLS with AWS at {endpoint} failed: {reason}.",
    ),
    "ConnectionError": _UNREACHABLE,
    "HTTPClientError": _UNREACHABLE,
    "HTTPError": _UNREACHABLE,  # urllib3's base
    "IncompleteReadError": (AwsError, "aws-unreachable", "AWS's response was cut off while {doing}."),
    "ChecksumError": (AwsError, "aws-unreachable", "AWS's response was corrupted while {doing}."),
    "FlexibleChecksumError": (AwsError, "aws-unreachable", "AWS's response was corrupted while {doing}."),
    "ResponseParserError": NOT_AWS,
    "CapacityNotAvailableError": (AwsError, "aws-throttled", "AWS throttled requests while {doing}."),
    # boto3's own
    "BotoCoreError": _BOTO3,
    "UndefinedModelAttributeError": _BOTO3,
    "Boto3Error": _BOTO3,
    # Python's own
    "ImportError": _BOTO3,
    "RecursionError": _NOT_READABLE,
    "MemoryError": (AwsError, "memory-exhausted", "This machine ran out of memory while {doing}."),
    "EOFError": _NOT_READABLE,
    "JSONDecodeError": _NOT_READABLE,
    "UnicodeEncodeError": NOT_SENDABLE,
    "UnicodeError": _NOT_READABLE,
    "SubprocessError": PROCESS_FAILED,
    "OSError": _FILE,
    "LookupError": _NOT_READABLE,
    "ValueError": (
        AwsError,
        "aws-configuration-invalid",
        "The AWS configuration has an invalid value, used while {doing}.",
    ),
}

# By AWS's error code; the first matching pattern wins.
BY_CODE: tuple[tuple[str, Entry], ...] = (
    ("ExpiredToken|RequestExpired", EXPIRED),
    (
        "InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|InvalidToken|"
        "InvalidSignature|IncompleteSignature|AuthFailure|MissingAuthenticationToken",
        (
            CredentialsError,
            "access-key-refused",
            "AWS rejected the access key ({code}).",
        ),
    ),
    (
        "AccessDenied|UnauthorizedOperation|NotAuthorized|OptInRequired|403$",
        (AwsError, "aws-denied", "AWS does not permit {doing} with these credentials ({code})."),
    ),
    (
        "Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit|ProvisionedThroughput",
        (AwsError, "aws-throttled", "AWS failed while {doing}: too many requests ({code})."),
    ),
    (
        "Internal|ServiceUnavailable|ServiceFailure|5\\d\\d$",
        (AwsError, "aws-fault", "AWS failed while {doing}: a fault on AWS's side ({code})."),
    ),
    (
        "Validation|Invalid|Malformed|MissingParameter",
        (AwsError, "aws-value-invalid", "AWS failed while {doing}: it rejected a value ({code})."),
    ),
    ("", (AwsError, "aws-failed", "AWS failed while {doing} ({code}).")),
)
