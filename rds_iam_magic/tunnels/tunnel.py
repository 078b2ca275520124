"""`Tunnel`: what the sessions of one connection go through: one program at a time, started again when it has died."""

from __future__ import annotations

import os
import time
import weakref
from typing import Protocol

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.connection.exclusive_use import ExclusiveUse
from rds_iam_magic.errors import RdsIamError, TunnelError
from rds_iam_magic.tunnels.program import Program, Start
from rds_iam_magic.wording import limit_text

LOCAL = (
    "127.0.0.1"  # where ssh is told to listen; Go, the plugin's language, takes IPv4 for `localhost` if there is any
)
_LATE_WORDS = 0.5  # seconds for the program's words on what has just failed
_MOST_STARTS = 3


class Way(Protocol):
    """What `Ssh` and `Ssm` know: how their program is started, and what its words mean."""

    def start(self, endpoint: Endpoint, timeout: float) -> Start: ...  # noqa: D102 - said above

    def error(self, output: str) -> RdsIamError: ...  # noqa: D102

    def words(self, output: str) -> str: ...  # noqa: D102


class Tunnel:
    """Opened when a session is to go through it; ended when nobody holds it any more. All threads may use it.

    Args:
        way: How the program is started.
        endpoint: Where the tunnel leads.
    """

    def __init__(self, way: Way, endpoint: Endpoint) -> None:
        self._way = way
        self._endpoint = endpoint
        self._use = ExclusiveUse()
        self._program: Program | None = None
        self._port = 0
        self._doubted = False  # a session could not be opened through it, and it had nothing to say
        self._seen = ""  # its words at the last use
        self._holders: weakref.WeakSet[object] = weakref.WeakSet()
        self._pid = os.getpid()

    def __str__(self) -> str:
        return str(self._way)

    def __repr__(self) -> str:
        return f"<Tunnel {self._way} to {self._endpoint}>"

    def address(self, timeout: float) -> tuple[str, int]:
        """The near end's host and port; the program is started first if it does not run.

        Raises:
            TunnelError: It could not be opened, or not within `timeout` seconds.
            CredentialsError: There are no credentials for it.
        """
        self._after_fork()
        deadline = time.monotonic() + timeout
        with self._use.exclusive():  # another thread that opens it has no more time either
            program = self._program
            if program is None or not program.alive or self._doubted:
                self._stop()
                program = self._open(deadline, timeout)
            self._seen = program.output
        return LOCAL, self._port

    def _open(self, deadline: float, timeout: float) -> Program:
        for attempt in range(_MOST_STARTS):
            way, endpoint, remaining = self._way, self._endpoint, max(1.0, deadline - time.monotonic())
            program = self._program = Program(lambda: way.start(endpoint, remaining))  # noqa: B023 - used at once
            self._doubted = False
            try:
                port = program.wait_until_open(deadline)
            except BaseException:
                self._stop()
                raise
            if port is not None:
                self._port = port
                return program
            output, has_ended = program.output, not program.alive
            self._stop()
            if not has_ended:
                raise self._too_slow(timeout, output)
            error = self._way.error(output)
            if error.cause != "tunnel-port-taken" or attempt == _MOST_STARTS - 1:
                raise error
        raise AssertionError("unreachable")

    @property
    def alive(self) -> bool:
        """Whether it is open: its program runs."""
        program = self._program
        return program is not None and program.alive

    @property
    def near_end(self) -> tuple[str, int] | None:
        """The near end's host and port if it is open; else None: it is not opened for that."""
        return (LOCAL, self._port) if self.alive else None

    def failed(self) -> str:
        """Tell that a session could not be opened through it; what the program has said to that, or "".

        If it has said nothing, the next session gets a new tunnel: this one may have lost its far end.
        """
        program = self._program
        if program is None:
            return ""
        seen, deadline = self._seen, time.monotonic() + _LATE_WORDS
        while not (words := self._way.words(program.output.removeprefix(seen))) and program.wait(deadline):
            pass
        self._doubted = not words
        return words

    def hold(self, holder: object) -> None:
        """Keep it open for a connection until `release`, or until that object is gone."""
        self._holders.add(holder)

    def release(self, holder: object) -> None:
        """A connection is closed; with the last one, the tunnel ends."""
        self._holders.discard(holder)
        if not self._holders:
            self._after_fork()
            self._stop()

    def _stop(self) -> None:
        if self._program is not None:
            self._program.stop()
            self._program = None

    def _after_fork(self) -> None:
        """In a forked child: leave the program to the parent."""
        if self._pid != os.getpid():
            self._pid, self._program = os.getpid(), None

    def _too_slow(self, timeout: float, output: str) -> TunnelError:
        words = self._way.words(output)
        return TunnelError(
            f"{self._way} was not open within {limit_text(timeout)}{f': {words}' if words else ''}.",
            cause="tunnel-slow",
        )
