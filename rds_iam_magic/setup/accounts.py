"""`Accounts`: the accounts of a server, and what the server knows of privileges; read as the master user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import StatementError, UserSetupError
from rds_iam_magic.setup.account_names import shown
from rds_iam_magic.setup.grants.grant import RoleGrant
from rds_iam_magic.setup.grants.held import Held, read_grants
from rds_iam_magic.sql.quoting import quote_name
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.connection.connection import Connection

PLUGIN = "AWSAuthenticationPlugin"


@dataclass(frozen=True, slots=True)
class Account:
    """An account: a user name and the host pattern that it may connect from.

    Attributes:
        user: The name; case-sensitive.
        host: The pattern, in lower case on MySQL and MariaDB.
        plugins: How it logs in: one of these.
        tls: What it requires: `SSL`, `X509`, `SPECIFIED` (a certificate as its definition says) or `none`.
        locked: Whether it may not log in.
        is_role: Whether it is a role of MariaDB; MySQL's are accounts as others.
        roles: Its roles.
        default_roles: Those of them that are active after login.
    """

    user: str
    host: str
    plugins: tuple[str, ...] = (PLUGIN,)
    tls: str = "SSL"
    locked: bool = False
    is_role: bool = False
    roles: tuple[RoleGrant, ...] = ()
    default_roles: tuple[RoleGrant, ...] = ()

    def __str__(self) -> str:
        return f"{shown(self.user)}@{shown(self.host)}"

    @property
    def sql(self) -> str:
        """As in a statement."""
        return f"{quote_name(self.user)}@{quote_name(self.host)}"

    @property
    def has_plugin(self) -> bool:
        """Whether it may log in with IAM."""
        return PLUGIN.lower() in (plugin.lower() for plugin in self.plugins)

    @property
    def login(self) -> str:
        """How it logs in, in words."""
        return " or ".join(self.plugins) or "no plugin"


@dataclass(frozen=True, slots=True)
class Accounts:
    """What was read of a server.

    Attributes:
        all: All accounts, roles of MariaDB included.
        known: The privileges that the server knows.
        wildcards: Whether `_` and `%` are wildcards in the schema of a grant.
        resolves_names: Whether the server looks up the names of the addresses that connect.
        is_mariadb: Whether it is MariaDB.
        lower: Whether it keeps the names of schemas and tables in lower case.
        schemas: The names of its schemas.
        first: What was run before all else: on MySQL, the master user's roles were made active.
    """

    all: tuple[Account, ...]
    known: frozenset[str]
    wildcards: bool
    resolves_names: bool
    is_mariadb: bool
    lower: bool = False
    schemas: frozenset[str] = frozenset()
    first: tuple[str, ...] = ()

    def find(self, user: str, host: str) -> Account | None:
        """The account with that name, by its bytes, and that host, in any case."""
        return next((a for a in self.named(user) if a.host.lower() == host.lower()), None)

    def named(self, user: str) -> list[Account]:
        """The accounts with that name, whatever their hosts."""
        return [account for account in self.all if account.user == user and not account.is_role]

    def others(self, user: str, host: str) -> list[Account]:
        """Accounts that may be taken for that one: another host, another case, or without a name: for all users."""
        return [
            account
            for account in self.all
            if not account.is_role
            and account.user.casefold() in ("", user.casefold())
            and (account.user, account.host.lower()) != (user, host.lower())
        ]

    def near(self, user: str) -> list[str]:
        """The names nearest to one, of accounts with the plugin."""
        names = {a.user.lower(): a.user for a in self.all if a.has_plugin}
        return [names[name] for name in difflib.get_close_matches(user.lower(), names, n=3, cutoff=0.7)]

    def role(self, role: RoleGrant) -> RoleGrant | None:
        """The role of that name, as the server has it; None if there is none."""
        if self.is_mariadb:
            found = any(a.is_role and a.user == role.name for a in self.all)
            return RoleGrant(role.name) if found and role.host in ("", "%") else None
        account = self.find(role.name, role.host or "%")
        return None if account is None else RoleGrant(account.user, account.host)


def read_accounts(master: Connection) -> Accounts:
    """Read the accounts of a server.

    Raises:
        UserSetupError: The user may not read them: it is not the master user.
    """
    is_mariadb = "mariadb" in master.server_version.lower()
    # From MySQL 8.0.36 on, the rights of RDS's master user are those of rds_superuser_role.
    first = ("SET ROLE ALL",) if has_roles(master.server_version) else ()
    for statement in first:
        master.execute(statement)
    names = "'lower_case_table_names', 'partial_revokes', 'skip_name_resolve'"
    settings = dict(_rows(master, f"SHOW VARIABLES WHERE Variable_name IN ({names})"))
    return Accounts(
        all=tuple(_read_all(master, is_mariadb=is_mariadb)),
        known=frozenset(" ".join(row[0].split()).upper() for row in _rows(master, "SHOW PRIVILEGES")),
        # With partial_revokes on, MySQL takes schema names literally.
        wildcards=settings.get("partial_revokes") != "ON",
        resolves_names=settings.get("skip_name_resolve") != "ON",
        is_mariadb=is_mariadb,
        lower=settings.get("lower_case_table_names", "0") != "0",
        schemas=frozenset(row[0] for row in _rows(master, "SHOW DATABASES")),
        first=first,
    )


def read_held(master: Connection, known: frozenset[str], account: Account | None = None) -> Held:
    """What an account holds; by default the master user, with the roles that are active."""
    of = "" if account is None else f" FOR {account.sql}"
    return read_grants((row[0] for row in _rows(master, f"SHOW GRANTS{of}")), known)


def defined_by(master: Connection, account: Account) -> str:
    """What would fail without an account, since it runs with the account's rights (DEFINER): counted, or ""."""
    definer = f"{account.user}@{account.host}".encode().hex()
    kinds = {"view": "VIEWS", "routine": "ROUTINES", "trigger": "TRIGGERS", "event": "EVENTS"}
    counts = {
        kind: int(
            _rows(
                master,
                f"SELECT COUNT(*) FROM information_schema.{table} "  # noqa: S608 - hex literals only
                f"WHERE CAST(DEFINER AS BINARY) = X'{definer}'",
            )[0][0]
        )
        for kind, table in kinds.items()
    }
    return ", ".join(count_of(count, kind) for kind, count in counts.items() if count)


def frame_of(accounts: Iterable[Account]) -> pd.DataFrame:
    """Accounts as a DataFrame: `User`, `Host`, `Plugin`, `TLS`, `Locked`, `Roles`."""
    import pandas as pd

    rows = [
        (a.user, a.host, " or ".join(a.plugins), a.tls, a.locked, ", ".join(map(str, sorted(a.roles))))
        for a in accounts
    ]
    frame = pd.DataFrame(rows, columns=["User", "Host", "Plugin", "TLS", "Locked", "Roles"])
    return frame.astype({"User": "str", "Host": "str", "Plugin": "str", "TLS": "str", "Locked": "bool", "Roles": "str"})


# Of the JSON only what is needed: it has the password hashes, too. An account may have several ways to log in
# (auth_or); in that list, {} stands for the one beside it.
_MARIADB = """
SELECT User, Host, IFNULL(JSON_VALUE(Priv, '$.is_role'), 0), IFNULL(JSON_VALUE(Priv, '$.plugin'), ''),
  IFNULL(JSON_EXTRACT(Priv, '$.auth_or[*].plugin'), '[]'), IFNULL(JSON_VALUE(Priv, '$.ssl_type'), 0),
  IFNULL(JSON_VALUE(Priv, '$.account_locked'), 0), IFNULL(JSON_VALUE(Priv, '$.default_role'), '')
FROM mysql.global_priv ORDER BY User, Host
"""
_DENIED = {1044, 1142, 1143, 1227}
_TLS_OF_MARIADB = {"1": "SSL", "2": "X509", "3": "SPECIFIED"}
_TLS_OF_MYSQL = {"ANY": "SSL", "X509": "X509", "SPECIFIED": "SPECIFIED"}


def _read_all(master: Connection, *, is_mariadb: bool) -> list[Account]:
    try:
        return _on_mariadb(master) if is_mariadb else _on_mysql(master)
    except StatementError as error:
        if error.code not in _DENIED:
            raise
        reason = f"{error.server_message} ({error.code})"
    raise UserSetupError(f"The accounts of the server cannot be read: {reason}.", cause="accounts-unreadable")


def _on_mariadb(master: Connection) -> list[Account]:
    """https://mariadb.com/kb/en/mysql-global_priv-table/ and https://mariadb.com/kb/en/mysql-roles_mapping-table/."""
    import json

    roles: dict[tuple[str, str], list[RoleGrant]] = {}
    for user, host, role in _rows(master, "SELECT User, Host, Role FROM mysql.roles_mapping ORDER BY Role"):
        roles.setdefault((user, host), []).append(RoleGrant(role))
    return [
        Account(
            user=user,
            host=host,
            plugins=tuple(dict.fromkeys(filter(None, [plugin, *json.loads(others)]))),
            tls=_TLS_OF_MARIADB.get(tls, "none"),
            locked=_is_true(locked),
            is_role=_is_true(is_role),
            roles=tuple(roles.get((user, host), ())),
            default_roles=(RoleGrant(default),) if default else (),
        )
        for user, host, is_role, plugin, others, tls, locked, default in _rows(master, _MARIADB)
    ]


def _on_mysql(master: Connection) -> list[Account]:
    """https://dev.mysql.com/doc/refman/8.4/en/grant-tables.html; before MySQL 8.0 there are no roles."""
    roles: dict[tuple[str, str], list[RoleGrant]] = {}
    defaults: dict[tuple[str, str], list[RoleGrant]] = {}
    if has_roles(master.server_version):
        of, by = "SELECT TO_USER, TO_HOST, FROM_USER, FROM_HOST FROM mysql.role_edges", "ORDER BY FROM_USER, FROM_HOST"
        for user, host, role, role_host in _rows(master, f"{of} {by}"):
            roles.setdefault((user, host), []).append(RoleGrant(role, role_host))
        of = "SELECT USER, HOST, DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST FROM mysql.default_roles"
        for user, host, role, role_host in _rows(master, of):
            defaults.setdefault((user, host), []).append(RoleGrant(role, role_host))
    rows = _rows(master, "SELECT User, Host, plugin, ssl_type, account_locked FROM mysql.user ORDER BY User, Host")
    return [
        Account(
            user=user,
            host=host,
            plugins=(plugin,) if plugin else (),
            tls=_TLS_OF_MYSQL.get(tls, "none"),
            locked=locked == "Y",
            roles=tuple(roles.get((user, host), ())),
            default_roles=tuple(defaults.get((user, host), ())),
        )
        for user, host, plugin, tls, locked in rows
    ]


def has_roles(version: str) -> bool:
    """Whether a MySQL server of that version has roles."""
    major = version.partition(".")[0]
    return "mariadb" not in version.lower() and major.isdigit() and int(major) >= 8


def _is_true(value: str) -> bool:
    return value.lower() in ("1", "true", "y")


def _rows(master: Connection, sql: str) -> list[list[str]]:
    """The rows of a query of our own, which returns no NULL, as strings; what is binary is decoded."""
    frame = master.query(sql)
    return [[_text(value) for value in row] for row in frame.itertuples(index=False)]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
