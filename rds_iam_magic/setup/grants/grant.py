"""`Grant` and `RoleGrant`: what stands between GRANT and TO. It is parsed, so that nothing else gets into the SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rds_iam_magic.errors import OptionError
from rds_iam_magic.setup.grants.privileges import ALL, COLUMN, NEVER, NONE, STATIC, applicable, spelled, where
from rds_iam_magic.setup.grants.reader import Reader, UnreadableError
from rds_iam_magic.sql.quoting import quote_name

ROUTINES = ("PROCEDURE", "FUNCTION", "PACKAGE BODY", "PACKAGE")


@dataclass(frozen=True, slots=True, order=True)
class Privilege:
    """A privilege, on one column or on all.

    Attributes:
        name: In upper case, as SHOW GRANTS has it.
        column: None for the whole level.
    """

    name: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """What privileges are on.

    Attributes:
        schema: `*` for all. For a whole schema it is MySQL's pattern, in which `_`, `%` are wildcards unless escaped.
        name: The table or routine; `*` for all.
        routine: Its kind, such as `PROCEDURE`; "" for tables.
    """

    schema: str = "*"
    name: str = "*"
    routine: str = ""

    @property
    def kind(self) -> str:
        """`global`, `schema`, `table` or `routine`."""
        if self.routine:
            return "routine"
        if self.schema == "*":
            return "global"
        return "schema" if self.name == "*" else "table"

    @property
    def sql(self) -> str:
        """As in a statement, behind ON."""
        routine = f"{self.routine} " if self.routine else ""
        return f"{routine}{_star_or_name(self.schema)}.{_star_or_name(self.name)}"

    def covers(self, other: Level) -> bool:
        """Whether a privilege here holds there, too: a level above it."""
        if self == other or self.kind == "global":
            return True
        if self.kind != "schema" or other.kind == "global":
            return False
        if other.kind != "schema":
            return matches(self.schema, other.schema)
        return matches(self.schema, unescaped(other.schema)) and not has_wildcards(other.schema)


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges on a level, as the user wrote them.

    Attributes:
        privileges: One for each column; `ALL PRIVILEGES` stands for all.
        on: The level, with the schema's name unquoted.
        is_pattern: Whether the schema was quoted, so that `_` and `%` in it are MySQL's wildcards.
    """

    privileges: tuple[Privilege, ...]
    on: Level
    is_pattern: bool = False

    def __str__(self) -> str:
        return f"{privileges_sql(self.privileges)} ON {self.on.sql}"

    def level(self, *, wildcards: bool, lower: bool = False) -> Level:
        """The level as the server keeps it; it keeps the names of routines in lower case.

        Args:
            wildcards: Whether the server treats `_` in a schema's name as a wildcard, so that it must be escaped.
            lower: Whether it keeps the names of schemas and tables in lower case, too.
        """
        schema, name = self.on.schema, self.on.name
        if wildcards and self.on.kind == "schema" and not self.is_pattern:
            schema = schema.replace("_", r"\_")
        if lower:
            schema, name = schema.lower(), name.lower()
        return Level(schema, name.lower() if self.on.routine else name, self.on.routine)


@dataclass(frozen=True, slots=True, order=True)
class RoleGrant:
    """A role: on MySQL an account, on MariaDB a name without a host.

    Attributes:
        name: The role's name.
        host: Its host; "" if none is given.
    """

    name: str
    host: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.host}" if self.host not in ("", "%") else self.name

    @property
    def sql(self) -> str:
        """As in a statement."""
        return quote_name(self.name) + (f"@{quote_name(self.host)}" if self.host else "")


def privileges_sql(privileges: Iterable[Privilege]) -> str:
    """Privileges as in a statement; those on columns of one name together."""
    columns: dict[str, list[str]] = {}
    parts: dict[str, None] = {}
    for privilege in privileges:
        if privilege.column is None:
            parts[privilege.name] = None
        else:
            parts[f"{privilege.name} ("] = None
            columns.setdefault(privilege.name, []).append(quote_name(privilege.column))
    return ", ".join(f"{part}{', '.join(columns[part[:-2]])})" if part.endswith("(") else part for part in parts)


def parse_grant(text: str) -> Grant | RoleGrant:
    """Parse what stands between GRANT and TO: `SELECT (id), INSERT ON shop.orders`, or a role: `analysts`.

    Raises:
        OptionError: The text is not a grant, a privilege cannot be granted on such a level, or it would let the user
            grant on.
    """
    try:
        reader = Reader(text)
        reader.require(not reader.has("GRANT") or reader.has("OPTION"))  # the verb is not part of it
        reader.place = 0
        privileges = read_privileges(reader)
        if privileges is None:
            return _role(Reader(text))
        level, is_pattern = read_level(reader)
        if reader.has("WITH", "GRANT", "OPTION") and reader.ended:
            raise _never("WITH GRANT OPTION")
        reader.require(reader.ended)
    except UnreadableError:
        raise _not_a_grant(text) from None
    _check(privileges, level)
    return Grant(tuple(dict.fromkeys(privileges)), level, is_pattern=is_pattern)


def read_privileges(reader: Reader) -> list[Privilege] | None:
    """The privileges in front of ON, which is read; None if no ON comes, as with roles.

    Raises:
        UnreadableError: Something else stands there.
    """
    found: list[Privilege] = []
    while words := reader.words("ON"):
        name = spelled(words)
        found += [Privilege(name, column) for column in _columns(reader)] or [Privilege(name)]
        if reader.has("ON"):
            return found
        if not reader.has_mark(","):
            break
    return None


def _columns(reader: Reader) -> list[str]:
    if not reader.has_mark("("):
        return []
    names = [reader.name()[0]]
    while reader.has_mark(","):
        names.append(reader.name()[0])
    reader.require(reader.has_mark(")"))
    return names


def read_level(reader: Reader) -> tuple[Level, bool]:
    """The level behind ON, and whether its schema is quoted.

    Raises:
        UnreadableError: It is none.
    """
    start = reader.place
    routine = next((kind for kind in ROUTINES if reader.has(*kind.split())), "")
    if reader.has_mark("."):  # a schema of that name
        reader.place, routine = start, ""
    elif not routine:
        reader.has("TABLE")
    schema, quoted = ("*", False) if reader.has_mark("*") else _name(reader)
    reader.require(reader.has_mark("."))
    name = "*" if reader.has_mark("*") else _name(reader)[0]
    level = Level(schema, name, routine)
    reader.require(level.kind != "global" or name == "*")
    reader.require(not routine or "*" not in (schema, name))
    return level, quoted


def _name(reader: Reader) -> tuple[str, bool]:
    name, quoted = reader.name()
    reader.require(name not in ("", "*"))  # the name of one schema or table, which would be all of them here
    return name, quoted


def _role(reader: Reader) -> RoleGrant:
    role = read_role(reader)
    reader.require(reader.ended and spelled([role.name]) not in STATIC | NEVER | {ALL, NONE})
    return role


def read_role(reader: Reader) -> RoleGrant:
    """A role, with its host if it has one.

    Raises:
        UnreadableError: It is none.
    """
    name, _ = reader.name(texts=True)
    if not reader.has_mark("@"):
        return RoleGrant(name)
    return RoleGrant(name, "%" if reader.has_mark("%") else reader.name(texts=True)[0])


def _check(privileges: list[Privilege], level: Level) -> None:
    allowed = applicable(level.kind)
    for privilege in privileges:
        name = privilege.name
        if name in NEVER:
            raise _never(name)
        if privilege.column is not None and (level.kind != "table" or name not in COLUMN):
            raise OptionError(
                f"{name} ({privilege.column}) ON {level.sql}: columns of a table take {', '.join(sorted(COLUMN))}.",
                cause="privilege-level",
            )
        if name not in (ALL, NONE) and allowed is not None and name in STATIC - allowed:
            raise OptionError(f"{name} is granted {where(name)}, not ON {level.sql}.", cause="privilege-level")


def _never(what: str) -> OptionError:
    return OptionError(f"{what} is not granted here: the user could give its rights to others.", cause="grant-on")


def _not_a_grant(text: str) -> OptionError:
    return OptionError(f"{text!r} is not a grant.", cause="grant-invalid")


def matches(pattern: str, schema: str) -> bool:
    """Whether MySQL's pattern of a schema matches a schema's name."""
    ends = {0}  # where what has been read of the pattern may end in the name
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if part == "%":
            ends = set(range(min(ends, default=len(schema) + 1), len(schema) + 1))
        else:
            ends = {end + 1 for end in ends if schema[end : end + 1] == part[-1] or (part == "_" and end < len(schema))}
    return len(schema) in ends


def has_wildcards(pattern: str) -> bool:
    """Whether a pattern stands for more than one schema."""
    return re.search(r"(?<!\\)(?:\\\\)*[%_]", pattern) is not None


def unescaped(pattern: str) -> str:
    """The name that a pattern without wildcards stands for."""
    return re.sub(r"\\([%_\\])", r"\1", pattern)


def _star_or_name(name: str) -> str:
    return name if name == "*" else quote_name(name)
