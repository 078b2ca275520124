"""`CompressedStream`: a socket whose bytes go through compressed frames, with the methods that a session uses for data.

It reads what has come, whole frames or not, and blocks only while it has nothing to return.
"""

from __future__ import annotations

from typing import Any

from rds_iam_magic.mysql.wire.compression import Algorithm, Frames


class CompressedStream:
    """What a session sends and reads after authentication, through the socket, which it does not own."""

    def __init__(self, sock: Any, algorithm: Algorithm) -> None:
        self._sock = sock
        self._frames = Frames(algorithm)
        self._contents = memoryview(b"")  # unpacked, not yet read

    @property
    def algorithm(self) -> str:
        """The algorithm's name."""
        return self._frames.algorithm.name

    def start_command(self, *, pipelined: bool = False) -> None:
        """What is sent next is a new command; see `Frames.start_command`."""
        self._frames.start_command(pipelined=pipelined)

    def pack(self, data: bytes | memoryview) -> bytes:
        """The data as frames, for someone else to send."""
        return self._frames.pack(data)

    def sendall(self, data: bytes | memoryview) -> None:
        """Send the data, as one frame unless it is larger."""
        self._sock.sendall(self._frames.pack(data))

    def recv_into(self, space: memoryview) -> int:
        """Read at least one byte into `space`; return the number of bytes, 0 at the end of the stream.

        Raises:
            ProtocolError: A frame is malformed.
        """
        while not self._contents:
            contents = self._frames.unpack()
            if contents is not None:
                self._contents = memoryview(contents)
                break
            count = self._sock.recv_into(self._frames.get_buffer())
            if not count:
                return 0
            self._frames.buffer_updated(count)
        count = min(len(space), len(self._contents))
        space[:count] = self._contents[:count]
        self._contents = self._contents[count:]
        return count

    def pending(self) -> int:
        """The number of bytes that can be read without the network, at least: none if there are none."""
        return len(self._contents) + self._frames.buffered + int(self._sock.pending())
