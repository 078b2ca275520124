"""Puts our completions before IPython's, in all front ends at once, and takes them away again.

JupyterLab, Notebook and the terminal all ask `IPCompleter.completions(text, offset)`: a kernel for `complete_request`,
also from a thread. In the magics' lines and cells we answer alone, for a Python name is always wrong there; everywhere
else IPython does, untouched. (Matchers of IPython's own would let Python names in as soon as they find nothing.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from rds_iam_magic.notebook.completion.suggestion import Suggestions

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

Complete = Callable[[str, int], Suggestions | None]
"""The text of a cell and the cursor's offset → what may be written there; None where it is Python."""

_ORIGIN = "rds_iam_magic"


def install(ipython: InteractiveShell, complete: Complete) -> Callable[[], None]:
    """Have a shell ask `complete` first; returns a function that undoes this."""
    completer = cast("Any", ipython.Completer)
    is_inherited = "completions" not in vars(completer)
    python = completer.completions

    def completions(text: str, offset: int) -> Iterator[Any]:
        suggestions = complete(text, offset)
        if suggestions is None:
            return python(text, offset)  # type: ignore[no-any-return] # IPython's own
        return _converted(suggestions, offset)

    completer.completions = completions

    def uninstall() -> None:
        if completer.__dict__.get("completions") is completions:
            if is_inherited:
                del completer.completions
            else:
                completer.completions = python
        else:  # another extension has put its own before ours: it goes on, without us
            nonlocal complete
            complete = _nothing

    return uninstall


def _nothing(text: str, offset: int) -> None:  # noqa: ARG001 - a `Complete`
    return None


def _converted(suggestions: Suggestions, offset: int) -> Iterator[Any]:
    from IPython.core.completer import Completion

    for item in suggestions.items:
        yield Completion(start=suggestions.start, end=offset, text=item.text, type=item.kind, _origin=_ORIGIN)
