"""Every cell of the fault matrix, on the real server: the result is right or the error is right, and the rows in the
database prove that nothing ran twice and that nothing acknowledged was lost."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rds_iam_magic.errors import ConnectError, ConnectionLostError, RdsIamError, StatementError
from rds_iam_magic.sandbox.server import Server
from tests.reliability import matrix
from tests.reliability.faults import ANSWER, REQUEST, ROWS, Rig
from tests.reliability.matrix import Cell
from tests.reliability.write_docs import text
from tests.support.events import LONG, wait_until, works_on

DOCS = Path(__file__).parents[2] / "docs" / "reliability.md"


class Observed(NamedTuple):
    """What came of a cell."""

    rig: Rig
    cell: Cell
    first: tuple[Server, int]  # the session before the fault: its server and id
    result: Any
    error: RdsIamError | None


@pytest.mark.parametrize("cell", matrix.cells() + matrix.compressed_cells(), ids=str)
def test_cell(make_rig, cell: Cell):
    rig = make_rig(timeouts=cell.timeouts, compress=cell.compress)
    rig.db.execute("INSERT INTO ledger VALUES (0)")
    first = (rig.server, rig.connection_id)
    began = time.monotonic()
    result, error = None, None
    try:
        result = matrix.act(rig, cell)
    except RdsIamError as caught:
        error = caught
    assert time.monotonic() - began < LONG, "no wait is without an end"
    CHECKS[cell.outcome](Observed(rig, cell, first, result, error))
    rig.undo.close()
    if cell.outcome == matrix.CANNOT and cell.in_transaction:
        with pytest.raises(ConnectionLostError, match="rolled it back"):
            rig.db.query("SELECT 1")
    assert rig.db.query("SELECT 1 AS one")["one"].tolist() == [1], "the connection goes on"


def told(observed, words):
    return any(words in note for note in observed.rig.notes)


def _right(observed):
    assert observed.error is None
    assert not told(observed, "lost")
    before = 2 if observed.cell.in_transaction else 1
    if observed.cell.action in (matrix.READ, matrix.BATCHES):
        _check_values(observed)
        assert observed.rig.rows() == before
    elif observed.cell.action == matrix.COMMIT:
        assert observed.rig.rows() == 2
    else:
        assert observed.result == 1
        observed.rig.db.execute("COMMIT")
        assert observed.rig.rows() == before + 1


def _check_values(observed):
    if observed.cell.action == matrix.BATCHES:
        assert observed.result == list(range(1, matrix.ROW_COUNT + 1))
    elif observed.cell.moment == ROWS:
        assert observed.result["seq"].tolist() == list(range(1, matrix.ROW_COUNT + 1))
    else:
        assert observed.result["n"].tolist() == [1]


def _opened(observed):
    assert observed.error is None
    assert told(observed, "was lost and has been reopened")
    if observed.cell.action == matrix.READ:
        _check_values(observed)
    else:
        assert observed.result == 1
        assert observed.rig.rows() == 2


def _again(observed):
    assert observed.error is None
    _check_values(observed)
    assert told(observed, "runs again")


def _rolled_back(observed):
    assert isinstance(observed.error, ConnectionLostError)
    assert "transaction" in observed.error.message
    assert "roll" in observed.error.message
    assert observed.rig.rows() == 1, "the acknowledged row, and nothing of the transaction"


def _may_have_run(observed):
    assert isinstance(observed.error, ConnectionLostError)
    assert "may have taken effect" in observed.error.message
    if observed.cell.moment == REQUEST:
        assert observed.rig.rows() == 1
    elif observed.cell.moment == ANSWER:
        assert observed.rig.rows() == 2
    else:
        wait_until(lambda: not works_on(*observed.first), "the end of what a server still does without us")
        assert observed.rig.rows() <= 2, "nothing ran twice"


def _unknown(observed):
    assert isinstance(observed.error, ConnectionLostError)
    assert "unknown" in observed.error.message
    assert observed.rig.rows() == (2 if observed.cell.moment == ANSWER else 1)


def _in_the_middle(observed):
    assert isinstance(observed.error, ConnectionLostError)
    assert "while the rows were being read" in observed.error.message
    assert observed.result is None


def _refused(observed):
    assert isinstance(observed.error, StatementError)
    assert observed.error.code == 1290
    assert observed.rig.rows() == 1


def _cannot(observed):
    assert isinstance(observed.error, ConnectError), observed.error
    assert observed.error.hint
    assert observed.rig.rows() == 1


CHECKS = {
    matrix.RIGHT: _right,
    matrix.OPENED: _opened,
    matrix.AGAIN: _again,
    matrix.ROLLED_BACK: _rolled_back,
    matrix.MAY_HAVE_RUN: _may_have_run,
    matrix.UNKNOWN: _unknown,
    matrix.IN_THE_MIDDLE: _in_the_middle,
    matrix.REFUSED: _refused,
    matrix.CANNOT: _cannot,
}


def test_the_docs_have_the_table():
    """docs/reliability.md is generated: `make docs` writes the tables anew."""
    assert DOCS.read_text(encoding="utf-8") == text()
