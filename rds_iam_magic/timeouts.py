"""`Timeouts`: how long the steps behind a connection may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds.

    Attributes:
        command: For a command of this package's own, and for each step of a cancellation.
        check: For the check that a session is alive and synchronised.
        idle: So long idle, a session is checked before it is used: a cut network is not seen otherwise.
        no_data: So long without a byte, the server is asked, over a second session, whether it still works.
        unanswered_checks: So many of these questions in a row may stay without an answer, less one.
        grace: What the server has to end a statement by itself, after the statement's time limit.
        first_pause, longest_pause: Between attempts to reconnect; doubled each time, with jitter.
    """

    command: float = 5.0
    check: float = 3.0
    idle: float = 30.0
    no_data: float = 30.0
    unanswered_checks: int = 2
    grace: float = 1.0
    first_pause: float = 0.1
    longest_pause: float = 2.0


DEFAULT = Timeouts()
