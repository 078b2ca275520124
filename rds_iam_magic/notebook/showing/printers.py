"""`ObjectPrinters`: IPython's printers for single objects."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class ObjectPrinters:
    """How single objects are shown, until they are gone; others of their types, and what is derived, are as usual.

    Args:
        formatters: IPython's formatters that print them.
    """

    def __init__(self, *formatters: Any) -> None:
        self._formatters = formatters
        self._alive: dict[int, weakref.finalize[Any, Any]] = {}

    def add(self, value: object, *printers: Callable[..., Any]) -> None:
        """Print this object so from now on: a printer for each formatter, as IPython calls those of a type."""
        key = id(value)
        for formatter, printer in zip(self._formatters, printers, strict=True):
            formatter.singleton_printers[key] = printer
        self._alive[key] = weakref.finalize(value, self._forget, key)
        self._alive[key].atexit = False

    def clear(self) -> None:
        """Show all objects as usual."""
        for finalizer in list(self._alive.values()):
            finalizer()

    def _forget(self, key: int) -> None:
        for formatter in self._formatters:
            formatter.singleton_printers.pop(key, None)
        self._alive.pop(key, None)
