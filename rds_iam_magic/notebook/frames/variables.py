"""The frames that a magic line names, and their way into tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import near
from rds_iam_magic.notebook.variables import bindable
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.feedback.line import Feedback
    from rds_iam_magic.notebook.options import SqlLine


class Frames:
    """The frames of a line, looked up before anything runs.

    Args:
        line: The parsed line.
        shell: It has the notebook's variables.
        local_ns: Those of the function that the magic was called in, which come first.

    Raises:
        OptionError: A variable is missing, or no frame.
    """

    def __init__(self, line: SqlLine, shell: InteractiveShell, local_ns: Mapping[str, Any] | None = None) -> None:
        self._load = line.load
        self._frame = None if line.load is None else frame_named(line.load.variable, shell, local_ns)
        self._joined = {name: frame_named(variable, shell, local_ns) for name, variable in line.frames.items()}

    def write(self, connection: Connection, feedback: Feedback) -> None:
        """Write them, and tell of the one that stays."""
        for name, frame in self._joined.items():
            connection.load_temporary(frame, name)
        if self._load is not None:
            rows = connection.load(
                self._frame, self._load.table, if_exists=self._load.if_exists, index=self._load.index
            )
            feedback.after(f"{count_of(rows, 'row')} written into table {self._load.table.strip('`')}")


def frame_named(name: str, shell: InteractiveShell, local_ns: Mapping[str, Any] | None = None) -> Any:
    """The frame in a variable of the notebook, or of the function that the magic was called in; `_` is the last result.

    Raises:
        OptionError: There is no such variable, or it is no frame.
    """
    variables = {**bindable(shell, local_ns), "_": shell.user_ns.get("_")}
    value = variables.get(name)
    if value is None:
        guess = near(name, [key for key, each in variables.items() if is_frame(each)])
        raise OptionError(f"There is no variable {name!r}.", f"Did you mean {guess}?" if guess else "Name a DataFrame.")
    if not is_frame(value):
        raise OptionError(f"{name} is a {type(value).__name__}, not a DataFrame.", "Name a DataFrame.")
    return value


def is_frame(value: object) -> bool:
    """Whether it is a DataFrame of pandas or polars, or an Arrow table: told without importing any."""
    kind = type(value)
    return kind.__name__ in ("DataFrame", "Table") and kind.__module__.partition(".")[0] in (
        "pandas",
        "polars",
        "pyarrow",
    )
