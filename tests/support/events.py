"""Waiting for what happens instead of for time: a test strikes when its moment has come, on a slow machine too."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

LONG = 60.0
"""Seconds after which something is taken to hang, also beside many busy processes."""


def wait_until(condition: Callable[[], Any], what: str = "what is waited for", timeout: float = LONG) -> None:
    """Return as soon as `condition()` holds; an AssertionError if it does not in a long time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.01)


@contextmanager
def when(condition: Callable[[], Any], action: Callable[[], Any]) -> Iterator[None]:
    """Beside the body: once `condition()` holds, do `action()`, which must have come about before the body's end."""
    over, failures = threading.Event(), []

    def watch() -> None:
        try:
            wait_until(lambda: over.is_set() or condition(), "the moment to strike")
            assert not over.is_set(), "the body was over before its moment came"
            action()
        except BaseException as error:  # noqa: BLE001 - raised in the test's thread
            failures.append(error)

    thread = threading.Thread(target=watch, name="when")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]


def interrupt_when(condition: Callable[[], Any], pid: int | None = None) -> AbstractContextManager[None]:
    """Press Ctrl-C once `condition()` holds, in this process or in another one."""
    return when(condition, lambda: interrupt(pid))


def interrupt(pid: int | None = None) -> None:
    """Press Ctrl-C."""
    os.kill(pid or os.getpid(), signal.SIGINT)


def connection_id(db: Any) -> int:
    """The id of a connection's session, as the server tells it."""
    return int(db.query("SELECT CONNECTION_ID() AS id").loc[0, "id"])


def processes(server: Any, where: str) -> list[tuple[Any, ...]]:
    """Id, command, state and statement of the server's sessions `where` (SQL)."""
    with server.root() as root:
        root.execute(f"SELECT ID, COMMAND, STATE, INFO FROM information_schema.PROCESSLIST WHERE {where}")
        return list(root.fetchall())


WORKS = "COMMAND IN ('Query', 'Prepare', 'Execute')"
"""Where a session works on a statement, in SQL."""


def works_on(server: Any, number: int, state: str = "%") -> bool:
    """Whether the session of that id works on a statement (and is in a state LIKE `state`)."""
    return bool(processes(server, f"ID = {number} AND {WORKS} AND IFNULL(STATE, '') LIKE '{state}'"))


def rests(server: Any, number: int) -> bool:
    """Whether the session of that id waits for a statement; False while it works, and when it is gone."""
    return bool(processes(server, f"ID = {number} AND COMMAND = 'Sleep'"))
