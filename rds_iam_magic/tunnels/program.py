"""`Program`: a tunnel's program, started without a shell; whether it is open, what it has said, its end.

All that takes time, or that an interrupt must not cut short, happens on a thread of its own: that thread asks for the
credentials, starts the program, and reads what it prints until it ends. The caller waits for what the thread tells.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rds_iam_magic.background import TICK
from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.tunnels import guard

_KEPT = 16_000  # characters of output
_MUCH = 4096  # bytes at once; what ssh says of a connection is less
_PAUSE = 0.05  # seconds
_GUARD = str(Path(guard.__file__))


@dataclass(frozen=True, slots=True)
class Start:
    """How a tunnel's program is started.

    Attributes:
        command: The program's full path and its arguments, among them no secret.
        port: The local port, as soon as the output so far says that the tunnel is open; before that None.
        mask: Takes the secrets out of what it prints.
        environment: Its environment, which may hold secrets.
    """

    command: list[str]
    port: Callable[[str], int | None]
    mask: Callable[[str], str]
    environment: Mapping[str, str] = field(repr=False)


@dataclass(slots=True, eq=False)
class _State:
    """What the caller, the thread and the finalizer share; it does not keep the `Program` alive."""

    events: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)
    guards: list[subprocess.Popen[bytes]] = field(default_factory=list)  # one, once it is started
    failures: list[RdsIamError] = field(default_factory=list)
    port: int | None = None
    output: str = ""
    ended: bool = False
    stopped: bool = False
    pid: int = field(default_factory=os.getpid)


class Program:
    """One run of a tunnel's program; it ends with `stop`, with this object, and with this process however that ends.

    Args:
        prepare: Says how it is started; called on the thread, since it may ask AWS for credentials.
    """

    def __init__(self, prepare: Callable[[], Start]) -> None:
        self._state = _State()
        self._finalizer = weakref.finalize(self, _end, self._state)
        threading.Thread(target=_run, args=(prepare, self._state), daemon=True, name="rds_iam_magic tunnel").start()

    @property
    def is_own(self) -> bool:
        """Whether this process has started it; False in a forked child."""
        return self._state.pid == os.getpid()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return not self._state.ended

    @property
    def output(self) -> str:
        """The end of what it has printed, without secrets."""
        return self._state.output

    def wait_until_open(self, deadline: float) -> int | None:
        """The local port, once the tunnel is open; None if the program has ended before, or time is up.

        Args:
            deadline: A `time.monotonic` value.

        Raises:
            RdsIamError: The program could not be started.
        """
        state = self._state
        while state.port is None and self.wait(deadline):
            pass
        if state.failures:
            raise state.failures[0].with_traceback(None)
        return None if state.ended else state.port

    def wait(self, deadline: float) -> bool:
        """Wait until it says something, for a step that can be interrupted; False when time is up or it has ended."""
        remaining = deadline - time.monotonic()
        if remaining <= 0 or self._state.ended:
            return False
        with suppress(queue.Empty):
            self._state.events.get(timeout=min(TICK, remaining))
        return True

    def stop(self) -> None:
        """End it; if this is interrupted, a second call does what is left."""
        _end(self._state)
        self._finalizer.detach()


def _run(prepare: Callable[[], Start], state: _State) -> None:
    """Start the program and read what it prints, to its end."""
    try:
        start = prepare()
        process = _spawn(start)
    except RdsIamError as error:
        state.failures.append(error)
        process = None
    except Exception as error:  # noqa: BLE001 - its frames hold the environment, and nobody would hear of it here
        state.failures.append(RdsIamError(f"A tunnel's program could not be started: {type(error).__name__}."))
        process = None
    if process is not None and process.stdout is not None:
        state.guards.append(process)
        if state.stopped:
            _end(state)
        printed = ""
        while data := os.read(process.stdout.fileno(), 65_536):
            printed += data.decode(errors="replace")
            if state.port is None:
                state.port = start.port(printed)
            printed = printed[-_KEPT:]
            state.output = start.mask(printed)
            state.events.put(None)
            if state.port is not None and len(data) > _MUCH:  # it does not stop talking: no need to keep up
                time.sleep(_PAUSE)
        process.stdout.close()
    state.ended = True
    state.events.put(None)


def _spawn(start: Start) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - a list of words, no shell
        [sys.executable, "-IS", _GUARD, *start.command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(start.environment),
        bufsize=0,
        start_new_session=True,  # Ctrl-C in a terminal is for this process, not for its tunnel
    )


def _end(state: _State) -> None:
    """Have the guard end the program, and wait for that; a forked child leaves both to its parent."""
    state.stopped = True
    if state.pid != os.getpid():
        return
    for process in state.guards:
        if process.stdin is not None:
            with suppress(OSError, ValueError):  # it has ended, or this is the second call
                process.stdin.write(b"\n")  # a forked child may hold the pipe too, so that closing does not end it
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(2 * guard.PATIENCE)
        except subprocess.TimeoutExpired:
            if hasattr(os, "killpg"):
                with suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
