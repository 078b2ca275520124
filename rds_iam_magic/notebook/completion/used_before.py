"""What was used before: targets, users, aliases, …, from the lines of the notebook's history.

IPython keeps the history itself; nothing else is written anywhere. Of each line only the values of options that name
something are taken, and none that may be a login with a password.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from rds_iam_magic.aws.endpoint import is_login
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import Grammar
from rds_iam_magic.notebook.grammars import CONNECT, DOCTOR, GRAMMARS, POLICY, PROVISION, USER

_NAMING = frozenset({
    "account", "alias", "attach", "database", "endpoint", "host", "name", "profile", "region", "resource_id",
    "role_arn", "section", "secret", "ssh", "ssm", "stack", "target", "time_zone", "user", "via",
})  # fmt: skip
_FIRST_WORD = {CONNECT.magic: "target", DOCTOR.magic: "target", POLICY.magic: "user", "%rds_iam_access": "target"}
_SECOND_WORD = {USER.magic: "user", PROVISION.magic: "stack"}
_LINE = re.compile(
    rf"^[ \t]*(?:[^\s%][^%\n]*=[ \t]*)?%({'|'.join(g.magic.lstrip('%') for g in GRAMMARS)})[ \t]+(.*)", re.M
)
_BY_NAME = {grammar.magic.lstrip("%"): grammar for grammar in GRAMMARS}
_LATEST = 5_000
"""How many of the last cells of earlier sessions are looked at."""


def used_in(cells: Iterable[str]) -> dict[str, list[str]]:
    """The values in the magic lines of cells, by the option's key, the last used first.

    Args:
        cells: As they were written, the last one first.
    """
    found: dict[str, dict[str, None]] = {}
    for cell in cells:
        if "%rds_" not in cell:
            continue
        for match in reversed(list(_LINE.finditer(cell))):
            for key, value in _values(_BY_NAME[match[1]], match[2]):
                found.setdefault(key, {}).setdefault(value)
    return {key: list(values) for key, values in found.items()}


def _values(grammar: Grammar, line: str) -> list[tuple[str, str]]:
    try:
        parsed = grammar.parse(line, words_end_options=grammar.magic == "%%rds_sql")
    except OptionError:  # as it was told when it was run
        return []
    pairs = [*parsed.values.items(), *((key, value) for key, values in parsed.lists.items() for value in values)]
    if grammar.magic in _FIRST_WORD and parsed.words and parsed.values:  # else it may be an alias
        pairs.append((_FIRST_WORD[grammar.magic], parsed.words[0]))
    if grammar.magic in _SECOND_WORD and len(parsed.words) > 1:
        pairs.append((_SECOND_WORD[grammar.magic], parsed.words[1]))
    return [(key, value) for key, value in pairs if key in _NAMING and value.isprintable() and not is_login(value)]


def earlier_cells(path: str | Path) -> list[str]:
    """The cells of earlier sessions that have our magics, the last one first; none if the file cannot be read.

    Args:
        path: IPython's `history.sqlite`.
    """
    with suppress(sqlite3.Error, OSError, ValueError):
        if not Path(path).is_file():
            return []
        uri = f"{Path(path).resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=0.05)) as history:
            return [source for (source,) in history.execute(_QUERY, (_LATEST,))]
    return []


_QUERY = (
    "SELECT source_raw FROM (SELECT source_raw FROM history ORDER BY session DESC, line DESC LIMIT ?) "
    "WHERE source_raw LIKE '%\\%rds\\_%' ESCAPE '\\' LIMIT 500"
)


def merged(*sources: dict[str, list[str]]) -> dict[str, Sequence[str]]:
    """The values of several sources, those of the first ones first."""
    keys = dict.fromkeys(key for source in sources for key in source)
    return {key: list(dict.fromkeys(v for source in sources for v in source.get(key, ()))) for key in keys}
