"""Values of each type: as a table declares them, decoded here and by PyMySQL from one server; and made up, without one.

What PyMySQL gives for a type, and what pandas has for that, stands in the family's own tests: `Declared.same`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from rds_iam_magic.mysql.decode import DecodeOptions, Decoder
from tests.support.packets import column, rows_of

Same = Callable[[Any, Any], bool]
BACKENDS = ["pyarrow", "numpy_nullable"]
MASKED = {"int64": "Int64", "uint64": "UInt64", "float64": "Float64"}
"""The dtypes of `numpy_nullable` that have a name of their own."""


@dataclass(frozen=True)
class Declared:
    """A column as a table declares it.

    Attributes:
        declaration: Its type, in SQL.
        values: At the type's limits, as they are inserted.
        dtype: Of the DataFrame's column where it is NOT NULL.
        nullable: The dtype where it may be NULL, if that is another one.
        same: Whether a value of the DataFrame is the one that PyMySQL gives.
        same_arrow: The same for `dtype_backend="pyarrow"`.
        is_told: Whether the user is told that the values are not exact.
    """

    declaration: str
    values: list[Any]
    dtype: str
    nullable: str = ""
    same: Same = operator.eq
    same_arrow: Same | None = None
    is_told: bool = False

    def __str__(self) -> str:
        return self.declaration


def write(server: Any, declared: Declared, *, null: bool) -> list[Any]:
    """A table `one` of the values in order, on the server; returns how PyMySQL reads them."""
    with server.root() as root:
        root.execute("SET sql_mode = ''")
        root.execute(
            f"CREATE OR REPLACE TABLE scratch.one (n INT, v {declared.declaration} {'' if null else 'NOT'} NULL) "
            "CHARSET utf8mb4"
        )
        rows = [*declared.values, *([None, declared.values[0], None] if null else [])]
        root.executemany("INSERT INTO scratch.one VALUES (%s, %s)", list(enumerate(rows)))
        root.execute("SELECT v FROM scratch.one ORDER BY n")
        return [row[0] for row in root.fetchall()]


def check_dtype_and_values(server: Any, db: Any, notes: list[str], declared: Declared, *, null: bool) -> None:
    """The dtype follows from the declaration, with rows and without; the values are PyMySQL's."""
    expected = write(server, declared, null=null)
    frame = db.query("SELECT v FROM one ORDER BY n")
    values = frame["v"]
    assert str(values.dtype) == (declared.nullable or declared.dtype if null else declared.dtype)
    check_values(values.to_numpy() if values.dtype.kind in "mM" else values.tolist(), expected, declared.same)
    empty = db.query("SELECT v FROM one WHERE n < 0")
    assert empty.dtypes.tolist() == frame.dtypes.tolist(), "an empty result has the same dtypes"
    assert bool(notes) == declared.is_told


def check_other_backend(server: Any, db: Any, declared: Declared, backend: str) -> None:
    """The dtype is the backend's, the values are PyMySQL's."""
    expected = write(server, declared, null=True)
    values = db.query("SELECT v FROM one ORDER BY n", dtype_backend=backend)["v"]
    if backend == "pyarrow":
        assert isinstance(values.dtype, pd.ArrowDtype)
        check_values(values.tolist(), expected, declared.same_arrow or declared.same)
    else:
        masked = MASKED.get(declared.dtype)
        assert masked in (None, str(values.dtype))
        check_values(values.tolist(), expected, declared.same)


def check_values(ours: Any, theirs: list[Any], same: Same) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert pd.isna(mine) if other is None else same(mine, other), (mine, other)


def decode_texts(kind: int, texts: list[str | None], *, decimal: str = "float", **described: Any) -> Any:
    """Texts as a server would send them, as a column of that type."""
    decoder = Decoder([column("c", kind, **described)], DecodeOptions(decimal=decimal))
    return decoder.decode(rows_of([None if text is None else text.encode() for text in texts]))["c"]


def with_nulls(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A column of such values, some of them NULL."""
    return st.lists(st.none() | strategy, min_size=1, max_size=60)
