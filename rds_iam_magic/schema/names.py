"""The names of tables as people write them: `orders`, `shop.orders`, `` `odd name`.`t``b` ``; and patterns for them.

Names get into SQL as quoted identifiers, patterns as text literals; see `sql/quoting.py`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.quoting import quote_name, quote_text

_PART = re.compile(r"""`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|'((?:[^']|'')+)'|([^.`"'][^.]*)""")
_WORD = re.compile(r"""\s*((?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|'(?:[^']|'')*'|[^\s`"'])+)(?=\s|\Z)""")
_ESCAPE = "|"  # not a backslash, which the SQL mode NO_BACKSLASH_ESCAPES takes as it is


class Part(NamedTuple):
    """A part of a name, without its quotes."""

    text: str
    is_quoted: bool = False


class Table(NamedTuple):
    """The name of a table or view; without a schema, it is in the default one."""

    schema: str | None
    name: str

    @property
    def sql(self) -> str:
        """The name as quoted identifiers."""
        return ".".join(quote_name(part) for part in self if part is not None)


class Pattern(NamedTuple):
    """A pattern for tables: one for the schema, or None for the default schema, and one for the name."""

    schema: Part | None
    name: Part

    @property
    def is_name(self) -> bool:
        """Whether it is a name rather than a pattern: without wildcards."""
        return all(part is None or part.is_quoted or not re.search(r"[%*?]", part.text) for part in self)


def parse_table(text: str) -> Table:
    """Read the name of a table: `table` or `schema.table`; quoted parts may have any character.

    Raises:
        OptionError: It is not one.
    """
    parts = [part.text for part in _parts(text)]
    return Table(parts[0] if len(parts) == 2 else None, parts[-1])


def parse_pattern(text: str) -> Pattern:
    """Read a pattern for tables, such as `ord%`, `shop.*` or a name.

    Raises:
        OptionError: It is not one.
    """
    parts = _parts(text)
    return Pattern(parts[0] if len(parts) == 2 else None, parts[-1])


def take_name(line: str) -> tuple[str, str]:
    """The first word of a line, which may have quoted parts with spaces in them, and the rest; "" if there is none."""
    match = _WORD.match(line)
    return (match[1], line[match.end() :].strip()) if match else ("", line.strip())


def like(column: str, part: Part) -> str:
    """The condition that a column of information_schema matches a pattern, ignoring case.

    `%` and `_` are wildcards, as in LIKE; where there is a `*` or `?`, those are, and the others stand for themselves.
    A quoted part has no wildcards.
    """
    text = re.sub(r"\|", r"||", part.text)
    if part.is_quoted or re.search(r"[*?]", text):
        text = re.sub(r"([%_])", r"|\1", text)
    if not part.is_quoted and re.search(r"[*?]", text):
        text = text.replace("*", "%").replace("?", "_")
    name = f"CONVERT({column} USING utf8mb4) COLLATE utf8mb4_general_ci"
    return f"{name} LIKE {quote_text(text)} ESCAPE '{_ESCAPE}'"


def _parts(text: str) -> list[Part]:
    parts: list[Part] = []
    rest = text.strip() + "."
    while rest and len(parts) < 2:
        match = _PART.match(rest)
        if match is None or not rest.startswith(".", match.end()):
            break
        parts.append(_part(match))
        rest = rest[match.end() + 1 :]
    if rest or not parts or not all(part.text for part in parts) or not _is_unicode(text):
        raise OptionError(f"{text!r} is not the name of a table.", cause="table-name-invalid")
    return parts


def _part(match: re.Match[str]) -> Part:
    for quote, quoted in zip("`\"'", match.groups(), strict=False):
        if quoted is not None:
            return Part(quoted.replace(quote * 2, quote), is_quoted=True)
    return Part(match[4].strip())


def _is_unicode(text: str) -> bool:
    """Whether it has no half of a surrogate pair, which no server can be asked for."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
