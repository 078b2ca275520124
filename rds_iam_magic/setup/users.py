"""Database users that log in with IAM: created by the master user, with the plugin, `REQUIRE SSL` and grants.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.aws.session import require_text
from rds_iam_magic.connect_options import MAX_USER_NAME
from rds_iam_magic.errors import OptionError, StatementError, UserSetupError
from rds_iam_magic.sql.quoting import quote_name, quote_text

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.connection.connection import Connection

PLUGIN = "AWSAuthenticationPlugin"


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges on a schema or table; `*` stands for all. It is parsed, so that nothing else gets into the SQL.

    Attributes:
        privileges: In upper case.
        schema, table: Unquoted.
        is_pattern: Whether the schema was quoted, so that `_` and `%` in it are MySQL's wildcards.
    """

    privileges: tuple[str, ...]
    schema: str
    table: str
    is_pattern: bool = False

    def __str__(self) -> str:
        return self.sql(wildcards=False)

    def sql(self, *, wildcards: bool) -> str:
        """The SQL for GRANT and REVOKE.

        Args:
            wildcards: Whether the server treats `_` in a schema's name as a wildcard, so that it must be escaped.
        """
        schema = self.schema
        if wildcards and self.table == "*" and not self.is_pattern:
            schema = schema.replace("_", r"\_")
        return f"{', '.join(self.privileges)} ON {_star_or_name(schema)}.{_star_or_name(self.table)}"


@dataclass(frozen=True, slots=True)
class UserSetup:
    """What `create_user` did: the user's row (`User`, `Host`, `Plugin`), and whether anything changed.

    Attributes:
        row: The user's row in `mysql.user`.
        created: Whether the user is new.
        granted: Whether grants are new.
        asked: Whether grants were requested.
        privileged: Whether the user now has any privilege.
    """

    row: pd.DataFrame
    created: bool
    granted: bool
    asked: bool = True
    privileged: bool = True


_GRANT = re.compile(
    r"\s*(?P<privileges>[A-Za-z]+(?:\s+[A-Za-z]+)*(?:\s*,\s*[A-Za-z]+(?:\s+[A-Za-z]+)*)*)\s+ON\s+"
    r"(?P<schema>\*|`(?:[^`]|``)+`|[\w$]+)\s*\.\s*(?P<table>\*|`(?:[^`]|``)+`|[\w$]+)\s*",
    re.IGNORECASE,
)


def parse_grant(text: str) -> Grant:
    """Parse a grant such as `SELECT, SHOW VIEW ON schema.*`.

    Raises:
        OptionError: The text is not a grant.
    """
    match = _GRANT.fullmatch(text)
    if match is None:
        raise OptionError(f"{text!r} is not a grant.", cause="grant-invalid")
    privileges = tuple(" ".join(p.split()).upper() for p in match["privileges"].split(","))
    schema = match["schema"]
    return Grant(privileges, _unquote(schema), _unquote(match["table"]), is_pattern=schema.startswith("`"))


def create_user(master: Connection, name: str, *, grants: list[Grant], host: str = "%") -> UserSetup:
    """Create a user that logs in with IAM, and grant privileges; running it again changes nothing.

    Args:
        master: A connection as a user who may create users and grant privileges.
        name: The user name; case-sensitive, and the same in the IAM policy.
        grants: The privileges to grant.
        host: The host pattern that the user connects from.

    Raises:
        OptionError: The name or the host pattern is empty or not valid text, or the name is too long.
        UserSetupError: The user exists with another authentication plugin, and is left as it is; or the server refused
            a grant, and the message says what was already done.
        StatementError: The server refused another statement.
    """
    if not name or len(name) > MAX_USER_NAME:
        raise OptionError(f"A user name has 1 to {MAX_USER_NAME} characters.", cause="user-name-invalid")
    require_text(name, "The user's name")
    require_text(host, "The host pattern")
    account = f"{quote_name(name)}@{quote_name(host)}"
    row = _row(master, name, host)
    created = row.empty
    if created:
        master.execute(f"CREATE USER {account} IDENTIFIED WITH {PLUGIN} AS 'RDS' REQUIRE SSL")
    elif str(row["Plugin"].iloc[0]) != PLUGIN:
        raise UserSetupError(
            f"{name}@{host} exists and logs in with {row['Plugin'].iloc[0]}; nothing was changed.",
            cause="user-exists",
        )
    before = _grants(master, account)
    # With partial_revokes on, MySQL takes schema names literally.
    partial = master.query("SHOW VARIABLES LIKE 'partial_revokes'")
    wildcards = partial.empty or partial.iloc[0, 1] != "ON"
    for grant in grants:
        _grant(master, grant.sql(wildcards=wildcards), account, done=f"{name} was created, but " if created else "")
    after = _grants(master, account)
    privileged = any(not grant.upper().startswith("GRANT USAGE ON ") for grant in after)
    return UserSetup(_row(master, name, host), created, after != before, bool(grants), privileged)


def _grant(master: Connection, grant: str, account: str, *, done: str) -> None:
    try:
        master.execute(f"GRANT {grant} TO {account}")
    except StatementError as error:
        raise UserSetupError(
            f"{done}GRANT {grant} was refused: {error.server_message} ({error.code}).",
            cause="grant-refused",
        ) from None


def _row(master: Connection, name: str, host: str) -> pd.DataFrame:
    # By bytes: 'Analyst' and 'analyst' are two users, whatever the collation says. CAST, because MySQL warns of the
    # operator BINARY since 8.0.27, and names of collations differ between the servers.
    return master.query(
        "SELECT User, Host, plugin AS Plugin FROM mysql.user "  # noqa: S608 - hex literals only
        f"WHERE CAST(User AS BINARY) = X'{name.encode().hex()}' AND Host = {quote_text(host)}"
    )


def _grants(master: Connection, account: str) -> set[str]:
    return set(master.query(f"SHOW GRANTS FOR {account}").iloc[:, 0])


def _unquote(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _star_or_name(name: str) -> str:
    return name if name == "*" else quote_name(name)
