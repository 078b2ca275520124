"""Compressed frames as a server has them; written apart from the package's own, so that both cannot be wrong alike."""

from __future__ import annotations

import zlib
from typing import Any

import pyarrow as pa

ZLIB, ZSTD = 1 << 5, 1 << 26
NAMES = {ZLIB: "zlib", ZSTD: "zstd"}


def compressed(data: bytes, capability: int) -> bytes:
    return zlib.compress(data) if capability == ZLIB else pa.Codec("zstd").compress(data, asbytes=True)


def frame(number: int, payload: bytes, before: int = 0) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number & 0xFF]) + before.to_bytes(3, "little") + payload


def frame_of(number: int, data: bytes, capability: int) -> bytes:
    """The data, compressed whatever its size."""
    return frame(number, compressed(data, capability), len(data))


class FramedSocket:
    """A socket whose bytes are in frames; what a server reads and sends for one command shares one count."""

    def __init__(self, sock: Any, capability: int) -> None:
        self._sock, self._capability = sock, capability
        self._contents = b""
        self.number = 0
        self.frames_read: list[bool] = []  # of each: whether it was compressed

    def recv(self, count: int) -> bytes:
        if not self._contents:
            head = self._read(7)
            if not head:
                return b""
            assert head[3] == self.number & 0xFF, f"frame {head[3]} instead of {self.number}"
            self.number += 1
            payload, before = self._read(int.from_bytes(head[:3], "little")), int.from_bytes(head[4:], "little")
            self._contents = self._expand(payload, before) if before else payload
            self.frames_read.append(bool(before))
        part, self._contents = self._contents[:count], self._contents[count:]
        return part

    def sendall(self, data: bytes) -> None:
        self._sock.sendall(frame_of(self.number, bytes(data), self._capability))
        self.number += 1

    def _expand(self, payload: bytes, before: int) -> bytes:
        if self._capability == ZLIB:
            contents = zlib.decompress(payload)
        else:
            contents = pa.Codec("zstd").decompress(payload, before, asbytes=True)
        assert len(contents) == before
        return contents

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count and (part := self._sock.recv(count - len(data))):
            data += part
        return data
