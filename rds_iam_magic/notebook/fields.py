"""`read_fields`: a line's options → a dataclass of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, get_args, get_type_hints

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import Line, number, one_of, whole
from rds_iam_magic.option import options_of

_Options = TypeVar("_Options")


def read_fields(kind: type[_Options], line: Line) -> _Options:
    """A dataclass filled with the line's options; other fields keep their defaults.

    Raises:
        OptionError: A value is not a number where one is needed, or a flag is both on and off.
    """
    infos = options_of(kind)
    values = {key: _field_value(line, key, types, infos[key].choices) for key, types in _field_types(kind).items()}
    return kind(**{key: value for key, value in values.items() if value is not None})


def _field_value(line: Line, key: str, types: frozenset[type], choices: Sequence[str]) -> Any:
    name = key.replace("_", "-")
    if bool in types:
        return _flag(line, key, name)
    if float in types:
        return number(line.get(key), name)
    if int in types:
        return whole(line.get(key), name)
    return one_of(line.get(key), name, choices) if choices else line.get(key)


def _flag(line: Line, key: str, name: str) -> bool | None:
    on, off = key in line.flags, f"no_{key}" in line.flags
    if on and off:
        raise OptionError(f"--{name} and --no-{name} exclude each other.", "Keep one of them.")
    return on if on or off else None


def _field_types(kind: type) -> dict[str, frozenset[type]]:
    """The types that each field's value may have, such as `{float, NoneType}`."""
    return {key: frozenset(get_args(hint) or (hint,)) for key, hint in get_type_hints(kind).items()}
