"""A TCP proxy that breaks connections in every way in which networks do, when it is told to."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tests.support.events import LONG


class Proxy:
    """Forwards connections to `upstream`; a context manager.

    Attributes:
        upstream: The port that new connections are forwarded to; a failover changes it.
        accepted: How many connections came and were let in.
        refused: How many came and were not.
        delay: Seconds that everything is held back, in both directions.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.accepted = self.refused = 0
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

    @property
    def holds_back(self) -> bool:
        """Whether a client has sent something that `freeze` holds back."""
        return any(pair.holds_back for pair in self._alive())

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

    def delay_next_request(self) -> None:
        """When a client sends next, it sees its connection cut; the server gets what was sent at `deliver`."""
        for pair in self._alive():
            pair.is_delayed = True

    def deliver(self) -> None:
        """Deliver what `delay_next_request` has kept, unless the server has ended the session, and wait for that."""
        with self._lock:
            delayed = [pair for pair in self._pairs if pair.is_delayed]
        for pair in delayed:
            pair.mute = True
            pair.delivers.set()
            pair.answered.wait(LONG)

    def after_bytes(self, count: int, fault: Callable[[], None]) -> None:
        """After so many bytes more from the server have `fault` come about; nothing passes until it has."""
        for pair in self._alive():
            pair.mark = (count, fault)

    def cut_after(self, count: int) -> None:
        """Cut the connections after so many bytes more from the server: an answer is truncated in its middle."""
        for pair in self._alive():
            pair.mark = (count, lambda pair=pair: pair.end(reset=False))

    def refuse(self, refusing: bool = True) -> None:
        """Close new connections at once."""
        self._refusing = refusing

    def be_silent(self, silent: bool = True) -> None:
        """Accept new connections and say nothing."""
        self._silent = silent

    @property
    def connections(self) -> int:
        """How many connections are open; one that is closed is so for the client, too."""
        with self._lock:
            return sum(not pair.closed for pair in self._pairs)

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
                self.refused += 1
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
        self.holds_back = False
        self.trap: tuple[Callable[[], None], bool] | None = None
        self.mute = False  # what the server says is lost
        self.answered = threading.Event()  # it has said something since
        self.is_delayed = False
        self.delivers = threading.Event()
        self.mark: tuple[int, Callable[[], None]] | None = None
        self.ended = self.closed = False
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

    @property
    def over(self) -> bool:
        """Whether both directions have ended: then the client and the server see it, too."""
        return self._running == 0

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
        self.closed = True

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._close()

    def _forward(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with suppress(OSError):  # reset before this thread ran
            source.setblocking(False)
        while not self.ended:
            try:
                if not select.select([source], [], [], 0.05)[0]:
                    continue
                data = source.recv(65536)
            except BlockingIOError:
                continue
            except (OSError, ValueError):  # ValueError: closed meanwhile
                break
            time.sleep(self.proxy.delay)
            while self.frozen and not self.ended:
                self.holds_back |= from_client and bool(data)
                time.sleep(0.02)
            if not data or self.ended:
                break
            if from_client and (self.trap is not None or self.is_delayed):
                self._spring(data, target)
            elif from_client:
                self._send(data, target)
            else:
                self._answer(data, target)
        self.answered.set()  # or never will be
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
        """What `lose_next_request` or `delay_next_request` has set up."""
        if self.trap is None:
            with suppress(OSError):
                self.client.shutdown(socket.SHUT_RDWR)
            self.delivers.wait(LONG)
            self._send(data, target)
            self.answered.wait(LONG)
            return
        (fault, answer_only), self.trap = self.trap, None
        if answer_only:
            self.mute = True
            self._send(data, target)
            self.answered.wait(LONG)  # the server does its work, and nobody hears of it
        fault()

    def _answer(self, data: bytes, target: socket.socket) -> None:
        """Forward what the server says, up to the mark of `after_bytes`, and what is behind that once it has struck."""
        if self.mute:
            self.answered.set()
            return
        while data and self.mark is not None and not self.ended:
            count, fault = self.mark
            before, data = data[:count], data[count:]
            self._send(before, target)
            self.mark = (count - len(before), fault)
            if count > len(before):
                return
            self.mark = None
            fault()  # may set another mark, freeze, or end this pair
        while self.frozen and not self.ended:
            time.sleep(0.02)
        if not self.ended:
            self._send(data, target)

    def _send(self, data: bytes, target: socket.socket) -> None:
        """All of it, however long the other end takes; `sendall` would not be woken by a reset."""
        left = memoryview(data)
        while left and not self.ended:
            try:
                if select.select([], [target], [], 0.05)[1]:
                    left = left[target.send(left) :]
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                return
