"""`ahead`: what comes next is made on another thread while the server works on what came before."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TypeVar

from rds_iam_magic.background import TICK, BackgroundCall, BackgroundThread

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yield the items of an iterator, each made while the one before is used; close it, to end the thread.

    Raises:
        Exception: What making an item raised, when it is its turn.
    """
    thread = BackgroundThread()
    call: BackgroundCall[Item | None] | None = None
    try:
        call = _begun(items, thread)
        while True:
            while not call.wait(TICK):
                pass
            item = call.result()
            if item is None:
                return
            call = _begun(items, thread)
            yield item
    finally:
        while call is not None and not (call.cancel() or call.wait(TICK)):
            pass
        thread.close()


def _begun(items: Iterator[Item], thread: BackgroundThread) -> BackgroundCall[Item | None]:
    call = BackgroundCall(lambda: next(items, None), thread)
    call.start()
    return call
