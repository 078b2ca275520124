"""`Bins`: ranges of numbers or times, with round edges; a value is told its bin by comparing it with them.

So a value at an edge is in the same bin whether a server compares or NumPy does: nothing is computed from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from rds_iam_magic.charts.columns import are_days, moment_of

if TYPE_CHECKING:
    from rds_iam_magic.charts.fields import Field

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_MONDAY = -3 * _DAY  # 1969-12-29
_FIRST = -62_135_596_800 * _SECOND  # 0001-01-01
_END = 253_402_300_800 * _SECOND  # 10000-01-01: no time is later
# Lengths that clocks and weeks have, in microseconds, then those that calendars have, in months.
_LENGTHS = (
    *(10**power for power in range(6)),
    *(_SECOND * n for n in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)),
    _DAY,
    7 * _DAY,
)
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 3000, 6000, 12000)
_MONTH = 30.436875 * _DAY


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins side by side: each has its lower edge, and not its upper one.

    Attributes:
        edges: Ascending, one more than there are bins; of times, in microseconds.
        is_time: Whether they are times.
    """

    edges: tuple[float, ...]
    is_time: bool = False

    def __len__(self) -> int:
        return len(self.edges) - 1

    def texts(self) -> list[str]:
        """The edges as texts."""
        if not self.is_time:
            return [f"{edge:.12g}" for edge in self.edges]
        whole = are_days(moment_of(edge) for edge in self.edges if edge < _END)
        texts = map(_time_text, self.edges)
        return [text.partition(" ")[0] for text in texts] if whole else list(texts)

    def codes(self, values: np.ndarray) -> np.ndarray:
        """The number of each value's bin, from 0; -1 below them, `len(bins)` above."""
        return np.searchsorted(np.array(self.edges), values, side="right") - 1

    def sql(self, value: str) -> str:
        """The same as an expression of SQL; NULL for NULL. It halves the bins with each comparison."""
        return f"CASE WHEN {value} IS NOT NULL THEN {self._halved(value, 0, len(self.edges))} END"

    def _halved(self, value: str, first: int, last: int) -> str:
        """The bin of a value which is known to be at or above edge first - 1, and below edge last."""
        if first == last:
            return str(first - 1)
        middle = (first + last) // 2
        lower, upper = self._halved(value, first, middle), self._halved(value, middle + 1, last)
        return f"CASE WHEN {self._is_below(value, self.edges[middle])} THEN {lower} ELSE {upper} END"

    def _is_below(self, value: str, edge: float) -> str:
        if self.is_time:
            return f"{value} < TIMESTAMP'{_time_text(edge)}'" if edge < _END else "TRUE"
        text = repr(edge)
        return f"{value} < {text if 'e' in text else f'{text}e0'}"  # a DOUBLE, not a DECIMAL


def _time_text(edge: float) -> str:
    """An edge as a text; the last one may be the year 10000."""
    return str(moment_of(edge)) if edge < _END else "10000-01-01"


def bins_of(low: float, high: float, field: Field, most: int) -> Bins:
    """About as many bins as asked for, or fewer, that hold all values from `low` to `high`."""
    if field.scale == "time":
        return Bins(tuple(_time_edges(int(low), int(high), most, _DAY if field.whole else 1)), is_time=True)
    whole = field.whole and max(abs(low), abs(high)) < 2**53  # greater ones are float64, in a frame of decimals too
    return Bins(tuple(_edges(low, high, most, whole=whole)))


def _edges(low: float, high: float, most: int, *, whole: bool) -> list[float]:
    step = _step((high - low) / most if np.isfinite(high - low) else high / most, low, whole=whole)
    first = int(Decimal(low) // step) - 1
    edges = [float(first * step)]
    place = first
    while edges[-1] <= high:
        place += 1
        edge = float(place * step)
        if edge > edges[-1]:
            edges.append(edge)
    while len(edges) > 2 and edges[1] <= low:
        del edges[0]
    return edges


def _step(least: float, low: float, *, whole: bool) -> Decimal:
    """The smallest round number that is not less."""
    if whole and least <= 1:
        return Decimal(1)
    wanted = Decimal(f"{least or abs(low) / 10 or 0.1:.12g}")  # without the noise of a binary fraction
    power = Decimal(10) ** wanted.adjusted()
    steps = (1, 2, 5, 10) if whole else (1, 2, Decimal("2.5"), 5, 10)
    return next(power * n for n in steps if power * n >= wanted)


def _time_edges(low: int, high: int, most: int, least: int) -> Iterator[int]:
    wanted = max((high - low) / most, least)
    length = next((n for n in _LENGTHS if n >= wanted), None)
    if length is not None:
        start = (low - _MONDAY) // length * length + _MONDAY
        yield from (max(edge, _FIRST) for edge in range(start, high + length + 1, length) if edge + length > _FIRST)
        return
    months = next((n for n in _MONTHS if n * _MONTH >= wanted), _MONTHS[-1])
    month = _month_of(low) // months * months
    while True:
        edge = max(_first_of(month), _FIRST)
        yield edge
        if edge > high:
            return
        month += months


def _month_of(microseconds: int) -> int:
    """Months since January of the year 0."""
    return int(np.datetime64(microseconds, "us").astype("datetime64[M]").astype(int)) + 1970 * 12


def _first_of(month: int) -> int:
    return int(np.datetime64(month - 1970 * 12, "M").astype("datetime64[us]").astype("int64"))
