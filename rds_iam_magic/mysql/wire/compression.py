"""Compression: which algorithm, and its frames: what is sent goes in, what arrives comes out; no socket.

After authentication, both sides send frames instead of packets. A frame has a header of seven bytes, in which a length
before compression of 0 means that the payload is not compressed. Where packets begin and end does not matter to frames.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from rds_iam_magic.connect_options import Compress
from rds_iam_magic.errors import ConnectError, ProtocolError

HEADER = 7
MAX_FRAME = 0xFFFFFF
SMALLEST = 50
"""Bytes; fewer are sent as they are, as MySQL's own clients do."""

_ROOM = 64 << 10  # bytes; servers send frames of up to 16 KiB, unless a value is larger


class Algorithm(ABC):
    """A way to compress.

    Attributes:
        name: As MySQL spells it.
        capability: The bit by which the server offers it and the client chooses it.
        login_suffix: What ends the handshake response of a client that has chosen it.
    """

    name: str
    capability: int
    login_suffix = b""

    @abstractmethod
    def compress(self, data: bytes | memoryview) -> bytes:
        """The data, compressed."""

    @abstractmethod
    def expand(self, data: memoryview, size: int) -> bytes:
        """What was compressed, which must have `size` bytes; no more than these are ever held.

        Raises:
            ProtocolError: It is malformed, or of another size.
        """


class Zlib(Algorithm):
    """MySQL and MariaDB."""

    name, capability = "zlib", 1 << 5

    def compress(self, data: bytes | memoryview) -> bytes:
        """The data, compressed."""
        return zlib.compress(data)

    def expand(self, data: memoryview, size: int) -> bytes:
        """See `Algorithm`."""
        inflater = zlib.decompressobj()
        try:
            # One byte more than announced, so that zlib reads the checksum behind the last one, and excess is seen.
            contents = inflater.decompress(data, size + 1)
        except zlib.error as error:
            raise _malformed(str(error)) from None
        if len(contents) != size or not inflater.eof or inflater.unused_data:
            raise _malformed(f"{len(contents)} bytes instead of {size}")
        return contents


class Zstd(Algorithm):
    """MySQL since 8.0.18; by pyarrow, which is there anyway."""

    name, capability, login_suffix = "zstd", 1 << 26, b"\x03"  # the level that the server is asked for

    def __init__(self) -> None:
        import pyarrow as pa

        self._codec: Any = pa.Codec("zstd", compression_level=self.login_suffix[0])

    def compress(self, data: bytes | memoryview) -> bytes:
        """The data, compressed."""
        return bytes(self._codec.compress(data, asbytes=True))

    def expand(self, data: memoryview, size: int) -> bytes:
        """See `Algorithm`."""
        try:
            contents: bytes = self._codec.decompress(data, decompressed_size=size, asbytes=True)
        except (OSError, ValueError) as error:  # pyarrow's for malformed data; it refuses another size, too
            raise _malformed(str(error)) from None
        return contents


ALGORITHMS: dict[str, type[Algorithm]] = {"zstd": Zstd, "zlib": Zlib}
"""By name, the better one first."""


def offered(capabilities: int) -> list[str]:
    """The algorithms that a server offers, the better one first."""
    return [name for name, algorithm in ALGORITHMS.items() if capabilities & algorithm.capability]


FAST_LINK = 0.005
"""Seconds of round trip below which compression costs more time than it saves."""


def choose(compress: Compress, offers: Sequence[str], round_trip: float, host: str) -> str:
    """The algorithm to use; "" for none.

    Args:
        compress: What the user wants.
        offers: What the server offers, the better one first.
        round_trip: Seconds, as measured so far.
        host: The server, for the error.

    Raises:
        ConnectError: The server does not offer what the user wants.
    """
    if compress == "off":
        return ""
    if compress == "auto":
        return offers[0] if offers and round_trip >= FAST_LINK else ""
    if compress not in offers:
        raise ConnectError(
            f"The server at {host} does not offer {compress} compression; nothing was sent.",
            cause="zstd-not-offered" if "zlib" in offers else "compression-not-offered",
        )
    return compress


class Frames:
    """The frames of one session, in both directions.

    A command and its response share one count of frames, from 0. Servers set the sequence number of a packet to that
    count whenever they have flushed a frame, so the frames' numbers are the ones to check, not the packets'.

    It follows the contract of `asyncio.BufferedProtocol`, as `ResponseParser` does; `unpack` returns what came.

    Raises:
        ProtocolError: From `unpack`, for a malformed frame; the connection cannot be used afterwards.
    """

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self._due = deque([0])  # for each command whose response has not been read: the number of its next frame
        self._buffer = bytearray(_ROOM)
        self._offset = self._filled = 0

    @property
    def buffered(self) -> int:
        """The number of bytes that have come and are not unpacked."""
        return self._filled - self._offset

    def start_command(self, *, pipelined: bool = False) -> None:
        """Number the next frames from 0.

        Args:
            pipelined: Whether the responses to earlier commands are still to come.
        """
        if not pipelined:
            self._due.clear()
        self._due.append(0)

    def pack(self, data: bytes | memoryview) -> bytes:
        """The data as frames."""
        return b"".join(self._pack(memoryview(data)))

    def _pack(self, data: memoryview) -> Iterator[bytes | memoryview]:
        for start in range(0, len(data), MAX_FRAME):
            part = data[start : start + MAX_FRAME]
            compressed = self.algorithm.compress(part) if len(part) >= SMALLEST else None
            if compressed is not None and len(compressed) < len(part):
                yield self._header(len(compressed), before=len(part))
                yield compressed
            else:
                yield self._header(len(part), before=0)
                yield part

    def _header(self, length: int, *, before: int) -> bytes:
        number = self._due[-1]
        self._due[-1] = (number + 1) & 0xFF
        return length.to_bytes(3, "little") + bytes([number]) + before.to_bytes(3, "little")

    def get_buffer(self, sizehint: int = -1) -> memoryview:  # noqa: ARG002 - the contract's signature
        """The free part of the buffer, to read the next bytes into; never empty. What `unpack` returned ends here."""
        if self._offset == self._filled and len(self._buffer) == _ROOM:
            self._offset = self._filled = 0
        elif self._offset == self._filled or self._filled == len(self._buffer):
            rest = memoryview(self._buffer)[self._offset : self._filled]
            self._buffer = bytearray(max(_ROOM, HEADER + self._length() if len(rest) >= HEADER else 0))
            self._buffer[: len(rest)] = rest
            self._offset, self._filled = 0, len(rest)
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, count: int) -> None:
        """`count` bytes were read into `get_buffer()`."""
        self._filled += count

    def unpack(self) -> bytes | memoryview | None:
        """The contents of the next frame; None if it has not come whole."""
        if self.buffered < HEADER or self.buffered < HEADER + self._length():
            return None
        start = self._offset + HEADER
        end = start + self._length()
        before = int.from_bytes(self._buffer[start - 3 : start], "little")
        self._check_sequence(self._buffer[start - 4])
        payload = memoryview(self._buffer)[start:end]
        if not payload:
            raise _malformed("an empty frame")
        self._offset = end
        return self.algorithm.expand(payload, before) if before else payload

    def _length(self) -> int:
        return int.from_bytes(self._buffer[self._offset : self._offset + 3], "little")

    def _check_sequence(self, number: int) -> None:
        if len(self._due) > 1 and number == self._due[1] != self._due[0]:
            self._due.popleft()  # the next response begins
        if number != self._due[0]:
            raise ProtocolError(
                "The server's compressed frames are out of order.", detail=f"frame {number} instead of {self._due[0]}"
            )
        self._due[0] = (number + 1) & 0xFF


def _malformed(detail: str) -> ProtocolError:
    return ProtocolError("The server sent a malformed compressed frame.", detail=detail)
