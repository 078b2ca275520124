"""A boto3 session from a profile and a region, and botocore's errors in this project's words.

boto3 is imported on first use: it takes longer than the rest of the package together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rds_iam_magic.errors import AwsError, CredentialsError, OptionError, RdsIamError, RegionError


def open_session(
    *,
    profile: str | None = None,
    region: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
) -> Any:
    """A `boto3.Session` with the user's own credential chain, or that of a role which these credentials assume.

    Args:
        profile: The AWS profile; the default chain without it.
        region: Overrides the configured region.
        role_arn: A role to assume; its credentials refresh by themselves before they expire.
        external_id: What the role's trust policy may ask for.

    Raises:
        CredentialsError: The profile does not exist.
        OptionError: An external id without a role.
    """
    if external_id and not role_arn:
        raise OptionError("--external-id is for a role.", "Add --role-arn, or leave --external-id out.")
    with aws_call("opening an AWS session"):
        import boto3

        session = boto3.Session(profile_name=profile or None, region_name=region or None)
        return _assume(session, role_arn, external_id) if role_arn else session


def _assume(session: Any, role_arn: str, external_id: str | None) -> Any:
    """A session whose credentials are the role's, got from STS when they are first read."""
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.session import Session as CoreSession

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=session.client,
        source_credentials=credentials_of(session),
        role_arn=role_arn,
        extra_args={"RoleSessionName": "rds_iam_magic", **({"ExternalId": external_id} if external_id else {})},
    )
    core = CoreSession()
    # botocore has no public way to give a session refreshable credentials.
    core._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")  # noqa: SLF001
    return boto3.Session(botocore_session=core, region_name=session.region_name)


def why_refused(session: Any) -> CredentialsError | None:
    """After the database has refused a token: whether AWS does not accept the credentials either.

    STS answers this for anybody, without a permission. No answer is no finding.
    """
    from botocore.config import Config

    try:
        with aws_call("asking who the credentials are"):
            quick = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 1})
            session.client("sts", config=quick).get_caller_identity()
    except CredentialsError as error:
        return error
    except RdsIamError:
        return None
    return None


def region_of(session: Any) -> str:
    """The session's region.

    Raises:
        RegionError: None is configured.
    """
    region = session.region_name
    if not region:
        raise RegionError("No AWS region is known.", "Add --region, or set AWS_REGION or a region in the AWS profile.")
    return str(region)


def credentials_of(session: Any) -> Any:
    """The session's botocore credentials; refreshable ones refresh by themselves when they are read.

    Raises:
        CredentialsError: There are none.
    """
    with aws_call("reading the AWS credentials"):
        credentials = session.get_credentials()
    if credentials is None:
        raise _no_credentials("")
    return credentials


@contextmanager
def aws_call(doing: str) -> Iterator[None]:
    """Turn botocore's errors into this project's; `doing` names the step, as in "looking up sandbox".

    The new error hides its context: frames of botocore hold secret keys in their locals, which `%xmode Verbose` prints.
    """
    try:
        yield
    except RdsIamError:
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt from None
    except Exception as error:
        from botocore.exceptions import BotoCoreError, ClientError

        if type(error) is RuntimeError:
            # What botocore raises for credentials that say themselves that they have expired and cannot be refreshed.
            raise _expired(_first_line(error)) from None
        if not isinstance(error, (BotoCoreError, ClientError, ValueError)):  # ValueError: an endpoint that is no URL
            raise
        raise translate(error, doing) from None


def error_code(error: Exception) -> str:
    """The code of a `ClientError`, such as `AccessDenied`; empty for other errors."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def translate(error: Exception, doing: str) -> RdsIamError:
    """A botocore error as one of ours."""
    kind = type(error).__name__
    if kind in _BY_CLASS:
        return _BY_CLASS[kind](_first_line(error))
    code = error_code(error)
    if code in _EXPIRED:
        return _expired(code)
    if code in _UNKNOWN_KEY:
        return CredentialsError(
            f"AWS does not accept the access key ({code}).",
            "Check the profile and the AWS_* variables; mixing keys of two accounts is the usual cause.",
            detail=code,
        )
    if code.startswith(("AccessDenied", "UnauthorizedOperation")):
        return AwsError(
            f"AWS does not permit {doing} with these credentials ({code}).",
            "Ask for the permission, or give the database's full host name, which needs no look-up."
            if doing.startswith("looking up")
            else "Ask for the permission, or use other credentials (--profile, --role-arn).",
            detail=_first_line(error),
        )
    return AwsError(f"AWS failed while {doing}: {_first_line(error)}", "Check the network and the AWS configuration.")


def _no_credentials(_: str) -> CredentialsError:
    return CredentialsError(
        "No AWS credentials were found.",
        "Run aws configure or aws sso login, set AWS_PROFILE, or add --profile NAME.",
    )


def _expired(detail: str) -> CredentialsError:
    return CredentialsError(
        "The AWS credentials have expired.",
        "Get fresh ones (aws sso login, or your usual way), then run this again.",
        detail=detail,
    )


def _sso_expired(_: str) -> CredentialsError:
    return CredentialsError(
        "The AWS SSO session has ended.",
        "Run aws sso login (with --profile, if you use one), then this again.",
    )


def _partial(words: str) -> CredentialsError:
    return CredentialsError(f"The AWS credentials are incomplete: {words}", "Set both the access key and its secret.")


def _unknown_profile(words: str) -> CredentialsError:
    return CredentialsError(f"{words}.", "aws configure list-profiles names those that exist.")


def _no_region(_: str) -> RegionError:
    return RegionError("No AWS region is known.", "Add --region, or set AWS_REGION or a region in the AWS profile.")


def _unreachable(words: str) -> AwsError:
    return AwsError(f"AWS cannot be reached: {words}", "Check the network, the proxy settings and AWS_ENDPOINT_URL.")


def _source_failed(words: str) -> CredentialsError:
    return CredentialsError(f"The source of the AWS credentials failed: {words}", "Check the profile's settings.")


_BY_CLASS: dict[str, Callable[[str], RdsIamError]] = {
    "NoCredentialsError": _no_credentials,
    "PartialCredentialsError": _partial,
    "ProfileNotFound": _unknown_profile,
    "ConfigNotFound": _unknown_profile,
    "NoRegionError": _no_region,
    "UnauthorizedSSOTokenError": _sso_expired,
    "SSOTokenLoadError": _sso_expired,
    "TokenRetrievalError": _sso_expired,
    "SSOError": _sso_expired,
    "CredentialRetrievalError": _source_failed,
    "MetadataRetrievalError": _source_failed,
    "RefreshWithMFAUnsupportedError": _source_failed,
    "EndpointConnectionError": _unreachable,
    "ConnectTimeoutError": _unreachable,
    "ReadTimeoutError": _unreachable,
    "ConnectionClosedError": _unreachable,
    "ProxyConnectionError": _unreachable,
    "SSLError": _unreachable,
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN_KEY = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
}


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
