"""A TCP proxy that breaks connections in every way in which networks do, when it is told to."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress


class Proxy:
    """Forwards connections to `upstream`; a context manager.

    Attributes:
        upstream: The port that new connections are forwarded to; a failover changes it.
        accepted: How many connections came.
        delay: Seconds that everything is held back, in both directions.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.accepted = 0
        self.delay = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._refusing = self._silent = self._stopping = False
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping = True
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join()
        self._listener.close()
        for pair in self._pairs:
            pair.end(reset=False)
            pair.join()

    def cut(self) -> None:
        """Close all connections, both ways."""
        for pair in self._alive():
            pair.end(reset=False)

    def reset(self) -> None:
        """Reset all connections (RST), both ways."""
        for pair in self._alive():
            pair.end(reset=True)

    def freeze(self) -> None:
        """Half-open: the connections stay, and nothing passes any more, in either direction."""
        for pair in self._alive():
            pair.frozen = True

    def thaw(self) -> None:
        """What was held back by `freeze` passes now."""
        for pair in self._alive():
            pair.frozen = False

    def lose_next_request(self, fault: Callable[[], None] | None = None, *, answer_only: bool = False) -> None:
        """When a client sends next, have `fault` come about; it cuts the connections unless told otherwise.

        The server gets nothing of what was sent, or (`answer_only`) all of it, and nobody hears its answer.
        """
        for pair in self._alive():
            pair.trap = (fault or self.cut, answer_only)

    def cut_after(self, count: int) -> None:
        """Cut the connections after so many bytes more from the server: an answer is truncated in its middle."""
        for pair in self._alive():
            pair.budget = count

    def refuse(self, refusing: bool = True) -> None:
        """Close new connections at once."""
        self._refusing = refusing

    def be_silent(self, silent: bool = True) -> None:
        """Accept new connections and say nothing."""
        self._silent = silent

    def _alive(self) -> list[_Pair]:
        with self._lock:
            return [pair for pair in self._pairs if not pair.ended]

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._stopping or self._refusing:
                client.close()
                if self._stopping:
                    return
                continue
            self.accepted += 1
            with self._lock:
                self._pairs.append(_Pair(self, client, None if self._silent else self.upstream))


class _Pair:
    """One connection and its way to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, upstream: int | None) -> None:
        self.proxy = proxy
        self.client = client
        self.server: socket.socket | None = None
        self.frozen = upstream is None
        self.trap: tuple[Callable[[], None], bool] | None = None
        self.mute = False  # what the server says is lost
        self.budget: int | None = None
        self.ended = False
        self._threads: list[threading.Thread] = []
        self._running = 2
        self._count = threading.Lock()
        if upstream is None:
            return
        try:
            self.server = socket.create_connection(("127.0.0.1", upstream))
        except OSError:
            self.end(reset=False)
            return
        for arguments in ((client, self.server, True), (self.server, client, False)):
            thread = threading.Thread(target=self._forward, args=arguments)
            thread.start()
            self._threads.append(thread)

    def end(self, *, reset: bool) -> None:
        self.ended = True
        for sock in (self.client, self.server):
            if sock is None:
                continue
            with suppress(OSError):
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    sock.shutdown(socket.SHUT_RDWR)
            if reset or not self._threads:
                sock.close()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._close()

    def _forward(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        source.settimeout(0.05)
        while not self.ended:
            try:
                data = source.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            time.sleep(self.proxy.delay)
            while self.frozen and not self.ended:
                time.sleep(0.02)
            if not data or self.ended:
                break
            if from_client and self.trap is not None:
                self._spring(data, target)
            elif not self._passes(data, target, from_client):
                break
        self.end(reset=False)
        with self._count:
            self._running -= 1
        if self._running == 0:
            self._close()

    def _close(self) -> None:
        """Called by the last of the two threads, so that descriptors do not gather."""
        for sock in (self.client, self.server):
            if sock is not None:
                sock.close()

    def _spring(self, data: bytes, target: socket.socket) -> None:
        """The trap of `lose_next_request`."""
        assert self.trap is not None
        (fault, answer_only), self.trap = self.trap, None
        if answer_only:
            self.mute = True
            with suppress(OSError):
                target.sendall(data)
            time.sleep(0.3)  # the server does its work, and tells nobody
        fault()

    def _passes(self, data: bytes, target: socket.socket, from_client: bool) -> bool:
        """Forward; returns whether the connection goes on."""
        if not from_client and self.mute:
            return True
        if not from_client and self.budget is not None:
            data, self.budget = data[: self.budget], self.budget - len(data)
        with suppress(OSError):
            target.sendall(data)
        return from_client or self.budget is None or self.budget > 0
