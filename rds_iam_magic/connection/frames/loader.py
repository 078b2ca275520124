"""`FrameLoader`: a frame into a table, all rows or none.

A new table is made under a name of its own, filled, read back and compared, and then renamed, in one step. Rows for an
existing table are first put into a temporary table with its columns, read back and compared, and then copied by one
INSERT … SELECT in a transaction. So what does not fit is found before the table has a row of it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing

from rds_iam_magic.connection.frames.ahead import ahead
from rds_iam_magic.connection.frames.own_statements import OwnStatements
from rds_iam_magic.errors import ConnectionLostError, OptionError, RdsIamError, ResultError, StatementError
from rds_iam_magic.ingest.checks import check_values
from rds_iam_magic.ingest.columns import Frame
from rds_iam_magic.ingest.comparing import Difference, first_difference, same_rows
from rds_iam_magic.ingest.declarations import declarations_of, sizes_note
from rds_iam_magic.ingest.existing import Existing, check_fit
from rds_iam_magic.ingest.rows import Insert, inserts_of, prepared_inserts_of
from rds_iam_magic.mysql.server_errors import NOT_PREPARED
from rds_iam_magic.results.progress import Progress
from rds_iam_magic.schema.names import Table
from rds_iam_magic.sql.quoting import quote_name, quote_text
from rds_iam_magic.wording import count_of

_AT_ROW = re.compile(r"\bat row (\d+)")
OF_OURS = "_rds_iam_load_"
"""How the names of tables begin that exist while a load runs."""

_OWN_NAME = re.compile(rf"(`[^`]*`\.)?`{OF_OURS}\w+`\.")


class FrameLoader:
    """Loads one frame into one table.

    Args:
        own: Runs the statements.
        frame: What to load.
        table: Where to.
        schema: Its schema, if the name has none.
        notify: Called with each note for the user.
    """

    def __init__(
        self, own: OwnStatements, frame: Frame, table: Table, schema: str | None, notify: Callable[[str], None]
    ) -> None:
        self._own = own
        self._frame = frame
        self._table = Table(table.schema or schema, table.name)
        self._notify = notify
        self._of_ours = f"{OF_OURS}{secrets.token_hex(6)}"
        self._done = self._size = 0
        for column in frame.columns:
            check_values(column)

    def load(self, if_exists: str) -> None:
        """Load the frame; `if_exists` is `fail`, `replace` or `append`.

        Raises:
            OptionError: The table exists and must not, or a value does not fit; nothing was stored.
            ResultError: What came back was something else; nothing was stored.
            StatementError, ConnectionLostError: As `Connection.execute` does; nothing was stored, unless it says so.
        """
        self._require_schema()
        if self._table.name.lower() in self._own.temporary_tables:
            raise _is_temporary(self._table.name)
        existing = self._existing()
        if existing is not None and if_exists == "append":
            self._append(existing)
            return
        if existing is not None and if_exists == "fail":
            raise OptionError(f"Table {self._table.name} already exists.", cause="load-table-exists")
        self._create(existing)

    def load_temporary(self, of_frames: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]]:
        """Make a temporary table of the frame, which ends with the session.

        Args:
            of_frames: Those that were made before, each by the session's number and its name in lower case.

        Returns:
            The same with this one.

        Raises:
            OptionError: There is another table of that name; or as `load` does.
            ResultError, StatementError, ConnectionLostError: As `load` does; there is no table then.
        """
        self._require_schema()
        name, lower = quote_name(self._table.name), self._table.name.lower()
        is_ours = (self._own.session_number, lower) in of_frames
        if lower in self._own.temporary_tables and not is_ours:
            raise _is_temporary(self._table.name)
        if self._existing() is not None:
            raise OptionError(
                f"There is a table {self._table.name}, which the temporary one would hide.",
                "Choose another name.",
                cause="load-table-exists",
            )
        declarations = declarations_of(self._frame.columns)
        columns = ", ".join(declaration.sql for declaration in declarations)
        with self._settings():
            try:
                if is_ours:
                    self._own.run(f"DROP TEMPORARY TABLE IF EXISTS {name}")
                self._own.run(f"CREATE TEMPORARY TABLE {name} ({columns}){self._utf8()}")
                self._fill(name, {declaration.name: declaration.type for declaration in declarations})
            except BaseException:
                self._own.drop_temporary(name, self._table.name)
                raise
        return of_frames | {(self._own.session_number, lower)}

    def _create(self, existing: Existing | None) -> None:
        """A new table, in the place of the existing one."""
        if existing is not None:
            existing.check_replaceable()
        if self._own.in_transaction:
            raise OptionError(
                "A transaction is open, and to make a table would commit it.", cause="load-in-transaction"
            )
        declarations = declarations_of(self._frame.columns)
        self._tell(sizes_note(declarations))
        columns = ", ".join(declaration.sql for declaration in declarations)
        ours, old = self._named(self._of_ours), self._named(f"{self._of_ours}_old")
        renames = f"{ours} TO {self._table.sql}"
        if existing is not None:
            renames = f"{self._table.sql} TO {old}, {renames}"
        with self._settings():
            try:
                self._own.run(f"CREATE TABLE {ours} ({columns}) ENGINE=InnoDB{self._utf8()}")
                self._own.run("START TRANSACTION")
                self._fill(ours, {declaration.name: declaration.type for declaration in declarations})
                self._rename(renames, ours)
            except BaseException:
                drops = [f"DROP TABLE IF EXISTS {table}" for table in ([old, ours] if existing is not None else [ours])]
                if not self._own.undo("ROLLBACK", *drops):
                    self._tell(f"table {self._of_ours} may be left behind; DROP it.")
                raise
            if existing is not None:
                self._drop(old)

    def _rename(self, renames: str, ours: str) -> None:
        """Commit, and rename; if the connection is lost meanwhile, find out which it is.

        Raises:
            ConnectionLostError: Nothing was stored, or that cannot be known.
        """
        try:
            self._own.run(f"RENAME TABLE {renames}")  # it commits first
        except ConnectionLostError as loss:
            is_done = self._own.is_gone(ours)
            if is_done is None:
                raise
            if not is_done:
                raise ConnectionLostError(
                    "The connection was lost before the table had its name; nothing was stored.",
                    cause="load-lost",
                    detail=loss.detail,
                ) from None

    def _drop(self, old: str) -> None:
        try:
            self._own.run(f"DROP TABLE {old}")
        except RdsIamError as error:  # the load has succeeded
            if not self._own.undo(f"DROP TABLE IF EXISTS {old}"):
                self._tell(f"the rows before are left as {old}: {error.message}")
        except BaseException:
            self._own.undo(f"DROP TABLE IF EXISTS {old}")
            raise

    def _append(self, existing: Existing) -> None:
        """Rows into an existing table; within the user's transaction, if there is one, they are the user's to end."""
        check_fit(self._frame.columns, existing)
        is_users = self._own.in_transaction
        names = ", ".join(quote_name(column.name) for column in self._frame.columns)
        ours = self._named(self._of_ours)
        number = quote_name(self._of_ours)  # of a row
        with self._settings():
            try:
                as_there = f"SELECT {names} FROM {self._table.sql} LIMIT 0"  # noqa: S608 - quoted names
                key = f"{number} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY"
                self._own.run(f"CREATE TEMPORARY TABLE {ours} ({key}) ENGINE=InnoDB AS {as_there}")
                types = {column.name: existing.columns[column.name.casefold()].type for column in self._frame.columns}
                self._fill(ours, types, order=number)
                self._copy(ours, names, number, is_users=is_users)
            finally:
                self._own.drop_temporary(ours, self._of_ours)
        if is_users:
            self._tell("the rows are part of the open transaction: COMMIT or ROLLBACK it.")

    def _copy(self, ours: str, names: str, number: str, *, is_users: bool) -> None:
        point = quote_name(self._of_ours)
        try:
            self._own.run(f"SAVEPOINT {point}" if is_users else "START TRANSACTION")
            changed = self._own.run(
                f"INSERT INTO {self._table.sql} ({names}) SELECT {names} FROM {ours} ORDER BY {number}"  # noqa: S608
            )
            if changed != self._frame.rows:
                raise _not_verified(f"{count_of(changed, 'row')} of {self._frame.rows:,} were inserted")
            self._own.run(f"RELEASE SAVEPOINT {point}" if is_users else "COMMIT")
        except BaseException:
            if not self._own.lost:
                self._own.undo(f"ROLLBACK TO SAVEPOINT {point}" if is_users else "ROLLBACK")
            raise

    def _fill(self, table: str, types: Mapping[str, str], *, order: str = "") -> None:
        """Insert all rows, then read them back and compare each value.

        Args:
            table: Where to.
            types: The types of its columns, by the frame's names.
            order: The column that numbers its rows, if it has one.

        Raises:
            OptionError: The server refused a value.
            ResultError: Something else came back.
        """
        columns, rows = self._frame.columns, self._frame.rows
        names = ", ".join(quote_name(column.name) for column in columns)
        head = f"INSERT INTO {table} ({names}) VALUES "  # noqa: S608 - quoted names
        stage = f"loading {count_of(rows, 'row')}"
        inserts = ahead(self._inserts(head))
        with self._own.telling(lambda: Progress(self._done, self._size, stage)) as tell, closing(inserts):
            for insert in inserts:
                self._insert(insert, head)
                tell()
        exact = ", ".join(_exact(quote_name(column.name), types[column.name]) for column in columns)
        select = f"SELECT {exact} FROM {table}"  # noqa: S608 - quoted names
        difference = self._difference(f"{select} ORDER BY {order}" if order else select)
        if difference is not None and not order:  # perhaps in another order only
            with closing(self._own.batches(select)) as batches:
                difference = None if same_rows(columns, list(batches)) else difference
        if difference is not None:
            raise _differs(difference)

    def _inserts(self, head: str) -> Iterator[Insert]:
        make = prepared_inserts_of if self._own.takes_rows else inserts_of
        return make(self._frame.columns, head, self._frame.rows, max_packet=self._own.max_packet)

    def _insert(self, insert: Insert, head: str) -> None:
        """Run an INSERT; as text, if the server cannot prepare it now.

        Raises:
            OptionError: The server refused a value.
            ResultError: It inserted another number of rows.
        """
        try:
            changed = self._own.insert(insert, head)
        except StatementError as error:
            if not (insert.beside and error.code in NOT_PREPARED):
                raise _refused_row(error, insert.first) from error
            end = insert.first + insert.rows
            for each in inserts_of(self._frame.columns, head, end, first=insert.first, max_packet=self._own.max_packet):
                self._insert(each, head)
            return
        if changed != insert.rows:
            raise _not_verified(f"{changed:,} of {count_of(insert.rows, 'row')} were inserted")
        self._done += insert.rows
        self._size += len(insert.beside or insert.text)

    def _difference(self, select: str) -> Difference | None:
        """The first value that comes back as another one."""
        came, difference = 0, None
        with closing(self._own.batches(select)) as batches:
            for batch in batches:
                if difference is None and came + len(batch) <= self._frame.rows:
                    difference = first_difference(self._frame.columns, came, batch)
                came += len(batch)
        if came != self._frame.rows:
            raise _not_verified(f"{came:,} of {count_of(self._frame.rows, 'row')} came back")
        return difference

    def _existing(self) -> Existing | None:
        where = f"TABLE_SCHEMA = {quote_text(str(self._table.schema))} AND TABLE_NAME = {quote_text(self._table.name)}"
        found = self._own.rows(
            f"SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE {where}"  # noqa: S608 - quoted
        )
        if not found:
            return None
        columns = self._own.rows(f"SHOW COLUMNS FROM {self._table.sql}")
        referring = where.replace("TABLE_", "REFERENCED_TABLE_", 1).replace(" AND TABLE_", " AND REFERENCED_TABLE_", 1)
        children = self._own.rows(
            f"SELECT TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE {referring} LIMIT 1"  # noqa: S608 - quoted
        )
        return Existing.of(self._table.name, found[0], columns, [str(child[0]) for child in children])

    def _require_schema(self) -> None:
        if self._table.schema is None:
            raise OptionError("No schema is chosen.", cause="load-no-schema")

    def _settings(self) -> AbstractContextManager[None]:
        import pyarrow as pa

        kinds = [column.values.type for column in self._frame.columns]
        return self._own.settings(utc=any(pa.types.is_timestamp(kind) and kind.tz for kind in kinds))

    def _utf8(self) -> str:
        """The clause for a table in a schema whose character set has not all characters; its own collation else."""
        schema = quote_text(str(self._table.schema))
        rows = self._own.rows(
            f"SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {schema}"  # noqa: S608
        )
        return "" if rows and rows[0][0] == "utf8mb4" else " CHARACTER SET utf8mb4"

    def _named(self, name: str) -> str:
        return Table(self._table.schema, name).sql

    def _tell(self, note: str) -> None:
        if note:
            self._notify(note)


def _exact(name: str, kind: str) -> str:
    """A column, such that it comes back exactly: the text protocol rounds a FLOAT to six digits, and no DOUBLE."""
    return f"{name} + 0e0" if kind.upper().startswith("FLOAT") else name


def _is_temporary(name: str) -> OptionError:
    return OptionError(f"{name} is a temporary table of this session.", cause="load-table-temporary")


def _refused_row(error: StatementError, first: int) -> Exception:
    """The error for a value that the server refused, with its row in the frame."""
    match = _AT_ROW.search(error.server_message)
    if match is None:
        return error
    what = _AT_ROW.sub(f"at row {first + int(match[1]):,}", _OWN_NAME.sub("", error.server_message))
    return OptionError(
        f"The table cannot hold a value as it is: {what} ({error.code}); nothing was stored.", cause="load-value"
    )


def _differs(difference: Difference) -> ResultError:
    return _not_verified(
        f"column {difference.column}, row {difference.row + 1:,}: {_short(difference.sent)} came back as "
        f"{_short(difference.came)}"
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _not_verified(what: str) -> ResultError:
    return ResultError(
        f"The table would not hold the frame as it is: {what}; nothing was stored.", cause="load-differs"
    )
