"""Write docs/reliability.md from the matrix: `python -m tests.reliability.write_docs`, or `make docs`."""

from __future__ import annotations

from pathlib import Path

from tests.reliability import matrix

ROOT = Path(__file__).parents[2]

TEXT = """\
# What happens when the connection is lost

A held connection is there when it is needed, and nothing is lost without a word or run twice. The tables below are
generated from the fault matrix of the test suite (`tests/reliability/matrix.py`): each of their {count} cells is a test
on a real server over TLS, through a proxy that breaks the network, and the rows in the database are counted afterwards.
What the words in the cells mean stands below the tables.

{tables}
Besides the matrix, `tests/reliability/test_faults.py` tries: a write that the old writer refuses as read-only after a
failover; a connection that comes back while one waits for it; interrupts; time limits; a function that writes behind a
view; a second loss; roles; a fork; threads. `make soak` cuts connections at random under reads and writes.

## The rules behind it

- Each attempt to connect signs a fresh token. Reconnecting takes at most `--connect-timeout`, with pauses in between.
- Before a statement, an idle connection is looked at without a round trip; after 30 s of idleness it is asked.
- After 30 s without a byte, a second connection asks the server whether it still works on the statement. Only when
  nobody answers, twice in a row, is the connection given up: a query that may still run is not.
- Stop, `--limit` and the limits of time and memory end the query with `KILL QUERY` over a second connection, to the
  very server that the first one leads to. Through an RDS Proxy, where a connection's id may be somebody else's by then,
  the connection is given up instead.
- A statement runs once more only when it certainly only reads, outside of a transaction, and none of its rows has been
  handed on. What is certain comes from the SQL itself: a stored function, `INTO`, `FOR UPDATE`, `GET_LOCK`, an
  assignment, an executable comment or a word that is not known makes it "may write". What the SQL does not tell (a view
  that calls a function) the server does: the second run is in a transaction that may only read.
- What a new session can have again, it gets: the default database, what was asked for at connect (time zone,
  `--read-only`, `--safe-updates`, time limit, autocommit). What it cannot have (an open transaction, temporary tables,
  user variables, locks, prepared statements, session variables that were SET) is named; a statement that uses it is
  refused with an error instead of running without it, also a read that was lost in the middle. Session variables
  (but for time limits) and locks count as used by every statement: the first one after the loss is refused, once. The
  session's own warnings, status, profiles, traces and LAST_INSERT_ID() are never the same on a new one: reading them is
  always refused then.
"""


def text() -> str:
    """The whole page."""
    return TEXT.format(tables=matrix.tables(), count=len(matrix.cells()))


if __name__ == "__main__":
    (ROOT / "docs" / "reliability.md").write_text(text(), encoding="utf-8")
