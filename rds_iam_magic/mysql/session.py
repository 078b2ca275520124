"""`ServerSession`: one authenticated session over verified TLS, its commands and their responses.

It sends and reads directly on the TLS socket, into the buffer of a `ResponseParser`. A buffered reader in between would
block on the socket although it has bytes to return, whenever the requested size exceeds them by more than its buffer.
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

from pymysql.constants import CLIENT

from rds_iam_magic.background import BackgroundCall, BackgroundThread
from rds_iam_magic.errors import ConnectionLostError
from rds_iam_magic.mysql import dial, tls_socket
from rds_iam_magic.mysql.wire import commands, compressed_stream, extensions
from rds_iam_magic.mysql.wire.charsets import Announced
from rds_iam_magic.mysql.wire.commands import LAST_STATEMENT, bulk_payload, close_packet, execute_packet, packet
from rds_iam_magic.mysql.wire.compressed_stream import CompressedStream
from rds_iam_magic.mysql.wire.events import Event, Ok, ResultSetEnd
from rds_iam_magic.mysql.wire.packets import MAX_PACKET
from rds_iam_magic.mysql.wire.response import ResponseParser
from rds_iam_magic.wording import limit_text


class ServerSession:
    """An authenticated session over verified TLS.

    Args:
        sock: The TLS socket after the handshake; this object closes it.
        peer: See below.
        greeting: PyMySQL's connection, which holds what the handshake reported.
        compressed: The stream on `sock` that data goes through, if compression was agreed on.
        thread: See below; a new one by default.

    Attributes:
        peer: The address that was dialled: the server that the host name resolved to, or the tunnel.
        server_version, tls_version: As reported in the handshake.
        compression: The algorithm that compresses the session, `zlib` or `zstd`; "" if none does.
        token_asked: Whether the server asked for a token.
        executes_last: Whether COM_STMT_EXECUTE may name the statement prepared last, so that both are sent at once.
        takes_rows: Whether many rows can be sent for one prepared statement (`insert_rows`), as to MariaDB.
        status: The status flags, as last reported by the server.
        charsets: The session's character sets, as last reported by the server.
        used_at: When a statement last ended, as a `time.monotonic` value.
        thread: Where sending and reading happens.
        synchronised: Whether every response has been read to its end. Responses arrive in order, so on a session that
            is not synchronised the next statement would get another statement's response.

    Not thread-safe: one thread at a time sends or reads; only `abort` may be called from any thread.
    """

    def __init__(
        self,
        sock: Any,
        peer: dial.Address,
        greeting: Any,
        compressed: CompressedStream | None = None,
        thread: BackgroundThread | None = None,
    ) -> None:
        self._sock: Any = sock
        self._compressed = compressed
        self.thread = thread or BackgroundThread()
        self._pid = os.getpid()
        self._command: BackgroundCall[list[Event]] | None = None  # our own command that was interrupted while it ran
        self.peer = peer
        self.server_version = str(greeting.server_version).removeprefix("5.5.5-")  # MariaDB's prefix for old replicas
        self.tls_version = str(sock.version())
        self.compression = compressed.algorithm if compressed is not None else ""
        self.token_asked = bool(greeting.token_asked)
        # MariaDB from 10.2 on does, and tells itself apart by this flag: https://mariadb.com/kb/en/com_stmt_execute/
        self.executes_last = not greeting.server_capabilities & CLIENT.LONG_PASSWORD
        self.takes_rows = self.executes_last and bool(greeting.extensions & extensions.BULK)
        self.status = int(greeting.server_status)
        self.charsets = Announced(tracked=bool(greeting.server_capabilities & CLIENT.SESSION_TRACK))
        self.used_at = time.monotonic()
        self.synchronised = True

    def __del__(self) -> None:
        """Close a session that was lost to an interrupt, so that it does not stay open on the server."""
        sock = getattr(self, "_sock", None)
        if sock is not None:
            sock.close()

    def send(self, sql: bytes, progress: Callable[[], None] = lambda: None) -> int | None:
        """Send a COM_QUERY; return the sequence number of the response's first packet.

        It is 1 unless the statement took several packets (16 MiB or more); None with compression, whose frames have
        sequence numbers of their own.

        Args:
            sql: The statement.
            progress: Called each time that the network has taken some of it.

        Raises:
            ConnectionLostError: The socket is closed.
        """
        self.synchronised = False
        with _losses():
            return self._send(commands.COM_QUERY, sql, progress)

    def prepare(
        self,
        sql: bytes,
        progress: Callable[[], None] = lambda: None,
        *,
        then_execute: bool = False,
        parameters: bytes = b"",
    ) -> int | None:
        """Send a COM_STMT_PREPARE; return the sequence number of the response's first packet, as `send` does.

        Args:
            sql: The statement.
            progress: Called each time that the network has taken some of it.
            then_execute: Send with it what `execute` sends, for the statement prepared last (`executes_last`).
            parameters: Of the execution.

        Raises:
            ConnectionLostError: The socket is closed.
        """
        self.synchronised = False
        with _losses():
            if not then_execute:
                return self._send(commands.COM_STMT_PREPARE, sql, progress)
            sock = self._open_socket()
            sequence, packets = 1, b""
            if len(sql) + len(parameters) < _SMALL:
                packets = self._framed(packet(0, bytes([commands.COM_STMT_PREPARE]) + sql), pipelined=False)
            else:
                sequence = self._send(commands.COM_STMT_PREPARE, sql, progress) or 1
            sock.sendall(packets + self._execution(LAST_STATEMENT, parameters, pipelined=True))
            progress()
        return sequence if self._compressed is None else None

    def execute(self, statement_id: int, parameters: bytes = b"") -> int | None:
        """Send a COM_STMT_EXECUTE, and close the statement behind it (COM_STMT_CLOSE has no answer).

        Args:
            statement_id: The number of the prepared statement.
            parameters: Its parameters, if it has some.

        Returns:
            The sequence number of the response's first packet, as `send` does.

        Raises:
            ConnectionLostError: The socket is closed.
        """
        self.synchronised = False
        with _losses():
            self._open_socket().sendall(self._execution(statement_id, parameters, pipelined=False))
        return 1 if self._compressed is None else None

    def insert_rows(self, sql: bytes, rows: bytes, progress: Callable[[], None] = lambda: None) -> int | None:
        """Send a COM_STMT_PREPARE, a COM_STMT_BULK_EXECUTE for it, and close it; both have a response.

        Args:
            sql: The statement, which changes rows and returns none.
            rows: The parameters' types and many rows of them; shorter than 16 MiB.
            progress: Called each time that the network has taken some of it.

        Returns:
            The sequence number of the response's first packet, as `send` does.

        Raises:
            ConnectionLostError: The socket is closed. The server may have run the statement.
        """
        self.synchronised = False
        with _losses():
            self._send(commands.COM_STMT_PREPARE, sql, progress)
            self._send(commands.COM_STMT_BULK_EXECUTE, bulk_payload(LAST_STATEMENT, rows), progress, pipelined=True)
            self._open_socket().sendall(self._framed(close_packet(LAST_STATEMENT)))
        return 1 if self._compressed is None else None

    def close_statement(self, statement_id: int) -> None:
        """Send a COM_STMT_CLOSE, which has no response.

        Raises:
            ConnectionLostError: The socket is closed.
        """
        with _losses():
            self._open_socket().sendall(self._framed(close_packet(statement_id)))

    def read_into(self, space: memoryview) -> int:
        """Read at least one byte into `space`; return the number of bytes, 0 at the end of the stream.

        Raises:
            ConnectionLostError: The connection was lost.
        """
        with _losses():
            stream = self._open_stream()
            if self._compressed is not None:
                return int(stream.recv_into(space))
            return int(stream.read_records(space[:_MOST_AT_ONCE]))

    def command(self, sql: str, *, timeout: float) -> list[Event]:
        """Run a short statement of our own and return the events of its response.

        It runs in the background, where it completes even after an interrupt (`settle` waits for it).

        Raises:
            ConnectionLostError: The connection was lost, or the server did not answer within `timeout` seconds; the
                session cannot be used afterwards.
        """
        return self._ask(commands.COM_QUERY, sql.encode(), timeout)

    def is_answering(self, *, timeout: float) -> bool:
        """Whether the server answers a command that keeps FOUND_ROWS(), ROW_COUNT() and the warnings.

        COM_STATISTICS has no effect at all; COM_PING sets ROW_COUNT() to 0 (MariaDB and MySQL count its OK packet).
        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_statistics.html
        """
        try:
            self._ask(commands.COM_STATISTICS, b"", timeout)
        except ConnectionLostError:
            return False
        return True

    def ask_status(self, *, timeout: float) -> None:
        """Ask for the status flags, which error packets lack.

        COM_SET_OPTION is answered with an EOF packet, and sets ROW_COUNT() to -1, as the error did already. It enables
        multiple statements, which are enabled anyway.
        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_set_option.html

        Raises:
            ConnectionLostError: The connection was lost.
        """
        self._ask(commands.COM_SET_OPTION, b"\0\0", timeout)

    def settle(self, *, timeout: float) -> None:
        """Wait until an interrupted command has completed, if there is one.

        Raises:
            ConnectionLostError: The connection was lost, or the response did not arrive within `timeout` seconds.
        """
        command = self._command
        if command is not None and not command.cancel():
            self._result(command, timeout)
        self._command = None

    def looks_dead(self) -> bool:
        """Whether the idle socket has something to read: on an idle session that can only be the server's close."""
        sock = self._sock
        if sock is None:
            return True
        try:
            return bool(self._open_stream().pending()) or _readable(sock, 0)
        except (OSError, ValueError) as error:
            if not _is_of_the_socket(error):
                raise
            return True

    def abort(self) -> None:
        """Shut the connection down at once, from any thread: a read that blocks in another thread returns.

        Closing alone would not wake that read. (`SSLSocket.shutdown` would also drop the TLS object.)
        """
        sock = self._sock
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError as error:  # the peer, or another thread, was faster
                if not _is_of_the_socket(error):
                    raise

    def abandon(self) -> None:
        """Close the socket silently after a fork: it is shared with the parent process."""
        sock, self._sock = self._sock, None
        if sock is not None:
            self.thread.close()
            socket.SocketType.close(sock)  # no TLS close_notify either: the parent's session stays open

    def close(self) -> None:
        """Send COM_QUIT and close; a second call does nothing.

        A response that another thread is reading is cut off: closing alone would leave that thread waiting for it.
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
                self._start_command().sendall(packet(0, bytes([commands.COM_QUIT])))
        except (OSError, ValueError) as error:  # the server was faster
            if not _is_of_the_socket(error):
                raise
        finally:
            self.thread.close()
            sock.close()
            self._sock = None  # last: after an interrupt, a second call does what is left

    def _end_command(self) -> None:
        """Wait briefly for a command that an interrupt left running: it still reads from the socket."""
        command = self._command
        if command is None or command.cancel() or command.wait(1.0):  # an aborted KILL might still arrive later
            return
        self.abort()
        command.wait(1.0)

    def _ask(self, command: int, payload: bytes, timeout: float) -> list[Event]:
        self.settle(timeout=timeout)
        self._command = BackgroundCall(lambda: self._send_and_receive(command, payload), self.thread)
        self._command.start()
        events = self._result(self._command, timeout)
        self._command = None
        return events

    def _result(self, command: BackgroundCall[list[Event]], timeout: float) -> list[Event]:
        if not command.wait(timeout):
            self.abort()
            raise _lost(f"no answer within {limit_text(timeout)}")
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

    def _send(
        self,
        command: int,
        payload: bytes,
        progress: Callable[[], None] = lambda: None,
        *,
        pipelined: bool = False,
    ) -> int | None:
        stream = self._start_command(pipelined=pipelined)
        rest = memoryview(bytes([command]) + payload)
        for sequence in range(len(rest) // MAX_PACKET + 1):  # a full last packet is followed by an empty one
            data = memoryview(packet(sequence, rest[:MAX_PACKET]))
            for start in range(0, len(data), _SLICE):
                stream.sendall(data[start : start + _SLICE])
                progress()
            rest = rest[MAX_PACKET:]
        return sequence + 1 if self._compressed is None else None

    def _execution(self, statement_id: int, parameters: bytes, *, pipelined: bool) -> bytes:
        """COM_STMT_EXECUTE and COM_STMT_CLOSE, so short that the server gets both, in one record of TLS, or neither."""
        execute, close = execute_packet(statement_id, parameters), close_packet(statement_id)
        return self._framed(execute, pipelined=pipelined) + self._framed(close)

    def _framed(self, command: bytes, *, pipelined: bool = True) -> bytes:
        """A command of one packet, as it is sent: with compression, as a frame of its own.

        Args:
            command: The packet.
            pipelined: Whether a response to earlier commands is still to come, or a response to this one never.
        """
        if self._compressed is None:
            return command
        self._compressed.start_command(pipelined=pipelined)
        return self._compressed.pack(command)

    def _start_command(self, *, pipelined: bool = False) -> Any:
        """What the next command is sent through; `pipelined` as in `_framed`."""
        stream = self._open_stream()
        if self._compressed is not None:
            self._compressed.start_command(pipelined=pipelined)
        return stream

    def _open_stream(self) -> Any:
        """What data is sent and read through: the TLS socket, or the compressed stream on it."""
        sock = self._open_socket()
        return sock if self._compressed is None else self._compressed

    def _open_socket(self) -> Any:
        sock = self._sock  # read once: another thread may close the session meanwhile
        if sock is None:
            raise OSError(errno.EBADF, "the connection is closed")
        return sock


@contextmanager
def _losses() -> Iterator[None]:
    """Turn socket errors into ConnectionLostError; exceptions of signal handlers pass through."""
    try:
        yield
        return
    except _BROKEN as error:
        if not _is_of_the_socket(error):
            raise
        message = str(error) or type(error).__name__
    raise _lost(message)


_SMALL = 16_000  # bytes of a statement that fits one record of TLS (16 KiB) with what is sent behind it
_MOST_AT_ONCE = 256 << 10
_SLICE = 64 << 10  # bytes; few enough to see progress on a slow link
# What a broken socket raises. ValueError: it is closed, or its TLS object is gone.
_BROKEN = (OSError, ValueError)


def _is_of_the_socket(error: BaseException) -> bool:
    return dial.is_of_the_socket(error, frozenset({__name__, compressed_stream.__name__, tls_socket.__name__}))


def _lost(message: str) -> ConnectionLostError:
    return ConnectionLostError("The connection to the server was lost.", detail=message)


def _readable(sock: socket.socket, timeout: float) -> bool:
    if hasattr(select, "poll"):  # select() accepts no descriptor above 1023
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])
