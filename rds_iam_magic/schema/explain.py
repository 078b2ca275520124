"""Explaining a statement: what is sent to which server, and what comes of its answer.

MariaDB has its plans as JSON, which `plan.py` draws as a tree; MySQL draws trees itself since 8.0.18, and before that
has JSON, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError, StatementError
from rds_iam_magic.schema.asking import Asks
from rds_iam_magic.schema.plan import draw
from rds_iam_magic.schema.text import Text
from rds_iam_magic.sql.effects import effects_of
from rds_iam_magic.sql.lexer import END

if TYPE_CHECKING:
    from rds_iam_magic.sql.statement import Statement

_UNKNOWN_FORMAT, _SYNTAX = 1791, 1064
_NO_TREE = "<not executable by iterator executor>"


def explain(db: Asks, statements: Sequence[Statement], *, analyze: bool = False) -> Text:
    """The plan of a statement, as a tree; see `SchemaReads.explain`.

    Raises:
        OptionError: There are several statements, or to analyze is to run one that may write.
        StatementError: The server refuses the statement.
    """
    # Under another DELIMITER, or in an executable comment, a statement has others behind it: they would run.
    count = sum(1 + sum(token.kind == END for token in each.tokens[:-1]) for each in statements)
    if count != 1:
        raise OptionError(f"There are {count} statements, and a plan is one's.", "Leave one.")
    (statement,) = statements
    if analyze:
        effects = effects_of(statement)
        if not (effects.is_query and effects.reads_unless_functions_write):
            raise OptionError(
                "To analyze a statement is to run it, and this one may write.", cause="analyze-would-write"
            )
    if "mariadb" in db.server_version.lower():
        return Text(draw(_answer(db, "ANALYZE FORMAT=JSON" if analyze else "EXPLAIN FORMAT=JSON", statement)))
    if analyze:
        return Text(_answer(db, "EXPLAIN ANALYZE", statement).rstrip())
    return _of_mysql(db, statement)


def _of_mysql(db: Asks, statement: Statement) -> Text:
    try:
        tree = _answer(db, "EXPLAIN FORMAT=TREE", statement)
    except StatementError as error:
        if error.code not in (_UNKNOWN_FORMAT, _SYNTAX):
            raise
        tree = _NO_TREE  # MySQL 5.7; or a wrong statement, which is refused once more
    if _NO_TREE in tree:
        return Text(draw(_answer(db, "EXPLAIN FORMAT=JSON", statement)))
    return Text(tree.rstrip())


def _answer(db: Asks, how: str, statement: Statement) -> str:
    return str(db.query(f"{how} {statement.text}").iloc[0, 0])
