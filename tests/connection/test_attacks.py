"""What a hostile look at the connection has found."""

import gc
import os
import signal
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import RdsIamError, ResultError
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.timeouts import Timeouts
from tests.support.events import LONG, wait_until
from tests.support.proxy import Proxy

pytestmark = pytest.mark.slow  # servers and kernels


def test_a_result_that_is_too_large_does_not_stay_until_the_garbage_collector_comes(db):
    db.query("SELECT 1 AS a")
    db.max_memory = "4 MB"
    gc.collect()
    before = pa.total_allocated_bytes()
    gc.disable()
    try:
        with pytest.raises(ResultError):
            db.query("SELECT seq AS n, REPEAT('x', 1000) AS t FROM seq_1_to_200000")
        kept = pa.total_allocated_bytes() - before
    finally:
        gc.enable()
    assert kept < 100_000


_ROWS = "SELECT seq AS n, REPEAT('x', 500) AS t FROM seq_1_to_2000000"

_SCRIPT = """
from types import SimpleNamespace
from rds_iam_magic.connection.connection import Connection
from tests.support.logins import login_of_tester
server = SimpleNamespace(endpoint={endpoint!r}, keys={keys!r}, bundle={bundle!r}, server=SimpleNamespace(port={port}))
db = Connection(login_of_tester(server))
batches = db.batches({sql!r}, rows=10)
next(batches)
"""


@pytest.mark.usefixtures("scratch")
def test_the_interpreter_ends_though_nobody_reads_a_stream_on(sandbox):
    script = _SCRIPT.format(
        endpoint=sandbox.endpoint,
        keys={"administrator": tuple(sandbox.keys["administrator"])},
        bundle=str(sandbox.bundle),
        port=sandbox.server.port,
        sql=_ROWS,
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=LONG)


def test_closing_a_connection_ends_the_statement_of_another_thread(scratch, notes):
    db = scratch.connect(notes)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            db.query(f"SELECT SLEEP({LONG})")
        except RdsIamError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    with scratch.connect(notes) as watcher:
        wait_until(
            lambda: watcher.query(f"SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {db.connection_id} "
                                  "AND INFO LIKE 'SELECT SLEEP%'").size
        )  # fmt: skip
        ident = db.connection_id
        db.close()
        thread.join(LONG / 3)
        is_over = not thread.is_alive()
        watcher.execute(f"KILL {ident}")  # the server sleeps on
    thread.join()
    assert is_over
    assert [error.cause for error in ended] == ["connection-closed"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_is_told_that_it_cannot_read_its_parents_stream(db):
    batches = db.batches(_ROWS, rows=1000)
    rows = next(batches).num_rows
    pid = os.fork()
    if not pid:
        signal.alarm(int(LONG / 3))
        try:
            for _ in batches:
                pass
        except ResultError as error:
            os._exit(0 if error.cause == "connection-busy" else 2)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    assert rows + sum(batch.num_rows for batch in batches) == 2_000_000


def test_no_transaction_is_said_to_be_open_when_its_session_was_given_up(sandbox, scratch, notes):
    with Proxy(sandbox.server.port) as proxy:
        login = scratch.login(via=Address("127.0.0.1", proxy.port), timeouts=Timeouts(grace=0.1, command=2.0))
        with Connection(login, settings=SessionSettings(timeout=1), notify=notes.append) as db:
            db.execute("BEGIN; DO 1")
            assert db.transaction_since is not None
            proxy.freeze()
            with pytest.raises(ResultError) as caught:
                db.query("SELECT 1")
            assert db.lost
            assert "A transaction is open" not in caught.value.hint
