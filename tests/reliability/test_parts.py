"""One session of a query in parts is struck: all rows come, each once, or none, and nothing is left."""

import sys
import threading
import time

import pytest

from rds_iam_magic.errors import ConnectionLostError, RdsIamError, StatementError
from tests.reliability import parts
from tests.reliability.matrix import AGAIN, IN_THE_MIDDLE, OPENED
from tests.reliability.parts import FAILED, KILLED, ROWS, PartCell
from tests.support.events import LONG, processes, wait_until

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.mark.parametrize("cell", parts.cells(), ids=str)
def test_cell(make_rig, cell: PartCell):
    rig = make_rig(timeouts=cell.blow.timeouts)
    parts.create_table(rig)
    began = time.monotonic()
    frame, error = None, None
    try:
        frame = parts.act(rig, cell)
    except RdsIamError as caught:
        error = caught
    assert time.monotonic() - began < LONG, "no wait is without an end"
    assert (frame is None) is (error is not None)
    if frame is not None:
        assert frame["id"].tolist() == list(range(1, ROWS + 1)), "each row, once, in the key's order"
    CHECKS[cell.outcome](rig, error)
    check_nothing_is_left(rig)
    assert rig.db.query("SELECT 1 AS one")["one"].tolist() == [1], "the connection goes on"
    assert rig.db.query("SELECT id FROM divided", parallel=2)["id"].tolist() == list(range(1, ROWS + 1))
    rig.db.execute("BEGIN; UPDATE divided SET id = id; ROLLBACK")  # no lock is left


def check_nothing_is_left(rig):
    main = threading.get_ident()
    working = [
        frame for thread, frame in sys._current_frames().items() if thread != main and "/parallel/" in str(frame)
    ]
    assert not working, "no thread of a part is left"
    wait_until(
        lambda: not processes(rig.server, f"USER = 'tester' AND ID != {rig.connection_id}"), "the end of all sessions"
    )


def told(rig, words):
    return any(words in note for note in rig.notes)


def _opened(_rig, error):
    assert error is None, error


def _again(rig, error):
    assert error is None, error
    assert told(rig, "runs again")


def _in_the_middle(rig, error):
    if error is None:  # struck before this end had the first chunk
        assert told(rig, "runs again")
        return
    assert isinstance(error, ConnectionLostError)
    assert "while the rows were being read" in error.message
    assert "Part 2 of 3 failed; the others were ended." in error.hint


def _failed(_rig, error):
    assert isinstance(error, ConnectionLostError), error
    assert "failed; the others were ended." in error.hint


def _killed(_rig, error):
    assert isinstance(error, StatementError), error
    assert error.cause == "query-killed"


CHECKS = {OPENED: _opened, AGAIN: _again, IN_THE_MIDDLE: _in_the_middle, FAILED: _failed, KILLED: _killed}
