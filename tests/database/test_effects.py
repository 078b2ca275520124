"""Whether a statement only reads, and what it leaves in the session: wrong answers here would run writes twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.database import effects
from rds_iam_magic.database.effects import Effects, effects_of, names
from rds_iam_magic.database.statement import split

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
]
# MySQL's own, and what needs another table; and MariaDB refuses to explain a write where only reads are allowed.
NOT_HERE = ("TABLE", "EXPLAIN ANALYZE", "EXPLAIN DELETE", "SELECT a FROM t WHERE MATCH")
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
    "SELECT @a := a + 1 FROM t",
    "SELECT /*! SQL_NO_CACHE */ a FROM t",
    "SELECT 1 /*M! INTO @a */",
    "/*! INSERT INTO t VALUES (1) */",
    "WITH x AS (SELECT 1 AS a) DELETE FROM t WHERE a IN (SELECT a FROM x)",
    "WITH x AS (SELECT 1 AS a) UPDATE t JOIN x USING (a) SET t.b = 1",
    "EXPLAIN ANALYZE DELETE FROM t",
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


def effects_in(sql: str) -> Effects:
    (statement,) = split(sql)
    return effects_of(statement)


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


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("CREATE TEMPORARY TABLE x (a INT)", {effects.TEMPORARY_TABLES}),
        ("CREATE OR REPLACE TEMPORARY TABLE x AS SELECT 1", {effects.TEMPORARY_TABLES}),
        ("SET @a = 1, @b = 2", {effects.USER_VARIABLES}),
        ("SELECT 1 INTO @a", {effects.USER_VARIABLES}),
        ("SELECT @a := 1", {effects.USER_VARIABLES}),
        ("SELECT GET_LOCK('a', 1)", {effects.LOCKS}),
        ("LOCK TABLES t WRITE", {effects.LOCKS}),
        ("FLUSH TABLES WITH READ LOCK", {effects.LOCKS}),
        ("PREPARE p FROM 'SELECT 1'", {effects.PREPARED}),
        ("SET SESSION sql_mode = ''", {effects.SETTINGS}),
        ("SET NAMES latin1", {effects.SETTINGS}),
        ("SET @a = CONCAT('x', 'y'), SESSION sql_mode = ''", {effects.USER_VARIABLES, effects.SETTINGS}),
        ("SET @a = GREATEST(1, 2), @b = @@version", {effects.USER_VARIABLES}),
        ("SET PASSWORD = 'x'", set()),
        ("CALL p()", {effects.TEMPORARY_TABLES, effects.USER_VARIABLES}),
        ("SELECT @a, 1", set()),
        ("CREATE TABLE x (a INT)", set()),
        ("INSERT INTO t VALUES (1)", set()),
    ],
)
def test_what_is_left_in_the_session(sql, left):
    assert effects_in(sql).leaves == left


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("CREATE TEMPORARY TABLE Mine (a INT)", "mine"),
        ("CREATE TEMPORARY TABLE IF NOT EXISTS `My ``x` (a INT)", "my `x"),
        ("CREATE TABLE x (a INT)", ""),
    ],
)
def test_the_temporary_tables_name(sql, name):
    assert effects_in(sql).creates_table == name


def test_names():
    (statement,) = split("SELECT A.`B c`, 'd' FROM Mine AS A")
    assert {"a", "b c", "mine"} <= names(statement)
    assert "d" not in names(statement)


@pytest.mark.parametrize(
    ("sql", "needs"),
    [
        ("SELECT @a", {effects.USER_VARIABLES}),
        ("EXECUTE p", {effects.PREPARED}),
        ("SELECT LAST_INSERT_ID()", {effects.COUNTERS}),
        ("SELECT FOUND_ROWS()", {effects.COUNTERS}),
        ("SELECT LASTVAL(s)", {effects.COUNTERS}),
        ("SELECT @@last_insert_id", {effects.COUNTERS}),
        ("SELECT * FROM information_schema.optimizer_trace", {effects.DIAGNOSTICS}),
        ("SELECT * FROM information_schema.`PROFILING`", {effects.DIAGNOSTICS}),
        ("SHOW PROFILES", {effects.DIAGNOSTICS}),
        ("SHOW PROFILE FOR QUERY 1", {effects.DIAGNOSTICS}),
        ("SHOW STATUS LIKE 'Handler%'", {effects.DIAGNOSTICS}),
        ("SHOW SESSION STATUS", {effects.DIAGNOSTICS}),
        ("SHOW WARNINGS", {effects.DIAGNOSTICS}),
        ("SHOW COUNT(*) ERRORS", {effects.DIAGNOSTICS}),
        ("SELECT @@warning_count", {effects.DIAGNOSTICS}),
        ("SHOW GLOBAL STATUS", set()),
        ("SHOW TABLES", set()),
        ("SELECT 1", set()),
    ],
)
def test_what_a_statement_needs(sql, needs):
    """Beside what every statement may depend on: variables that were SET, and locks."""
    assert effects_in(sql).needs - {effects.SETTINGS, effects.LOCKS} == needs


@pytest.mark.parametrize(
    ("sql", "leaves"),
    [
        ("SET autocommit = 0", False),
        ("SET SESSION autocommit = 0", False),
        ("SET GLOBAL max_connections = 5", False),
        ("SET sql_mode = 'ANSI'", True),
        ("SET NAMES latin1", True),
        ("SET @@div_precision_increment = 10", True),
        ("SET @a = 1", False),
    ],
)
def test_settings_that_a_new_session_does_not_have(sql, leaves):
    assert (effects.SETTINGS in effects_in(sql).leaves) == leaves


@pytest.mark.parametrize(
    ("sql", "only_reads", "unless"),
    [
        ("SELECT ST_AsText(p) FROM t", True, True),
        ("SELECT BIN_TO_UUID(id) FROM t", True, True),
        ("(SELECT 1) UNION (SELECT 2)", True, True),
        ("SELECT my_function(a) FROM t", False, True),
        ("SELECT shop.f(a) FROM t", False, True),
        ("SELECT `f`(a) FROM t", False, True),
        ("SELECT my_function(a) FROM t FOR UPDATE", False, False),
        ("SELECT my_function(a) INTO @x", False, False),
        ("SELECT @a := my_function(1)", False, False),
        ("SELECT GET_LOCK('a', 1)", False, False),
        ("SELECT NEXTVAL(s)", False, False),
        ("SELECT /*! f(1), */ 2", False, False),
        ("UPDATE t SET a = f(1)", False, False),
        ("CALL p()", False, False),
    ],
)
def test_functions_that_may_write(sql, only_reads, unless):
    effect = effects_in(sql)
    assert (effect.only_reads, effect.reads_unless_functions_write) == (only_reads, unless)


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
