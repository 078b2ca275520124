"""`--jinja`: fills in a template; values are bound and not pasted, unless they are marked as SQL: `{{ x | sql }}`.

Each `{{ … }}` becomes a parameter with a name that nobody can guess, so no value can pass for one.
"""

from __future__ import annotations

import secrets
import traceback
from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.parameters import PARAMETER, read_pieces


class Sql(str):
    """A text that is SQL."""

    __slots__ = ()


def render(template: str, variables: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Fill in a template; return the SQL, and the variables with the values that it has to be bound to.

    Raises:
        OptionError: Jinja is not installed, the template is not valid, a name is undefined, or a value stands in
            quotes.
    """
    try:
        import jinja2
    except ImportError:
        raise OptionError("Jinja is not installed.", cause="jinja-missing") from None
    collector = _Collector()
    environment = jinja2.Environment(  # noqa: S701 - SQL is no HTML: values are bound
        undefined=jinja2.StrictUndefined,
        finalize=jinja2.pass_context(lambda _, value: collector.take(value)),  # asked while it renders only
        keep_trailing_newline=True,
    )
    environment.filters["sql"] = lambda value: Sql(value)
    try:
        sql = environment.from_string(template).render(dict(variables))
    except jinja2.UndefinedError as error:
        raise OptionError(f"The template cannot be filled in: {error.message}.", cause="jinja-undefined") from None
    except jinja2.TemplateSyntaxError as error:
        raise OptionError(
            f"The template is not valid: {str(error.message).rstrip('.')} (line {error.lineno}).", cause="jinja-invalid"
        ) from None
    except Exception as error:  # noqa: BLE001 - what the template calls may raise anything
        failure = f"{type(error).__name__} (line {_line_of(error)})"  # not its message, which may show a value
    else:
        collector.require_bound(sql)
        return sql, ChainMap(collector.values, dict(variables))
    raise OptionError(f"The template cannot be filled in: {failure}.", cause="jinja-failed")


def _line_of(error: BaseException) -> int:
    """The template's line in which an error was raised; Jinja gives its frames the template's numbers."""
    frames = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == "<template>"
    ]
    return frames[-1] if frames else 1


class _Collector:
    """Keeps the values of a template, each under a name of its own."""

    def __init__(self) -> None:
        self._prefix = f"jinja_{secrets.token_hex(8)}_"
        self.values: dict[str, Any] = {}

    def take(self, value: Any) -> str:
        """What is written in a value's place."""
        if isinstance(value, Sql) or (
            isinstance(value, str) and self._prefix in value.lower()
        ):  # or what a macro has written
            return str(value)
        if type(value).__name__ == "StrictUndefined":
            return str(value)  # raises
        name = f"{self._prefix}{len(self.values) + 1}"
        self.values[name] = value
        return f":{name}"

    def require_bound(self, sql: str) -> None:
        """Refuse a value within quotes or a comment: it would be sent as the parameter's name."""
        if not self.values:
            return
        bound = {piece.parameter.name for piece in read_pieces(sql) if piece.kind == PARAMETER and piece.parameter}
        missing = [name for name in self.values if name not in bound and name in sql]
        if missing:
            line = sql.count("\n", 0, sql.index(missing[0])) + 1
            raise OptionError(
                f"A {{{{ … }}}} stands in quotes, a comment or a word (line {line}), where no value is bound.",
                cause="jinja-in-quotes",
            )
