"""A listener that speaks the beginning of the MySQL protocol and records every byte that it gets."""

from __future__ import annotations

import socket
import ssl

from tests.support.loopback import LoopbackServer
from tests.support.packets import CLEAR_PASSWORD_SWITCH, greeting, packet


class Listener(LoopbackServer):
    """Accepts one connection after another on loopback; `received` is all that came, also inside TLS."""

    TIMEOUT = 3

    def __init__(
        self, *, tls: bool, context: ssl.SSLContext | None = None, switch: bool = True, silent: bool = False
    ) -> None:
        self.received = b""
        self._tls, self._context, self._switch, self._silent = tls, context, switch, silent
        super().__init__()

    def _talk(self, connection: socket.socket) -> None:
        if self._silent:
            self._record(connection)
            return
        connection.sendall(greeting(tls=self._tls))
        if self._context is None:
            self._record(connection, once=True)
            if self._switch:
                connection.sendall(packet(2, CLEAR_PASSWORD_SWITCH))
            self._record(connection)
            return
        self._read(connection, 36)  # the SSL request
        with self._context.wrap_socket(connection, server_side=True) as inside:
            self._record(inside, once=True)
            inside.sendall(packet(3, CLEAR_PASSWORD_SWITCH))
            self._record(inside)

    def _read(self, connection: socket.socket, count: int) -> None:
        while count > 0 and (data := connection.recv(count)):
            self.received += data
            count -= len(data)

    def _record(self, connection: socket.socket, *, once: bool = False) -> None:
        while data := connection.recv(65536):
            self.received += data
            if once:
                return
