"""A server that speaks MySQL's protocol over TLS as far as a session needs it, and sends answers in any TLS records."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Callable

from rds_iam_magic.mysql.wire.packets import MAX_PACKET
from rds_iam_magic.mysql.wire.response import COM_STMT_CLOSE, COM_STMT_EXECUTE, COM_STMT_PREPARE
from tests.support.loopback import LoopbackServer
from tests.support.packets import CLEAR_PASSWORD_SWITCH, eof, greeting, ok, packet


class Cut(bytes):
    """An answer or the beginning of one, behind which the connection is closed."""


class WireServer(LoopbackServer):
    """Serves one connection after another on loopback; a context manager.

    Args:
        context: With the server's certificate.
        answer: SQL → the bytes of its answer; what a session asks by itself at its begin is answered here.
        seed: Of the sizes of the TLS records that answers are cut into.
        prepared: The whole command → the bytes of the answer to COM_STMT_PREPARE, COM_STMT_EXECUTE and COM_STMT_CLOSE.
        mariadb: Greet as MariaDB does.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        answer: Callable[[bytes], bytes],
        *,
        seed: int | None = 1,
        prepared: Callable[[bytes], bytes] | None = None,
        mariadb: bool = False,
    ) -> None:
        self._context, self._answer, self._prepared, self._mariadb = context, answer, prepared, mariadb
        self._chance = None if seed is None else random.Random(seed)
        self.commands: list[bytes] = []
        super().__init__()

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(greeting(tls=True, mariadb=self._mariadb))
        connection.recv(36, socket.MSG_WAITALL)  # the SSL request
        with self._context.wrap_socket(connection, server_side=True) as inside:
            self._read_packet(inside)
            inside.sendall(packet(3, CLEAR_PASSWORD_SWITCH))
            self._read_packet(inside)
            inside.sendall(packet(5, ok(0)))
            while (command := self._read_packet(inside)) and command[0] != 1:
                self.commands.append(command)
                response = self._answer_to(command)
                self._send(inside, response)
                if isinstance(response, Cut):
                    return

    def _answer_to(self, command: bytes) -> bytes:
        if command[0] == 9:
            return packet(1, b"Uptime: 1")
        if command[0] == 27:
            return packet(1, eof())
        if command[1:].startswith(b"SET NAMES"):
            return packet(1, ok(0))
        if command[0] in (COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_CLOSE) and self._prepared is not None:
            return self._prepared(command)
        return self._answer(command[1:])

    def _send(self, inside: ssl.SSLSocket, data: bytes) -> None:
        """Each `sendall` of up to 16 KiB is a TLS record of its own."""
        rest = memoryview(data)
        while rest:
            size = len(rest) if self._chance is None else self._chance.choice((1, 700, 5_000, 8_192, 16_384, 16_384))
            inside.sendall(rest[:size])
            rest = rest[size:]

    def _read_packet(self, inside: ssl.SSLSocket) -> bytes:
        """A command, of one packet or, from 16 MiB on, of several."""
        command, size = b"", MAX_PACKET
        while size == MAX_PACKET:
            head = self._read(inside, 4)
            size = int.from_bytes(head[:3], "little") if head else 0
            command += self._read(inside, size)
        return command

    def _read(self, inside: ssl.SSLSocket, count: int) -> bytes:
        data = bytearray()
        while len(data) < count and (part := inside.recv(count - len(data))):
            data += part
        return bytes(data)
