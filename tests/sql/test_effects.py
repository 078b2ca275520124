"""Whether a statement only reads, and what it leaves in the session: wrong answers here would run writes twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.sql.effects import Effects, effects_of, identifiers_in
from rds_iam_magic.sql.statement import split


def effects_in(sql: str) -> Effects:
    (statement,) = split(sql)
    return effects_of(statement)


READS = [
    "SELECT 1",
    "select * from t where a in (1, 2) and b like '%x%'",
    "SELECT /*+ MAX_EXECUTION_TIME(10) */ COUNT(*), SUM(a) OVER (PARTITION BY b ORDER BY c) FROM t",
    "SELECT 'INSERT INTO t', \"DELETE\", `update` FROM t -- FOR UPDATE",
    "SELECT a FROM t # INTO OUTFILE\n",
    "WITH x AS (SELECT 1 AS a), y AS (SELECT 2 AS b) SELECT * FROM x JOIN y ON (a < b)",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n",
    "(SELECT 1) UNION (SELECT 2) ORDER BY 1",
    "SELECT REPLACE(a, 'x', 'y'), INSERT(a, 1, 1, 'z'), TRUNCATE(b, 2) FROM t",
    "SELECT CAST(a AS DECIMAL(10,2)), IF(a, b, c), CASE WHEN (a) THEN (b) END FROM t",
    "SELECT t.update_at, t.`set` FROM t",
    "SELECT @@version, @v",
    "VALUES (1, 2), (3, 4)",
    "TABLE t",
    "SELECT a FROM t WHERE MATCH (a) AGAINST ('x')",
    "SHOW TABLES",
    "SHOW CREATE TABLE t",
    "DESCRIBE t",
    "EXPLAIN DELETE FROM t",
    "EXPLAIN FORMAT=JSON SELECT 1",
    "EXPLAIN ANALYZE SELECT a FROM t",
    "ANALYZE FORMAT=JSON SELECT a FROM t",
    "ANALYZE SELECT a FROM t",
    "((SELECT 1)) UNION ALL SELECT 2",
    "SELECT ST_X(POINT(1, 2)), JSON_MERGE_PATCH('{}', '{}'), INET6_NTOA(INET6_ATON('::1')), MAKE_SET(1, 'a')",
    "WITH x (n) AS (SELECT 1) SELECT n FROM x",
    "SELECT ABS (1), LENGTH ('x')",
    "SHOW VARIABLES WHERE Variable_name = 'sql_mode'",
    "SELECT BIN_TO_UUID(UUID_TO_BIN(a)) FROM t",
]
# MySQL's own, and what needs another table; and MariaDB refuses to explain a write where only reads are allowed.
NOT_HERE = ("SELECT BIN_TO", "TABLE", "EXPLAIN ANALYZE", "EXPLAIN DELETE", "SELECT a FROM t WHERE MATCH")
WRITES = [
    "INSERT INTO t VALUES (1)",
    "insert into t select 1",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "REPLACE INTO t VALUES (1)",
    "TRUNCATE t",
    "CALL p()",
    "DO GET_LOCK('a', 1)",
    "CREATE TABLE t (a INT)",
    "DROP TABLE t",
    "LOAD DATA INFILE 'x' INTO TABLE t",
    "SET @a = 1",
    "COMMIT",
    "BEGIN",
    "LOCK TABLES t READ",
    "HANDLER t OPEN",
    "SELECT a INTO OUTFILE '/tmp/x' FROM t",
    "SELECT a INTO @v FROM t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR SHARE",
    "SELECT * FROM t LOCK IN SHARE MODE",
    "SELECT GET_LOCK('a', 1)",
    "SELECT RELEASE_LOCK('a')",
    "SELECT NEXT VALUE FOR s",
    "SELECT NEXTVAL(s)",
    "SELECT s.NEXTVAL FROM DUAL",
    "SELECT a_stored_function(1)",
    "SELECT `max` (1)",
    "SELECT schema1.f(1)",
    "SELECT schema1 . f (1)",
    "SELECT schema1 /* x */ . /* y */ f /* z */ (1)",
    'SELECT "f"(1)',  # under ANSI_QUOTES
    'SELECT 1, "a", "f" /* x */ (1)',
    "SELECT COUNT (a) FROM t",  # a stored function's, unless IGNORE_SPACE is set
    "SELECT 2abs(1)",
    "SELECT m\u0131d(1)",  # no MID, though Python's upper case of it is
    "SELECT 1.INTO @a",
    "SELECT 1 INTO\u00a0@a",
    "SELECT LAST_INSERT_ID(5)",
    "SELECT LAMBDA_SYNC('arn', '{}')",
    "SHOW TABLES WHERE f(1)",
    "EXPLAIN SELECT f(1)",
    "EXPLAIN FORMAT=JSON INTO @v SELECT 1",
    "SELECT @a := a + 1 FROM t",
    "SELECT /*! SQL_NO_CACHE */ a FROM t",
    "SELECT 1 /*M! INTO @a */",
    "/*! INSERT INTO t VALUES (1) */",
    "WITH x AS (SELECT 1 AS a) DELETE FROM t WHERE a IN (SELECT a FROM x)",
    "WITH x AS (SELECT 1 AS a) UPDATE t JOIN x USING (a) SET t.b = 1",
    "EXPLAIN ANALYZE DELETE FROM t",
    "ANALYZE FORMAT=JSON DELETE FROM t",
    "ANALYZE TABLE t",
    "ANALYZE LOCAL TABLE t",
    "ANALYZE NO_WRITE_TO_BINLOG TABLE t",
    "ANALYZE",
    "EXPLAIN ANALYZE SELECT f(1)",
    "ANALYZE UPDATE t SET a = 1",
    "INSERT INTO t VALUES (1) RETURNING a",
    "SELECT * FROM t PROCEDURE ANALYSE()",
    "XA COMMIT 'x'",
    "OPTIMIZE TABLE t",
    "KILL 5",
    "FLUSH TABLES",
    "NONSENSE",
]


@pytest.mark.parametrize("sql", READS)
def test_reads(sql):
    assert effects_in(sql).only_reads


@pytest.mark.parametrize("sql", WRITES)
def test_in_doubt_it_may_write(sql):
    assert not effects_in(sql).only_reads


@pytest.mark.parametrize("sql", [sql for sql in READS if not sql.startswith(NOT_HERE)])
def test_the_server_agrees(db, sql):
    """In a transaction that may only read, none of them is refused as a write (1792)."""
    db.execute("CREATE OR REPLACE TABLE t (a INT, b INT, c INT, `update` INT, `set` INT, update_at INT)")
    db.execute("START TRANSACTION READ ONLY")
    assert len(list(db.run(sql))) == 1
    db.execute("ROLLBACK")
    db.execute("DROP TABLE t")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT f(a) FROM t",
        "SELECT schema1.f(a), `g`(1) FROM t",
        'SELECT "f"(1)',
        "(SELECT f(1)) UNION SELECT 2",
        "WITH x AS (SELECT f(1) AS a) SELECT a FROM x",
    ],
)
def test_only_functions_could_write(sql):
    assert effects_in(sql).reads_unless_functions_write


@pytest.mark.parametrize("sql", [sql for sql in WRITES if effects_in(sql).reads_unless_functions_write])
def test_what_may_write_by_a_function_only_is_a_query_that_calls_one(sql):
    assert "(" in sql


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t SELECT f(1)",
        "SELECT f(1) INTO @a",
        "SELECT f(1) FOR UPDATE",
        "SELECT @a := f(1)",
        "SELECT f(1), GET_LOCK('a', 1)",
        "SELECT NEXTVAL(s)",
        "SELECT `lambda_async`('arn')",
        "SELECT f(1) /*! , 2 */",
        "SHOW TABLES WHERE f(1)",
        "CALL p()",
        "DO f(1)",
    ],
)
def test_more_than_functions_could_write(sql):
    assert not effects_in(sql).reads_unless_functions_write


@given(
    st.sampled_from(["INSERT", "UPDATE", "DELETE", "INTO", "CALL", "SET", "DO", "LOCK", "NEXT", "GRANT"]),
    st.lists(st.sampled_from(["a", "(", ")", ",", "'x'", "FROM", "t", "+", "1", "/* c */", "SELECT", "=", "`q`"])),
    st.integers(0, 20),
)
def test_a_writing_word_anywhere_is_seen(word, around, place):
    """As a word of its own: not behind a point, not called as a function, not quoted."""
    around.insert(min(place, len(around)), f" {word} zz")
    statements = split("SELECT " + " ".join(around))
    assert not any(effects_of(statement).only_reads for statement in statements)


def test_names():
    (statement,) = split("SELECT A.`B c`, 'd' FROM Mine AS A")
    assert {"a", "b c", "mine"} <= identifiers_in(statement)
    assert "d" not in identifiers_in(statement)
    (statement,) = split('SELECT 1a FROM "Mine", "other"')
    assert {"1a", "mine", "other"} <= identifiers_in(statement)


@pytest.mark.parametrize(("sql", "database"), [("USE x", "x"), ("use `a``b`", "a`b"), ("SELECT 1", None)])
def test_the_database_in_use(sql, database):
    assert effects_in(sql).uses_database == database


@pytest.mark.parametrize(
    ("sql", "commits", "may_commit"),
    [
        ("COMMIT", True, True),
        ("COMMIT AND CHAIN", True, True),
        ("SELECT 1", False, False),
        ("INSERT INTO t VALUES (1)", False, False),
        ("CREATE TABLE t (a INT)", False, True),
        ("CALL p()", False, True),
        ("SELECT 1 /*! , 2 */", False, True),
    ],
)
def test_commits(sql, commits, may_commit):
    assert (effects_in(sql).commits, effects_in(sql).may_commit) == (commits, may_commit)
