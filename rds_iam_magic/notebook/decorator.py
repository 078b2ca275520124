"""`magic`: what every magic has around it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.hints import Interface

if TYPE_CHECKING:
    from rds_iam_magic.notebook.grammar import Grammar

F = TypeVar("F", bound=Callable[..., Any])


def magic(grammar: Grammar) -> Callable[[F], F]:
    """Decorate a magic: its docstring is its help, errors use the notebook's spelling, interrupts show no traceback."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(self: object, *args: Any, **named: Any) -> Any:
            try:
                return function(self, *args, **named)
            except RdsIamError as error:
                error.interface = Interface.NOTEBOOK
                raise
            except KeyboardInterrupt as error:
                from rds_iam_magic.notebook.showing import display

                display.shorten(error)
                raise

        run.__doc__ = grammar.help()
        return run  # type: ignore[return-value] # functools.wraps keeps the signature

    return decorate
