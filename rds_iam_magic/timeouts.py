"""`Timeouts`: how long the steps behind a connection may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds, and one count.

    Attributes:
        command: For one of our own commands, and for each step of a cancellation.
        check: For checking that a session is alive and synchronised.
        idle: After this much idle time a session is checked with a round trip before use: a dead network is not
            noticed otherwise.
        no_data: After this long without a byte, a second session asks whether the server still runs the statement.
        unanswered_checks: The number of such checks in a row without an answer after which the session is discarded.
        grace: Time for the server to end a statement by itself after the statement's time limit.
        first_pause, longest_pause: Pauses between attempts to reconnect; doubled each time, with jitter.
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
