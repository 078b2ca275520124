"""Where each static privilege of MySQL and MariaDB may be granted; privileges that are not here are global.

https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html, https://mariadb.com/kb/en/grant/#privilege-levels
"""

from __future__ import annotations

from collections.abc import Iterable

COLUMN = frozenset({"SELECT", "INSERT", "UPDATE", "REFERENCES"})
TABLE = COLUMN | {
    "ALTER", "CREATE", "CREATE VIEW", "DELETE", "DELETE HISTORY", "DROP", "INDEX", "SHOW VIEW", "TRIGGER"
}  # fmt: skip
ROUTINE = frozenset({"ALTER ROUTINE", "EXECUTE", "SHOW CREATE ROUTINE"})
SCHEMA = TABLE | ROUTINE | {"CREATE ROUTINE", "CREATE TEMPORARY TABLES", "EVENT", "LOCK TABLES"}

STATIC = SCHEMA | {
    "BINLOG ADMIN", "BINLOG MONITOR", "BINLOG REPLAY", "CONNECTION ADMIN", "CREATE ROLE", "CREATE TABLESPACE",
    "CREATE USER", "DROP ROLE", "FEDERATED ADMIN", "FILE", "PROCESS", "READ_ONLY ADMIN", "RELOAD",
    "REPLICATION CLIENT", "REPLICATION MASTER ADMIN", "REPLICATION SLAVE", "REPLICATION SLAVE ADMIN", "SET USER",
    "SHOW DATABASES", "SHUTDOWN", "SLAVE MONITOR", "SUPER"
}  # fmt: skip

ALL = "ALL PRIVILEGES"
NONE = "USAGE"
NEVER = frozenset({"GRANT OPTION", "PROXY"})
"""What is not granted here: it hands the right to grant on, or another user's identity."""

# Other spellings, each with the one that SHOW GRANTS uses; MariaDB renamed several, MySQL none.
_SPELLINGS = {
    "ALL": ALL,
    "CREATE TEMPORARY TABLE": "CREATE TEMPORARY TABLES",
    "DELETE VERSIONING ROWS": "DELETE HISTORY",
    "REPLICA MONITOR": "SLAVE MONITOR",
    "REPLICATION REPLICA": "REPLICATION SLAVE",
    "REPLICATION REPLICA ADMIN": "REPLICATION SLAVE ADMIN",
}


def spelled(words: Iterable[str]) -> str:
    """A privilege's name as SHOW GRANTS has it, of its words in any case."""
    name = " ".join(words).upper()
    return _SPELLINGS.get(name, name)


def applicable(kind: str) -> frozenset[str] | None:
    """The privileges that a level of that kind takes: `schema`, `table`, `routine`; None for `global`: all."""
    return {"schema": SCHEMA, "table": TABLE, "routine": ROUTINE}.get(kind)


def where(name: str) -> str:
    """Where a privilege may be granted, in words."""
    if name not in SCHEMA:
        return "ON *.*"
    places = ["ON *.*", "ON SCHEMA.*"]
    if name in TABLE:
        places.append("ON SCHEMA.TABLE")
    if name in ROUTINE:
        places.append("ON PROCEDURE (or FUNCTION) SCHEMA.NAME")
    return f"{', '.join(places[:-1])} or {places[-1]}"
