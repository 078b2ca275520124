"""Write docs/reliability.md from the matrix: `python -m tests.reliability.write_docs`, or `make docs`."""

from __future__ import annotations

from pathlib import Path

from tests.reliability import matrix, parts

ROOT = Path(__file__).parents[2]

TEXT = """\
# What happens when the connection is lost

A lost connection is reopened when it is next needed; no loss goes unreported, and nothing that may write runs twice.
The tables below are generated from the fault matrix of the test suite (`tests/reliability/matrix.py`): each of the
{count} cells is a test against a real server over TLS, through a proxy that breaks the network; the rows in the
database are counted afterwards. The outcomes are explained below the tables.

{tables}
### SELECT in parts (`parallel=3`)

One of its sessions is struck. The rows come all, each once, or not at all; afterwards no session, thread or lock is
left.

{parts}
`tests/reliability/test_faults.py` also covers: a write that the old writer refuses as read-only after a failover; a
server that comes back during reconnecting; interrupts; time limits; a view over a function that writes; a second loss;
roles; a fork; threads. `make soak` cuts connections at random during reads and writes.

## The rules behind it

- Each attempt to connect signs a fresh token. Reconnecting retries with pauses for at most `--connect-timeout`.
- Before each statement, an idle connection is checked without a round trip; after 30 s idle, with one.
- With `--close-idle`, a session without a statement for so long is closed, unless it holds what cannot be restored (see
  below); that it stays open is told once. The next statement opens a new session, and a note says so.
- After 30 s without a byte, a second connection asks the server whether the statement is still running. The connection
  is closed only after two checks in a row go unanswered, never while the query may still be running.
- Stop, `--limit` and the time and memory limits end the query with `KILL QUERY`, sent over a second connection to the
  same server. Through an RDS Proxy, where the connection id may belong to another client by then, the connection is
  closed instead.
- A statement is retried only if it is certain to only read, runs outside a transaction, and none of its rows has been
  passed on. The SQL decides: a stored function, `INTO`, `FOR UPDATE`, `GET_LOCK`, an assignment, an executable comment
  or an unknown word means "may write". Where the SQL does not show it (a view that calls a function), the server
  enforces it: the retry runs in a read-only transaction.
- A new session gets the default database and the settings given at connect (time zone, `--read-only`, `--safe-updates`,
  time limit, autocommit). What cannot be restored (an open transaction, temporary tables, user variables, locks,
  prepared statements, session variables that were SET) is named; a statement that uses it fails with an error instead
  of running without it, also a read during which the connection was lost. Session variables (except time limits) and
  locks count as used by every statement: the first statement after the loss is refused, once. Warnings, status,
  profiles, traces and LAST_INSERT_ID() belong to the lost session: reading them on the new one is always refused.
"""


def text() -> str:
    """The whole page."""
    return TEXT.format(tables=matrix.tables(), parts=parts.table(), count=len(matrix.cells() + parts.cells()))


if __name__ == "__main__":
    (ROOT / "docs" / "reliability.md").write_text(text(), encoding="utf-8")
