"""A server's bytes through the parser, in parts of any size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rds_iam_magic.mysql.wire.response import ResponseParser


def feed(data: bytes, cuts: Iterable[int] = (), piece: int = 4096, **asked: Any) -> list[Any]:
    """All events of a stream of bytes, fed in parts that end where `cuts` says; `asked`: of `ResponseParser`."""
    response, events, at = ResponseParser(chunk_bytes=piece, **asked), [], 0
    ends = sorted({*cuts, len(data)})
    while at < len(data):
        space = response.get_buffer()
        end = next((e for e in ends if e > at), len(data))
        part = data[at : min(end, at + len(space))]
        space[: len(part)] = part
        events += response.buffer_updated(len(part))
        at += len(part)
    if not response.done:
        response.eof_received()
    return events
