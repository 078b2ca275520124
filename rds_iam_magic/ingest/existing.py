"""`Existing`: the table that rows are appended to, or that is replaced; whether a frame's columns fit its."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.column import Column

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table, as SHOW COLUMNS has it."""

    name: str
    type: str
    can_be_null: bool
    has_default: bool
    is_generated: bool


@dataclass(frozen=True, slots=True)
class Existing:
    """A table that exists.

    Attributes:
        name: Its name.
        kind, engine: As information_schema has them: `BASE TABLE` and `InnoDB`; a view has no engine.
        columns: Its columns, by their names in lower case.
        children: Tables with a foreign key to it.
    """

    name: str
    kind: str
    engine: str
    columns: dict[str, TableColumn]
    children: tuple[str, ...]

    @classmethod
    def of(
        cls, name: str, found: Sequence[str | None], columns: Sequence[Sequence[str | None]], children: Sequence[str]
    ) -> Existing:
        """What the server has told: (TABLE_TYPE, ENGINE), the rows of SHOW COLUMNS, and the names of its children."""
        kind, engine = (str(value or "") for value in found)
        by_name = {str(row[0]).casefold(): _column(row) for row in columns}
        return cls(name, kind, engine, by_name, tuple(children))

    def check_replaceable(self) -> None:
        """Check that a new table can take its place.

        Raises:
            OptionError: It cannot.
        """
        self._check_table()
        if self.children:
            raise OptionError(
                f"Table {self.name} cannot be replaced: {self.children[0]} has a foreign key to it.",
                cause="load-table-kind",
            )

    def check_appendable(self) -> None:
        """Check that rows can be appended, all or none.

        Raises:
            OptionError: They cannot.
        """
        self._check_table()
        if self.engine.lower() != "innodb":
            raise OptionError(
                f"Table {self.name} has the engine {self.engine}, which cannot take back some rows.",
                cause="load-table-kind",
            )

    def _check_table(self) -> None:
        if self.kind != "BASE TABLE":
            raise OptionError(f"{self.name} is a {self.kind.lower()}, not a table.", cause="load-table-kind")


def _column(row: Sequence[str | None]) -> TableColumn:
    name, kind, null, _, _, extra = (str(value or "") for value in row[:6])
    words = extra.upper()
    return TableColumn(
        name,
        kind,
        can_be_null=null == "YES",
        has_default=row[4] is not None or null == "YES" or "AUTO_INCREMENT" in words or "DEFAULT_GENERATED" in words,
        is_generated="GENERATED" in words.replace("DEFAULT_GENERATED", ""),
    )


def check_fit(columns: Sequence[Column], table: Existing) -> None:
    """Check that a table has a frame's columns, and needs no others.

    Raises:
        OptionError: It has not, or a value is missing where there must be one.
    """
    table.check_appendable()
    given = {column.name.casefold() for column in columns}
    for column in columns:
        found = table.columns.get(column.name.casefold())
        if found is None:
            names = ", ".join(each.name for each in table.columns.values())
            raise _differs(f"Table {table.name} has no column {column.name}; it has {names}.")
        if found.is_generated:
            raise _differs(f"Column {found.name} of {table.name} is generated: its values are the server's.")
        if not found.can_be_null and column.values.null_count:
            column.require(column.values.is_null(), f"there is no value, and the column of {table.name} is NOT NULL")
    for name, found in table.columns.items():
        if name not in given and not (found.has_default or found.is_generated):
            raise _differs(f"Column {found.name} of {table.name} has no default, and the frame does not have it.")
    _check_time_zones(columns, table)


def _check_time_zones(columns: Sequence[Column], table: Existing) -> None:
    """A moment fits a TIMESTAMP only; the session's time zone is one for all columns of a load."""
    moments = [column for column in columns if _has_zone(column.values)]
    for column in moments:
        found = table.columns[column.name.casefold()]
        if not found.type.lower().startswith("timestamp"):
            raise _differs(
                f"Column {column.name} has a time zone, and {found.type.upper()} of {table.name} has none.",
                "Remove it in the zone that the table means: .dt.tz_convert(ZONE).dt.tz_localize(None).",
            )
    for column in columns:
        found = table.columns[column.name.casefold()]
        if moments and found.type.lower().startswith("timestamp") and not _has_zone(column.values):
            raise _differs(
                f"Column {column.name} of {table.name} is a TIMESTAMP, and has no time zone in the frame, as "
                f"{moments[0].name} has.",
                "Give it one: .dt.tz_localize(ZONE).",
            )


def _has_zone(values: pa.Array) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(values.type) and values.type.tz)


def _differs(message: str, hint: str = "") -> OptionError:
    return OptionError(message, hint, cause="load-columns-differ")
