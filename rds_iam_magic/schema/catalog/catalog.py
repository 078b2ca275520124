"""`Catalog`: what a server has, as far as it was read. Values that never change, so any thread may look at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rds_iam_magic.schema.catalog.names import Names

SEPARATOR = "\0"
"""Between the columns of a table."""


@dataclass(frozen=True, slots=True)
class SchemaNames:
    """What a schema has.

    Attributes:
        tables: Its tables and views.
        columns: The columns of each table that was read, in order, with `SEPARATOR` between them.
        all_columns: The columns of all of them, each once.
        functions, procedures: Its stored routines.
    """

    tables: Names = field(default_factory=Names)
    columns: Mapping[str, str] = field(default_factory=dict)
    all_columns: Names = field(default_factory=Names)
    functions: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    by_lower: Mapping[str, str] = field(default_factory=dict)

    def columns_of(self, table: str) -> list[str]:
        """The columns of a table; none if it is not known. Its case is ignored where no other table has it so."""
        found = self.columns.get(table)
        if found is None:
            found = self.columns.get(self.by_lower.get(table.lower(), ""), "")
        return found.split(SEPARATOR) if found else []

    def with_columns(self, columns: Mapping[str, str]) -> SchemaNames:
        """The same with other columns."""
        every = dict.fromkeys(name for names in columns.values() for name in names.split(SEPARATOR))
        return replace(
            self, columns=columns, all_columns=Names(every), by_lower={name.lower(): name for name in columns}
        )


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a server has, by schema."""

    schemas: Mapping[str, SchemaNames] = field(default_factory=dict)

    def schema(self, name: str | None) -> SchemaNames | None:
        """A schema; None if it is not known. Its case is ignored if there is none of this case."""
        if name is None or name in self.schemas:
            return self.schemas.get(name or "")
        return next((found for key, found in self.schemas.items() if key.lower() == name.lower()), None)

    def with_schema(self, name: str, names: SchemaNames) -> Catalog:
        """The same with another schema of that name."""
        return Catalog({**self.schemas, name: names})


def schemas_of(
    schemas: Iterable[str], tables: Iterable[tuple[str, str]], routines: Iterable[tuple[str, str, str]], known: Catalog
) -> Catalog:
    """A catalog of names; the columns of the tables that are still there are those that were known.

    Args:
        schemas: The schemas.
        tables: Each one's schema and name.
        routines: Each one's schema, name, and FUNCTION or PROCEDURE.
        known: What was known before.
    """
    by_schema: dict[str, list[str]] = {name: [] for name in schemas}
    for schema, table in tables:
        by_schema.setdefault(schema, []).append(table)
    stored: dict[tuple[str, str], list[str]] = {}
    for schema, name, kind in routines:
        stored.setdefault((schema, kind.upper()), []).append(name)
    found = {}
    for schema, names in by_schema.items():
        before = known.schemas.get(schema, SchemaNames())
        kept = {name: before.columns[name] for name in names if name in before.columns}
        found[schema] = replace(
            before if len(kept) == len(before.columns) else before.with_columns(kept),
            tables=Names(names),
            functions=tuple(stored.get((schema, "FUNCTION"), ())),
            procedures=tuple(stored.get((schema, "PROCEDURE"), ())),
        )
    return Catalog(found)
