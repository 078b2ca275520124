"""A server on loopback that a test talks to: its life, without what it says."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TypeVar

Self = TypeVar("Self", bound="LoopbackServer")


class LoopbackServer(ABC):
    """Serves one connection after another on a thread of its own; a context manager.

    Attributes:
        port: Where it listens.
    """

    TIMEOUT: float | None = None
    """Seconds that a client may stay silent."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._stopping = False

    def __enter__(self: Self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping = True
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._server.accept()
            with connection:
                if self._stopping:
                    return
                connection.settimeout(self.TIMEOUT)
                with suppress(OSError):  # the client went away, which is what some tests want of it
                    self._talk(connection)

    @abstractmethod
    def _talk(self, connection: socket.socket) -> None:
        """What it says to one client."""
