"""What a MySQL server answers to the questions about accounts, by its documentation: no MySQL is at hand here.

https://dev.mysql.com/doc/refman/8.4/en/grant-tables.html, roles.html, show-grants.html, show-privileges.html
"""

from __future__ import annotations

import re

import pandas as pd

from tests.support.packets import TEXT, column, ok, packet, packets, result

_PRIVILEGES = (
    "Alter", "Alter routine", "Create", "Create role", "Create routine", "Create temporary tables", "Create user",
    "Create view", "Delete", "Drop", "Drop role", "Event", "Execute", "Grant option", "Index", "Insert", "Lock tables",
    "Process", "Proxy", "References", "Reload", "Select", "Show databases", "Show view", "Super", "Trigger", "Update",
    "Usage", "BACKUP_ADMIN", "ROLE_ADMIN", "XA_RECOVER_ADMIN"
)  # fmt: skip


class DocumentedMySQL:
    """Answers as RDS for MySQL 8.0.36 does: the master's rights are those of a role, which must be made active.

    Attributes:
        server_version: As the server tells it.
        grants: The lines of SHOW GRANTS, by account as in a statement.
        sent: What was executed.
    """

    def __init__(self, server_version: str = "8.0.36", *, partial_revokes: bool = True) -> None:
        self.server_version = server_version
        self._settings = {"partial_revokes": "ON"} if partial_revokes else {}
        self.sent: list[str] = []
        self.grants = {
            "`ana`@`%`": ["GRANT USAGE ON *.* TO `ana`@`%`", "GRANT `analysts`@`%` TO `ana`@`%`"],
            "`admin`@`%`": ["GRANT `rds_superuser_role`@`%` TO `admin`@`%` WITH ADMIN OPTION"],
        }

    def execute(self, sql: str) -> int:
        self.sent.append(sql)
        if sql == "SET ROLE ALL" and not self.server_version.startswith("8"):
            raise AssertionError("there are no roles before MySQL 8.0")
        return 0

    def answer(self, command: bytes) -> bytes:
        """The same over the wire, as `WireServer` asks for it."""
        sql = command.decode()
        if sql.startswith("SELECT CONNECTION_ID()"):  # what a session asks by itself at its begin
            rows: list[tuple[str, ...]] = [("7", "this server", "67108864")]
        elif sql.startswith(("SELECT", "SHOW")):
            rows = self._rows(sql)
        else:
            self.execute(sql)
            return packet(1, ok(0))
        columns = [column(f"c{number}", TEXT) for number in range(len(rows[0]))]
        return packets(result(columns, [[value.encode() for value in row] for row in rows]))

    def query(self, sql: str) -> pd.DataFrame:
        rows = self._rows(sql)
        return pd.DataFrame(rows, dtype="str")

    def _rows(self, sql: str) -> list[tuple[str, ...]]:
        if sql.startswith("SHOW VARIABLES"):
            return [*self._settings.items(), ("skip_name_resolve", "ON")]
        if sql == "SHOW PRIVILEGES":
            return [(name, "Server Admin", "") for name in _PRIVILEGES]
        if "information_schema" in sql:
            return [("1" if "ROUTINES" in sql else "0",)]
        if sql == "SHOW DATABASES":
            return [("shop",), ("mysql",)]
        if sql == "SHOW GRANTS":
            role_is_active = "SET ROLE ALL" in self.sent or not self.server_version.startswith("8")
            mine = "GRANT SELECT, INSERT, CREATE USER ON *.* TO `admin`@`%` WITH GRANT OPTION"
            return [(mine,)] * role_is_active + [(line,) for line in self.grants["`admin`@`%`"]]
        if match := re.fullmatch(r"SHOW GRANTS FOR (.*)", sql):
            return [(line,) for line in self.grants.get(match[1], [f"GRANT USAGE ON *.* TO {match[1]}"])]
        return self._table(sql)

    def _table(self, sql: str) -> list[tuple[str, ...]]:
        if "mysql.role_edges" in sql:
            assert self.server_version.startswith("8")
            return [
                ("ana", "%", "analysts", "%"),
                ("ana", "%", "bosses", "10.%"),
                ("admin", "%", "rds_superuser_role", "%"),
            ]
        if "mysql.default_roles" in sql:
            return [("ana", "%", "analysts", "%")]
        assert "mysql.user" in sql
        return [
            ("admin", "%", "mysql_native_password", "", "N"),
            ("ana", "%", "AWSAuthenticationPlugin", "ANY", "N"),
            ("ben", "10.%", "AWSAuthenticationPlugin", "", "Y"),
            ("cleo", "%", "AWSAuthenticationPlugin", "X509", "N"),
            ("dan", "%", "AWSAuthenticationPlugin", "SPECIFIED", "N"),
            ("analysts", "%", "caching_sha2_password", "", "Y"),
            ("bosses", "10.%", "caching_sha2_password", "", "Y"),
            ("rds_superuser_role", "%", "caching_sha2_password", "", "Y"),
        ]
