"""The views that a query reads: they are evaluated again in each part too, so their definitions must be stable."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError
from rds_iam_magic.parallel.divisible import check_stable
from rds_iam_magic.sql.effects import identifiers_in
from rds_iam_magic.sql.lexer import NAME, RUN, WORD
from rds_iam_magic.sql.quoting import quote_text
from rds_iam_magic.sql.session_use import unquoted
from rds_iam_magic.sql.statement import Statement, split

if TYPE_CHECKING:
    from rds_iam_magic.parallel.key import Ask


def check_views(statement: Statement, database: str | None, ask: Ask) -> dict[str, Statement]:
    """The definitions of the views that a query may read, also through other views, by name; if the user may see them.

    Raises:
        OptionError: A part could miss rows of one or repeat them.
    """
    definitions: dict[tuple[str, str], Statement] = {}
    waiting = [statement]
    while waiting:
        for schema, name, definition in _views_in(waiting.pop(), database, ask):
            for view in split(definition) if (schema, name) not in definitions else []:
                definitions[schema, name] = view
                waiting.append(view)
                try:
                    check_stable(view)
                except OptionError as error:
                    message = f"The view {name} cannot be read in parts: {error.message}"
                    raise OptionError(message, cause=error.cause) from None
    return {name: view for (_, name), view in definitions.items()}


def _views_in(statement: Statement, database: str | None, ask: Ask) -> Iterator[tuple[str, str, str]]:
    """Schema, name and definition of all views that are named like one of the statement's identifiers."""
    names = ", ".join(map(quote_text, sorted(identifiers_in(statement))))
    schemas = {*_qualifiers(statement), *([database] if database else [])}
    if not schemas:
        return
    looks = [  # each schema on its own: MariaDB looks through all unless it is given one
        "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n, VIEW_DEFINITION AS d FROM information_schema.VIEWS "  # noqa: S608 - quoted
        f"WHERE TABLE_SCHEMA = {quote_text(schema)} AND TABLE_NAME IN ({names}) AND VIEW_DEFINITION != ''"
        for schema in sorted(schemas)
    ]
    for schema, name, definition in ask(" UNION ALL ".join(looks)):
        yield str(schema), str(name), str(definition)


def _qualifiers(statement: Statement) -> Iterator[str]:
    """What stands before a point: schemas, and tables or their aliases."""
    tokens = statement.tokens
    for token, behind in pairwise(tokens):
        if token.kind in (WORD, NAME) and behind.kind == RUN and behind.text.lstrip().startswith("."):
            yield unquoted(token)
