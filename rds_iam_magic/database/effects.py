"""What running a statement may do: whether it only reads, and what it leaves in the session.

The answers are about safety, so *in doubt* always means "it may write" and "it may depend on the session". A statement
that may write is never run twice; one that depends on what a lost session held is not run on a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rds_iam_magic.database.statement import Statement, Token

TEMPORARY_TABLES = "temporary tables"
USER_VARIABLES = "user variables"
LOCKS = "locks"
PREPARED = "prepared statements"
SETTINGS = "session variables that were SET"
COUNTERS = "values of LAST_INSERT_ID(), FOUND_ROWS() and ROW_COUNT()"


@dataclass(frozen=True, slots=True)
class Effects:
    """What a statement may do.

    Attributes:
        only_reads: It certainly changes nothing, so that it may be run once more.
        leaves: What it may leave in the session, in words for the user.
        needs: What of a session's state it may read.
        creates_table: The name of the temporary table that it makes, in lower case, or "".
        uses_database: The database that it makes the default one, or None.
        commits: It is a COMMIT.
        may_commit: It may commit the open transaction implicitly, as DDL does.
        ends_session: The server ends the session behind it: COMMIT RELEASE, ROLLBACK RELEASE.
    """

    only_reads: bool
    leaves: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    creates_table: str = ""
    uses_database: str | None = None
    commits: bool = False
    may_commit: bool = True
    ends_session: bool = False


def effects_of(statement: Statement) -> Effects:
    """What a statement may do."""
    tokens = statement.tokens
    words = statement.words
    return Effects(
        only_reads=_only_reads(tokens, words),
        leaves=frozenset(_leaves(tokens, words)),
        needs=frozenset(_needs(tokens, words)),
        creates_table=_temporary_table(tokens, words),
        uses_database=_used_database(tokens, words),
        commits=words[:1] in (["COMMIT"], ["XA"]),
        may_commit=not words or words[0] not in _NEVER_COMMIT or any(t.kind == "open" for t in tokens),
        ends_session=_ends_session(words),
    )


def _ends_session(words: list[str]) -> bool:
    is_end = words[:1] in (["COMMIT"], ["ROLLBACK"])
    return is_end and words[-1] == "RELEASE" and words[-2] != "NO" and "TO" not in words


def names(statement: Statement) -> set[str]:
    """All names and words of a statement, unquoted and in lower case."""
    return {_unquoted(t).lower() for t in statement.tokens if t.kind in {"word", "name"}}


_NEVER_COMMIT = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "REPLACE", "SHOW", "DO", "EXPLAIN", "ROLLBACK"}
_QUERIES = {"SELECT", "WITH", "TABLE", "VALUES"}
_EXPLAINS = {"EXPLAIN", "DESCRIBE", "DESC"}
# Most are reserved words: as names they would be quoted. A column with the name of another one is left in doubt.
_WRITING_WORDS = {
    "ALTER", "CALL", "CREATE", "DELETE", "DO", "DROP", "GRANT", "HANDLER", "INSERT", "INTO", "LOAD", "LOCK", "MERGE",
    "NEXT", "PREVIOUS", "PROCEDURE", "RENAME", "REPLACE", "REVOKE", "SET", "SHARE", "TRUNCATE", "UPDATE",
}  # fmt: skip
# A query is known to read only when each word in front of a parenthesis is one of these: any other may be a stored
# function, which may write. Keywords, types, then functions without effects.
_KEYWORDS = """
    AGAINST ALL AND ANY AS ASC BETWEEN BINARY BY CASE COLLATE CROSS DESC DISTINCT DISTINCTROW DIV ELSE END ESCAPE
    EXCEPT EXISTS FROM GROUP HAVING IN INDEX INNER INTERSECT INTERVAL IS JOIN KEY LATERAL LEFT LIKE LIMIT MINUS MOD
    NATURAL NOT OF OFFSET ON OR ORDER OUTER OVER PARTITION RANGE RECURSIVE REGEXP RIGHT RLIKE ROW ROWS SELECT SOME
    STRAIGHT_JOIN TABLE THEN UNION USING VALUES WHEN WHERE WINDOW WITH XOR
"""
_TYPES = """
    BIT CHAR CHARACTER DATE DATETIME DEC DECIMAL DOUBLE FLOAT INT INTEGER NCHAR NUMERIC SIGNED TIME TIMESTAMP UNSIGNED
    VARBINARY VARCHAR YEAR
"""
_FUNCTIONS = """
    ABS ACOS ADDDATE ADDTIME ANY_VALUE ASCII ASIN ATAN ATAN2 AVG BIN BIT_AND BIT_COUNT BIT_LENGTH BIT_OR BIT_XOR CAST
    CEIL CEILING CHAR_LENGTH CHARACTER_LENGTH CHARSET COALESCE COERCIBILITY COLLATION CONCAT CONCAT_WS CONV CONVERT
    CONVERT_TZ COS COT COUNT CRC32 CUME_DIST CURDATE CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURTIME
    DATABASE DATE_ADD DATE_FORMAT DATE_SUB DATEDIFF DAY DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR DEFAULT DEGREES
    DENSE_RANK ELT EXP EXPORT_SET EXTRACT FIELD FIND_IN_SET FIRST_VALUE FLOOR FORMAT FORMAT_BYTES FROM_BASE64 FROM_DAYS
    FROM_UNIXTIME GREATEST GROUP_CONCAT GROUPING HEX HOUR IF IFNULL INET6_ATON INET6_NTOA INET_ATON INET_NTOA INSTR
    ISNULL JSON_ARRAY JSON_ARRAYAGG JSON_CONTAINS JSON_CONTAINS_PATH JSON_DEPTH JSON_EXTRACT JSON_KEYS JSON_LENGTH
    JSON_OBJECT JSON_OBJECTAGG JSON_OVERLAPS JSON_PRETTY JSON_QUOTE JSON_SEARCH JSON_TABLE JSON_TYPE JSON_UNQUOTE
    JSON_VALID JSON_VALUE LAG LAST_DAY LAST_VALUE LCASE LEAD LEAST LENGTH LN LOCALTIME LOCALTIMESTAMP LOCATE LOG LOG10
    LOG2 LOWER LPAD LTRIM MAKEDATE MAKETIME MATCH MAX MD5 MEDIAN MICROSECOND MID MIN MINUTE MONTH MONTHNAME NOW
    NTH_VALUE NTILE NULLIF OCT OCTET_LENGTH ORD PERCENT_RANK PERCENTILE_CONT PERCENTILE_DISC PERIOD_ADD PERIOD_DIFF PI
    POSITION POW POWER QUARTER QUOTE RADIANS RAND RANK REGEXP_INSTR REGEXP_LIKE REGEXP_REPLACE REGEXP_SUBSTR REPEAT
    REVERSE ROUND ROW_NUMBER RPAD RTRIM SCHEMA SEC_TO_TIME SECOND SESSION_USER SHA SHA1 SHA2 SIGN SIN SLEEP SOUNDEX
    SPACE SQRT STD STDDEV STDDEV_POP STDDEV_SAMP STR_TO_DATE STRCMP SUBDATE SUBSTR SUBSTRING SUBSTRING_INDEX SUBTIME
    SUM SYSDATE SYSTEM_USER TAN TIME_FORMAT TIME_TO_SEC TIMEDIFF TIMESTAMPADD TIMESTAMPDIFF TO_BASE64 TO_DAYS
    TO_SECONDS TRIM UCASE UNCOMPRESS UNHEX UNIX_TIMESTAMP UPPER USER UTC_DATE UTC_TIME UTC_TIMESTAMP UUID VAR_POP
    VAR_SAMP VARIANCE VERSION WEEK WEEKDAY WEEKOFYEAR WEIGHT_STRING YEARWEEK
"""
_BEFORE_PARENTHESIS = frozenset((_KEYWORDS + _TYPES + _FUNCTIONS).split())
# These give another answer on another session.
_COUNTERS = {"LAST_INSERT_ID", "FOUND_ROWS", "ROW_COUNT"}
_LOCKING = {"GET_LOCK", "MASTER_POS_WAIT", "SOURCE_POS_WAIT"}


def _only_reads(tokens: tuple[Token, ...], words: list[str]) -> bool:
    # What stands in an executable comment depends on the server's version.
    if not words or any(t.kind in {"open", "close", "end"} for t in tokens):
        return False
    first = words[0]
    if first == "SHOW" or first == "HELP":
        return True
    if first in _EXPLAINS:
        # EXPLAIN ANALYZE runs the statement.
        return "ANALYZE" not in words or (bool(_QUERIES & set(words)) and _query_only_reads(tokens, words[1:]))
    return first in _QUERIES and _query_only_reads(tokens, words)


def _query_only_reads(tokens: tuple[Token, ...], words: list[str]) -> bool:
    if any(t.kind == "assign" for t in tokens):
        return False
    for before, token, behind in zip((None, *tokens), tokens, (*tokens[1:], None), strict=False):
        calls = behind is not None and behind.text == "("
        word = token.text.upper()
        if token.kind == "name" and calls:
            return False
        if token.kind != "word":
            continue
        if before is not None and before.text == ".":
            if calls or word == "NEXTVAL":  # schema.function(…), sequence.NEXTVAL
                return False
        elif calls:
            if word not in _BEFORE_PARENTHESIS and word not in {"REPLACE", "INSERT", "TRUNCATE"}:
                return False
        elif word in _WRITING_WORDS:
            return False
    return bool(words)


def _leaves(tokens: tuple[Token, ...], words: list[str]) -> list[str]:
    found = []
    if words[:1] == ["CREATE"] and "TEMPORARY" in words[:4]:
        found.append(TEMPORARY_TABLES)
    if any(t.kind == "assign" for t in tokens) or _sets_user_variable(tokens, words):
        found.append(USER_VARIABLES)
    if words[:1] == ["LOCK"] or (words[:1] == ["FLUSH"] and "LOCK" in words) or not _LOCKING.isdisjoint(words):
        found.append(LOCKS)
    if words[:1] == ["PREPARE"]:
        found.append(PREPARED)
    if words[:1] == ["SET"] and words[1:2] != ["PASSWORD"] and not all(map(_is_user_variable, _assigned(tokens))):
        found.append(SETTINGS)
    if words[:1] == ["CALL"] or any(t.kind == "open" for t in tokens):
        found += [TEMPORARY_TABLES, USER_VARIABLES]
    return found


def _assigned(tokens: tuple[Token, ...]) -> list[Token]:
    """The first token of each assignment of a SET."""
    found, depth = [], 0
    for before, token in pairwise(tokens):
        depth += (before.text == "(") - (before.text == ")")
        if depth == 0 and (before.text == "," or before is tokens[0]):
            found.append(token)
    return found


def _sets_user_variable(tokens: tuple[Token, ...], words: list[str]) -> bool:
    user_variables = any(_is_user_variable(t) for t in tokens)
    return user_variables and (words[:1] == ["SET"] or "INTO" in words)


def _needs(tokens: tuple[Token, ...], words: list[str]) -> list[str]:
    found = []
    if any(_is_user_variable(t) for t in tokens):
        found.append(USER_VARIABLES)
    if not _COUNTERS.isdisjoint(words):
        found.append(COUNTERS)
    if words[:1] in (["EXECUTE"], ["DEALLOCATE"]):
        found.append(PREPARED)
    return found


def _is_user_variable(token: Token) -> bool:
    return token.kind == "variable" and not token.text.startswith("@@")


def _temporary_table(tokens: tuple[Token, ...], words: list[str]) -> str:
    if words[:1] != ["CREATE"] or "TEMPORARY" not in words[:4]:
        return ""
    behind = False
    for token in tokens:
        word = token.text.upper()
        if token.kind in {"word", "name"} and behind and word not in {"IF", "NOT", "EXISTS"}:
            return _unquoted(token).lower()
        behind = behind or (token.kind == "word" and word == "TABLE")
    return ""


def _used_database(tokens: tuple[Token, ...], words: list[str]) -> str | None:
    if words[:1] == ["USE"] and len(tokens) == 2:
        return _unquoted(tokens[1])
    return None


def _unquoted(token: Token) -> str:
    return token.text[1:-1].replace("``", "`") if token.kind == "name" else token.text
