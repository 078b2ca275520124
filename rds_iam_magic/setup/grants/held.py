"""`Held`: what an account holds, read from the lines of SHOW GRANTS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rds_iam_magic.setup.grants.grant import Level, Privilege, RoleGrant, read_level, read_privileges, read_role
from rds_iam_magic.setup.grants.privileges import ALL, NEVER, NONE, applicable
from rds_iam_magic.setup.grants.reader import Reader, UnreadableError

Privileges = Mapping[Level, frozenset[Privilege]]


@dataclass(frozen=True, slots=True)
class Held:
    """What an account holds.

    Attributes:
        privileges: By level. `ALL PRIVILEGES` is kept as the privileges that the server knows for that level.
        grantable: Those of them that the account may grant on.
        grant_options: The levels where it may, also those where it holds nothing else.
        restricted: What is taken from the global ones for single schemas (MySQL's partial revokes).
        roles: Its roles.
        admin_roles: Those of them that it may grant on.
        left_out: The beginnings of the lines that are neither, such as `GRANT PROXY`.
    """

    privileges: Privileges = field(default_factory=dict)
    grantable: Privileges = field(default_factory=dict)
    grant_options: frozenset[Level] = frozenset()
    restricted: Privileges = field(default_factory=dict)
    roles: frozenset[RoleGrant] = frozenset()
    admin_roles: frozenset[RoleGrant] = frozenset()
    left_out: tuple[str, ...] = ()

    def may_grant(self, level: Level) -> frozenset[str]:
        """The names of the privileges that the account may grant on a level as a whole."""
        allowed = applicable(level.kind)
        names = {
            privilege.name
            for on, privileges in self.grantable.items()
            if on.covers(level)
            for privilege in privileges
            if privilege.column is None
        }
        taken = {p.name for on, privileges in self.restricted.items() if on.covers(level) for p in privileges}
        return frozenset(names - taken if allowed is None else (names & allowed) - taken)

    def above(self, level: Level, name: str) -> list[Level]:
        """The other levels that a privilege is held on and that hold there, too."""
        return [
            on
            for on, privileges in self.privileges.items()
            if on != level and on.covers(level) and Privilege(name) in privileges
        ]


def read_grants(lines: Iterable[str], known: frozenset[str]) -> Held:
    """Read the lines of SHOW GRANTS.

    MariaDB's also tell how the account logs in, with password hashes: what is behind TO is looked through, not kept.

    Args:
        lines: The lines.
        known: The privileges that the server knows, for `ALL PRIVILEGES`.
    """
    tables: dict[str, dict[Level, frozenset[Privilege]]] = {"held": {}, "grantable": {}, "restricted": {}}
    roles: dict[str, set[RoleGrant]] = {"held": set(), "grantable": set()}
    options: set[Level] = set()
    left_out: list[str] = []
    for line in lines:
        try:
            reader = Reader(line)
            if reader.has("SET", "DEFAULT", "ROLE"):  # MariaDB's; `Account` has it
                continue
            is_grant = reader.has("GRANT")
            reader.require(is_grant or reader.has("REVOKE"))
            _read_line(reader, known, tables, roles, options, is_grant=is_grant)
        except UnreadableError:
            left_out.append(" ".join(line.split()[:2]))
    return Held(
        tables["held"],
        tables["grantable"],
        frozenset(options),
        tables["restricted"],
        frozenset(roles["held"]),
        frozenset(roles["grantable"]),
        tuple(left_out),
    )


def _read_line(
    reader: Reader,
    known: frozenset[str],
    tables: dict[str, dict[Level, frozenset[Privilege]]],
    roles: dict[str, set[RoleGrant]],
    options: set[Level],
    *,
    is_grant: bool,
) -> None:
    """Read what stands behind GRANT or REVOKE into the tables.

    Raises:
        UnreadableError: It has another form.
    """
    start = reader.place
    privileges = read_privileges(reader)
    if privileges is None:
        reader.place = start
        found = list(_read_roles(reader))
        roles["held"].update(found)
        if reader.find("WITH", "ADMIN", "OPTION"):
            roles["grantable"].update(found)
        return
    level, _ = read_level(reader)
    reader.require(reader.has("TO") or reader.has("FROM"))
    names = {p.name for p in privileges}
    reader.require("PROXY" not in names)
    here = frozenset(_expanded(privileges, level, known))
    _add(tables["held" if is_grant else "restricted"], level, here)
    if "GRANT OPTION" in names or reader.find("GRANT", "OPTION"):
        _add(tables["grantable"], level, here)
        options.add(level)


def _read_roles(reader: Reader) -> Iterator[RoleGrant]:
    yield read_role(reader)
    while reader.has_mark(","):
        yield read_role(reader)
    reader.require(reader.has("TO"))


def _expanded(privileges: list[Privilege], level: Level, known: frozenset[str]) -> Iterator[Privilege]:
    for privilege in privileges:
        if privilege.name == ALL:
            yield from map(Privilege, all_on(level, known))
        elif privilege.name not in NEVER | {NONE}:
            yield privilege


def all_on(level: Level, known: frozenset[str]) -> frozenset[str]:
    """The names of all privileges that a server has for a level, but those that let an account grant on."""
    allowed = applicable(level.kind)
    return (known if allowed is None else known & allowed) - NEVER - {NONE}


def _add(table: dict[Level, frozenset[Privilege]], level: Level, privileges: frozenset[Privilege]) -> None:
    if privileges:
        table[level] = table.get(level, frozenset()) | privileges
