"""`ServerSession`: one authenticated session over verified TLS, its commands and its answers.

Statements are sent, and what they answer is read, on the TLS socket itself, for a `ResponseParser`. A reader with a
buffer of its own between would ask the socket again though it has bytes to give, whenever the space is larger than
those by more than its buffer.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymysql.constants import CLIENT, COMMAND

from rds_iam_magic.background import BackgroundCall
from rds_iam_magic.errors import ConnectionLostError
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql.wire.charsets import Announced
from rds_iam_magic.mysql.wire.events import Event, Ok, ResultSetEnd
from rds_iam_magic.mysql.wire.packets import MAX_PACKET
from rds_iam_magic.mysql.wire.text_result import ResponseParser


class ServerSession:
    """An authenticated session over verified TLS.

    Args:
        sock: The TLS socket after the handshake; this object closes it.
        peer: See below.
        greeting: PyMySQL's connection, for what the handshake told.

    Attributes:
        peer: The address that was dialled: of the one server that the name led to, or of the tunnel.
        server_version, tls_version: As the handshake told.
        token_asked: Whether the server asked for a token.
        status: The status flags, as the server last told them.
        charsets: The session's character sets, as the server last told.
        used_at: When a statement last ended, on the clock of `time.monotonic`.
        synchronised: Whether every response has been read to its end. Responses come in order, so that a session which
            is not synchronised would give the next statement the response to another one.

    Not thread-safe: one thread at a time sends or reads; `abort` alone may be called from any thread.
    """

    def __init__(self, sock: Any, peer: dial.Address, greeting: Any) -> None:
        self._sock: Any = sock
        self._pid = os.getpid()
        self._command: BackgroundCall[list[Event]] | None = None  # of our own, that was interrupted while it ran
        self.peer = peer
        self.server_version = str(greeting.server_version).removeprefix("5.5.5-")  # MariaDB's prefix for old replicas
        self.tls_version = str(sock.version())
        self.token_asked = bool(greeting.token_asked)
        self.status = int(greeting.server_status)
        self.charsets = Announced(tracked=bool(greeting.server_capabilities & CLIENT.SESSION_TRACK))
        self.used_at = time.monotonic()
        self.synchronised = True

    def __del__(self) -> None:
        """A session that nobody holds any more (an interrupt came just then) does not stay on the server."""
        sock = getattr(self, "_sock", None)
        if sock is not None:
            sock.close()

    def send(self, sql: bytes, progress: Callable[[], None] = lambda: None) -> int:
        """Send a COM_QUERY; returns the number of the response's first packet.

        It is 1 unless the statement took several packets (16 MiB and more).

        Args:
            sql: The statement.
            progress: Called each time that the network has taken some of it.

        Raises:
            ConnectionLostError: The socket is closed.
        """
        self.synchronised = False
        with _losses():
            return self._send(COMMAND.COM_QUERY, sql, progress)

    def read_into(self, space: memoryview) -> int:
        """Read what is there, at least a byte, into `space`; returns the count, 0 at the end of the stream.

        Raises:
            ConnectionLostError: The connection broke.
        """
        with _losses():
            return int(self._open_socket().recv_into(space))

    def command(self, sql: str, *, timeout: float) -> list[Event]:
        """Run a short statement of our own and return the events of its answer.

        It runs in the background: after an interrupt it comes to its end there (`settle`).

        Raises:
            ConnectionLostError: The connection broke, or the server did not answer within `timeout` seconds;
                the session is of no more use then.
        """
        return self._ask(COMMAND.COM_QUERY, sql.encode(), timeout)

    def is_answering(self, *, timeout: float) -> bool:
        """Whether the server answers, by a command that leaves FOUND_ROWS(), ROW_COUNT() and the warnings alone.

        COM_STATISTICS has no effect at all; COM_PING sets ROW_COUNT() to 0 (MariaDB and MySQL count its OK packet).
        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_statistics.html
        """
        try:
            self._ask(COMMAND.COM_STATISTICS, b"", timeout)
        except ConnectionLostError:
            return False
        return True

    def ask_status(self, *, timeout: float) -> None:
        """Have the server tell its status flags again, which an error packet does not hold.

        COM_SET_OPTION is answered by an EOF packet, and sets ROW_COUNT() to -1 as every error did before; multiple
        statements, which it switches on, are on.
        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_set_option.html

        Raises:
            ConnectionLostError: The connection broke.
        """
        self._ask(COMMAND.COM_SET_OPTION, b"\0\0", timeout)

    def settle(self, *, timeout: float) -> None:
        """Wait for the end of a command that was interrupted, if there is one.

        Raises:
            ConnectionLostError: The connection broke, or the response did not come within `timeout` seconds.
        """
        command = self._command
        if command is not None and not command.cancel():
            self._result(command, timeout)
        self._command = None

    def looks_dead(self) -> bool:
        """Whether the idle socket has something to read: a server that is idle too sends only its farewell."""
        sock = self._sock
        if sock is None:
            return True
        try:
            return bool(sock.pending()) or _readable(sock, 0)
        except (OSError, ValueError) as error:
            if not _is_of_the_socket(error):
                raise
            return True

    def abort(self) -> None:
        """End the connection at once, from any thread: a read that blocks in another thread returns.

        Closing alone would not wake that read. (`SSLSocket.shutdown` would forget TLS as well.)
        """
        sock = self._sock
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError as error:  # the other side, or another thread, was faster
                if not _is_of_the_socket(error):
                    raise

    def abandon(self) -> None:
        """Let go of the socket without a word, since it is another process's too (after a fork)."""
        sock, self._sock = self._sock, None
        if sock is not None:
            socket.close(sock.detach())  # no TLS farewell either: the parent's session goes on

    def close(self) -> None:
        """Say goodbye to the server and close; does nothing when closed already.

        A response that another thread still reads is cut off: closing alone would leave that thread waiting for it.
        """
        sock = self._sock
        if sock is None:
            return
        try:
            if self._pid == os.getpid():
                self._end_command()
                if not self.synchronised:
                    self.abort()
                    return
                sock.settimeout(1.0)
                sock.sendall(_packet(0, bytes([COMMAND.COM_QUIT])))
        except (OSError, ValueError) as error:  # the server was faster
            if not _is_of_the_socket(error):
                raise
        finally:
            sock.close()
            self._sock = None

    def _end_command(self) -> None:
        """A command that an interrupt has left still reads from the socket."""
        command = self._command
        if command is None or command.cancel() or command.wait(1.0):  # a KILL that is aborted might come later
            return
        self.abort()
        command.wait(1.0)

    def _ask(self, command: int, payload: bytes, timeout: float) -> list[Event]:
        self.settle(timeout=timeout)
        self._command = BackgroundCall(lambda: self._send_and_receive(command, payload))
        self._command.start()
        events = self._result(self._command, timeout)
        self._command = None
        return events

    def _result(self, command: BackgroundCall[list[Event]], timeout: float) -> list[Event]:
        if not command.wait(timeout):
            self.abort()
            raise _lost(f"no answer within {timeout:g} s")
        return command.result()

    def _send_and_receive(self, command: int, payload: bytes) -> list[Event]:
        self.synchronised = False
        with _losses():
            sequence = self._send(command, payload)
        response = ResponseParser(sequence=sequence, command=command, announced=self.charsets)
        events: list[Event] = []
        while not response.done:
            count = self.read_into(response.get_buffer())
            events += response.buffer_updated(count) if count else response.eof_received()
        self.status = next((e.status for e in reversed(events) if isinstance(e, (Ok, ResultSetEnd))), self.status)
        self.synchronised = True
        return events

    def _send(self, command: int, payload: bytes, progress: Callable[[], None] = lambda: None) -> int:
        sock = self._open_socket()
        rest = memoryview(bytes([command]) + payload)
        for sequence in range(len(rest) // MAX_PACKET + 1):  # a last packet that is full has an empty one behind it
            packet = memoryview(_packet(sequence, rest[:MAX_PACKET]))
            for start in range(0, len(packet), _SLICE):
                sock.sendall(packet[start : start + _SLICE])
                progress()
            rest = rest[MAX_PACKET:]
        return sequence + 1

    def _open_socket(self) -> Any:
        if self._sock is None:
            raise OSError(errno.EBADF, "the connection is closed")
        return self._sock


@contextmanager
def _losses() -> Iterator[None]:
    """Turn what the socket raises into a ConnectionLostError; what a signal's handler raises goes its way."""
    try:
        yield
        return
    except _BROKEN as error:
        if not _is_of_the_socket(error):
            raise
        words = str(error) or type(error).__name__
    raise _lost(words)


_SLICE = 64 << 10  # bytes; few enough to see progress on a slow link
# How a socket says that it broke. ValueError: it is closed, or TLS is gone.
_BROKEN = (OSError, ValueError)


def _is_of_the_socket(error: BaseException) -> bool:
    return dial.is_of_the_socket(error, frozenset({__name__}))


def _lost(words: str) -> ConnectionLostError:
    return ConnectionLostError("The connection to the server was lost.", detail=words)


def _packet(sequence: int, payload: bytes | memoryview) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence & 0xFF]) + payload


def _readable(sock: socket.socket, timeout: float) -> bool:
    if hasattr(select, "poll"):  # select() takes no descriptor above 1023
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])
