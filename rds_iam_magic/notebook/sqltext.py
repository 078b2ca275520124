"""Detects misplaced words around SQL: options after it, a mistyped alias before it. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection

from rds_iam_magic.aws.endpoint import is_login, login_refused
from rds_iam_magic.errors import NotConnectedError, OptionError, RdsIamError, StatementError
from rds_iam_magic.notebook.grammar import Grammar, Option, near
from rds_iam_magic.sql.lexer import WORD, tokenize
from rds_iam_magic.sql.parameters import read_pieces

# The words that a statement can begin with, on MySQL and MariaDB.
_STATEMENTS = frozenset({
    "ALTER", "ANALYZE", "BACKUP", "BEGIN", "BINLOG", "CACHE", "CALL", "CASE", "CHANGE", "CHECK", "CHECKSUM",
    "CLONE", "CLOSE", "COMMIT", "CREATE", "DEALLOCATE", "DECLARE", "DELETE", "DELIMITER", "DESC", "DESCRIBE", "DO",
    "DROP", "EXECUTE", "EXPLAIN", "FETCH", "FLUSH", "FOR", "GET", "GRANT", "HANDLER", "HELP", "IF", "IMPORT",
    "INSERT", "INSTALL", "ITERATE", "KILL", "LEAVE", "LOAD", "LOCK", "LOOP", "OPEN", "OPTIMIZE", "PREPARE", "PURGE",
    "RELEASE", "RENAME", "REPAIR", "REPEAT", "REPLACE", "RESET", "RESIGNAL", "RESTART", "RETURN", "REVOKE",
    "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "SHOW", "SHUTDOWN", "SIGNAL", "SOURCE", "START", "STOP", "TABLE",
    "TRUNCATE", "UNINSTALL", "UNLOCK", "UPDATE", "USE", "VALUES", "WHILE", "WITH", "XA",
})  # fmt: skip
_SYNTAX, _UNKNOWN_COLUMN = 1064, 1054
_TAIL = 1000  # characters; options after SQL are few
_BEFORE_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|DESCRIBE)\s+\Z", re.IGNORECASE)


def begins_statement(word: str) -> bool:
    """Whether a statement can begin with a word."""
    return word.upper() in _STATEMENTS


def refuse_options_in_sql(sql: str, grammar: Grammar, *, in_cell: bool) -> None:
    """Refuse long options after SQL (or before it, in a cell's body): the server would read `--` as two minus signs.

    Raises:
        OptionError: The SQL begins or ends with such options.
    """
    options = _leading(sql, grammar) if in_cell else ""
    options = options or trailing_options(sql, grammar)
    if "--" not in options:
        return
    name = grammar.magic.lstrip("%")
    where = f"on the cell's first line: %%{name} {options}" if in_cell else f"before the SQL: %{name} {options} …"
    raise OptionError(
        f"{options} is part of the SQL; options go before it.",
        f"Write them {where}. If two minus signs are meant, put a space between them.",
    )


def explain_options_in_sql(error: StatementError, sql: str, grammar: Grammar) -> None:
    """Add a hint to the server's error if the SQL ends with one of our options, such as `-o df`."""
    options = trailing_options(sql, grammar) if error.code in (_SYNTAX, _UNKNOWN_COLUMN) else ""
    if options:
        error.hint = f"If {options} is meant as an option: options go before the SQL."


def explain_bound_table(error: StatementError, sql: str) -> None:
    """Add a hint to the server's syntax error if a parameter of the SQL stands where the name of a table does."""
    if error.code != _SYNTAX:
        return
    for piece in read_pieces(sql):
        # Within parentheses, FROM is also a part of functions: EXTRACT(YEAR FROM :day).
        if piece.parameter is not None and not piece.parameter.group and _BEFORE_TABLE.search(sql[: piece.start]):
            text = sql[piece.start : piece.end]
            error.hint = (
                f"{text} is a value, not a table's name: for that, use --jinja with {{{{ {text[1:]} | sql }}}}."
            )
            return


def trailing_options(sql: str, grammar: Grammar) -> str:
    """The options of a grammar at the end of a text, outside strings and comments, as written; "" if there are none."""
    end = len(sql.rstrip().rstrip(";"))
    words = [*re.finditer(r"\S+", sql[max(0, end - _TAIL) : end])]
    count = 0
    while step := _option_at_end([word.group() for word in words[: len(words) - count]], grammar):
        count += step
    if not count:
        return ""
    start = max(0, end - _TAIL) + words[-count].start()
    # The lexer tells whether it is SQL's own text there: a string and a comment have no words.
    name = start + re.match(r"-*", sql[start:]).end()  # type: ignore[union-attr] # it matches the empty text too
    if not any(token.start == name and token.kind == WORD for token in tokenize(sql)):
        return ""
    return " ".join(word.group() for word in words[-count:])


def _option_at_end(words: list[str], grammar: Grammar) -> int:
    """The number of words at the end that form one option with its value; 0 for none."""
    if not words:
        return 0
    option, value = _option(words[-1], grammar)
    if option is not None and bool(value) == bool(option.metavar):
        return 1
    if len(words) > 1:
        option, value = _option(words[-2], grammar)
        if option is not None and option.metavar and not value:
            return 2
    return 0


def _option(word: str, grammar: Grammar) -> tuple[Option | None, str]:
    spelling, _, value = word.partition("=")
    return (grammar.find(spelling) if re.match(r"--?[A-Za-z]", spelling) else None), value


def _leading(sql: str, grammar: Grammar) -> str:
    words = sql.split(None, 2)[:2]
    option, value = _option(words[0], grammar) if words and words[0].startswith("--") else (None, "")
    if option is None:
        return ""
    return " ".join(words if option.metavar and not value else words[:1])


def refuse_mistyped_alias(sql: str, aliases: Collection[str]) -> None:
    """Refuse SQL that begins with a word that can only be a mistyped alias, since no statement begins with it.

    Raises:
        NotConnectedError: The word is near an existing alias, or is followed by a statement or `VAR <<`.
    """
    match = re.match(r"(\w[\w.-]*)(?:\s+(\S+)(\s*\S*)|\s*\Z)", sql)
    if match is None or begins_statement(match[1]):
        return
    second, third = match[2] or "", (match[3] or "").strip()
    assigns = second.endswith("<<") or third in {"<<", "=<<"}
    if near(match[1], aliases) or assigns or begins_statement(re.match(r"\w*", second)[0]):  # type: ignore[index] # matches
        raise not_held(match[1], aliases)


def not_held(alias: str, aliases: Collection[str], *, assignable: str = "") -> RdsIamError:
    """The error for an alias without a connection.

    Args:
        alias: The alias.
        aliases: The existing aliases.
        assignable: The line as it might have been meant, with `VAR <<`; "" if it cannot.
    """
    if is_login(alias):
        return login_refused()
    guess = near(alias, aliases)
    hints = [
        *([f"Did you mean {guess}?"] if guess else []),
        *([f"To assign the result, write {assignable}."] if assignable and not guess else []),
        f"Open connections: {', '.join(aliases)}."
        if aliases
        else "No connection is open; see %rds_iam_connect --help.",
    ]
    return NotConnectedError(f"There is no connection {alias!r}.", " ".join(hints), cause="alias-unknown")
