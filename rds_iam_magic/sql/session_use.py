"""The session state that statements leave and read, as named to the user.

State that a new session restores (the default database, autocommit) does not count here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rds_iam_magic.sql.lexer import ASSIGN, END, NAME, OPEN, RUN, VARIABLE, WORD, Token, upper

TEMPORARY_TABLES = "temporary tables"
USER_VARIABLES = "user variables"
LOCKS = "locks"
PREPARED = "prepared statements"
SETTINGS = "session variables that were SET"
TIME_LIMITS = "time limits that were SET"  # named when they are lost, but no result depends on them
COUNTERS = "values of LAST_INSERT_ID(), FOUND_ROWS(), ROW_COUNT() and LASTVAL()"
DIAGNOSTICS = "session's own warnings, status, profiles and traces"

ALWAYS_LOST = frozenset({COUNTERS, DIAGNOSTICS})
"""State that every session has from the start: never the same on a new one."""

QUOTED_CALL = re.compile(r'"\s*\(')
_QUOTED = re.compile(r'"([^"]*)"')
_QUOTED_NAME = re.compile(r'\.?\s*"([^"]*)"(?:\s*\.\s*"([^"]*)")?')
_STRINGS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_COUNTER_FUNCTIONS = {"LAST_INSERT_ID", "FOUND_ROWS", "ROW_COUNT", "LASTVAL"}
_LOCK_FUNCTIONS = {"IS_FREE_LOCK", "IS_USED_LOCK", "RELEASE_ALL_LOCKS", "RELEASE_LOCK"}
_COUNTER_VARIABLES = {"LAST_INSERT_ID", "IDENTITY", "INSERT_ID", "LAST_GTID"}
_DIAGNOSTIC_VARIABLES = {"WARNING_COUNT", "ERROR_COUNT", "STATEMENT_ID", "RAND_SEED1", "RAND_SEED2"}
_COUNTED_IN_TEXT = re.compile("INSERT_ID|IDENTITY|LAST_GTID|WARNING_COUNT|ERROR_COUNT|STATEMENT_ID", re.IGNORECASE)
# Tables of information_schema and performance_schema with rows about the current session.
_DIAGNOSTIC_TABLES = {
    "OPTIMIZER_TRACE", "PROFILING", "SESSION_STATUS", "STATUS_BY_THREAD", "USER_VARIABLES_BY_THREAD",
    "VARIABLES_BY_THREAD", "PREPARED_STATEMENTS_INSTANCES", "SESSION_CONNECT_ATTRS",
    *(f"EVENTS_{what}_{span}" for what in ("STATEMENTS", "STAGES", "WAITS", "TRANSACTIONS")
      for span in ("CURRENT", "HISTORY")),
}  # fmt: skip
_DIAGNOSTIC_SCHEMAS = {"INFORMATION_SCHEMA", "PERFORMANCE_SCHEMA"}
# These set up the session, or end what it holds: the result is the same on a new one.
_NEED_NOTHING = {"SET", "USE", "BEGIN", "START", "COMMIT", "ROLLBACK", "KILL", "HELP", "UNLOCK"}
_DEFINED = {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE", "VIEW"}
_TIME_LIMITS = {
    "WAIT_TIMEOUT", "INTERACTIVE_TIMEOUT", "NET_READ_TIMEOUT", "NET_WRITE_TIMEOUT", "LOCK_WAIT_TIMEOUT",
    "INNODB_LOCK_WAIT_TIMEOUT", "MAX_STATEMENT_TIME", "MAX_EXECUTION_TIME", "IDLE_TRANSACTION_TIMEOUT",
    "IDLE_READONLY_TRANSACTION_TIMEOUT", "IDLE_WRITE_TRANSACTION_TIMEOUT",
}  # fmt: skip
_SCOPES = {"SESSION", "LOCAL"}
_ELSEWHERE = {"GLOBAL", "PERSIST", "PERSIST_ONLY"}


def parts(tokens: tuple[Token, ...]) -> list[tuple[Token, ...]]:
    """The statements in a text that is sent as one, usually one; a routine's body does not count."""
    if not any(t.kind == END for t in tokens):
        return [tokens]
    statements, start = [], 0
    for index, token in enumerate(tokens):
        if token.kind == END and not _opens_body(tokens[start:index]):
            statements.append(tokens[start:index])
            start = index + 1
    return [part for part in (*statements, tokens[start:]) if part]


def _opens_body(tokens: Sequence[Token]) -> bool:
    """Whether the tokens begin a routine's definition without ending it."""
    if not _defines(_words(tokens)):
        return False
    depth = opened = 0
    for index, token in enumerate(tokens):
        word = upper(token.text) if token.kind == WORD else ""
        next_word = upper(tokens[index + 1].text) if index + 1 < len(tokens) else ""
        if word in {"BEGIN", "CASE"} and (index == 0 or upper(tokens[index - 1].text) != "END"):
            depth, opened = depth + 1, 1
        elif word == "END" and next_word not in {"IF", "LOOP", "WHILE", "REPEAT", "FOR"}:
            depth -= 1
    return depth > 0 or not opened


def _defines(words: list[str]) -> bool:
    """Whether a statement defines code that runs later."""
    return words[:1] in (["CREATE"], ["ALTER"]) and not _DEFINED.isdisjoint(words[:16])


def unquoted(token: Token) -> str:
    """The name that a token stands for."""
    return token.text[1:-1].replace("``", "`") if token.kind == NAME else token.text


def quoted_names(token: Token) -> set[str]:
    """The double-quoted texts, in lower case: they are names in the SQL mode ANSI_QUOTES."""
    return {name.lower() for name in _QUOTED.findall(token.text)}


def leaves(tokens: Sequence[Token]) -> set[str]:
    """The session state that a statement may leave."""
    words = _words(tokens)
    first = words[0] if words else ""
    state: set[str] = set()
    if _defines(words):
        return state
    if first == "CREATE" and "TEMPORARY" in words[:4]:
        state.add(TEMPORARY_TABLES)
    if any(t.kind == ASSIGN for t in tokens) or _sets_user_variable(tokens, words):
        state.add(USER_VARIABLES)
    if first == "LOCK" or (first == "FLUSH" and "LOCK" in words) or "GET_LOCK" in words:
        state.add(LOCKS)
    if first == "PREPARE":
        state.add(PREPARED)
    if first == "SET":
        state |= _set_in_session(tokens, words)
    if first in {"CALL", "EXECUTE"} or any(t.kind == OPEN for t in tokens):
        state |= {TEMPORARY_TABLES, USER_VARIABLES}
    return state


def needs(tokens: Sequence[Token], text: str) -> set[str]:
    """The session state that a statement may read.

    Args:
        tokens: The statement's tokens.
        text: Its text, searched where a string may contain a variable's name.
    """
    words = _words(tokens)
    first = words[0] if words else ""
    state = {SETTINGS, LOCKS}
    if _defines(words):
        return state
    if first in _NEED_NOTHING and {"SELECT", "NOT"}.isdisjoint(words):
        state = set()
    if any(is_user_variable(t) for t in tokens):
        state.add(USER_VARIABLES)
    if _needs_counters(tokens):
        state.add(COUNTERS)
    if (first == "EXECUTE" and words[1:2] != ["IMMEDIATE"]) or first == "DEALLOCATE":
        state.add(PREPARED)
    if _needs_diagnostics(tokens, words, text):
        state.add(DIAGNOSTICS)
    if not _LOCK_FUNCTIONS.isdisjoint(words):
        state.add(LOCKS)
    return state


def is_user_variable(token: Token) -> bool:
    """Whether a token is a user variable rather than a system variable."""
    return token.kind == VARIABLE and not token.text.startswith("@@")


def temporary_table(tokens: Sequence[Token]) -> str:
    """The temporary table that a statement creates, without its schema, in lower case; "" for none."""
    words = _words(tokens)
    if words[:1] != ["CREATE"] or "TEMPORARY" not in words[:4]:
        return ""
    kind = next((n for n, t in enumerate(tokens) if t.kind == WORD and upper(t.text) in {"TABLE", "SEQUENCE"}), None)
    if kind is None:
        return ""
    rest = [t for t in tokens[kind + 1 :] if t.kind != WORD or upper(t.text) not in {"IF", "NOT", "EXISTS"}]
    name = ""
    for token in rest[:3]:
        text = token.text.strip()
        if token.kind in {WORD, NAME}:
            name = unquoted(token)
        elif quoted := _QUOTED_NAME.match(text):
            name = quoted[2] or quoted[1]
        if token.kind == RUN and not text.endswith("."):
            break
    return name.lower()


def _words(tokens: Sequence[Token]) -> list[str]:
    return [upper(t.text) for t in tokens if t.kind == WORD]


def _sets_user_variable(tokens: Sequence[Token], words: list[str]) -> bool:
    user_variables = any(is_user_variable(t) for t in tokens)
    return user_variables and (words[:1] in (["SET"], ["GET"]) or "INTO" in words)


def _set_in_session(tokens: Sequence[Token], words: list[str]) -> set[str]:
    """The state that a SET leaves and a new session lacks; autocommit is restored."""
    second = words[1] if len(words) > 1 else ""
    if second in {"PASSWORD", "RESOURCE"} or words[1:3] in (["DEFAULT", "ROLE"], ["GLOBAL", "TRANSACTION"]):
        return set()
    if second == "STATEMENT":  # MariaDB's SET STATEMENT … FOR SELECT …: for that statement only
        return {SETTINGS} if "SET" in words[2:] else set()
    return set(map(_left_by_assignment, _assigned(tokens))) - {""}


def _assigned(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The first tokens of each assignment of a SET."""
    solid = [t for t in tokens if t.kind in {WORD, NAME, VARIABLE, RUN}]
    depth, starts = 0, [1]
    for place, token in enumerate(solid):
        if token.kind == RUN:
            text = _STRINGS.sub("''", token.text)
            depth += text.count("(") - text.count(")")
            if depth == 0 and text.rstrip().endswith(","):
                starts.append(place + 1)
    for start in starts:
        yield solid[start : start + 3]


def _left_by_assignment(first: list[Token]) -> str:
    if not first or first[0].kind == RUN:
        return SETTINGS
    if is_user_variable(first[0]):
        return ""
    if first[0].kind == VARIABLE:
        scope, _, name = _system_variable(first[0]).rpartition(".")
    else:
        words = ["", *(upper(unquoted(t)) for t in first)]
        scoped = words[1] in _SCOPES | _ELSEWHERE
        scope, name = words[1:3] if scoped and len(words) > 2 else words[:2]
    if scope in _ELSEWHERE or name == "AUTOCOMMIT":
        return ""
    return TIME_LIMITS if name in _TIME_LIMITS else SETTINGS


def _system_variable(token: Token) -> str:
    return upper(token.text.lstrip("@").replace("`", ""))


def _needs_counters(tokens: Sequence[Token]) -> bool:
    for index, token in enumerate(tokens):
        if token.kind == VARIABLE and _system_variable(token).rpartition(".")[2] in _COUNTER_VARIABLES:
            if token.text.startswith("@@"):
                return True
        elif token.kind in {WORD, NAME}:
            next_text = tokens[index + 1].text if index + 1 < len(tokens) else ""
            word = upper(unquoted(token))
            if word in _COUNTER_FUNCTIONS and next_text.startswith("("):
                return True
            # MariaDB's other ways to say LASTVAL(s).
            if word == "CURRVAL" or (word == "PREVIOUS" and upper(next_text) == "VALUE"):
                return True
    return False


def _needs_diagnostics(tokens: Sequence[Token], words: list[str], text: str) -> bool:
    if any(
        t.text.startswith("@@") and _system_variable(t).rpartition(".")[2] in _DIAGNOSTIC_VARIABLES
        for t in tokens
        if t.kind == VARIABLE
    ):
        return True
    if words[:1] == ["SHOW"]:
        return _shows_diagnostics(words[1:], text)
    if words[:1] == ["GET"]:
        return "DIAGNOSTICS" in words
    return _reads_diagnostic_table(tokens, text)


def _shows_diagnostics(words: list[str], text: str) -> bool:
    words = [word for word in words if word not in _SCOPES]
    if words[:1] == ["VARIABLES"]:
        return _COUNTED_IN_TEXT.search(text) is not None
    about = words[1:2] if words[:1] == ["COUNT"] else words[:1]
    return about != [] and about[0] in {"WARNINGS", "ERRORS", "PROFILE", "PROFILES", "STATUS"}


def _reads_diagnostic_table(tokens: Sequence[Token], text: str) -> bool:
    named = [upper(unquoted(t)) if t.kind in {WORD, NAME} else "" for t in tokens]
    everywhere = not _DIAGNOSTIC_SCHEMAS.isdisjoint(named)
    for place, name in enumerate(named):
        if name in _DIAGNOSTIC_TABLES and (everywhere or named[place - 1 : place] in (["FROM"], ["JOIN"], ["TABLE"])):
            return True
        if name == "SESSION_VARIABLES" and everywhere and _COUNTED_IN_TEXT.search(text):
            return True
    return False
