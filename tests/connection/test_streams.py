"""Batches, chunks, files, limits and the memory budget: at constant memory, and nothing partial is left."""

import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from rds_iam_magic.errors import OptionError, ResultError, StatementError
from tests.support.events import WORKING, interrupt_when, processes, wait_until

pytestmark = pytest.mark.slow  # servers and kernels

SEVERAL = "SELECT seq AS n, CONCAT('t', seq) AS t, seq * 1.25 AS d FROM seq_1_to_40000"
FAILS_AMONG_ROWS = "SELECT seq, REPEAT('x', 1000), EXP(seq / 10) FROM seq_1_to_10000"  # out of range at row 7,098
ENDLESS = "SELECT a.seq AS n, MD5(b.seq) AS t FROM seq_1_to_1000000 a, seq_1_to_1000000 b"


def still_works(db):
    return db.query("SELECT 1 AS a")["a"].tolist() == [1]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def running(sandbox):
    return len(processes(sandbox.server, f"USER = 'tester' AND {WORKING}"))


def nothing_runs(sandbox):
    """The server may take a moment after its last packet; an endless query would run on."""
    wait_until(lambda: running(sandbox) == 0, "the end of the query on the server")
    return True


@pytest.mark.parametrize("rows", [1, 999, 40_000, 100_000])
def test_batches(db, rows):
    sql = SEVERAL if rows > 1 else SEVERAL.replace("40000", "50")
    batches = list(db.batches(sql, rows=rows))
    total = 40_000 if rows > 1 else 50
    assert [batch.num_rows for batch in batches[:-1]] == [rows] * (len(batches) - 1)
    table = pa.Table.from_batches(batches)
    assert table["n"].to_pylist() == list(range(1, total + 1))
    assert table.schema.field("d").type == pa.decimal128(23, 2)


def test_batches_that_are_left_early_end_the_query(db, sandbox):
    batches = db.batches(ENDLESS)
    assert next(batches).num_rows == 65_536
    assert running(sandbox) == 1
    batches.close()
    assert nothing_runs(sandbox)
    assert still_works(db)


def test_chunks(db):
    chunks = list(db.query(SEVERAL, chunksize=15_000))
    assert [len(chunk) for chunk in chunks] == [15_000, 15_000, 10_000]
    whole = db.query(SEVERAL)
    assert pd.concat(chunks, ignore_index=True).equals(whole)
    (empty,) = db.query(f"{SEVERAL} WHERE seq < 0", chunksize=10)
    assert empty.dtypes.tolist() == whole.dtypes.tolist()
    with pytest.raises(ResultError):
        list(db.query("SET @a = 1", chunksize=10))


@pytest.mark.parametrize("argument", ["limit", "chunksize"])
def test_sizes_are_at_least_one(db, argument):
    with pytest.raises(OptionError, match="at least"):
        list(db.query("SELECT 1", **{argument: 0}))


@pytest.mark.parametrize("argument", [{"dtype_backend": "arrow"}, {"decimal": "round"}])
def test_unknown_choices(db, argument):
    with pytest.raises(OptionError, match="is not valid"):
        db.query("SELECT 1", **argument)


@pytest.mark.parametrize("limit", [1, 100, 39_999])
def test_a_limit_cuts_and_says_so(db, notes, limit):
    assert db.query(SEVERAL, limit=limit)["n"].tolist() == list(range(1, limit + 1))
    (note,) = notes
    assert note == f"the result was cut at the limit of {limit:,} row{'' if limit == 1 else 's'}; there are more."
    assert still_works(db)


@pytest.mark.parametrize("limit", [40_000, 50_000])
def test_a_limit_that_is_not_reached_says_nothing(db, notes, limit):
    assert len(db.query(SEVERAL, limit=limit)) == 40_000
    assert notes == []


def test_a_limit_ends_an_endless_query(db, sandbox):
    assert len(db.query(ENDLESS, limit=1000)) == 1000
    assert nothing_runs(sandbox)


def test_a_limit_does_not_cut_a_statement_that_writes(db):
    """Ended early, it might do half of its work; so it runs to its end, and only its rows are dropped."""
    db.execute("CREATE OR REPLACE TABLE written (n INT)")
    assert len(db.query("INSERT INTO written SELECT seq FROM seq_1_to_30000 RETURNING n", limit=5)) == 5
    assert db.query("SELECT COUNT(*) AS c FROM written")["c"].tolist() == [30_000]
    db.execute("DROP TABLE written")


@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_limit_and_a_function_that_only_reads(sandbox, db, notes, in_transaction):
    """A read-only transaction proves that nothing is written, so that the query can be ended on the server."""
    with sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE FUNCTION scratch.twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n")
    if in_transaction:
        db.execute("BEGIN")
    rows = "seq_1_to_20000" if in_transaction else "seq_1_to_1000000 a, seq_1_to_1000000 b"
    column = "seq" if in_transaction else "a.seq"
    assert len(db.query(f"SELECT twice({column}) AS n, REPEAT('x', 100) AS f FROM {rows}", limit=10)) == 10
    (note,) = notes
    assert note.endswith("so it ran to its end." if in_transaction else "there are more.")
    assert (db.transaction_since is not None) == in_transaction
    db.execute("ROLLBACK")
    assert still_works(db)


def test_a_limit_and_a_function_leave_table_locks_alone(sandbox, db, notes):
    """START TRANSACTION, with which the server would prove that nothing is written, releases them."""
    with sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE FUNCTION scratch.twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n")
    db.execute(
        "CREATE OR REPLACE TABLE locked (n INT); INSERT INTO locked VALUES (1), (2), (3); LOCK TABLES locked READ"
    )
    assert db.query("SELECT twice(n) AS n FROM locked", limit=1)["n"].tolist() == [2]
    with pytest.raises(StatementError, match="1099"):  # still locked for reading
        db.execute("INSERT INTO locked VALUES (4)")
    assert notes[0].endswith("so it ran to its end.")
    db.execute("UNLOCK TABLES; DROP TABLE locked")


def test_a_limit_and_a_function_that_writes(sandbox, db, notes):
    db.execute("CREATE OR REPLACE TABLE counted_ (n INT)")
    with sandbox.server.root() as root:
        root.execute(
            "CREATE OR REPLACE FUNCTION scratch.counts(n INT) RETURNS INT MODIFIES SQL DATA "
            "BEGIN INSERT INTO scratch.counted_ VALUES (n); RETURN n; END"
        )
    assert len(db.query("SELECT counts(seq) AS n FROM seq_1_to_500", limit=10)) == 10
    assert db.query("SELECT COUNT(*) AS c FROM counted_")["c"].tolist() == [500], "it ran whole, and once"
    assert notes[0].endswith("The statement may write, so it ran to its end.")
    db.execute("DROP TABLE counted_")


def test_a_limit_holds_for_each_result_set_and_hides_no_error(sandbox, db, notes):
    with sandbox.server.root() as root:
        root.execute(
            "CREATE OR REPLACE PROCEDURE scratch.two() BEGIN SELECT seq FROM seq_1_to_40000; SELECT 1 AS a; "
            "SELECT seq AS s FROM seq_1_to_9; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'at its end'; END"
        )
    given = []
    with pytest.raises(StatementError, match="at its end"):
        given.extend(db.run("CALL two()", limit=2))
    with sandbox.server.root() as root:
        root.execute(
            "CREATE OR REPLACE PROCEDURE scratch.two() BEGIN SELECT seq FROM seq_1_to_40000; SELECT 1 AS a; "
            "SELECT seq AS s FROM seq_1_to_9; END"
        )
    notes.clear()
    results = list(db.run("CALL two()", limit=2))
    assert [result.num_rows for result in results[:3]] == [2, 1, 2]
    assert [result.cut for result in results[:3]] == [True, False, True]
    assert len(notes) == 2
    assert still_works(db)


def test_rows_of_earlier_statements_are_not_dropped_without_a_word(db, notes, tmp_path):
    assert db.write("SELECT 1 AS a; SELECT 2 AS b", tmp_path / "x.csv") == 1
    assert notes == ["the rows of statement 1 are dropped; only the last statement's rows are returned."]


def test_warnings_of_the_server_are_told(db, notes):
    assert db.query("SELECT CAST('12x' AS SIGNED) AS n")["n"].tolist() == [12]
    assert notes == ["the server reported 1 warning: Truncated incorrect INTEGER value: '12x' (1292)"]
    assert "12x" in db.query("SHOW WARNINGS").loc[0, "Message"]
    assert len(notes) == 1


def test_a_write_that_gives_no_rows_has_run(db):
    db.execute("CREATE OR REPLACE TABLE ran (a INT)")
    with pytest.raises(ResultError, match="SQL ran"):
        db.query("INSERT INTO ran VALUES (1)")
    assert db.query("SELECT COUNT(*) AS n FROM ran")["n"].tolist() == [1]
    db.execute("DROP TABLE ran")


def test_the_memory_budget(db, sandbox):
    db.max_memory = "5 MB"
    with pytest.raises(ResultError) as caught:
        db.query(ENDLESS)
    message, hint = str(caught.value).splitlines()
    assert "exceeds its memory limit of 5 MB" in message
    assert "rows took" in message
    assert all(way in hint for way in ("LIMIT", "limit=N", "write()", "max_memory"))
    assert nothing_runs(sandbox)
    assert still_works(db)


def read(path):
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)
    if path.suffix == ".arrow":
        with pa.ipc.open_file(path) as file:
            return file.read_all()
    return pyarrow.csv.read_csv(path)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "csv.gz"])
def test_files(db, tmp_path, ending):
    path = tmp_path / f"rows.{ending}"
    assert db.write(SEVERAL, path) == 40_000
    table = read(path)
    assert table["n"].to_pylist() == list(range(1, 40_001))
    assert table["t"].to_pylist()[-1] == "t40000"
    assert [float(value) for value in table["d"].to_pylist()[:2]] == [1.25, 2.5]
    assert names(tmp_path) == [path.name]
    if ending == "parquet":
        assert pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
    if ending == "csv.gz":
        assert gzip.decompress(path.read_bytes()).startswith(b'"n","t","d"\n')


ALL_TYPES = (
    "SELECT CAST('-838:59:58.5' AS TIME(1)) AS t, X'00ff' AS b, NULL AS nothing, CAST(1 AS DECIMAL(65,30)) AS d, "
    "DATE '2024-01-02' AS day, TIMESTAMP '2024-01-02 03:04:05' AS m, 5 AS number, '' AS empty, "
    "CAST(NULL AS CHAR) AS s"
)
NULLS = (
    "SELECT CAST(v AS TIME) AS t, CAST(v AS BINARY) AS b, CAST(v AS DECIMAL(65,30)) AS d, CAST(v AS DATE) AS day, "
    "CAST(v AS DATETIME) AS m, CAST(v AS SIGNED) AS n, CAST(v AS DOUBLE) AS f FROM (SELECT NULL AS v UNION SELECT 1) x"
)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "csv.gz"])
def test_every_type_in_files(db, tmp_path, ending):
    path = tmp_path / f"types.{ending}"
    assert db.write(ALL_TYPES, path) == 1
    if ending == "csv":
        assert path.read_text().splitlines()[1] == (
            '"-838:59:58.500000","00ff",,"1.000000000000000000000000000000",2024-01-02,2024-01-02 03:04:05.000000,5,"",'
        )


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "CSV.GZ"])
def test_nulls_of_every_type_in_files(db, tmp_path, ending):
    assert db.write(NULLS, tmp_path / f"nulls.{ending}") == 2


def test_an_empty_result_is_a_file_with_its_columns(db, tmp_path):
    path = tmp_path / "empty.parquet"
    assert db.write(f"{SEVERAL} WHERE seq < 0", path) == 0
    assert pyarrow.parquet.read_schema(path).names == ["n", "t", "d"]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "csv.gz"])
def test_an_error_leaves_no_file_and_the_old_one(db, tmp_path, ending):
    path = tmp_path / f"kept.{ending}"
    path.write_text("before")
    with pytest.raises(ResultError, match="already exists"):
        db.write(SEVERAL, path)
    with pytest.raises(StatementError, match="1690"):
        db.write(FAILS_AMONG_ROWS, path, overwrite=True)
    assert path.read_text() == "before"
    assert names(tmp_path) == [path.name]
    assert db.write(SEVERAL, path, overwrite=True) == 40_000
    assert names(tmp_path) == [path.name]


def test_an_interrupt_leaves_no_file(db, tmp_path, sandbox):
    with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: running(sandbox) and names(tmp_path)):
        db.write(ENDLESS, tmp_path / "endless.parquet")
    assert names(tmp_path) == []
    assert nothing_runs(sandbox)
    assert still_works(db)


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("rows.xlsx", OptionError, "no suffix that names a format"),
        ("rows", OptionError, "no suffix that names a format"),
        ("nowhere/rows.csv", ResultError, "does not exist"),
        ("gopher://rows.csv", OptionError, "is not a valid path"),
    ],
)
def test_where_no_file_can_be(db, tmp_path, monkeypatch, path, kind, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=words):
        db.write(SEVERAL, path)


def test_s3(db, inside):
    """The same through pyarrow's file systems: whole or not at all."""
    s3 = inside.client("s3")
    s3.create_bucket(Bucket="results")

    def keys():
        found = s3.list_objects_v2(Bucket="results").get("Contents", [])
        return [entry["Key"] for entry in found if not entry["Key"].endswith("/")]

    assert db.write(SEVERAL, "s3://results/day/rows.parquet") == 40_000
    assert keys() == ["day/rows.parquet"]
    with pytest.raises(ResultError, match="already exists"):
        db.write(SEVERAL, "s3://results/day/rows.parquet")
    with pytest.raises(StatementError):
        db.write("SELECT * FROM nowhere", "s3://results/day/other.csv")
    with pytest.raises(StatementError, match="1690"):
        db.write(FAILS_AMONG_ROWS, "s3://results/day/other.csv")
    assert keys() == ["day/rows.parquet"]
    with pytest.raises(ResultError, match="cannot be written"):
        db.write(SEVERAL, "s3://no-such-bucket/rows.parquet")
    assert db.query("SELECT 1 AS a")["a"].tolist() == [1]


def test_a_folder_is_no_file(db, tmp_path):
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(ResultError, match="folder"):
        db.write(SEVERAL, tmp_path / "x.csv", overwrite=True)


def test_two_columns_of_one_name(db, tmp_path):
    with pytest.raises(ResultError, match="AS"):
        db.write("SELECT 1 AS a, 2 AS a", tmp_path / "x.parquet")
    assert names(tmp_path) == []
    assert db.write("SELECT 1 AS a, 2 AS a", tmp_path / "x.csv") == 1


def test_who_watches_hears_of_rows_and_bytes(db):
    heard = []
    db.watch = heard.append
    assert len(db.query(SEVERAL)) == 40_000
    rows, sizes = [each.rows for each in heard], [each.size for each in heard]
    assert rows == sorted(rows)
    assert rows[-1] == 40_000
    assert sizes == sorted(sizes)
    assert sizes[-1] > 40_000 * len("t1")
    assert heard[-1].ask_server() == "", "it has answered"
    db.watch = lambda _: 1 / 0
    with pytest.raises(ZeroDivisionError):
        db.query("SELECT 1 AS a")
    assert still_works_unwatched(db)


def still_works_unwatched(db):
    db.watch = lambda _: None
    return still_works(db)
