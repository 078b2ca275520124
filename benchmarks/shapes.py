"""The tables that are read: each shape's SQL, made by the server itself, the same every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCHEMA = "bench"


@dataclass(frozen=True)
class Shape:
    """A table: its name, its rows at scale 1, and the columns of `SELECT … FROM seq_1_to_N`."""

    name: str
    rows: int
    columns: str
    what: str

    @property
    def query(self) -> str:
        """What every tool runs."""
        return f"SELECT * FROM {SCHEMA}.{self.name}"


def _nulls(expression: str, number: int) -> str:
    return f"IF((seq * {7 + 2 * number}) % 10 < 7, NULL, {expression}) AS c{number}"


_MIXED = """
    CAST(seq AS SIGNED INT) AS id, CAST(seq * 7919 * 104729 AS SIGNED) AS big, seq / 7.0e0 AS ratio,
    CAST(seq * 1.37 AS DECIMAL(12,2)) AS amount, DATE('2015-01-01') + INTERVAL (seq % 3650) DAY AS day,
    TIMESTAMP('2015-01-01') + INTERVAL seq * 97 SECOND AS moment, CONCAT('name ', seq % 1000, ' é') AS name,
    MD5(seq) AS text, CAST(seq % 2 AS SIGNED INT) AS flag, IF(seq % 5 = 0, NULL, seq % 100000) AS maybe
"""
_WIDE = ", ".join(f"CAST((seq * {7919 + 13 * i}) % {10 ** (1 + i % 9)} AS SIGNED INT) AS c{i}" for i in range(60))
_NULLS = ", ".join(
    _nulls(expression, number)
    for number, expression in enumerate(
        (
            "CAST(seq AS SIGNED INT)",
            "seq / 7.0e0",
            "CAST(seq AS DECIMAL(12,2))",
            "DATE('2015-01-01') + INTERVAL (seq % 3650) DAY",
            "TIMESTAMP('2015-01-01') + INTERVAL seq SECOND",
            "CONCAT('x', seq)",
            "MD5(seq)",
            "seq % 2",
            "SEC_TO_TIME(seq)",
            "CAST(seq * 7 AS SIGNED)",
        )
    )
)

SHAPES = {
    shape.name: shape
    for shape in (
        Shape("mixed", 1_000_000, _MIXED, "1M × 10, mixed types"),
        Shape("wide", 200_000, _WIDE, "200k × 60 integers"),
        Shape("text", 100_000, "RPAD(MD5(seq), 1024, SHA1(seq)) AS t", "100k × 1 KB of text"),
        Shape("narrow", 2_000_000, "CAST(seq AS SIGNED INT) AS a, CAST(seq * 31 % 1000 AS SIGNED INT) AS b", "2M × 2"),
        Shape("nulls", 500_000, _NULLS, "500k × 10, 70 % NULL"),
    )
}


def create(root: Any, shape: Shape, rows: int) -> None:
    """Make a shape's table and read it once, so that every tool finds it in the server's memory."""
    root.execute(f"CREATE DATABASE IF NOT EXISTS {SCHEMA}")
    root.execute(f"USE {SCHEMA}")
    root.execute(f"CREATE OR REPLACE TABLE {shape.name} AS SELECT {shape.columns} FROM seq_1_to_{rows}")
    root.execute(f"ANALYZE TABLE {shape.name}")
    root.execute(f"SELECT COUNT(*) FROM {shape.name}")
