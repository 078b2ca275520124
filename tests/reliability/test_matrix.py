"""Every cell of the fault matrix, on the real server: the result is right or the error is right, and the rows in the
database prove that nothing ran twice and that nothing acknowledged was lost."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rds_iam_magic.errors import ConnectError, ConnectionLostError, RdsIamError, StatementError
from rds_iam_magic.sandbox.server import Server
from tests.reliability import matrix
from tests.reliability.faults import ANSWER, REQUEST, ROWS, World
from tests.reliability.matrix import Cell
from tests.reliability.write_docs import text
from tests.support.events import LONG, wait_until, works_on

DOCS = Path(__file__).parents[2] / "docs" / "reliability.md"


class Came(NamedTuple):
    """What a cell came to."""

    world: World
    cell: Cell
    first: tuple[Server, int]  # the session before the fault: its server and id
    result: Any
    error: RdsIamError | None


@pytest.mark.parametrize("cell", matrix.cells(), ids=str)
def test_cell(make_world, cell: Cell):
    world = make_world()
    world.db.execute("INSERT INTO ledger VALUES (0)")
    first = (world.server, world.connection_id)
    began = time.monotonic()
    result, error = None, None
    try:
        result = matrix.act(world, cell)
    except RdsIamError as caught:
        error = caught
    assert time.monotonic() - began < LONG, "no wait is without an end"
    CHECKS[cell.outcome](Came(world, cell, first, result, error))
    world.undo.close()
    if cell.outcome == matrix.CANNOT and cell.in_transaction:
        with pytest.raises(ConnectionLostError, match="rolled it back"):
            world.db.query("SELECT 1")
    assert world.db.query("SELECT 1 AS one")["one"].tolist() == [1], "the connection goes on"


def told(came, words):
    return any(words in note for note in came.world.notes)


def _right(came):
    assert came.error is None
    assert not told(came, "lost")
    before = 2 if came.cell.in_transaction else 1
    if came.cell.action in (matrix.READ, matrix.BATCHES):
        _check_values(came)
        assert came.world.rows() == before
    elif came.cell.action == matrix.COMMIT:
        assert came.world.rows() == 2
    else:
        assert came.result == 1
        came.world.db.execute("COMMIT")
        assert came.world.rows() == before + 1


def _check_values(came):
    if came.cell.action == matrix.BATCHES:
        assert came.result == list(range(1, matrix.ROW_COUNT + 1))
    elif came.cell.moment == ROWS:
        assert came.result["seq"].tolist() == list(range(1, matrix.ROW_COUNT + 1))
    else:
        assert came.result["n"].tolist() == [1]


def _opened(came):
    assert came.error is None
    assert told(came, "was lost and has been reopened")
    if came.cell.action == matrix.READ:
        _check_values(came)
    else:
        assert came.result == 1
        assert came.world.rows() == 2


def _again(came):
    assert came.error is None
    _check_values(came)
    assert told(came, "runs again")


def _rolled_back(came):
    assert isinstance(came.error, ConnectionLostError)
    assert "transaction" in came.error.message
    assert "roll" in came.error.message
    assert came.world.rows() == 1, "the acknowledged row, and nothing of the transaction"


def _may_have_run(came):
    assert isinstance(came.error, ConnectionLostError)
    assert "may have taken effect" in came.error.message
    if came.cell.moment == REQUEST:
        assert came.world.rows() == 1
    elif came.cell.moment == ANSWER:
        assert came.world.rows() == 2
    else:
        wait_until(lambda: not works_on(*came.first), "the end of what a server still does without us")
        assert came.world.rows() <= 2, "nothing ran twice"


def _unknown(came):
    assert isinstance(came.error, ConnectionLostError)
    assert "unknown" in came.error.message
    assert came.world.rows() == (2 if came.cell.moment == ANSWER else 1)


def _in_the_middle(came):
    assert isinstance(came.error, ConnectionLostError)
    assert "while the rows were being read" in came.error.message
    assert came.result is None


def _refused(came):
    assert isinstance(came.error, StatementError)
    assert came.error.code == 1290
    assert came.world.rows() == 1


def _cannot(came):
    assert isinstance(came.error, ConnectError), came.error
    assert came.error.hint
    assert came.world.rows() == 1


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
