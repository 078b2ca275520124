"""A compressed connection does what one without compression does, on a real server."""

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectError, ConnectionLostError, StatementError
from rds_iam_magic.results.result import ResultSet
from tests.support.events import interrupt_when, when, works_on

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def zlib_db(scratch, notes):
    """Zlib, which MySQL and MariaDB both have."""
    with scratch.connect(notes, compress="zlib") as connection:
        yield connection


def is_compressed(connection):
    return connection.query("SHOW SESSION STATUS LIKE 'Compression'")["Value"].tolist() == ["ON"]


def test_the_server_says_that_it_compresses(scratch, notes, zlib_db):
    assert zlib_db.compression == "zlib"
    assert is_compressed(zlib_db)
    for compress in ("off", "auto"):
        with scratch.connect(notes, compress=compress) as connection:
            assert is_compressed(connection) == bool(connection.compression)
    assert notes == []


def test_a_large_result_has_the_same_values(db, zlib_db):
    sql = "SELECT seq, REPEAT(CHAR(64 + seq % 26), seq % 300) AS t, RAND(seq) AS r FROM seq_1_to_100000"
    assert zlib_db.query_arrow(sql).equals(db.query_arrow(sql))


def test_values_larger_than_a_frame(zlib_db):
    (value,) = zlib_db.query("SELECT REPEAT('ab', 9000000) AS v")["v"]
    assert value == "ab" * 9_000_000


def test_values_that_do_not_shrink(zlib_db):
    """Blobs of noise: their frames are stored."""
    frame = zlib_db.query("SELECT RANDOM_BYTES(1000) AS v FROM seq_1_to_3000")
    assert frame["v"].str.len().tolist() == [1000] * 3000


@pytest.mark.parametrize("size", [1, 49, 65_536, 3_000_000, (1 << 24) - 20, (1 << 24) + 20])
def test_statements_of_every_size(zlib_db, size):
    zlib_db.max_memory = "2 GB"
    (limit,) = zlib_db.query("SELECT @@max_allowed_packet AS n")["n"]
    if size + 100 > limit:
        pytest.skip("the server takes no such statement")
    assert zlib_db.query(f"SELECT LENGTH('{'x' * size}') AS n")["n"].tolist() == [size]
    assert zlib_db.query("SELECT 1 AS n")["n"].tolist() == [1]


def test_several_result_sets(zlib_db):
    zlib_db.execute(
        "DROP PROCEDURE IF EXISTS several;"
        "CREATE PROCEDURE several() BEGIN SELECT 1 AS a; SELECT seq AS b FROM seq_1_to_9999; SELECT 3 AS c; END"
    )
    results = zlib_db.run("CALL several()")
    assert [len(result.to_pandas()) for result in results if isinstance(result, ResultSet)] == [1, 9999, 1]
    zlib_db.execute("DROP PROCEDURE several")


def test_errors(zlib_db):
    with pytest.raises(StatementError, match="1064"):
        zlib_db.query("SELEC 1")
    with pytest.raises(StatementError, match="'nope'"):
        zlib_db.query("SELECT nope")
    assert zlib_db.query("SELECT 1 AS n")["n"].tolist() == [1]


def test_a_limit_ends_the_query_and_keeps_the_session(zlib_db, notes):
    number = zlib_db.connection_id
    assert len(zlib_db.query("SELECT seq, REPEAT('x', 500) AS t FROM seq_1_to_50000000", limit=3)) == 3
    assert len(notes) == 1
    assert zlib_db.query("SELECT CONNECTION_ID() AS n")["n"].tolist() == [number]


def test_an_interrupt_ends_the_query_and_keeps_the_session(sandbox, zlib_db):
    number = zlib_db.connection_id
    zlib_db.execute("BEGIN")
    with interrupt_when(lambda: works_on(sandbox.server, number, "User sleep")), pytest.raises(KeyboardInterrupt):
        zlib_db.query("SELECT SLEEP(600)")
    assert zlib_db.transaction_since is not None
    assert zlib_db.query("SELECT CONNECTION_ID() AS n")["n"].tolist() == [number]


def test_a_stream_that_is_closed_early(zlib_db):
    stream = zlib_db.batches("SELECT seq, REPEAT('x', 500) AS t FROM seq_1_to_50000000", rows=10)
    assert next(stream).num_rows == 10
    stream.close()
    assert zlib_db.query("SELECT 1 AS n")["n"].tolist() == [1]


def test_it_is_compressed_again_after_a_loss(sandbox, zlib_db, notes):
    with sandbox.server.root() as root:
        root.execute(f"KILL CONNECTION {zlib_db.connection_id}")
    assert zlib_db.query("SELECT 1 AS n")["n"].tolist() == [1]
    assert is_compressed(zlib_db)
    assert zlib_db.compression == "zlib"
    assert any("was lost" in note for note in notes)


def test_a_loss_in_a_transaction(sandbox, zlib_db):
    zlib_db.execute("BEGIN")
    with sandbox.server.root() as root:
        root.execute(f"KILL CONNECTION {zlib_db.connection_id}")
    with pytest.raises(ConnectionLostError, match="transaction"):
        zlib_db.execute("DO 1")
    assert zlib_db.query("SELECT 1 AS n")["n"].tolist() == [1]


def test_a_query_that_someone_else_ends(sandbox, zlib_db):
    number = zlib_db.connection_id

    def kill():
        with sandbox.server.root() as root:
            root.execute(f"KILL QUERY {number}")

    with (
        when(lambda: works_on(sandbox.server, number), kill),
        pytest.raises(StatementError, match="1317"),
    ):
        zlib_db.query("SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b")
    assert zlib_db.query("SELECT CONNECTION_ID() AS n")["n"].tolist() == [number]


def test_zstd_which_mariadb_does_not_have(sandbox, scratch):
    assert sandbox.server.pid
    with scratch.connect([]) as plain:
        if "MariaDB" not in plain.server_version:
            pytest.skip("MySQL may have it")
    with pytest.raises(ConnectError) as caught:
        Connection(scratch.login(compress="zstd"))
    assert caught.value.cause == "zstd-not-offered"
    assert 'compress="zlib"' in caught.value.hint
