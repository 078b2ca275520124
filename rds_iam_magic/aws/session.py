"""A boto3 session from a profile, a region and a role; its region and its credentials.

boto3 is imported on first use: it takes longer than the rest of the package together.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.border import aws_call, aws_in_background
from rds_iam_magic.errors import CredentialsError, OptionError, RegionError


def open_session(
    *,
    profile: str | None = None,
    region: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
) -> Any:
    """A `boto3.Session` with the user's credential chain, or with a role that those credentials assume.

    Args:
        profile: The AWS profile; default: the default credential chain.
        region: Overrides the configured region: that of `AWS_REGION`, of `AWS_DEFAULT_REGION` or of the profile, in the
            AWS CLI's order.
        role_arn: A role to assume; its credentials are refreshed automatically before they expire.
        external_id: The external id that the role's trust policy requires.

    Raises:
        CredentialsError: The profile does not exist.
        OptionError: An external id without a role, or an option that is empty or not valid text.
    """
    options = {"profile": profile, "region": region, "role ARN": role_arn, "external id": external_id}
    for name, value in options.items():
        if value is not None:
            require_text(value, f"The {name}")
    if external_id and not role_arn:
        raise OptionError("An external id applies to a role only.", cause="external-id-without-role")
    with aws_call("opening an AWS session"):
        return _open(profile, region, role_arn, external_id)


def _open(profile: str | None, region: str | None, role_arn: str | None, external_id: str | None) -> Any:
    # boto3 reads AWS_DEFAULT_REGION only: https://github.com/boto/boto3/issues/3620
    region = region or os.environ.get("AWS_REGION") or None
    session = boto3_session(profile_name=profile, region_name=region)
    return _assume(session, role_arn, external_id) if role_arn else session


def boto3_session(*, profile_name: str | None = None, credentials: Any = None, **options: Any) -> Any:
    """A `boto3.Session` that shares what others have read of botocore's data.

    That is 13 MB in memory for what a connection needs, which holds a session, and most of the time that a session's
    first clients take. With a `data_path` of the user's own (AWS_DATA_PATH) a session reads all of it by itself; what
    is added to ~/.aws/models is seen by the next kernel.

    Args:
        profile_name: As of `boto3.Session`.
        credentials: botocore's, in the place of those that it would find.
        options: Further arguments of `boto3.Session`.
    """
    import boto3
    from botocore.loaders import Loader
    from botocore.session import Session as CoreSession

    core = CoreSession()
    if profile_name is not None:
        core.set_config_variable("profile", profile_name)
    if credentials is not None:
        core._credentials = credentials  # noqa: SLF001 - botocore has no public way to give refreshable ones
    if core.get_config_variable("data_path") is None:
        core.register_component("data_loader", Loader(file_loader=_files()))
    return boto3.Session(botocore_session=core, **options)


@functools.lru_cache(maxsize=1)
def _files() -> Any:
    """What reads botocore's data files, each once, but for threads that ask at the same time.

    botocore changes some of these data in place, the same way each time: its sdk-extras, the defaults of its endpoints.
    """
    from botocore.loaders import JSONFileLoader

    files = JSONFileLoader()
    files.load_file = functools.lru_cache(maxsize=None)(files.load_file)
    return files


def _assume(session: Any, role_arn: str, external_id: str | None) -> Any:
    """A session with the role's credentials, fetched from STS when they are first read."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda *names, **options: sending_in_background(session.client(*names, **options)),
        source_credentials=credentials_of(session),
        role_arn=role_arn,
        extra_args={"RoleSessionName": "rds_iam_magic", **({"ExternalId": external_id} if external_id else {})},
    )
    credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return boto3_session(credentials=credentials, region_name=session.region_name)


def require_text(value: str, name: str) -> None:
    """Refuse an option that is empty (a variable that was not set) or cannot be sent (a lone surrogate).

    An empty option must not count as omitted: that would select other credentials or another region than intended.

    Raises:
        OptionError: It is empty or cannot be sent.
    """
    if not value.strip():
        raise OptionError(f"{name} is empty.", cause="option-empty")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise OptionError(f"{name} contains a lone surrogate, which is not valid text.", cause="option-not-text")


HASTE = 3.0
"""Seconds that AWS has for what is asked beside the user's own doing."""


class HastySession:
    """A boto3 session whose clients give up within seconds: for what is asked beside the user's own doing.

    Several threads may take clients of it; boto3's own session is for one.

    Args:
        session: The session; its credentials, its region and its events are this one's, too.
        seconds: Seconds for connecting, and for the answer.
    """

    def __init__(self, session: Any, seconds: float = HASTE) -> None:
        self._session = session
        self.seconds = seconds
        self._lock = threading.Lock()

    @classmethod
    def of(cls, session: Any) -> HastySession:
        """The session itself, if it is one of these."""
        return session if isinstance(session, cls) else cls(session)

    def client(self, service: str, **options: Any) -> Any:
        """A client with short timeouts, and without retries."""
        from botocore.config import Config

        hasty = Config(connect_timeout=self.seconds, read_timeout=self.seconds, retries={"total_max_attempts": 1})
        with self._lock:
            return self._session.client(service, **{**options, "config": hasty})  # one of these in another, too

    def get_credentials(self) -> Any:
        """The session's credentials; None if there are none."""
        with self._lock:
            return self._session.get_credentials()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def region_of(session: Any) -> str:
    """The session's region.

    Raises:
        RegionError: None is configured.
        AwsError: The AWS configuration cannot be read.
    """
    region = configured_region(session)
    if not region:
        raise RegionError("No AWS region is known.")
    return region


def configured_region(session: Any) -> str | None:
    """The session's region, if one is configured.

    Raises:
        AwsError: The AWS configuration cannot be read.
    """
    with aws_call("reading the AWS configuration"):
        region = session.region_name
    return str(region) if region else None


def credentials_of(session: Any) -> Any:
    """The session's botocore credentials; refreshable ones are refreshed when they are read.

    Raises:
        CredentialsError: There are none.
    """
    with aws_call("reading the AWS credentials"):
        return _credentials(session)


@dataclass(frozen=True, slots=True)
class Source:
    """Where credentials come from; nothing of it is secret.

    Attributes:
        method: In botocore's words: `env`, `shared-credentials-file`, `sso`, `assume-role` …
        temporary: Whether they have a session token.
        profile: The profile, if one is named.
    """

    method: str
    temporary: bool
    profile: str = ""


def source_of(session: Any) -> Source:
    """Where the session's credentials come from; they are read, and refreshed if they have to be.

    Raises:
        CredentialsError: There are none, or none that could be used.
        AwsError: Their source fails, such as STS for a role.
    """
    with aws_call("reading the AWS credentials"):
        return _source(session)


def _source(session: Any) -> Source:
    credentials = _credentials(session)
    profile = str(session.profile_name)  # boto3 calls it `default` where none is named, too
    is_temporary = bool(credentials.get_frozen_credentials().token)
    return Source(str(credentials.method or ""), is_temporary, "" if profile == "default" else profile)


def environment_of(session: Any) -> dict[str, str]:
    """The session's credentials as the variables that the AWS CLI reads; they are secrets.

    Raises:
        CredentialsError: There are none.
    """
    with aws_call("reading the AWS credentials"):
        return _environment(session)


def _environment(session: Any) -> dict[str, str]:
    keys = _credentials(session).get_frozen_credentials()
    variables = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
    return {**variables, **({"AWS_SESSION_TOKEN": keys.token} if keys.token else {})}


def _credentials(session: Any) -> Any:
    from botocore.exceptions import NoCredentialsError

    def read() -> Any:
        credentials = session.get_credentials()
        if credentials is not None:
            _check(credentials.get_frozen_credentials())
        return credentials

    credentials = aws_in_background(read)  # they may be AWS's to give, or another program's
    if credentials is None:
        raise NoCredentialsError
    return credentials


def _check(keys: Any) -> None:
    """Refuse malformed keys: botocore would fail on them with obscure errors."""
    if not keys.access_key or not keys.secret_key:
        raise CredentialsError(
            "The AWS credentials are incomplete: the access key or its secret is empty.",
            cause="credentials-incomplete",
        )
    if keys.access_key.startswith("ASIA") and not keys.token:
        raise CredentialsError(
            "The AWS access key is a temporary one (ASIA…), and its session token is missing.",
            cause="session-token-missing",
        )
    # isprintable() excludes line breaks and tabs; AWS keys contain no spaces either.
    if not all(text.isascii() and text.isprintable() and " " not in text for text in keys[:3] if text):
        raise CredentialsError(
            "The AWS credentials contain a character that keys never have: a line break, a space, or one beyond ASCII.",
            cause="credentials-malformed",
        )


def part_of(answer: Mapping[str, Any], name: str) -> Any:
    """A part that each of AWS's answers has; call it only inside a border.

    Raises:
        ResponseParserError: It is missing, so that something else has answered; some pages come over botocore's parser
            as an answer without parts.
    """
    from botocore.parsers import ResponseParserError

    if name not in answer:
        raise ResponseParserError(f"no {name}")
    return answer[name]


def client_of(session: Any, service: str, **options: Any) -> Any:
    """A client for an AWS service, with checked credentials; call it only inside a border.

    Raises:
        CredentialsError: There are no credentials, or they are malformed.
    """
    _credentials(session)
    return sending_in_background(session.client(service, **options))


def sending_in_background(client: Any) -> Any:
    """The client, whose single requests are sent where no interrupt strikes.

    Not its calls as a whole: they wait and try again, which an interrupt has to end. The request that is on its way
    then may still take effect, as one whose answer is lost.
    """
    endpoint = getattr(client, "_endpoint", None)  # botocore has no public way to it
    if endpoint is not None:
        endpoint.http_session = _BackgroundSender(endpoint.http_session)
    return client


class _BackgroundSender:
    """botocore's HTTP session; its TLS is Python's, in which an interrupt may leave a descriptor with two owners."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        """Send a request and read its answer."""
        return aws_in_background(lambda: self._session.send(request))

    def close(self) -> None:
        """Close the connections that it keeps."""
        self._session.close()
