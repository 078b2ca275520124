"""What a statement leaves in the session and reads of it: a wrong answer here would lose what the user has set."""

import pytest

from rds_iam_magic.sql import effects
from rds_iam_magic.sql.effects import Effects, effects_of
from rds_iam_magic.sql.statement import split


def effects_in(sql: str) -> Effects:
    (statement,) = split(sql)
    return effects_of(statement)


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
        ("SET autocommit = 0", set()),
        ("SET SESSION autocommit = 0, @@local.`autocommit` = 1, @@autocommit = ON", set()),
        ("SET autocommit = 0, time_zone = '+01:00'", {effects.SETTINGS}),
        ("SET SESSION wait_timeout = 1", {effects.TIME_LIMITS}),
        ("SET @@max_statement_time = 1, sql_mode = ''", {effects.TIME_LIMITS, effects.SETTINGS}),
        ("SET @a = '),', autocommit = 1", {effects.USER_VARIABLES}),
        ("SET @a = '),', sql_mode = ''", {effects.USER_VARIABLES, effects.SETTINGS}),
        ("SET GLOBAL max_connections = 5, @@global.x = 1", set()),
        ("SET GLOBAL TRANSACTION READ ONLY", set()),
        ("SET TRANSACTION READ ONLY", {effects.SETTINGS}),
        ("SET ROLE analyst", {effects.SETTINGS}),
        ("SET STATEMENT max_statement_time = 1 FOR SELECT 1", set()),
        ("/*!40101 SET NAMES utf8mb4 */", {effects.SETTINGS, effects.TEMPORARY_TABLES, effects.USER_VARIABLES}),
        ("EXECUTE p", {effects.TEMPORARY_TABLES, effects.USER_VARIABLES}),
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
        ("CREATE TEMPORARY TABLE scratch.Mine (a INT)", "mine"),
        ("CREATE TEMPORARY TABLE `scratch` . `a.b` (a INT)", "a.b"),
        ('CREATE TEMPORARY TABLE "scratch"."mine" (a INT)', "mine"),
        ("CREATE TEMPORARY TABLE 1a (a INT)", "1a"),
        ("CREATE TEMPORARY SEQUENCE s", "s"),
        ("CREATE TABLE x (a INT)", ""),
    ],
)
def test_the_temporary_tables_name(sql, name):
    assert effects_in(sql).creates_table == name


EVERYTHING_READ = {effects.SETTINGS, effects.LOCKS}


@pytest.mark.parametrize(
    ("sql", "needs"),
    [
        ("SELECT @a", {effects.USER_VARIABLES}),
        ("SELECT @@sql_mode", set()),
        ("EXECUTE p", {effects.PREPARED}),
        ("EXECUTE IMMEDIATE 'SELECT 1'", set()),
        ("SELECT LAST_INSERT_ID()", {effects.COUNTERS}),
        ("INSERT INTO t VALUES (last_insert_id ( ))", {effects.COUNTERS}),
        ("SELECT last_insert_id FROM t", set()),
        ("SELECT @@identity", {effects.COUNTERS}),
        ("SELECT @@session.`last_insert_id`", {effects.COUNTERS}),
        ("SELECT @identity", {effects.USER_VARIABLES}),
        ("SELECT LASTVAL(s)", {effects.COUNTERS}),
        ("SELECT PREVIOUS VALUE FOR s", {effects.COUNTERS}),
        ("SELECT s.CURRVAL", {effects.COUNTERS}),
        ("SHOW WARNINGS", {effects.DIAGNOSTICS}),
        ("SHOW COUNT(*) ERRORS", {effects.DIAGNOSTICS}),
        ("SHOW PROFILE FOR QUERY 1", {effects.DIAGNOSTICS}),
        ("SHOW STATUS LIKE 'Handler%'", {effects.DIAGNOSTICS}),
        ("SHOW SESSION STATUS", {effects.DIAGNOSTICS}),
        ("SHOW GLOBAL STATUS", set()),
        ("SHOW TABLE STATUS", set()),
        ("SHOW VARIABLES LIKE 'sql_mode'", set()),
        ("SHOW VARIABLES LIKE '%insert_id'", {effects.DIAGNOSTICS}),
        ("GET DIAGNOSTICS @n = NUMBER", {effects.DIAGNOSTICS, effects.USER_VARIABLES}),
        ("SELECT @@warning_count, @@error_count", {effects.DIAGNOSTICS}),
        ("SELECT * FROM information_schema.OPTIMIZER_TRACE", {effects.DIAGNOSTICS}),
        ("SELECT * FROM `information_schema`.`profiling`", {effects.DIAGNOSTICS}),
        ("SELECT * FROM optimizer_trace", {effects.DIAGNOSTICS}),
        ("SELECT a FROM t JOIN information_schema . session_status", {effects.DIAGNOSTICS}),
        ("SELECT * FROM performance_schema.events_statements_history", {effects.DIAGNOSTICS}),
        ("SELECT a, session_status FROM t", set()),
        ("SELECT * FROM information_schema.PROCESSLIST", set()),
        ("SHOW PROCESSLIST", set()),
        ("SELECT IS_USED_LOCK('a')", set()),
        ("SELECT CONNECTION_ID()", set()),
        ("INSERT INTO t VALUES ('2026-01-01')", set()),
        ("SELECT 1", set()),
    ],
)
def test_what_a_statement_needs(sql, needs):
    """Beside what was SET and locked, on which everything may depend."""
    assert effects_in(sql).needs == needs | EVERYTHING_READ


@pytest.mark.parametrize(
    "sql", ["SET sql_mode = ''", "USE x", "BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "UNLOCK TABLES"]
)
def test_what_sets_a_session_up_needs_nothing_of_it(sql):
    assert effects_in(sql).needs == set()


def test_a_definition_reads_nothing_of_the_session_and_leaves_nothing():
    for sql in (
        "CREATE FUNCTION f() RETURNS INT RETURN LAST_INSERT_ID() + @a",
        "CREATE PROCEDURE p() BEGIN SET total = 1; SET @a = 2; SELECT CASE WHEN 1 THEN ROW_COUNT() END; END",
    ):
        found = effects_in(sql)
        assert found.needs == EVERYTHING_READ
        assert found.leaves == set()
    (statement,) = split("CREATE PROCEDURE p() BEGIN IF a THEN SET b = 1; END IF; END; SET @a = 1; SELECT 1")
    assert effects_of(statement).leaves == {effects.USER_VARIABLES}
