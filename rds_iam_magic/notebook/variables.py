"""The notebook's variables for a cell: which may be bound, and what looks like one that is not bound at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.parameters import COMMENT, STRING, read_pieces

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.notebook.options import SqlLine

_HISTORY = re.compile(r"_+|_i+|_i?\d+|_[iods]h|In|Out")
_NONE = object()
_NAME = r"([^\W\d]\w*)"
# Other tools' ways to fill in a variable: {x} and {{x}}, $x and ${x}, %(x)s; and ':x', which is a text.
_FOREIGN = re.compile(
    rf"""\{{\{{?\s*{_NAME}(?:[.\[!:][^{{}}]*)?\s*\}}\}}?|(?<![\w$])\$\{{?{_NAME}\}}?|%\({_NAME}\)s|(?<=['"]):{_NAME}(?=['"])"""
)


# Without one of these, there is nothing to bind and nothing to tell.
_MARKS = (":", "{", "$", "%(")


@dataclass(frozen=True, slots=True)
class Filled:
    """A cell's SQL with the values to bind.

    Attributes:
        sql: The text, filled in by Jinja if that is asked for.
        params: The values by name; None binds nothing.
        note: What the user should know before it runs, or "".
    """

    sql: str
    params: Mapping[str, Any] | None
    note: str = ""


def filled(line: SqlLine, shell: InteractiveShell, local_ns: Mapping[str, Any] | None = None) -> Filled:
    """The SQL of a parsed line, and the values of its parameters.

    Args:
        line: The parsed line.
        shell: It has the notebook's variables.
        local_ns: Those of the function that the magic was called in, which come first.

    Raises:
        OptionError: `--params` is no dict, or the template cannot be filled in.
    """
    if not (line.params or line.jinja or (line.bind and any(mark in line.sql for mark in _MARKS))):
        return Filled(line.sql, None)
    params: Mapping[str, Any] = bindable(shell, local_ns)
    if line.params is not None:
        params = given_params(line.params, params)
    if line.jinja:
        from rds_iam_magic.notebook.jinja import render

        return Filled(*render(line.sql, params))
    return Filled(line.sql, params, unbound_note(line.sql, params, shell))


def bindable(shell: InteractiveShell, local_ns: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The variables of the notebook, without IPython's own; those of a function's call come first."""
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in {**shell.user_ns, **(local_ns or {})}.items()
        if not (name.startswith("__") or _HISTORY.fullmatch(name)) and not _is_ipythons(name, value, hidden)
    }


def _is_ipythons(name: str, value: object, hidden: Mapping[str, Any]) -> bool:
    return callable(value) and hidden.get(name, _NONE) is value


def given_params(text: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The dict that `--params` means: a variable, or JSON.

    Raises:
        OptionError: It is neither.
    """
    if text.lstrip().startswith("{"):
        try:
            return dict(json.loads(text))
        except ValueError:
            pass
        raise OptionError("--params is not valid JSON.", """Write it in single quotes: --params '{"country": "JP"}'.""")
    value = variables.get(text.removeprefix("$"))
    if isinstance(value, Mapping):
        return value
    found = "there is no such variable" if value is None else f"it is a {type(value).__name__}"
    raise OptionError(f"--params {text} is not a dict: {found}.", "Name a dict with the values of the parameters.")


def unbound_note(sql: str, variables: Mapping[str, Any], shell: InteractiveShell) -> str:
    """The note for a text such as `{country}` that names a variable, and is sent as it stands; "" if there is none."""
    for match in _FOREIGN.finditer(sql):
        name = next(filter(None, match.groups()))
        if not _is_a_value_of_the_users(name, variables, shell) or _is_in_comment(sql, match.start()):
            continue
        shown = match.group()
        if shown.startswith(":"):
            quote = sql[match.start() - 1]
            return f"{quote}{shown}{quote} is sent as it stands; the variable is bound by {shown}, without quotes."
        return (
            f"{shown} is sent as it stands; the variable {name} is bound by :{name}"
            f"{', without quotes' if _is_in_string(sql, match.start()) else ''}."
        )
    return ""


def _is_a_value_of_the_users(name: str, variables: Mapping[str, Any], shell: InteractiveShell) -> bool:
    value = variables.get(name, _NONE)
    if value is _NONE or name.startswith("_") or isinstance(value, ModuleType) or callable(value):
        return False
    return shell.user_ns_hidden.get(name, _NONE) is not value


def _is_in_comment(sql: str, at: int) -> bool:
    return _kind_at(sql, at) == COMMENT


def _is_in_string(sql: str, at: int) -> bool:
    return _kind_at(sql, at) == STRING


def _kind_at(sql: str, at: int) -> str:
    try:
        return next((piece.kind for piece in read_pieces(sql) if piece.start <= at < piece.end), "")
    except OptionError:  # as binding will say
        return ""
