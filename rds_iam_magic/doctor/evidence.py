"""`Evidence`: what is known of a login, and of what is not known, why. Data only, and no secret in it.

A field has its value, or it is `NotLooked`, `NotPermitted` or `Failed`. None of these is ever taken for a problem: what
may not be looked at is unknown, not wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar, Union

from rds_iam_magic.hints import Interface

if TYPE_CHECKING:
    import datetime as dt

    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.aws.policies.evaluate import Verdict
    from rds_iam_magic.aws.targets.found import Database
    from rds_iam_magic.errors import RdsIamError
    from rds_iam_magic.setup.accounts import Account

Value = TypeVar("Value")


# Why something is not known


@dataclass(frozen=True, slots=True)
class NotLooked:
    """It was not looked at.

    Attributes:
        waits_for: The check that it waits for, by its name in `findings.CHECKS`; "" if nobody asked for it.
        why: What would have to be given, as a clause such as `with {option:secret}`, its options as in `HINTS`; "" if
            it waits for a check.
    """

    waits_for: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class NotPermitted:
    """AWS or the server did not permit looking.

    Attributes:
        permission: The permission that it takes, such as `iam:SimulatePrincipalPolicy`.
    """

    permission: str

    @classmethod
    def of(cls, error: RdsIamError) -> NotPermitted | None:
        """The permission that an error says is missing; None if it is no denial."""
        permission = error.facts.get("permission")
        return cls(str(permission)) if permission else None


@dataclass(frozen=True, slots=True)
class Failed:
    """Looking failed: nothing answered in time, or something that is not understood.

    Attributes:
        what: What happened instead, as a sentence without a secret.
        mend: What lets it be looked at the next time, as in `Finding`; "" if that is not known.
    """

    what: str
    mend: str = ""


Unknown = Union[NotLooked, NotPermitted, Failed]  # noqa: UP007 - isinstance takes `_UNKNOWN`
_UNKNOWN = (NotLooked, NotPermitted, Failed)

NOT_LOOKED = NotLooked()


def known(fact: Value | Unknown) -> Value | None:
    """The value; None if it is not known."""
    return None if isinstance(fact, _UNKNOWN) else fact


def is_known(fact: object) -> bool:
    """Whether it is known."""
    return not isinstance(fact, _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of this package in the place of a value: what was looked at does not work.

    Attributes:
        cause: The error's cause, such as `sso-session-ended`.
        message: What happened; one line.
        hint: What to do next, a `Note` if interfaces spell it differently; one line, or "".
    """

    cause: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: RdsIamError) -> Problem:
        """What an error says."""
        return cls(error.cause, error.message, error.hint_note)


# The values


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        user: The database user.
        target: The target as it was typed; "" if an option took its place.
        database: The default schema, or None.
        port, region: As they were typed, or None.
        ca: Whether a CA bundle of the user's own is used.
        way: What is dialled instead of the endpoint, such as `127.0.0.1:3307` or `ssh bastion`; "" for the endpoint.
        line: The target and the options as on the line of `%rds_iam_connect`, to copy; without a secret.
        interface: Where it was asked, whose spelling of options the mends use.
        names: Names that variables of the environment bring in, each with its kind, as in `Diagnosis.names`.
    """

    user: str
    target: str = ""
    database: str | None = None
    port: int | None = None
    region: str | None = None
    ca: bool = False
    way: str = ""
    line: str = ""
    interface: Interface = Interface.PYTHON
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """The AWS credentials, as far as they are no secret.

    Attributes:
        source: Where they come from, in botocore's words: `env`, `shared-credentials-file`, `sso`, `assume-role` …
        temporary: Whether they have a session token.
        profile: The profile, if one is named.
    """

    source: str
    temporary: bool
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credentials are, by STS.

    Attributes:
        arn: The ARN, such as `arn:aws:sts::123456789012:assumed-role/analyst/me`.
        account: Its account.
        principal: The ARN of the user or role whose policies decide; a role's by its name and path.
    """

    arn: str
    account: str
    principal: str | Unknown = NOT_LOOKED

    @property
    def is_session(self) -> bool:
        """Whether it is an assumed role's session, which may have policies of its own that nobody can read."""
        return ":assumed-role/" in self.arn or ":federated-user/" in self.arn


@dataclass(frozen=True, slots=True)
class Target:
    """What the target means.

    Attributes:
        endpoint: What the token is signed for.
        origin: Where it came from, as a sentence.
        region_of_name: The region in the host name; "" if it tells none.
        described: What RDS described on the way to it; None if RDS was not asked. For the check of the database.
    """

    endpoint: Endpoint
    origin: str
    region_of_name: str = ""
    described: Database | None = None

    @property
    def home(self) -> str:
        """The region that it is in: that of its name, whatever region the token is signed for."""
        return self.region_of_name or self.endpoint.region


@dataclass(frozen=True, slots=True)
class Described:
    """The cluster, instance or proxy of the endpoint, as RDS describes it; a global database's writer.

    It is the cluster of an instance in one, with the instance's status: the cluster is what policies name, and where
    IAM authentication is switched on. Only where the cluster may not be described it is the instance.

    Attributes:
        name: Its identifier, or the proxy's name.
        kind: `DB cluster`, `DB instance` or `RDS Proxy`.
        account: Its account.
        resource_id: `cluster-…`, `db-…` or `prx-…`; None if it may not be described.
        port: Its port.
        status: Such as `available`.
        iam_enabled: Whether IAM authentication is on; None if that may not be described, and for a proxy, of which
            `Proxy` tells.
        iam_pending: Whether switching it on is a pending change, or being done.
        pauses: Whether it may be paused: a minimum capacity of 0 ACU.
        engine, version: Such as `aurora-mysql` and `8.0.mysql_aurora.3.08.0`; "" if it is a proxy.
        supports_iam: Whether the engine and the version have IAM authentication.
        arn: Its ARN.
    """

    name: str
    kind: Literal["DB cluster", "DB instance", "RDS Proxy"]
    account: str
    resource_id: str | None
    port: int
    status: str = "available"
    iam_enabled: bool | None = None
    iam_pending: bool = False
    pauses: bool = False
    engine: str = ""
    version: str = ""
    supports_iam: bool | Unknown = NOT_LOOKED
    arn: str = ""


@dataclass(frozen=True, slots=True)
class NoSuch:
    """RDS may be asked, and nothing of that account has the endpoint.

    Attributes:
        account: The account that was looked through; "" if it is not known.
        region: The region.
    """

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """What an RDS Proxy says of its logins.

    Attributes:
        name: Its name.
        iam: Whether it takes tokens for the user: by the user's entry, else by its default, else by what all of its
            entries say; None if they differ, and none of them is known to be the user's.
        has_user: Whether it has a secret for the user; None if the entries do not name their users. True with
            end-to-end IAM, which needs none.
        health: The states of its targets and their reasons, such as `("UNAVAILABLE", "AUTH_FAILURE", "…")`.
    """

    name: str
    iam: bool | None
    has_user: bool | None
    health: tuple[tuple[str, str, str], ...] | Unknown = NOT_LOOKED


@dataclass(frozen=True, slots=True)
class Writer:
    """Where the writer of a global database is now.

    Attributes:
        name: The global database.
        region: The writer's region.
        host: The host name of its endpoint; "" if its cluster may not be described.
    """

    name: str
    region: str
    host: str


@dataclass(frozen=True, slots=True)
class Network:
    """What became of the TCP connection.

    Attributes:
        outcome: `open`; `name` (it does not resolve), `name-slow`; `refused`; `silent`; `unreachable`; `closed` (at
            once, before the server said anything); `mute` (open, but no MySQL server's greeting came).
        address: What was dialled, such as the endpoint, `127.0.0.1:3307` or `ssh bastion`.
        message: What happened; one line.
        problem: The error that `%rds_iam_connect` raises for it, such as a tunnel's; None if it is open.
    """

    outcome: Literal["open", "name", "name-slow", "refused", "silent", "unreachable", "closed", "mute"]
    address: str
    message: str = ""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """What became of TLS.

    Attributes:
        outcome: `verified`; `untrusted`; `name` (the certificate is another host's); `expired`; `not-offered`;
            `failed`.
        source: The origin of the CA certificates; "" if there are none.
        message: What happened; one line.
        names: The certificate's names, as far as they could be read.
        problem: The error that `%rds_iam_connect` raises for it, such as of an unusable bundle; None if verified.
    """

    outcome: Literal["verified", "untrusted", "name", "expired", "not-offered", "failed"]
    source: str = ""
    message: str = ""
    names: tuple[str, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer to the token.

    Attributes:
        accepted: Whether it let the user in.
        code: Its error number; 0 if it let the user in.
        message: Its words.
        token_asked: Whether it asked for the token (`mysql_clear_password`).
        is_mariadb: Whether it is MariaDB, where "asked" proves nothing.
        address: The client's address in its words; "" if it has none.
        at: When it was asked, by this machine's clock, with a time zone; None if that is not known.
    """

    accepted: bool
    code: int = 0
    message: str = ""
    token_asked: bool = True
    is_mariadb: bool = False
    address: str = ""
    at: dt.datetime | None = None


MistakeKind = Literal[
    "action", "identifier", "instance-id", "other-id", "condition", "user-case", "other-user", "other"
]
"""What is wrong in a statement: `rds:connect` or another service in the ARN; an identifier instead of the resource id;
the `db-` id of an instance in a cluster, or a database's behind a proxy; the id of a database that there is not, as
after a restore; a condition that never holds; the user in another case; another user or database; anything else."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A statement that is for connecting, and does not let this user in.

    Attributes:
        kind: What is wrong.
        policy: The policy.
        wrong: The value as written.
        why: What is wrong, as a clause.
    """

    kind: MistakeKind
    policy: str
    wrong: str
    why: str


@dataclass(frozen=True, slots=True)
class Permission:
    """What IAM says to `rds-db:connect` on the exact ARN.

    Attributes:
        verdict: Allowed, explicitly denied, not allowed; unknown if that is known at connect only.
        arn: The ARN that was asked about.
        principal: The ARN of the user or role.
        by: The policy that decides; "" if none says anything.
        why: What else to know, as a clause; "".
        boundary: Whether it is the permissions boundary that forbids it.
        organization: Whether it is a service control policy that forbids it.
        mistakes: Statements that are for connecting and do not let this user in; empty if documents may not be read.
        read: Whether the documents could be read, so that no mistake is known to be missing; else the permission.
        simulated: Whether `SimulatePrincipalPolicy` said it; else the documents were evaluated.
        probed: Whether what the usual mistakes would allow was simulated, where documents may not be read. Then none of
            the kinds `action`, `identifier`, `instance-id` and `user-case` is missing from the mistakes.
    """

    verdict: Verdict
    arn: str
    principal: str
    by: str = ""
    why: str = ""
    boundary: bool = False
    organization: bool = False
    mistakes: tuple[Mistake, ...] = ()
    read: bool | NotPermitted = True
    simulated: bool = True
    probed: bool = False


@dataclass(frozen=True, slots=True)
class ServerAccounts:
    """The accounts of the server, read as the master user.

    Attributes:
        named: Those with the user's name, in the order in which the server tries them for this client's address.
        near: Those with the name in another case, or nearly that name.
        match: The one that the server takes for this client; None if none matches, or that is not known.
        certain: Whether `match` is sure: the client's address is known, and no pattern is a host's name.
    """

    named: tuple[Account, ...]
    near: tuple[Account, ...] = ()
    match: Account | None = None
    certain: bool = True


LogClass = Literal["token", "permission", "throttling", "server"]
"""RDS's classes of refusals; its metrics are named by them: InvalidToken, InsufficientPermissions, Throttling,
ServerError."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of the log `iam-db-auth-error` about the user.

    Attributes:
        at: When.
        of: Its class; None if its words are not known.
        words: RDS's words.
    """

    at: dt.datetime
    of: LogClass | None
    words: str


@dataclass(frozen=True, slots=True)
class Grants:
    """What the user may do, once logged in.

    Attributes:
        lines: `SHOW GRANTS`.
    """

    lines: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether the user has no privilege at all."""
        return all(line.upper().startswith("GRANT USAGE ON *.*") for line in self.lines)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known. Every field but `asked` is a value or why it is not known.

    Attributes:
        asked: What was asked for.
        keys: The AWS credentials; a `Problem` if there are none that could be used.
        identity: Who they are; a `Problem` if STS refuses them.
        clock: Seconds that this machine's clock is ahead of AWS's; negative if it is behind.
        known_in: The partition whose STS knows the key, where the endpoint's refuses it: its own, if only the secret is
            wrong; "" if none does.
        target: What the target means; a `Problem` if it means nothing.
        database: As RDS describes it.
        proxy: What the proxy says; None if the endpoint is none of a proxy.
        writer: Where the writer is; None if the endpoint is no global database's, or of none in this account.
        network: What became of TCP.
        tls: What became of TLS.
        answer: The server's answer to the token.
        permission: What IAM says.
        accounts: The server's accounts.
        grants: What the user may do, once logged in.
        log: The refusals of the user in the log of the last minutes, the latest first.
        metrics: How many refusals of each class there were in the last minutes, of all users.
    """

    asked: Asked
    keys: Keys | Problem | Unknown = NOT_LOOKED
    identity: Identity | Problem | Unknown = NOT_LOOKED
    clock: float | Unknown = NOT_LOOKED
    known_in: str | Unknown = NOT_LOOKED
    target: Target | Problem | Unknown = NOT_LOOKED
    database: Described | NoSuch | Unknown = NOT_LOOKED
    proxy: Proxy | Unknown | None = NOT_LOOKED
    writer: Writer | Unknown | None = NOT_LOOKED
    network: Network | Unknown = NOT_LOOKED
    tls: Tls | Unknown = NOT_LOOKED
    answer: Answer | Unknown = NOT_LOOKED
    permission: Permission | Unknown = NOT_LOOKED
    accounts: ServerAccounts | Problem | Unknown = NOT_LOOKED
    grants: Grants | Unknown = NOT_LOOKED
    log: tuple[LogEntry, ...] | Unknown = NOT_LOOKED
    metrics: dict[LogClass, int] | Unknown = field(default=NOT_LOOKED)
