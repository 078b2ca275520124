"""Reads the parts of a query at once, each by a session on a thread of its own.

A thread owns its session from its opening to its end, so an interrupt, which only the main thread sees, finds none in
between. The main thread waits; when a part fails, or at an interrupt, it ends all parts on the server and waits for
their threads.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rds_iam_magic.background import TICK, BackgroundCall
from rds_iam_magic.errors import NotConnectedError, RdsIamError
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.results.memory import MemoryBudget
from rds_iam_magic.results.progress import Progress, Watch
from rds_iam_magic.results.result import StreamedResult
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pyarrow as pa

BETWEEN_LOGINS = 0.01
"""Seconds between two logins: RDS takes 200 new connections a second with tokens, and others need some of them."""

_KILLING = 10.0  # seconds of KILL QUERY before the connections themselves are ended


class Session(Protocol):
    """What a part needs of its session."""

    def execute(self, sql: str) -> None:
        """Run a statement of our own."""
        ...

    def stream(self, sql: str, decimal: DecimalMode) -> AbstractContextManager[StreamedResult]:
        """Run a query and stream its rows."""
        ...

    def kill(self) -> bool:
        """From the thread that waits: end the running query on the server; returns whether it could."""
        ...

    def abort(self) -> None:
        """End the connection at once, from any thread."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


class StopFlag:
    """Whether the parts are to end; set once."""

    def __init__(self) -> None:
        self._set = False

    def __call__(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """End the parts."""
        self._set = True


@dataclass(frozen=True, slots=True)
class Server:
    """How the parts' sessions are opened and ended.

    Attributes:
        open: Opens one session.
        stop: Seen by what `open` opens.
        watch: Called with the progress of all parts, by the thread that waits for them.
    """

    open: Callable[[], Session]
    stop: StopFlag
    watch: Watch = lambda progress: None  # noqa: ARG005 - nobody watches


class SharedBudget:
    """One memory budget for all parts. Its lock is held by their threads only, which no interrupt reaches."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._rows = 0

    @property
    def rows(self) -> int:
        """The number of rows so far."""
        return self._rows

    @property
    def size(self) -> int:
        """The bytes that they take."""
        return self._budget.spent

    def spend(self, batch: pa.RecordBatch) -> None:
        """Count a batch.

        Raises:
            ResultError: The parts together exceed the budget.
        """
        with self._lock:
            self._rows += batch.num_rows
            self._budget.spend(batch.get_total_buffer_size(), self._rows)


class Worker:
    """A thread with a session of its own.

    Args:
        server: Opens the session.
        title: What it does, for messages; "" if it is alone.

    Attributes:
        session: The session while it is open.
        call: The thread.
    """

    def __init__(self, server: Server, title: str) -> None:
        self.server = server
        self.title = title
        self.session: Session | None = None
        self.call: BackgroundCall[None] = BackgroundCall(self._run)
        self._steps: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._reached: queue.SimpleQueue[None] = queue.SimpleQueue()

    def go_on(self) -> None:
        """Let the thread do its next step."""
        self._steps.put(True)

    def wait_until_reached(self) -> None:
        """Wait until the thread has come to its next stop.

        Raises:
            RdsIamError: It failed.
        """
        while True:
            with suppress(queue.Empty):
                return self._reached.get(timeout=TICK)
            if self.call.ended:
                self.result()
                with suppress(queue.Empty):
                    return self._reached.get_nowait()
                raise _stopped()

    def result(self) -> None:
        """Raise what the thread has raised, if it has; call it only when it has ended.

        Raises:
            RdsIamError: It failed.
        """
        try:
            self.call.result()
        except RdsIamError as error:
            error.put_before_hint(self.title and f"{self.title} failed; the others were ended.")
            raise

    def stop(self) -> None:
        """Have the thread end at its next stop."""
        self._steps.put(False)

    def reach(self) -> None:
        """In the thread: say that this stop is reached, and wait to go on.

        Raises:
            NotConnectedError: The parts are stopped.
        """
        self._reached.put(None)
        if not self._steps.get():
            raise _stopped()

    def work(self, session: Session) -> None:
        """What the thread does with its session."""
        raise NotImplementedError

    def _run(self) -> None:
        session = self.session = self.server.open()
        try:
            if self.server.stop():
                raise _stopped()
            self.work(session)
        finally:
            self.session = None
            session.close()


class PartReader(Worker):
    """Reads one part.

    Args:
        server: Opens the session.
        title: Which part it is, for messages.
        sql: The statement of the part.
        decimal: How DECIMAL is decoded.
        budget: That of all parts.
        begin: Statements that begin a snapshot, run between two stops; none without a snapshot.

    Attributes:
        batches: The rows.
        began: When it began to look at the data, as a `time.monotonic` value.
    """

    def __init__(
        self,
        server: Server,
        title: str,
        sql: str,
        decimal: DecimalMode,
        budget: SharedBudget,
        begin: tuple[str, ...] = (),
    ) -> None:
        super().__init__(server, title)
        self.batches: list[pa.RecordBatch] = []
        self.began = 0.0
        self._sql = sql
        self._decimal = decimal
        self._budget = budget
        self._begin = begin

    def work(self, session: Session) -> None:
        """Begin the snapshot, if there is one, and read the rows."""
        if self._begin:
            self.reach()
            self.began = time.monotonic()
            for statement in self._begin:
                session.execute(statement)
            self.reach()
        with session.stream(self._sql, self._decimal) as result:
            for batch in result.batches:
                if self.server.stop():
                    raise _stopped()
                self._budget.spend(batch)
                self.batches.append(batch)


@dataclass(slots=True)
class Crew:
    """All threads of one query; at its end it leaves none behind, and no query on the server."""

    server: Server
    workers: list[Worker] = field(default_factory=list)

    def start(self, worker: Worker) -> None:
        """Start a thread, a moment after the last one."""
        if self.workers:
            time.sleep(BETWEEN_LOGINS)
        self.workers.append(worker)
        worker.call.start()

    def wait(self, told: Callable[[], None]) -> None:
        """Wait until all have ended; `told` is called meanwhile.

        Raises:
            RdsIamError: The first failure of one; the others go on until the crew is left.
        """
        while running := next((worker for worker in self.workers if not worker.call.ended), None):
            self.raise_failure()
            told()
            running.call.wait(TICK)
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what a thread has raised, if one has."""
        for worker in self.workers:
            if worker.call.ended:
                worker.result()

    def end(self, patience: float = _KILLING) -> None:
        """End what still runs: on the server, and after `patience` seconds by its connection.

        It may be interrupted, and called again.
        """
        self.server.stop.set()
        deadline = time.monotonic() + patience
        for worker in self.workers:
            worker.stop()
        running = [worker for worker in self.workers if not worker.call.cancel()]
        while running := [worker for worker in running if not worker.call.ended]:
            for session in [session for worker in running if (session := worker.session) is not None]:
                if time.monotonic() >= deadline or not session.kill():
                    session.abort()
            running[0].call.wait(TICK)


@contextmanager
def crew(server: Server) -> Iterator[Crew]:
    """Threads that have all ended with the body, however it ends."""
    workers = Crew(server)
    try:
        try:
            yield workers
        finally:
            workers.end()
    finally:
        workers.end(0.0)  # again: an interrupt may have cut the first call short


def read_parts(server: Server, parts: list[str], decimal: DecimalMode, budget: MemoryBudget) -> list[pa.RecordBatch]:
    """Read the parts at once; their rows in the order of the parts.

    Raises:
        RdsIamError: A part failed; the others were ended.
    """
    shared = SharedBudget(budget)
    readers = [PartReader(server, title_of(place, parts), part, decimal, shared) for place, part in enumerate(parts, 1)]
    with crew(server) as threads:
        for reader in readers:
            threads.start(reader)
        threads.wait(lambda: tell(server, readers, shared))
    return [batch for reader in readers for batch in reader.batches]


def tell(server: Server, readers: Sequence[PartReader], budget: SharedBudget) -> None:
    """Tell the one who watches how far the parts are."""
    done = sum(reader.call.ended for reader in readers)
    server.watch(Progress(budget.rows, budget.size, stage=f"{done} of {count_of(len(readers), 'part')} read"))


def title_of(place: int, parts: list[str]) -> str:
    """What a part is called in messages; "" if it is the only one."""
    return f"Part {place} of {len(parts)}" if len(parts) > 1 else ""


def _stopped() -> NotConnectedError:
    return NotConnectedError("The parts were stopped.", cause="connection-closed")
