"""What happens between two statements of the user's: nothing of ours changes what the second one sees; errors tell what
has run; answers that nobody reads are read to their end."""

import pytest

from rds_iam_magic.errors import ConnectionLostError, ResultError, StatementError
from rds_iam_magic.timeouts import Timeouts

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def table(db):
    db.execute("SET SESSION sql_mode = ''; CREATE OR REPLACE TABLE between_ (n TINYINT)")
    yield db
    db.execute("DROP TABLE IF EXISTS between_")


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ("SELECT SQL_CALC_FOUND_ROWS seq FROM seq_1_to_7 LIMIT 1", "SELECT FOUND_ROWS() AS v", 7),
        ("INSERT INTO between_ VALUES (1), (2)", "SELECT ROW_COUNT() AS v", 2),
        ("SELECT 1", "SELECT ROW_COUNT() AS v", -1),
        ("INSERT INTO between_ VALUES (300), (301)", "SHOW COUNT(*) WARNINGS", 2),
    ],
)
@pytest.mark.parametrize("idle", [Timeouts().idle, 0.0])
@pytest.mark.usefixtures("table")
def test_the_check_of_an_idle_session_changes_nothing(scratch, notes, first, second, value, idle):
    with scratch.connect(notes, timeouts=Timeouts(idle=idle)) as db:
        db.execute("SET SESSION sql_mode = ''")
        for _ in db.run(first):
            pass
        assert db.query(second).iloc[0, 0] == value


def test_the_status_after_an_error_is_asked_for_without_effects(table):
    table.execute("BEGIN; INSERT INTO between_ VALUES (1)")
    with pytest.raises(StatementError):
        table.query("SELECT nonsense FROM between_")
    assert "nonsense" in table.query("SHOW ERRORS").loc[0, "Message"]
    assert table.transaction_since is not None
    table.execute("ROLLBACK")


def test_an_error_says_what_has_run_and_that_a_transaction_is_open(table):
    with pytest.raises(StatementError, match="Statement 3 of 4 failed") as caught:
        table.execute("BEGIN; INSERT INTO between_ VALUES (1); SELEC 1; COMMIT")
    assert caught.value.hint.startswith(
        "The 2 statements before it have run. A transaction is open: COMMIT or ROLLBACK it. "
    )
    table.execute("ROLLBACK")
    with pytest.raises(StatementError) as caught:
        table.execute("SELECT 1; SELEC 2")
    assert caught.value.hint.startswith("The statement before it has run. Check the SQL")


def test_the_first_warning_is_quoted(table, notes):
    table.execute("INSERT INTO between_ VALUES (300), (301)")
    assert notes == [
        "the server reported 2 warnings: Out of range value for column 'n' at row 1 (1264); SHOW WARNINGS lists all."
    ]
    assert len(table.query("SHOW WARNINGS")) == 2


def test_quoting_a_warning_hides_no_row_count(table, notes):
    """SHOW WARNINGS resets ROW_COUNT(): where it is asked for next, the warnings are counted only."""
    assert table.query("INSERT INTO between_ VALUES (300); SELECT ROW_COUNT() AS v").loc[0, "v"] == 1
    assert notes == ["the server reported 1 warning; run SHOW WARNINGS to see it."]
    table.execute("INSERT INTO between_ VALUES (300), (4)")
    with pytest.raises(ResultError, match=r"changed 2 rows"):
        table.query("SELECT ROW_COUNT() AS v")
    assert table.query("SELECT ROW_COUNT() AS v").loc[0, "v"] == -1


@pytest.mark.parametrize("sql", ["COMMIT RELEASE", "ROLLBACK RELEASE", "COMMIT AND NO CHAIN RELEASE"])
def test_a_released_session_is_opened_again(db, notes, sql):
    db.execute("CREATE OR REPLACE TABLE between_ (n TINYINT)")
    db.execute("BEGIN; INSERT INTO between_ VALUES (1)")
    before = db.query("SELECT CONNECTION_ID() AS id").loc[0, "id"]
    db.execute(sql)
    assert db.transaction_since is None
    frame = db.query("SELECT CONNECTION_ID() AS id, (SELECT COUNT(*) FROM between_) AS n")
    assert frame.loc[0, "id"] != before
    assert frame.loc[0, "n"] == (1 if "COMMIT" in sql else 0)
    assert not any("lost" in note for note in notes)
    db.execute("DROP TABLE between_; SET sql_mode = 'ANSI'; COMMIT RELEASE")
    with pytest.raises(ConnectionLostError, match="The session was released, and with it the session variables"):
        db.query('SELECT 1 AS "a"')


def test_a_statement_that_is_too_long_is_not_sent(sandbox, scratch, notes):
    with sandbox.server.root() as root:
        root.execute("SELECT @@GLOBAL.max_allowed_packet")
        ((before,),) = root.fetchall()
        root.execute("SET GLOBAL max_allowed_packet = 1048576")
    try:
        with scratch.connect(notes) as db:
            db.execute("CREATE TEMPORARY TABLE kept (a INT)")
            with pytest.raises(StatementError, match=r"5 MB.*1 MB at most \(max_allowed_packet\)") as caught:
                db.query(f"SELECT LENGTH('{'x' * 5_000_000}') AS n")
            assert caught.value.code == 1153
            assert "parameter group" in caught.value.hint
            assert db.query("SELECT COUNT(*) AS n FROM kept").loc[0, "n"] == 0, "nothing is lost"
            assert db.query(f"SELECT LENGTH('{'x' * 1_000_000}') AS n").loc[0, "n"] == 1_000_000
    finally:
        with sandbox.server.root() as root:
            root.execute(f"SET GLOBAL max_allowed_packet = {before}")


@pytest.mark.parametrize("how", ["closed", "too large"])
def test_what_may_write_runs_to_its_end_though_nobody_reads_on(sandbox, table, how):
    with sandbox.server.root() as root:
        root.execute(
            "CREATE OR REPLACE PROCEDURE scratch.works() BEGIN SELECT 1 AS a; SELECT seq, REPEAT('x', 1000) AS f "
            "FROM seq_1_to_20000; INSERT INTO scratch.between_ VALUES (1); END"
        )
    if how == "closed":
        results = table.run("CALL works()")
        assert next(results).num_rows == 1
        results.close()
    else:
        table.max_memory = "1 MB"
        with pytest.raises(ResultError, match="larger"):
            table.query("CALL works()")
    assert table.query("SELECT COUNT(*) AS n FROM between_").loc[0, "n"] == 1
    with sandbox.server.root() as root:
        root.execute("DROP PROCEDURE scratch.works")


def test_what_may_write_runs_to_its_end_while_an_interrupt_is_handled(table):
    """The Stop came before this statement, and is none of its own."""
    table.max_memory = "1 MB"
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        with pytest.raises(ResultError, match="larger"):
            table.query("INSERT INTO between_ SELECT seq FROM seq_1_to_200000 RETURNING REPEAT('x', 100)")
    assert table.query("SELECT COUNT(*) AS n FROM between_").loc[0, "n"] == 200_000


def test_each_result_of_a_call_comes_when_it_is_complete(sandbox, table):
    """Before the statement's end, which waits here for a lock that this test holds."""
    with sandbox.server.root() as root:
        root.execute(
            "CREATE OR REPLACE PROCEDURE scratch.waits() BEGIN SELECT 1 AS a; DO GET_LOCK('between', 60); "
            "SELECT 2 AS b; DO RELEASE_LOCK('between'); END"
        )
        root.execute("SELECT GET_LOCK('between', 0)")
        results = table.run("CALL waits()")
        assert next(results).to_pandas()["a"].tolist() == [1]
        root.execute("SELECT RELEASE_LOCK('between')")
        assert next(results).to_pandas()["b"].tolist() == [2]
        results.close()
        root.execute("DROP PROCEDURE scratch.waits")
