"""A server that speaks MySQL's protocol over TLS as far as a session needs it, and sends answers in any TLS records."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from database.listener import CLEAR_PASSWORD_SWITCH, greeting, packet

OK = b"\x00\x00\x00\x02\x00\x00\x00"
EOF = b"\xfe\x00\x00\x02\x00"
MAX_PACKET = 0xFFFFFF


def packets(payloads: Iterator[bytes] | list[bytes], sequence: int = 1) -> bytes:
    """Payloads as packets; those of 16 MiB and more as several."""
    out = bytearray()
    for payload in payloads:
        while True:
            part, payload = payload[:MAX_PACKET], payload[MAX_PACKET:]
            out += packet(sequence & 0xFF, part)
            sequence += 1
            if len(part) < MAX_PACKET:
                break
    return bytes(out)


def encoded(value: bytes) -> bytes:
    size = len(value)
    if size < 251:
        return bytes([size]) + value
    if size < 1 << 16:
        return b"\xfc" + struct.pack("<H", size) + value
    if size < 1 << 24:
        return b"\xfd" + struct.pack("<I", size)[:3] + value
    return b"\xfe" + struct.pack("<Q", size) + value


def text_column(name: bytes = b"v") -> bytes:
    texts = [b"def", b"s", b"t", b"t", name, name]
    return b"".join(map(encoded, texts)) + b"\x0c" + struct.pack("<HIBHB", 45, 1 << 30, 253, 0, 0) + b"\0\0"


def result(rows: list[list[bytes]], columns: int = 1) -> bytes:
    """The answer to a query: columns of text, and rows."""
    count = bytes([columns]) if columns < 251 else b"\xfc" + struct.pack("<H", columns)
    return packets([count, *[text_column()] * columns, EOF, *(b"".join(map(encoded, row)) for row in rows), EOF])


class WireServer:
    """Serves one connection after another on loopback; a context manager.

    Args:
        context: With the server's certificate.
        answer: SQL → the bytes of its answer; what a session asks by itself at its begin is answered here.
        seed: Of the sizes of the TLS records that answers are cut into.
    """

    def __init__(self, context: ssl.SSLContext, answer: Callable[[bytes], bytes], *, seed: int | None = 1) -> None:
        self._context, self._answer = context, answer
        self._chance = None if seed is None else random.Random(seed)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.commands: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._stopping = False

    def __enter__(self) -> WireServer:
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
                with suppress(OSError):  # the client went away
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(greeting(tls=True))
        connection.recv(36, socket.MSG_WAITALL)  # the SSL request
        with self._context.wrap_socket(connection, server_side=True) as inside:
            self._read_packet(inside)
            inside.sendall(packet(3, CLEAR_PASSWORD_SWITCH))
            self._read_packet(inside)
            inside.sendall(packet(5, OK))
            while (command := self._read_packet(inside)) and command[0] != 1:
                self.commands.append(command)
                self._send(inside, self._answer_to(command))

    def _answer_to(self, command: bytes) -> bytes:
        if command[0] == 9:
            return packet(1, b"Uptime: 1")
        if command[0] == 27:
            return packet(1, EOF)
        if command[1:].startswith(b"SET NAMES"):
            return packet(1, OK)
        return self._answer(command[1:])

    def _send(self, inside: ssl.SSLSocket, data: bytes) -> None:
        """Each `sendall` of up to 16 KiB is a TLS record of its own."""
        rest = memoryview(data)
        while rest:
            size = len(rest) if self._chance is None else self._chance.choice((1, 700, 5_000, 8_192, 16_384, 16_384))
            inside.sendall(rest[:size])
            rest = rest[size:]

    def _read_packet(self, inside: ssl.SSLSocket) -> bytes:
        head = self._read(inside, 4)
        return self._read(inside, int.from_bytes(head[:3], "little")) if head else b""

    def _read(self, inside: ssl.SSLSocket, count: int) -> bytes:
        data = b""
        while len(data) < count and (part := inside.recv(count - len(data))):
            data += part
        return data
