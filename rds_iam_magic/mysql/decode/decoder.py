"""`Decoder`: chunks of rows → record batches; and the table of column decoders by field type."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from rds_iam_magic.errors import DecodeError
from rds_iam_magic.mysql.decode.binary_rows import is_text, values_of
from rds_iam_magic.mysql.decode.binary_rows import locate as locate_binary
from rds_iam_magic.mysql.decode.bits import Bits, Nulls, expected_form
from rds_iam_magic.mysql.decode.cells import Cells
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder, InvalidValueError
from rds_iam_magic.mysql.decode.dates import Dates, DateTimes
from rds_iam_magic.mysql.decode.decimals import ExactDecimals, FloatDecimals, WholeDecimals
from rds_iam_magic.mysql.decode.floats import Floats
from rds_iam_magic.mysql.decode.integers import Integers
from rds_iam_magic.mysql.decode.text_rows import locate as locate_text
from rds_iam_magic.mysql.decode.texts import Bytes, Narrowed, Texts
from rds_iam_magic.mysql.decode.times import Times
from rds_iam_magic.mysql.wire.column import Column
from rds_iam_magic.mysql.wire.events import Rows
from rds_iam_magic.sql.quoting import quote_name


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """How values are decoded.

    Attributes:
        decimal: DECIMAL as `float` (float64) or `exact` (Arrow decimals).
        mariadb: Whether the server is known to be MariaDB.
        words: Returns the statement's words, in upper case; empty if unknown.
        binary: Whether the rows are those of the binary protocol.
    """

    decimal: Literal["float", "exact"] = "float"
    mariadb: bool = False
    words: Callable[[], Sequence[str]] = tuple
    binary: bool = False


def _decimals(column: Column, options: DecodeOptions) -> ColumnDecoder:
    if options.decimal == "exact":
        return ExactDecimals(column)
    return WholeDecimals(column) if column.decimals == 0 else FloatDecimals(column)


def _texts(column: Column, options: DecodeOptions) -> ColumnDecoder:  # noqa: ARG001 - one signature for the table
    # JSON is flagged binary but is text: MySQL stores it as utf8mb4.
    return Bytes() if column.binary and column.type_code != _JSON else Texts(column)


_JSON = 245

# https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
_DECODERS: dict[int, Callable[[Column, DecodeOptions], ColumnDecoder]] = {
    **dict.fromkeys((1, 2, 3, 8, 9, 13), lambda column, _: Integers(column)),  # TINY … LONGLONG, INT24, YEAR
    **dict.fromkeys((4, 5), lambda column, _: Floats(column)),  # FLOAT, DOUBLE
    **dict.fromkeys((0, 246), _decimals),  # DECIMAL, NEWDECIMAL
    **dict.fromkeys((10, 14), lambda column, _: Dates(column)),  # DATE, NEWDATE
    **dict.fromkeys((7, 12, 17, 18), lambda column, _: DateTimes(column)),  # TIMESTAMP, DATETIME and their successors
    **dict.fromkeys((11, 19), lambda *_: Times()),  # TIME, TIME2
    **dict.fromkeys(
        (15, 245, 247, 248, 249, 250, 251, 252, 253, 254), _texts
    ),  # VARCHAR, JSON, ENUM, SET, BLOBs, STRING
    **dict.fromkeys((242, 255), lambda *_: Bytes()),  # VECTOR, GEOMETRY
    16: lambda column, options: Bits(column, expected_form(column, mariadb=options.mariadb, words=options.words)),
    6: lambda *_: Nulls(),
}


class Decoder:
    """Decodes one result set.

    Attributes:
        schema: Follows from the column definitions alone; names may repeat. Every field is nullable: servers send NULL
            in NOT NULL columns (WITH ROLLUP). A batch may have text where a decimal does not fit its Arrow type.

    Raises:
        DecodeError: A column has an unsupported type.
    """

    def __init__(self, columns: Sequence[Column], options: DecodeOptions | None = None) -> None:
        self._columns = tuple(columns)
        self._rows = 0  # number decoded so far
        options = options or DecodeOptions()
        self._is_binary = options.binary
        self._types = [column.type_code for column in columns]
        self._decoders = [_column_decoder(column, options) for column in columns]
        fields = [pa.field(column.name, decoder.type) for column, decoder in zip(columns, self._decoders, strict=True)]
        self.schema, self._row_type = pa.schema(fields), pa.struct(fields)

    def decode(self, rows: Rows) -> pa.RecordBatch:
        """Decode a chunk of rows to a record batch.

        Raises:
            ProtocolError: A row is malformed or has the wrong number of fields.
            DecodeError: A value is not valid for its column's type.
        """
        batch = self._decode_few(rows) if self._is_binary and len(rows) <= _FEW else None
        if batch is not None:
            self._rows += len(rows)
            return batch
        columns = locate_binary(rows, self._types) if self._is_binary else locate_text(rows, len(self._decoders))
        # strict=True exhausts `columns`, whose check for surplus fields comes at its end.
        try:
            indices = range(len(self._decoders))
            arrays = [self._decode(index, cells) for cells, index in zip(columns, indices, strict=True)]
        except DecodeError:
            for _ in columns:  # a malformed row takes precedence over an invalid value, since it ends the session
                pass
            raise
        self._rows += len(rows)
        if any(array.type != decoder.type for array, decoder in zip(arrays, self._decoders, strict=True)):
            return pa.RecordBatch.from_arrays(arrays, names=self.schema.names)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _decode_few(self, rows: Rows) -> pa.RecordBatch | None:
        """Value by value: NumPy's and Arrow's steps take the same time for a few values as for a thousand.

        None if a value needs more than that.
        """
        try:
            columns = [
                [None if value is None else decoder.decode_one(value) for value in values]
                for values, decoder in zip(values_of(rows, self._types), self._decoders, strict=True)
            ]
            # All of them at once, as rows: each array takes longer to begin than to fill.
            decoded = pa.array(zip(*columns, strict=True), self._row_type)
        except (ValueError, TypeError, ArithmeticError, IndexError, struct.error):
            return None
        return pa.RecordBatch.from_struct_array(decoded)

    def warnings(self) -> list[str]:
        """A sentence for each column with values that differ from the server's."""
        return [text for decoder in self._decoders if (text := decoder.warning())]

    def _decode(self, index: int, cells: Cells) -> pa.Array:
        decoder = self._decoders[index]
        try:
            return self._decode_present(decoder, cells)
        except (ValueError, ArithmeticError) as error:  # Arrow's errors are ValueErrors
            failure, row = _locate_failure(self._method(decoder), decoder.type, cells, error)
        column, value = self._columns[index], cells.value(row)
        shown = f"0x{value.hex()}" if self._is_binary and not is_text(column.type_code) else _shown(value)
        raise _decode_error(column, self._rows + row + 1, shown, failure)

    def _decode_present(self, decoder: ColumnDecoder, cells: Cells) -> pa.Array:
        """The same by way of the values alone, where most are NULL and a value takes many steps."""
        decode, null = self._method(decoder), cells.null
        if null is None or not decoder.takes_long or len(null) < _FEW or np.count_nonzero(null) < len(null) // 2:
            return _decode(decode, decoder.type, cells)
        present = np.flatnonzero(~null)
        if not len(present):
            return pa.nulls(len(cells), decoder.type)
        try:
            values = decode(cells.at(present))
        except InvalidValueError as error:
            error.row = None if error.row is None else int(present[error.row])
            raise
        places = np.zeros(len(null), np.int64)
        places[present] = np.arange(len(present))
        return values.take(cells.to_array(pa.int64(), places))

    def _method(self, decoder: ColumnDecoder) -> _Decode:
        return decoder.decode_binary if self._is_binary else decoder.decode


_Decode = Callable[[Cells], pa.Array]


def _column_decoder(column: Column, options: DecodeOptions) -> ColumnDecoder:
    make = _DECODERS.get(column.type_code)
    if make is None:
        raise DecodeError(
            f"Column {column.name} has an unsupported type ({column.type_code}).",
            _remedy(column, "CAST({} AS CHAR)"),
            column=column.name,
        )
    decoder = make(column, options)
    if column.wide is None or isinstance(decoder, Texts | Bytes | Bits):
        return decoder  # text is decoded by its character set anyway, and bytes are not converted
    return Narrowed(decoder, column.wide)


def _decode(decode: _Decode, kind: pa.DataType, cells: Cells) -> pa.Array:
    if cells.null is not None and cells.null.all():
        return pa.nulls(len(cells), kind)
    return decode(cells)


def _locate_failure(decode: _Decode, kind: pa.DataType, cells: Cells, error: Exception) -> tuple[Exception, int]:
    """Bisect for the first row that cannot be decoded; return its error and index."""
    if isinstance(error, InvalidValueError) and error.row is not None:
        return error, error.row
    start, stop = 0, len(cells)
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            _decode(decode, kind, cells.part(start, middle))
        except (ValueError, ArithmeticError) as nearer:
            error, stop = nearer, middle
        else:
            start = middle
    return error, start


def _decode_error(column: Column, row: int, value: str, error: Exception) -> DecodeError:
    if not isinstance(error, InvalidValueError):
        error = InvalidValueError(f"value of its type ({column.type_code})")
    return DecodeError(
        f"Row {row:,} of column {column.name}: {value} {error.message}",
        _remedy(column, error.remedy),
        column=column.name,
        row=row,
    )


def _remedy(column: Column, sql: str) -> str:
    """The hint with the SQL to select instead; an expression's SQL is unknown, since its name may be an alias."""
    written = sql.format(quote_name(column.org_name) if column.org_name else "…")
    return f"Select {written} instead, or omit the column."


def _shown(value: bytes) -> str:
    """A value's repr for a message: short, on one line, whatever its bytes are."""
    text = value[: 4 * _SHOWN].decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= _SHOWN and len(value) <= 4 * _SHOWN else text[:_SHOWN] + "…")


_SHOWN = 40  # characters
_FEW = 64  # rows
