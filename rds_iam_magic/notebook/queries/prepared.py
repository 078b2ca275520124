"""`Prepared`: a cell's SQL as it will be sent, from its body or a file and from saved queries, with its values."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import OptionError, StatementError
from rds_iam_magic.notebook import sqltext
from rds_iam_magic.notebook.grammars import SQL
from rds_iam_magic.notebook.queries.files import line_as_written, line_of, read_sql
from rds_iam_magic.notebook.queries.saved import SavedQueries, SavedQuery
from rds_iam_magic.notebook.variables import Filled, filled
from rds_iam_magic.sql.composing.tables_read import tables_read
from rds_iam_magic.sql.composing.with_clause import Composed, check_query, with_queries

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.notebook.options import SqlLine

_OF_THE_SQL = ("parameter-", "shell-", "sql-")  # the causes of what is refused before it is sent
_AT_LINE = re.compile(r" at line (\d+)$")
_PARAMETER = re.compile(r":\w+")
_NO_TABLE, _SAME_COLUMN = (1142, 1146), 1060  # a table that may not be read is "denied", be it there or not


@dataclass(frozen=True, slots=True)
class Prepared:
    """A cell's SQL, ready to run.

    Attributes:
        line: The parsed line, with the SQL of its file and the frames of the saved queries.
        filled: What is sent, and the values to bind.
        composed: Where the saved queries are in it.
        saved: All saved queries.
        own_frames: The frames that the line names itself.
    """

    line: SqlLine
    filled: Filled
    composed: Composed
    saved: SavedQueries
    own_frames: Mapping[str, str]

    def keep(self) -> str:
        """Save the query, if that is asked for; return what to tell of it, or ""."""
        line = self.line
        if line.save is None:
            return ""
        query = SavedQuery(line.sql, line.jinja, line.queries, self.own_frames)
        done = "Replaced" if self.saved.keep(line.save, query) else "Saved"
        hides = line.save.lower() in tables_read(self.filled.sql)
        hidden = f" It hides the table {line.save} there." if hides else ""
        whole = ", without --limit" if line.limit else ""
        return f"{done} query {line.save}; --with {line.save} reads from it{whole}.{hidden}"

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Say in an error about the SQL what may be meant, and where in the files and queries it is."""
        try:
            yield
        except OptionError as error:
            if error.cause.startswith(_OF_THE_SQL):
                error.put_before_hint(self._where_refused(error))
            raise
        except StatementError as error:
            self._explain(error)
            raise

    def _explain(self, error: StatementError) -> None:
        sqltext.explain_options_in_sql(error, self.line.sql, SQL)
        if self.filled.params is not None and not self.line.jinja:
            sqltext.explain_bound_table(error, self.line.sql)
        error.put_before_hint(self._unused(error), self._where(error))

    def _unused(self, error: StatementError) -> str:
        """What is to be said of a saved query that stands for a table, or should."""
        if error.code == _SAME_COLUMN and self.composed.parts:
            return "The columns of a saved query need a name each: rename one with AS, and save it again."
        if error.code not in _NO_TABLE:
            return ""
        quoted, read = error.server_message.replace("`", "'"), tables_read(self.filled.sql)
        named = (name for name in self.saved if f".{name}'" in quoted or f"'{name}'" in quoted)
        name = next((name for name in named if name not in self.line.queries and name.lower() in read), "")
        return f"{name} is a saved query: add --with {name}." if name else ""

    def _where_refused(self, error: OptionError) -> str:
        parameter = _PARAMETER.search(error.message)
        if parameter is not None and parameter[0] not in self.line.sql:
            name = next((name for name in self.line.queries if parameter[0] in self.saved.find(name).sql), "")
            if name:
                return f"In the saved query {name}."
        return f"In {self.line.file}." if self.line.file is not None else ""

    def _where(self, error: StatementError) -> str:
        match = _AT_LINE.search(error.server_message)
        line = line_as_written(self.composed.text, error.position, int(match[1])) if match else 0
        name, line = self.composed.origin(line)
        if name:
            within = "in" if self.saved.find(name).uses else f"line {line} of"
            return f"That is {within} the saved query {name}."
        if self.line.file is None:
            return f"That is line {line} of the SQL as you wrote it." if match and self.composed.parts else ""
        begins = None if self.line.jinja else line_of(self.line.sql, error.position)
        if begins is None:
            return f"In {self.line.file}."
        return f"In {self.line.file}, line {begins[0] + line - 1 if match else begins[1]}."


def prepare(
    line: SqlLine, saved: SavedQueries, shell: InteractiveShell, local_ns: Mapping[str, Any] | None = None
) -> Prepared:
    """Bring together what a line names.

    Args:
        line: The parsed line.
        saved: The saved queries.
        shell: It has the notebook's variables.
        local_ns: Those of the function that the magic was called in, which come first.

    Raises:
        OptionError: A file cannot be read, there is no such query, what is to be saved is no query, or values cannot be
            filled in.
    """
    if line.file is not None:
        line = replace(line, sql=read_sql(line.file))
    if line.save is not None:
        saved.check(line)
    frames = line.frames
    if line.queries:
        line = replace(line, frames=_frames(line, saved))
    with _within(line.file or ""):
        own = filled(line, shell, local_ns)
    if line.save is not None:
        check_query(own.sql)
    if not line.queries:
        return Prepared(line, own, Composed(own.sql), saved, frames)
    values = [own]

    def query(name: str) -> str:
        """A saved query with those that it reads from: these are seen in it alone."""
        kept = saved.find(name)
        uses = {used: query(used) for used in kept.uses}
        with _within(f"the saved query {name}"):
            part = filled(replace(line, sql=kept.sql, jinja=kept.jinja), shell, local_ns)
            values.append(part)
            return with_queries(check_query(part.sql), uses).text

    composed = with_queries(own.sql, {name: query(name) for name in line.queries})
    params = [part.params for part in values if part.params is not None]
    if params and not line.bind:
        raise OptionError("--no-bind binds nothing; a saved query has values to bind.", "Omit --no-bind.")
    note = next((part.note for part in values if part.note), "")
    merged: Mapping[str, Any] | None = ChainMap(*map(dict, params)) if params else None
    return Prepared(line, Filled(composed.text, merged, note), composed, saved, frames)


@contextmanager
def _within(place: str) -> Iterator[None]:
    """Say in an error about SQL that it is in a file or in a saved query; "" is the cell's own."""
    try:
        yield
    except OptionError as error:
        if place and error.cause.startswith(("jinja-", "saved-", *_OF_THE_SQL)):
            error.put_before_hint(f"In {place}.")
        raise


def _frames(line: SqlLine, saved: SavedQueries) -> dict[str, str]:
    """The frames that a line and its saved queries read from.

    Raises:
        OptionError: Two of them have the same name, or one has that of a query; in those, case makes no difference.
    """
    frames = saved.frames_of(line.queries, line.frames)
    queries = {name.lower() for name in line.queries}
    for name in frames:
        if name.lower() in queries:
            raise OptionError(f"--with names {name} twice.", "Give each frame and query a name of its own.")
    return frames
