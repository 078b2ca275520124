"""One snapshot for all parts: writers are held back by LOCK TABLES … READ while each part's transaction begins.

The lock belongs to a session of its own, on a thread of its own: however reading ends, that session ends with it, and
the lock with the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import StatementError
from rds_iam_magic.parallel.reading import PartReader, Server, Session, SharedBudget, Worker, crew, tell, title_of
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.sql.quoting import quote_name, quote_text

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.parallel.key import Ask
    from rds_iam_magic.results.memory import MemoryBudget

LOCK_WAIT = 3
"""Seconds that the lock may wait for running transactions: new writes wait behind it."""

_BEGIN = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_SYSTEM = frozenset({"information_schema", "performance_schema", "mysql", "sys"})


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view that a query may read; a view has no engine."""

    schema: str
    name: str
    engine: str | None

    @property
    def quoted(self) -> str:
        """The name in SQL."""
        return f"{quote_name(self.schema)}.{quote_name(self.name)}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rows of all parts, in order, and notes about what they can be told apart by."""

    batches: list[pa.RecordBatch]
    notes: list[str]


def tables_of(identifiers: set[str], database: str | None, ask: Ask) -> list[Table]:
    """The tables and views that a query may read: all that are named like one of its identifiers.

    One too many, for a column that is named like a table, does no harm; none is missing, for a part only reads.

    Args:
        identifiers: The query's names and words, in lower case.
        database: The default schema.
        ask: Runs queries.
    """
    names = ", ".join(map(quote_text, sorted(identifiers)))
    schemas = ", ".join(map(quote_text, sorted(identifiers | {(database or "").lower()})))
    rows = ask(
        "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n, ENGINE AS e FROM information_schema.TABLES "  # noqa: S608 - quoted
        f"WHERE LOWER(TABLE_SCHEMA) IN ({schemas}) AND LOWER(TABLE_NAME) IN ({names}) ORDER BY 1, 2"
    )
    return [Table(*row) for row in rows if str(row[0]).lower() not in _SYSTEM]


class TableLock(Worker):
    """Locks tables for reading between two stops.

    Args:
        server: Opens the session.
        tables: The tables.

    Attributes:
        refusal: Why the tables could not be locked, in the server's words; "" if they were.
    """

    def __init__(self, server: Server, tables: Sequence[Table]) -> None:
        super().__init__(server, "The lock")
        self.refusal = ""
        self._tables = tables

    def work(self, session: Session) -> None:
        """Lock, wait until the snapshots have begun, unlock."""
        try:
            session.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT}")
            if self._tables:
                session.execute("LOCK TABLES " + ", ".join(f"{table.quoted} READ" for table in self._tables))
        except StatementError as error:
            self.refusal = error.server_message.rstrip(".")
        self.reach()
        if not self.refusal:
            session.execute("UNLOCK TABLES")


def read_snapshot(
    server: Server, parts: list[str], tables: Sequence[Table], decimal: DecimalMode, budget: MemoryBudget
) -> Snapshot:
    """Read the parts at once, all as of one moment if the tables can be locked.

    Raises:
        RdsIamError: A part failed; the others were ended.
    """
    shared = SharedBudget(budget)
    readers = [
        PartReader(server, title_of(place, parts), part, decimal, shared, _BEGIN) for place, part in enumerate(parts, 1)
    ]
    lock = TableLock(server, tables)
    with crew(server) as threads:
        for reader in readers:
            threads.start(reader)
        for reader in readers:
            reader.wait_until_reached()
        threads.start(lock)
        lock.wait_until_reached()
        for reader in readers:
            reader.go_on()
        for reader in readers:
            reader.wait_until_reached()
        lock.go_on()
        for reader in readers:
            reader.go_on()
        threads.wait(lambda: tell(server, readers, shared))
    return Snapshot([batch for reader in readers for batch in reader.batches], _notes(lock, readers, tables))


def _notes(lock: TableLock, readers: Sequence[PartReader], tables: Sequence[Table]) -> list[str]:
    notes = []
    if lock.refusal:
        began = [reader.began for reader in readers]
        apart = 1000 * (max(began) - min(began))
        notes.append(
            f"the tables could not be locked ({lock.refusal}): the parts may be of different moments, "
            f"{apart:.0f} ms apart at most."
        )
    without = [table for table in tables if table.engine not in (None, "InnoDB")]
    notes += [f"table {t.name} ({t.engine}) has no snapshots: parts may differ in its rows." for t in without]
    return notes
