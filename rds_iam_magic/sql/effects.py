"""What running a statement may do: whether it only reads, and what it leaves in the session.

The classification errs on the safe side: when in doubt, a statement "may write" and "may depend on the session". A
statement that may write is never run twice; one that depends on a lost session's state is not run on a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rds_iam_magic.sql import session_use
from rds_iam_magic.sql.functions import ACTING, BEFORE_PARENTHESIS, TIGHT
from rds_iam_magic.sql.lexer import ASSIGN, CLOSE, END, NAME, OPEN, RUN, WORD, Token, upper
from rds_iam_magic.sql.session_use import (
    ALWAYS_LOST,
    COUNTERS,
    DIAGNOSTICS,
    LOCKS,
    PREPARED,
    SETTINGS,
    TEMPORARY_TABLES,
    TIME_LIMITS,
    USER_VARIABLES,
    parts,
    quoted_names,
    unquoted,
)
from rds_iam_magic.sql.statement import Statement

__all__ = [
    "ALWAYS_LOST",
    "COUNTERS",
    "DIAGNOSTICS",
    "LOCKS",
    "PREPARED",
    "SETTINGS",
    "TEMPORARY_TABLES",
    "TIME_LIMITS",
    "USER_VARIABLES",
    "Effects",
    "effects_of",
    "identifiers_in",
]


@dataclass(frozen=True, slots=True)
class Effects:
    """What a statement may do.

    Attributes:
        only_reads: It is certain to change nothing, so it may be retried.
        leaves: Session state that it may leave behind, as named to the user.
        needs: Session state that it may read, in the same terms.
        creates_table: The temporary table that it creates, in lower case, or "".
        uses_database: The new default database, or None.
        commits: It is a COMMIT.
        may_commit: It may commit the open transaction implicitly, as DDL does.
        ends_session: The server ends the session after it: COMMIT RELEASE, ROLLBACK RELEASE.
        reads_unless_functions_write: It is a query in which only functions called by name (stored functions) may write;
            the server refuses those writes in a READ ONLY transaction.
        is_query: It is a SELECT, WITH, TABLE or VALUES that returns rows: without INTO.
    """

    only_reads: bool
    leaves: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    creates_table: str = ""
    uses_database: str | None = None
    commits: bool = False
    may_commit: bool = True
    ends_session: bool = False
    reads_unless_functions_write: bool = False
    is_query: bool = False


def effects_of(statement: Statement) -> Effects:
    """Classify a statement by its tokens."""
    tokens, words = statement.tokens, statement.words
    verdict = _judge(tokens, words)
    pieces = parts(tokens)
    leaves = {thing for piece in pieces for thing in session_use.leaves(piece)}
    needs = {thing for piece in pieces for thing in session_use.needs(piece, statement.text)}
    plain = len(pieces) == 1 and not any(t.kind == OPEN for t in tokens)
    return Effects(
        only_reads=verdict == _READS,
        leaves=frozenset(leaves),
        needs=frozenset(needs),
        creates_table=next(filter(None, map(session_use.temporary_table, pieces)), ""),
        uses_database=_used_database(tokens, words),
        commits=any(_first_word(piece) in {"COMMIT", "XA"} for piece in pieces),
        may_commit=not words or words[0] not in _NEVER_COMMIT or not plain,
        reads_unless_functions_write=verdict in (_READS, _CALLS) and words[0] in _QUERIES,
        ends_session=_ends_session(words),
        is_query=words[:1] != [] and words[0] in _QUERIES and "INTO" not in words,
    )


def _ends_session(words: list[str]) -> bool:
    is_end = words[:1] in (["COMMIT"], ["ROLLBACK"])
    return is_end and words[-1] == "RELEASE" and words[-2] != "NO" and "TO" not in words


def identifiers_in(statement: Statement) -> set[str]:
    """All names and words of a statement, unquoted and in lower case, including those in double quotes."""
    identifiers = {unquoted(t).lower() for t in statement.tokens if t.kind in {WORD, NAME}}
    return identifiers.union(*(quoted_names(t) for t in statement.tokens if t.kind == RUN and '"' in t.text))


def _first_word(tokens: tuple[Token, ...]) -> str:
    return next((upper(t.text) for t in tokens if t.kind == WORD), "")


_NEVER_COMMIT = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "REPLACE", "SHOW", "DO", "EXPLAIN", "ROLLBACK"}
_QUERIES = {"SELECT", "WITH", "TABLE", "VALUES"}
_EXPLAINS = {"EXPLAIN", "DESCRIBE", "DESC"}
_TABLES_TO_ANALYZE: tuple[list[str], ...] = (
    [],
    ["TABLE"],
    ["LOCAL"],
    ["NO_WRITE_TO_BINLOG"],
)  # not MariaDB's ANALYZE of a statement
# Most are reserved words, which would be quoted as names. A column named like one of the others counts as a write.
_WRITING_WORDS = {
    "ALTER", "CALL", "CREATE", "DELETE", "DO", "DROP", "GRANT", "HANDLER", "INSERT", "INTO", "LOAD", "LOCK", "MERGE",
    "NEXT", "PREVIOUS", "PROCEDURE", "RENAME", "REPLACE", "REVOKE", "SET", "SHARE", "TRUNCATE", "UPDATE",
}  # fmt: skip
_CHANGES = {"INSERT", "UPDATE", "DELETE", "REPLACE", "SET", "CALL"}
# The verdict on a query: it reads; it reads unless a function that it calls writes; it may write.
_READS, _CALLS, _WRITES = range(3)


def _judge(tokens: tuple[Token, ...], words: list[str]) -> int:
    # Whether an executable comment runs depends on the server's version.
    if not words or any(t.kind in {OPEN, CLOSE, END} for t in tokens):
        return _WRITES
    first = words[0]
    if first in _QUERIES:
        return _judge_query(tokens)
    if first == "SHOW":
        where = next((n for n, t in enumerate(tokens) if t.kind == WORD and upper(t.text) == "WHERE"), len(tokens))
        return _judge_query(tokens[where:])
    if first in _EXPLAINS or (first == "ANALYZE" and words[1:2] not in _TABLES_TO_ANALYZE):
        return _judge_explain(tokens, words)
    return _READS if first == "HELP" else _WRITES


def _judge_explain(tokens: tuple[Token, ...], words: list[str]) -> int:
    """EXPLAIN ANALYZE runs the statement; EXPLAIN runs what planning requires, possibly functions."""
    query = next((n for n, t in enumerate(tokens) if t.kind == WORD and upper(t.text) in _QUERIES), None)
    if "ANALYZE" in words:
        return _WRITES if query is None or not _CHANGES.isdisjoint(words) else _judge_query(tokens[query:])
    target = words.index("INTO") if "INTO" in words else 0  # INTO @variable, but not INSERT INTO
    if (target and _CHANGES.isdisjoint(words[:target])) or any(t.kind == ASSIGN for t in tokens):
        return _WRITES
    return max((_judge_word(*around, explained=True) for around in _with_neighbours(tokens[1:])), default=_READS)


def _judge_query(tokens: Sequence[Token]) -> int:
    judged = _READS
    for before, token, behind in _with_neighbours(tokens):
        kind = token.kind
        if kind in {WORD, NAME}:
            verdict = _judge_word(before, token, behind)
        elif kind == ASSIGN:
            return _WRITES
        else:
            verdict = _CALLS if kind == RUN and _calls_quoted(token, behind) else _READS
        if verdict == _WRITES:
            return _WRITES
        judged = max(judged, verdict)
    return judged


def _with_neighbours(tokens: Sequence[Token]) -> zip[tuple[Token | None, Token, Token | None]]:
    return zip((None, *tokens), tokens, (*tokens[1:], None), strict=False)


def _judge_word(before: Token | None, token: Token, behind: Token | None, *, explained: bool = False) -> int:
    if token.kind not in {WORD, NAME}:
        return _READS
    calls = behind is not None and behind.text.startswith("(")
    word = upper(token.text)
    dotted = before is not None and _is_point(before)
    if not calls:
        writes = (word == "NEXTVAL" if dotted else word in _WRITING_WORDS) and token.kind == WORD and not explained
        return _WRITES if writes else _READS
    if upper(unquoted(token)) in ACTING:
        return _WRITES
    if token.kind == NAME or dotted:  # `f`(…), schema.f(…)
        return _CALLS
    if word not in BEFORE_PARENTHESIS:
        # WITH x (a, b) AS …; (SELECT …) AS x (a, b)
        named = before is not None and before.kind == WORD and upper(before.text) in {"AS", "WITH", "RECURSIVE"}
        return _READS if named else _CALLS
    return _CALLS if word in TIGHT and behind is not None and behind.start > token.end else _READS


def _is_point(token: Token) -> bool:
    """Whether the token is the dot of a qualified name: `t.`, but not the number `1.`."""
    text = token.text.strip()
    return token.kind == RUN and (text == "." or text.endswith('".'))


def _calls_quoted(token: Token, behind: Token | None) -> bool:
    """Whether a function may be called by a double-quoted name, as the SQL mode ANSI_QUOTES allows."""
    text = token.text
    if '"' not in text:
        return False
    follows = behind is not None and behind.text.startswith("(") and text.rstrip().endswith('"')
    return follows or session_use.QUOTED_CALL.search(text) is not None


def _used_database(tokens: tuple[Token, ...], words: list[str]) -> str | None:
    if words[:1] == ["USE"] and len(tokens) == 2 and tokens[1].kind in {WORD, NAME}:
        return unquoted(tokens[1])
    return None
