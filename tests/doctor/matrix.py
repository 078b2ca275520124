"""The matrix: each cause is made real, one at a time, and diagnosed with three sets of permissions. As data.

What is broken, and what must come of it: by whoever may look at nothing (P0), at the databases and at what IAM says
(P1), at the documents, the log and the accounts too (P2).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.doctor.findings import Certainty
from tests.doctor.ground import Ground
from tests.support import permissions, stand_in

LEVELS = {
    "P0": (),
    "P1": ("rds:Describe*", "iam:GetRole", "iam:SimulatePrincipalPolicy"),
    "P2": (
        "rds:Describe*",
        "iam:Get*",
        "iam:List*",
        "iam:SimulatePrincipalPolicy",
        "logs:FilterLogEvents",
        "cloudwatch:GetMetricData",
        "secretsmanager:GetSecretValue",
    ),
}
"""The permissions of each level, beside `sts:GetCallerIdentity`, which nobody can be denied."""

Break = Callable[[Ground], AbstractContextManager[dict[str, Any]]]


@dataclass(frozen=True)
class Row:
    """One cause.

    Attributes:
        numbers: Its numbers in the table of causes.
        cause: Its name in `CAUSES`.
        what: What is broken.
        breaks: Breaks exactly that; yields what `diagnose` is called with besides.
        expected: What P0, P1 and P2 give.
        printed: Whether the mend, as it is printed, is a command or a statement that mends it.
    """

    numbers: str
    cause: str
    what: str
    breaks: Break
    expected: tuple[Certainty, Certainty, Certainty]
    printed: bool = False

    def __str__(self) -> str:
        return f"{self.numbers}-{self.what}".replace(" ", "-")


CERTAIN: tuple[Certainty, Certainty, Certainty] = ("certain", "certain", "certain")
THEN_CERTAIN: tuple[Certainty, Certainty, Certainty] = ("one of", "certain", "certain")
AT_LAST: tuple[Certainty, Certainty, Certainty] = ("one of", "one of", "certain")

ROWS: list[Row] = []


def _row(
    numbers: str,
    cause: str,
    what: str,
    expected: tuple[Certainty, Certainty, Certainty] = CERTAIN,
    *,
    printed: bool = False,
) -> Callable[[Callable[[Ground], Iterator[dict[str, Any]]]], None]:
    def added(breaks: Callable[[Ground], Iterator[dict[str, Any]]]) -> None:
        ROWS.append(Row(numbers, cause, what, contextmanager(breaks), expected, printed))

    return added


def _given(numbers: str, cause: str, what: str, expected: Any = None, **options: Any) -> None:
    """A row that only asks otherwise."""

    @_row(numbers, cause, what, expected or CERTAIN)
    def _(_: Ground) -> Iterator[dict[str, Any]]:
        yield options


# AWS: the credentials, the clock, the target


@_row("1", "credentials", "no credentials")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.variables(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None):
        yield {}


_given("1", "credentials", "a profile that there is not", profile="nobody")


@_row("2", "sso-session", "the SSO session has ended")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    lines = "[profile sso]\nsso_session = own\nsso_account_id = 123456789012\nsso_role_name = r\nregion = us-east-1\n"
    lines += "[sso-session own]\nsso_start_url = https://own.awsapps.com/start\nsso_region = us-east-1\n"
    with ground.configuration(lines):
        yield {"profile": "sso"}


@_row("3", "credentials-expired", "temporary credentials have expired")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    variables = permissions.session_of_role(ground.sandbox)
    ground.sandbox.account.end_session(variables["AWS_ACCESS_KEY_ID"])
    with ground.variables(**variables):
        yield {"user": "reader"}


@_row("4", "clock", "the clock is 20 minutes behind")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.clock(dt.timedelta(minutes=-20)):
        yield {}


@_row("5", "clock", "the clock is 20 minutes ahead")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.clock(dt.timedelta(minutes=20)):
        yield {}


_given("6", "region", "another region is given", region="eu-west-1")
_given("7", "host", "an address is the target", target="127.0.0.1")
_given("7", "host", "another name is the target", target="localhost")


@_row("8", "port", "the tunnel's port is given", ("likely", "certain", "certain"))
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    yield {"port": ground.sandbox.server.port}


@_row("32", "failover", "the writer of a global database has moved", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.failed_over() as (host, old_region):
        yield {"target": host, "region": old_region}


@_row("35", "session-token", "the session token is forgotten")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    variables = permissions.session_of_role(ground.sandbox)
    with ground.variables(**{**variables, "AWS_SESSION_TOKEN": None}):
        yield {"user": "reader"}


@_row("39", "partition", "the keys are of another partition")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.variables(**permissions.key_of_partition(ground.sandbox, "cn-north-1")):
        yield {}


@_row("40", "access-key", "the access key is deleted", ("likely", "likely", "likely"))
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.variables(AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE"):
        yield {}


_given("41", "target", "there is no such database", ("unknown", "certain", "certain"), target="sandbax")


# IAM

_NO_IDS = "a resource id that no database has"


@_row("10", "policy-missing", "no policy allows it", ("one of", "likely", "certain"), printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.policy():
        yield {}


@_row("11", "policy-arn", "the policy has the identifier", THEN_CERTAIN, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.policy(ground.allow(ground.arn.replace(ground.resource_id, "sandbox"))):
        yield {}


@_row("11", "policy-arn", "the policy has rds:connect", THEN_CERTAIN, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.policy(ground.allow(ground.arn, action="rds:connect")):
        yield {}


@_row("12", "policy-instance", "the policy has the id of the Aurora instance", THEN_CERTAIN, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.policy(ground.allow(ground.arn.replace(ground.resource_id, ground.instance_id))):
        yield {}


@_row("13", "policy-restored", _NO_IDS, ("one of", "likely", "likely"), printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.policy(ground.allow(ground.arn.replace(ground.resource_id, "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"))):
        yield {}


@_row("14", "policy-denied", "a policy denies it", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.policy(ground.allow(ground.arn), ground.allow("*", effect="Deny")):
        yield {}


@_row("14", "policy-denied", "the permissions boundary does not allow it", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.boundary(ground.allow("*", effect="Deny", action="rds-db:connect"), ground.allow("*", action="*")):
        yield {}


@_row("14", "policy-denied", "a service control policy does not allow it", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    all_else = {"Effect": "Allow", "NotAction": "rds-db:*", "Resource": "*"}
    with ground.sandbox.account.service_control_policies({"Version": "2012-10-17", "Statement": [all_else]}):
        yield {}


@_row(
    "15",
    "policy-condition",
    "the policy has a condition that never holds",
    ("one of", "likely", "certain"),
    printed=True,
)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    here = {"Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
    with ground.policy({**ground.allow(ground.arn), **here}):
        yield {}


@_row("16", "account", "the credentials are of another account", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.other_account() as variables, ground.variables(**variables):
        yield {}


# The database


@_row("17", "iam-off", "IAM authentication is off", THEN_CERTAIN, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.without_iam():
        yield {}


@_row("17", "iam-off", "IAM authentication is off, and the plugin is missing", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.without_iam(), ground.stands_in(stand_in.IAM_OFF) as via:
        yield {"via": via}


@_row("18", "unsupported", "the version has no IAM authentication", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.old_database() as host, ground.stands_in(stand_in.IAM_OFF) as via:
        yield {"target": host, "via": via}


@_row("36", "status", "the database is stopped", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sandbox.account.status("sandbox", "stopped"), ground.closed_port() as via:
        yield {"via": via}


@_row("36", "status", "the database is starting", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sandbox.account.status("sandbox", "starting"), ground.closed_port() as via:
        yield {"via": via}


@_row("36", "status", "the database may be paused", ("one of", "likely", "likely"))
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.pausing() as host, ground.closed_port() as via:
        yield {"target": host, "via": via}


# Its users


@_row("9", "user-case", "the user is written in another case", AT_LAST)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    yield {"user": ground.user.capitalize()}


@_row("19", "user-missing", "there is no such user", AT_LAST, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sql(f"DROP USER '{ground.user}'@'%'"):
        yield {}


@_row("20", "user-password", "the user has a password", AT_LAST, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sql(f"ALTER USER '{ground.user}'@'%' IDENTIFIED BY 'a password that nobody uses 1'"):
        yield {}


@_row("21", "user-host", "the user may connect from elsewhere only", AT_LAST, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sql(f"RENAME USER '{ground.user}'@'%' TO '{ground.user}'@'10.9.%'"):
        yield {}


@_row("37", "user-locked", "the account is locked", printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sql(f"ALTER USER '{ground.user}'@'%' ACCOUNT LOCK"):
        yield {}


@_row("44", "user-certificate", "the account requires a client certificate", AT_LAST, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sql(f"ALTER USER '{ground.user}'@'%' REQUIRE X509"):
        yield {}


_given("33", "schema", "there is no such schema", database="nowhere")


@_row("33", "schema", "the user has no privileges on the schema", printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.sql(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{ground.user}'@'%'"):
        yield {"database": "shop"}


@_row("30", "throttle", "RDS throttles logins", ("one of", "one of", "certain"))
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    ground.sandbox.account.refuse_next(9, "throttled")
    try:
        yield {}
    finally:
        ground.sandbox.account.refuse_next(0)


# The way


@_row("31", "network", "the name does not resolve")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.variables(RDS_IAM_MAGIC_VIA=None):
        yield {}


@_row("31", "network", "nothing listens at the port", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.closed_port() as via:
        yield {"via": via}


@_row("31", "network", "what is dialled hangs up")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.hangs_up() as via:
        yield {"via": via}


@_row("22", "certificate", "the CA bundle lacks the server's CA")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    yield {"ca": str(ground.other_ca)}


@_row("23", "proxy-certificate", "the CA bundle lacks the roots of RDS Proxy")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    yield {"target": ground.proxy_host, "user": "reader", "ca": str(ground.other_ca)}


_OTHER_HOST = "other.cluster-abcdefghijkl.us-east-1.rds.amazonaws.com"
_given("24", "certificate-name", "the certificate is another host's", target=_OTHER_HOST)


@_row("25", "certificate-expired", "the certificate has expired")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.expired() as (via, ca):
        yield {"via": via, "ca": str(ca)}


@_row("42", "tls", "what is dialled has no TLS")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.without_tls() as via:
        yield {"via": via}


def _limit(number: int, what: str, answer: stand_in.Answer) -> None:
    @_row("38", "limits", f"{what} ({number})")
    def _(ground: Ground) -> Iterator[dict[str, Any]]:
        with ground.stands_in(answer) as via:
            yield {"via": via}


_limit(1040, "the server has no free connection", stand_in.TOO_MANY_CONNECTIONS)
_limit(1129, "the server blocks this machine", stand_in.HOST_BLOCKED)
_limit(1203, "the user has too many connections", stand_in.USER_CONNECTIONS)
_limit(1226, "the account has reached a limit", stand_in.USER_LIMIT)


@_row("43", "refused", "the server refuses for another reason")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.stands_in(stand_in.Answer(1862, "Your password has expired.")) as via:
        yield {"via": via}


# Proxies


@_row("26", "policy-proxy", "the policy has the database's id, at a proxy", THEN_CERTAIN, printed=True)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    yield {"target": ground.proxy_host}


@_row("27", "proxy-secret", "the proxy has no secret for the user", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.at_proxy("somebody"), ground.stands_in(stand_in.PROXY_WITHOUT_SECRET) as via:
        yield {"target": ground.proxy_host, "via": via}


@_row("27", "proxy-secret", "the proxy's secret is outdated", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    health = ("UNAVAILABLE", "AUTH_FAILURE", "Proxy does not have any registered credentials")
    with (
        ground.at_proxy(ground.user),
        ground.sandbox.account.target_health("sandbox-proxy", *health),
        ground.stands_in(stand_in.PROXY_WITHOUT_SECRET) as via,
    ):
        yield {"target": ground.proxy_host, "via": via}


@_row("28", "proxy-iam", "IAM authentication is off at the proxy", THEN_CERTAIN)
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.at_proxy(ground.user, iam="DISABLED"), ground.stands_in(stand_in.PROXY_WITHOUT_SECRET) as via:
        yield {"target": ground.proxy_host, "via": via}


@_row("29", "proxy-throttle", "the proxy throttles logins")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.stands_in(stand_in.PROXY_THROTTLED) as via:
        yield {"target": ground.proxy_host, "via": via}


@_row("34", "proxy-database", "the proxy cannot reach its database")
def _(ground: Ground) -> Iterator[dict[str, Any]]:
    with ground.stands_in(stand_in.PROXY_UNAVAILABLE) as via:
        yield {"target": ground.proxy_host, "via": via}


_BY_NAME = {row.what: row for row in ROWS}
_NO_POLICY, _NO_USER, _NO_SCHEMA = "no policy allows it", "there is no such user", "there is no such schema"
_CLOSED, _OFF = "nothing listens at the port", "IAM authentication is off"

PAIRS: list[tuple[Row, Row]] = [
    (_BY_NAME[first], _BY_NAME[second])
    for first, second in (
        ("no credentials", _NO_POLICY),
        ("the SSO session has ended", _NO_USER),
        ("a profile that there is not", _CLOSED),
        ("the clock is 20 minutes behind", _NO_POLICY),
        ("the clock is 20 minutes ahead", _NO_USER),
        ("another region is given", _NO_POLICY),
        ("an address is the target", _NO_USER),
        ("the tunnel's port is given", _NO_POLICY),
        ("the tunnel's port is given", "the user has a password"),
        (_OFF, _NO_POLICY),
        (_OFF, _NO_USER),
        ("the database is stopped", _NO_POLICY),
        (_CLOSED, _NO_USER),
        (_CLOSED, _NO_SCHEMA),
        ("the CA bundle lacks the server's CA", _NO_POLICY),
        ("the certificate has expired", "the user has a password"),
        ("the server has no free connection (1040)", _NO_POLICY),
        (_NO_POLICY, _NO_USER),
        ("the policy has the identifier", "the user may connect from elsewhere only"),
        ("a policy denies it", "the user has a password"),
        ("the permissions boundary does not allow it", "the account is locked"),
        (_NO_USER, _NO_SCHEMA),
        ("no policy allows it", _NO_SCHEMA),
        ("the proxy throttles logins", "the policy has the database's id, at a proxy"),
    )
]
"""Two faults at once, the one that comes first on the way in front."""


def certain_numbers(level: str) -> set[int]:
    """The numbers of the causes that are certain with that level's permissions, in one row at least."""
    place = list(LEVELS).index(level)
    return {int(number) for row in ROWS for number in row.numbers.split(", ") if row.expected[place] == "certain"}
