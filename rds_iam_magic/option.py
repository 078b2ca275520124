"""`OptionInfo`: an option's text, form and default, written once, for the magics, the Python interface and the docs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from rds_iam_magic.errors import OptionError

T = TypeVar("T")
_METADATA_KEY = "option"


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """What an option does and how it is written.

    Attributes:
        text: What it does, in sentences that suit both interfaces; code in backticks.
        default: Its value when it is omitted.
        default_text: The default in words, if the value says little, such as what None means.
        variable: The environment variable that is read when it is omitted, or "".
        choices: The allowed values, if they can be listed.
        metavar: The placeholder for its value on a magic line; "" for a flag.
        short: The letter of its short form on a magic line, or "".
        off_text: What `--no-…` does, for a flag whose default is neither on nor off; else "".
        for_aws: Whether it concerns the calls to AWS, so that magics which only call AWS have it too.
    """

    text: str
    default: object = None
    default_text: str = ""
    variable: str = ""
    choices: tuple[str, ...] = ()
    metavar: str = ""
    short: str = ""
    off_text: str = ""
    for_aws: bool = False

    @property
    def default_shown(self) -> str:
        """The default as shown to the user, without the variable; "" if the option is simply absent or off."""
        if self.default_text or self.default is None or isinstance(self.default, bool):
            return self.default_text
        return f"`{self.default:g}`" if isinstance(self.default, float) else f"`{self.default}`"

    def magic_text(self) -> str:
        """What the option of a magic does, and its default."""
        return self.text + self._default_sentence()

    def argument_text(self) -> str:
        """What the argument in Python does, and its default."""
        return self.effect_text() + self._default_sentence()

    def effect_text(self) -> str:
        """What the argument in Python does."""
        if self.off_text:
            return f"True: {_uncapitalized(self.text)} False: {_uncapitalized(self.off_text)}"
        return self.text

    def _default_sentence(self) -> str:
        sources = [f"the variable `{self.variable}`"] if self.variable else []
        sources += [self.default_shown] if self.default_shown else []
        return f" Default: {', else '.join(sources)}." if sources else ""


def option(
    default: T,
    text: str,
    *,
    metavar: str = "",
    default_text: str = "",
    variable: str = "",
    off_text: str = "",
    for_aws: bool = False,
    choices: tuple[str, ...] = (),
) -> T:
    """A dataclass field that is an option; the arguments are `OptionInfo`'s."""
    info = OptionInfo(
        text,
        default=default,
        default_text=default_text,
        variable=variable,
        metavar=metavar,
        off_text=off_text,
        for_aws=for_aws,
        choices=choices,
    )
    return field(default=default, metadata={_METADATA_KEY: info})


def options_of(kind: type[Any]) -> dict[str, OptionInfo]:
    """The options that a dataclass has for its fields, by their Python names, in order."""
    return {item.name: item.metadata[_METADATA_KEY] for item in fields(kind)}


def _uncapitalized(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def require_seconds(name: str, value: object) -> None:
    """Check an argument of the Python interface that is a duration.

    Raises:
        OptionError: It is not a number greater than 0.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value <= 0:  # type: ignore[arg-type, operator] # a number
        raise OptionError(f"{name}={value!r} is not a number greater than 0.", f"Write it like {name}=30.")
