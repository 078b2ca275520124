"""Who the credentials are, by STS, which takes no permission; what its answers' dates say of the clock.

An answer has a date also when it is a refusal: a clock that is wrong comes as one of several codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.session import HastySession, client_of, part_of, sending_in_background
from rds_iam_magic.background import BackgroundCall
from rds_iam_magic.errors import CredentialsError, RdsIamError
from rds_iam_magic.wording import duration_text

CLOCK_TOLERANCE = 300
"""Seconds that a clock may be off, as AWS has it for signatures."""

UNKNOWN_KEY = "InvalidClientTokenId"
"""The code for an access key that this partition has none of."""

OTHER_SECRET = "SignatureDoesNotMatch"  # noqa: S105 - a code
"""The code for an access key that it has, and a signature by another secret, or of another time."""

REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Partitions whose STS can be reached from the internet, each with the region that it is asked in."""

_DOING = "asking who the credentials are"


@dataclass(frozen=True, slots=True)
class Caller:
    """What STS says of the credentials, or why it does not.

    Attributes:
        arn, account: Who they are; "" if they were refused.
        refusal: The error, if STS gave none or another answer.
        code: AWS's code of a refusal; "" if it is none of AWS's.
        ahead: Seconds that this machine's clock is ahead of the answer's date, refusals' too; None if AWS has not
            answered.
    """

    arn: str = ""
    account: str = ""
    refusal: RdsIamError | None = None
    code: str = ""
    ahead: float | None = None


def ask_who(session: Any, region: str | None = None) -> Caller:
    """Ask STS, for seconds at most; whatever comes of it is in the answer.

    Args:
        session: The boto3 session.
        region: The region to ask in, else the session's: STS of another partition does not know the keys.
    """
    heard = _Heard()
    try:
        with aws_call(_DOING):
            return _answer(_client(session, region), heard)
    except RdsIamError as error:
        return Caller(refusal=error, code=heard.code, ahead=heard.ahead(error))


def clock_ahead(session: Any, region: str) -> float | None:
    """Seconds that this machine's clock is ahead, asked without credentials; None if AWS does not answer."""
    heard = _Heard()
    try:
        with aws_call("asking for the time"):
            return _answer(_nobody(session, region), heard).ahead
    except RdsIamError as refusal:
        return heard.ahead(refusal)


def _nobody(session: Any, region: str) -> Any:
    """A client with keys that nobody has: STS refuses them, and that answer has a date."""
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    return sending_in_background(HastySession.of(session).client("sts", region_name=region, **keys))


@dataclass(slots=True)
class _Heard:
    """What a refusal said, beside its error."""

    date: str = ""
    code: str = ""

    def ahead(self, error: RdsIamError) -> float | None:
        """Seconds that this machine's clock is ahead; None if the date is not AWS's: a page has its own clock's.

        A page with the status 503, as of a web proxy, has that for its code.
        """
        is_of_aws = error.cause != "aws-response-invalid" and not self.code.isdigit()
        return _ahead(self.date) if is_of_aws else None


def _client(session: Any, region: str | None) -> Any:
    return client_of(HastySession.of(session), "sts", region_name=region)


def _answer(client: Any, heard: _Heard) -> Caller:
    try:
        answer = client.get_caller_identity()
    except client.exceptions.ClientError as error:
        heard.date, heard.code = _date_of(error.response), error_code(error)
        raise
    arn, account = (str(part_of(answer, name)) for name in ("Arn", "Account"))
    return Caller(arn, account, ahead=_ahead(_date_of(answer)))


def _date_of(answer: Mapping[str, Any]) -> str:
    return str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))


def _ahead(date: str) -> float | None:
    try:
        return (datetime.now(timezone.utc) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):  # no date, or none with a time zone
        return None


def diagnose_credentials(session: Any, region: str) -> CredentialsError | None:
    """After the database has rejected a token: what is wrong with the clock or with the credentials; None if nothing.

    If STS cannot be reached, the result is None.

    Args:
        session: The boto3 session.
        region: The endpoint's region.
    """
    caller = ask_who(session, region)
    refusal = caller.refusal if isinstance(caller.refusal, CredentialsError) else None
    return _clock_error(caller.ahead) or refusal


def _clock_error(ahead: float | None) -> CredentialsError | None:
    """The error for a clock that is off by more than `CLOCK_TOLERANCE`."""
    if ahead is None or abs(ahead) <= CLOCK_TOLERANCE:
        return None
    return CredentialsError(
        f"This machine's clock is {duration_text(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}, so its tokens "
        "are not valid.",
        cause="clock-wrong",
    )


def account_of_caller(session: Any) -> str | None:
    """The account of the session's credentials; None if STS does not tell."""
    return ask_who(session).account or None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Which other partition has the access key.

    Attributes:
        partition: Its name; "" if none of those that answered has it.
        silent: Those that did not say, each with what came instead.
    """

    partition: str = ""
    silent: dict[str, str] = field(default_factory=dict)


def partition_with_key(session: Any, but: str) -> Elsewhere:
    """Which partition's STS knows the access key; all of them but one are asked at once, each with one call.

    Args:
        session: The boto3 session.
        but: The partition that is known not to.

    Raises:
        CredentialsError: There are no credentials.
    """
    with aws_call(_DOING):
        calls = _calls(session, but)
    for call in calls.values():
        call.start()
    answers = {
        name: call.result() if call.wait(HastySession.of(session).seconds + 0.5) else Caller()
        for name, call in calls.items()
    }
    # A wrong signature is that of a key which is known.
    has = [name for name, answer in answers.items() if answer.arn or answer.code == OTHER_SECRET]
    silent = {
        name: answer.refusal.message if answer.refusal else "nothing answered in time"
        for name, answer in answers.items()
        if name not in has and answer.code != UNKNOWN_KEY
    }
    return Elsewhere(has[0] if has else "", silent)


def _calls(session: Any, but: str) -> dict[str, BackgroundCall[Caller]]:
    # One after the other: making clients of one session in several threads is not safe.
    clients = {name: _client(session, region) for name, region in REGIONS.items() if name != but}
    return {name: BackgroundCall(_Asking(client)) for name, client in clients.items()}


class _Asking:
    """One call, for a thread of its own."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self) -> Caller:
        heard = _Heard()
        try:
            with aws_call(_DOING):
                return _answer(self._client, heard)
        except RdsIamError as error:
            return Caller(refusal=error, code=heard.code)


_ASSUMED = re.compile(r"arn:[\w-]+:sts::\d+:assumed-role/(?P<role>[\w+=,.@-]+)/.+")


def role_of(arn: str) -> str:
    """The name of the role whose session an ARN is; "" if it is none."""
    match = _ASSUMED.fullmatch(arn)
    return match["role"] if match else ""


def arn_of_role(session: Any, name: str, region: str) -> str:
    """A role's ARN, by its name: its path is not in its sessions' ARNs.

    Args:
        session: The boto3 session, of the role's account.
        name: The role's name.
        region: A region of its partition.

    Raises:
        AwsError: It may not be looked up (`iam:GetRole`), or there is no such role any more.
    """
    with aws_call(f"looking up the role {name}"):
        return _arn_of_role(session, name, region)


def _arn_of_role(session: Any, name: str, region: str) -> str:
    answer = client_of(HastySession.of(session), "iam", region_name=region).get_role(RoleName=name)
    return str(part_of(part_of(answer, "Role"), "Arn"))
