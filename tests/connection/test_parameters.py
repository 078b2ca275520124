"""Statements with parameters on a real server: run again after a loss as others are, and in parts."""

import datetime as dt

import pytest

import rds_iam_magic
from rds_iam_magic.errors import ConnectionLostError
from tests.support.events import connection_id, when, works_on

pytestmark = pytest.mark.slow  # servers and kernels


def lost(sandbox, db):
    """The session is killed while it works on a statement."""
    number = connection_id(db)

    def kill():
        with sandbox.server.root() as root:
            root.execute(f"KILL CONNECTION {number}")

    return when(lambda: works_on(sandbox.server, number), kill)


def test_a_read_runs_again_and_a_write_does_not(sandbox, scratch):
    notes = []
    with scratch.connect(notes) as db:
        db.execute("CREATE OR REPLACE TABLE counted (n INT)")
        with lost(sandbox, db):
            assert db.query("SELECT :n AS n, SLEEP(:s) AS s", params={"n": "it's", "s": 1})["n"].tolist() == ["it's"]
        assert any("runs again" in note for note in notes)
        with lost(sandbox, db), pytest.raises(ConnectionLostError):
            db.execute("INSERT INTO counted SELECT :n + SLEEP(:s)", params={"n": 5, "s": 1})
        assert db.query("SELECT COUNT(*) AS n FROM counted")["n"].tolist() == [0]
        db.execute("DROP TABLE counted")


def test_in_parts(inside):
    assert inside.server.pid
    sql = "SELECT id, country FROM customers WHERE country = :country AND joined_on > :since -- :since"
    params = {"country": "JP", "since": dt.date(2000, 1, 1)}
    with rds_iam_magic.connect("sandbox", user="reader", database="shop") as db:
        whole = db.query(sql, params=params)
        assert len(whole) == 803
        assert len(db.query(sql, params=params, parallel=3)) == 803
        tasks = db.partitions(sql, params=params, n=3)
        assert sum(len(task.read()) for task in tasks) == 803
        assert db.to_dask(sql, params=params, n=2)["id"].nunique().compute(scheduler="synchronous") == 803
