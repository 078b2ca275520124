"""Every cell of the fault matrix, on the real server: the result is right or the error is right, and the rows in the
database prove that nothing ran twice and that nothing acknowledged was lost."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from reliability import matrix
from reliability.matrix import Cell
from reliability.write_docs import text

from rds_iam_magic.errors import ConnectionLostError

DOCS = Path(__file__).parents[2] / "docs" / "reliability.md"


class Outcome(NamedTuple):
    """What a cell came to."""

    world: matrix.World
    cell: Cell
    result: Any
    error: ConnectionLostError | None


@pytest.mark.parametrize("cell", matrix.cells(), ids=str)
def test_cell(world, cell: Cell):
    world.db.execute("INSERT INTO ledger VALUES (0)")
    began = time.monotonic()
    result, error = None, None
    try:
        result = matrix.act(world, cell)
    except ConnectionLostError as caught:
        error = caught
    assert time.monotonic() - began < 15, "no wait is longer than its time limit"
    CHECKS[cell.outcome](Outcome(world, cell, result, error))
    assert world.db.query("SELECT 1 AS one")["one"].tolist() == [1], "the connection goes on"


def _right(came):
    assert came.error is None
    assert came.result["n"].tolist() == [1]
    assert any("was lost and is open again" in note for note in came.world.notes)


def _once(came):
    assert came.error is None
    assert came.result == 1
    assert came.world.rows() == 2
    assert any("was lost and is open again" in note for note in came.world.notes)


def _rolled_back(came):
    assert "transaction" in came.error.message
    assert "roll" in came.error.message
    assert came.world.rows() == 1, "the acknowledged row, and nothing of the transaction"


def _may_have_run(came):
    assert "may have taken effect" in came.error.message
    time.sleep(1.5)  # a server that works on does so without us
    assert came.world.rows() <= 2, "nothing ran twice"
    if came.cell.moment == matrix.REQUEST:
        assert came.world.rows() == 1
    if came.cell.moment == matrix.ANSWER:
        assert came.world.rows() == 2


def _again(came):
    assert came.error is None
    if came.cell.moment == matrix.ROWS:
        assert came.result["seq"].tolist() == list(range(1, 1201))
    else:
        assert came.result["n"].tolist() == [1]
    assert any("ran once more" in note for note in came.world.notes)


def _no_mix(came):
    assert "middle of the rows" in came.error.message
    assert came.result is None


def _unknown(came):
    assert "unknown" in came.error.message
    time.sleep(0.3)
    assert came.world.rows() == (2 if came.cell.moment == matrix.ANSWER else 1)


CHECKS = {
    matrix.RIGHT: _right,
    matrix.ONCE: _once,
    matrix.ROLLED_BACK: _rolled_back,
    matrix.MAY_HAVE_RUN: _may_have_run,
    matrix.AGAIN: _again,
    matrix.NO_MIX: _no_mix,
    matrix.UNKNOWN: _unknown,
}


def test_the_docs_have_the_table():
    """docs/reliability.md is generated: `make docs` writes the table anew."""
    assert DOCS.read_text(encoding="utf-8") == text()
