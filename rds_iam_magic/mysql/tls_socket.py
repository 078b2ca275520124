"""`TlsSocket`: Python's TLS socket, closed where it fails to begin, and read by many records at once."""

from __future__ import annotations

import errno
import os
import ssl
import sys
from typing import Any


class TlsSocket(ssl.SSLSocket):
    """An `ssl.SSLContext` makes these where its `sslsocket_class` says so."""

    def getpeername(self) -> Any:
        """The peer's address, as of any socket.

        Python's own (before 3.13) makes the second socket object for the descriptor, asks for the peer's name,
        and if that or the read that follows fails, raises without closing it; nobody else has it by then.

        Raises:
            ConnectionResetError: TLS was to begin, and the other side is gone; the socket is closed.
            OSError: There is no peer any more.
        """
        try:
            return super().getpeername()
        except OSError:
            if self._sslobj is not None:  # type: ignore[attr-defined]  # TLS has begun: it has an owner, who closes it
                raise
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)) from None

    def read_records(self, space: memoryview) -> int:
        """Read at least one byte into `space`, and on while whole records wait; 0 at the end of the stream.

        The parser's steps cost less for many records than for one. Waiting ones are counted rather than tried: to read
        without blocking, and to fail, takes as long as a record does.

        Raises:
            OSError: The connection is lost, and nothing was read.
        """
        read: Any = self.read  # typed as if it always returned bytes
        count = int(read(len(space), space))
        if count < _SMALL:
            return count
        number = self.fileno()
        try:
            while count < len(space) and _waiting(number) >= _LARGEST:
                received = int(read(len(space), space[count:]))
                if not received:
                    break
                count += received
        except OSError:  # the next read will find it
            pass
        return count


_SMALL = 1000  # bytes of a first record behind which nothing more is looked for: those of most answers
# What a record takes at most, of TLS 1.2 (https://www.rfc-editor.org/rfc/rfc5246#section-6.2.3); of 1.3 it is less.
# With so much at hand, a record that holds nothing for us, such as a ticket, is no reason to wait: another follows it.
_LARGEST = 5 + (16 << 10) + 2048

if sys.platform == "win32":

    def _waiting(number: int) -> int:  # noqa: ARG001 - one signature
        """How many bytes a descriptor's next reads have at hand; here it cannot be told."""
        return 0

else:
    import fcntl
    import termios

    def _waiting(number: int) -> int:
        """How many bytes a descriptor's next reads have at hand."""
        return int.from_bytes(fcntl.ioctl(number, termios.FIONREAD, bytes(4)), sys.byteorder)
