"""A server that speaks MySQL's protocol over TLS as far as a session needs it, and sends answers in any TLS records."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Callable
from typing import Any

from rds_iam_magic.mysql.wire.commands import COM_STMT_CLOSE, COM_STMT_EXECUTE, COM_STMT_PREPARE
from rds_iam_magic.mysql.wire.packets import MAX_PACKET
from tests.support.frames import ZLIB, ZSTD, FramedSocket
from tests.support.loopback import LoopbackServer
from tests.support.packets import CLEAR_PASSWORD_SWITCH, eof, greeting, ok, packet


class Cut(bytes):
    """An answer or the beginning of one, behind which the connection is closed."""


class WireServer(LoopbackServer):
    """Serves one connection after another on loopback; a context manager.

    Args:
        context: With the server's certificate.
        answer: SQL → the bytes of its answer; what a session asks by itself at its begin is answered here.
        seed: Of the sizes of the TLS records that answers are cut into; with compression, of the frames.
        offers: The capabilities for compression that it offers.
        before_greeting: Called before it greets a client.
        prepared: The whole command → the bytes of the answer to COM_STMT_PREPARE, COM_STMT_EXECUTE and COM_STMT_CLOSE.
        mariadb: Greet as MariaDB does.

    Attributes:
        commands: What it was asked, on all connections.
        chosen: For each client that came as far as TLS: its capabilities.
        logins: The handshake responses.
        streams: What each session was read from, and answered through.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        answer: Callable[[bytes], bytes],
        *,
        seed: int | None = 1,
        offers: int = 0,
        before_greeting: Callable[[], object] = lambda: None,
        prepared: Callable[[bytes], bytes] | None = None,
        mariadb: bool = False,
    ) -> None:
        self._context, self._answer, self._offers, self._before_greeting = context, answer, offers, before_greeting
        self._prepared, self._mariadb = prepared, mariadb
        self.chosen: list[int] = []
        self.logins: list[bytes] = []
        self.streams: list[Any] = []
        self._chance = None if seed is None else random.Random(seed)
        self.commands: list[bytes] = []
        super().__init__()

    def _talk(self, connection: socket.socket) -> None:
        self._before_greeting()
        connection.sendall(greeting(tls=True, offers=self._offers, mariadb=self._mariadb))
        capabilities = int.from_bytes(connection.recv(36, socket.MSG_WAITALL)[4:8], "little")  # of the SSL request
        self.chosen.append(capabilities)
        with self._context.wrap_socket(connection, server_side=True) as inside:
            login = self._read_packet(inside)
            if not login:
                return
            self.logins.append(login)
            assert int.from_bytes(login[:4], "little") == capabilities
            inside.sendall(packet(3, CLEAR_PASSWORD_SWITCH))
            self._read_packet(inside)
            inside.sendall(packet(5, ok(0)))
            algorithm = capabilities & (ZLIB | ZSTD)
            self._converse(FramedSocket(inside, algorithm) if algorithm else inside)

    def _converse(self, stream: Any) -> None:
        self.streams.append(stream)
        while (command := self._read_packet(stream)) and command[0] != 1:
            self.commands.append(command)
            response = self._answer_to(command)
            self._send(stream, response)
            if isinstance(response, Cut):
                return
            stream.number = 0  # of a command's first frame

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

    def _send(self, inside: Any, data: bytes) -> None:
        """Each `sendall` of up to 16 KiB is a TLS record, or a frame, of its own."""
        rest = memoryview(data)
        while rest:
            size = len(rest) if self._chance is None else self._chance.choice((1, 700, 5_000, 8_192, 16_384, 16_384))
            inside.sendall(rest[:size])
            rest = rest[size:]

    def _read_packet(self, inside: Any) -> bytes:
        """One that is as long as can be goes on in the next one."""
        payload, length = b"", MAX_PACKET
        while length == MAX_PACKET and (head := self._read(inside, 4)):
            length = int.from_bytes(head[:3], "little")
            payload += self._read(inside, length)
        return payload

    def _read(self, inside: Any, count: int) -> bytes:
        data = bytearray()
        while len(data) < count and (part := inside.recv(count - len(data))):
            data += part
        return bytes(data)
