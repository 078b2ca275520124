"""A TCP proxy that is as slow as a tunnel: a bandwidth that all its connections share, and a delay each way."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress

_CHUNK = 16 << 10
_CHUNKS = 16  # on their way: more than bandwidth times delay, less than would hide a stall


class SlowLink:
    """Forwards connections to a local port, slowly; a context manager.

    Args:
        upstream: The port.
        bits_per_second: The bandwidth, each way.
        round_trip: Seconds that a byte and its answer take, there and back.
    """

    def __init__(self, upstream: int, *, bits_per_second: float, round_trip: float) -> None:
        self._upstream = upstream
        self._seconds_per_byte = 8 / bits_per_second
        self._delay = round_trip / 2
        self._free_at = {"up": 0.0, "down": 0.0}  # when the line has sent what it was given
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> SlowLink:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            server = socket.create_connection(("127.0.0.1", self._upstream))
            for source, target, way in ((client, server, "up"), (server, client, "down")):
                for sock in (source, target):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line: queue.Queue[tuple[float, bytes]] = queue.Queue(_CHUNKS)
                threading.Thread(target=self._receive, args=(source, line, way), daemon=True).start()
                threading.Thread(target=_deliver, args=(line, target), daemon=True).start()

    def _receive(self, source: socket.socket, line: queue.Queue[tuple[float, bytes]], way: str) -> None:
        data = b"-"
        while data:
            try:
                data = source.recv(_CHUNK)
            except OSError:
                data = b""
            with self._lock:
                begins = max(time.monotonic(), self._free_at[way])
                self._free_at[way] = begins + len(data) * self._seconds_per_byte
                due = self._free_at[way] + self._delay
            line.put((due, data))


def _deliver(line: queue.Queue[tuple[float, bytes]], target: socket.socket) -> None:
    """Send each chunk when it is due; an empty one is the end."""
    data = b"-"
    while data:
        due, data = line.get()
        time.sleep(max(0.0, due - time.monotonic()))
        with suppress(OSError):  # the other end has gone: what comes is dropped, so that the receiver ends
            target.sendall(data) if data else target.shutdown(socket.SHUT_WR)
    # Both directions share the sockets; they are closed with the last reference.
