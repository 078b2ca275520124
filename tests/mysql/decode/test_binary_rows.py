"""Rows of the binary protocol: the same values as those of the text protocol; broken ones are refused.

A second decoder of this file, value by value, says what damaged rows hold.
"""

import datetime as dt
import math
import struct
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rds_iam_magic.errors import DecodeError, ProtocolError
from rds_iam_magic.mysql.decode import DecodeOptions, Decoder
from rds_iam_magic.mysql.decode.binary_rows import locate
from rds_iam_magic.mysql.wire.column import UNSIGNED_FLAG
from tests.support import binary
from tests.support.binary import (
    FLOAT,
    INT24,
    LONGLONG,
    NULL,
    SHORT,
    TINY,
    YEAR,
    Sent,
    rows_of,
    zero_date,
)
from tests.support.packets import BIT, DATE, DATETIME, DECIMAL, DOUBLE, INT, TEXT, TIME, column, encoded

TIMESTAMP, BLOB, ENUM, JSON, GEOMETRY = 7, 252, 254, 245, 255
BINARY, NONE = 63, st.nothing()


def whole(kind: int, bits: int, *, unsigned: bool):
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return column("i", kind, flags=UNSIGNED_FLAG * unsigned), st.integers(low, high) | st.sampled_from([low, high])


def decimal(precision: int, scale: int):
    values = st.integers(1 - 10**precision, 10**precision - 1).map(lambda n: f"{Decimal(n).scaleb(-scale):f}")
    return column("d", DECIMAL, decimals=scale, length=precision + 2), values.map(str.encode)


def with_zero_time(date: Sent) -> Sent:
    return Sent(date.text + b" 00:00:00", date.binary)


ZERO_DATES = st.builds(zero_date, st.sampled_from([0, 1, 2023, 2024, 9999]), st.sampled_from([0, 1, 2, 4, 12]),
                       st.sampled_from([0, 1, 29, 30, 31]))  # fmt: skip
SECONDS = st.datetimes().map(lambda value: value.replace(microsecond=0))
MIDNIGHTS = st.dates().map(lambda day: dt.datetime.combine(day, dt.time()))
DURATIONS = st.timedeltas(-dt.timedelta(hours=838, minutes=59, seconds=59), dt.timedelta(hours=838, minutes=59))
FAMILIES = [
    *(whole(kind, bits, unsigned=unsigned) for unsigned in (False, True)
      for kind, bits in ((TINY, 8), (SHORT, 16), (INT24, 24), (INT, 32), (LONGLONG, 64))),
    (column("y", YEAR, flags=UNSIGNED_FLAG), st.just(0) | st.integers(1901, 2155)),
    (column("f", FLOAT, decimals=31), st.floats(width=32, allow_nan=False, allow_infinity=False)),
    (column("f", DOUBLE, decimals=31), st.floats(allow_nan=False, allow_infinity=False)),
    decimal(14, 2), decimal(65, 30), decimal(20, 0), decimal(38, 38),
    (column("day", DATE), st.dates() | ZERO_DATES),
    (column("at", DATETIME), SECONDS | MIDNIGHTS | ZERO_DATES.map(with_zero_time)),
    (column("at", DATETIME, decimals=6), st.datetimes() | MIDNIGHTS),
    (column("at", TIMESTAMP), SECONDS | MIDNIGHTS),
    (column("t", TIME, decimals=6), DURATIONS | st.just(dt.timedelta(0))),
    (column("t", TIME), DURATIONS.map(lambda value: dt.timedelta(seconds=int(value.total_seconds())))),
    (column("s", TEXT), st.text(max_size=300).map(str.encode) | st.binary(max_size=20)),
    (column("s", ENUM), st.sampled_from([b"small", b"", b"large"])),
    (column("j", JSON, charset=BINARY), st.just(b'{"a": 1}')),
    (column("b", BLOB, charset=BINARY), st.binary(max_size=20) | st.sampled_from([250, 251, 70_000]).map(bytes)),
    (column("g", GEOMETRY, charset=BINARY), st.binary(max_size=40)),
    (column("b", BIT, length=1), st.sampled_from([b"\0", b"\1"])),
    (column("b", BIT, length=64), st.binary(min_size=8, max_size=8)),
    (column("n", NULL), NONE),
]  # fmt: skip
TABLES = st.lists(st.sampled_from(range(len(FAMILIES))), min_size=1, max_size=20).flatmap(
    lambda chosen: st.tuples(
        st.just([FAMILIES[index][0] for index in chosen]),
        st.lists(st.tuples(*(st.none() | FAMILIES[index][1] for index in chosen)), min_size=1, max_size=8),
    )
)


def decoded(columns, rows, *, is_binary: bool, mode: str = "float"):
    """The batch and the warnings."""
    options = DecodeOptions(decimal=mode, mariadb=True, words=lambda: ["SELECT"], binary=is_binary)
    decoder = Decoder(columns, options)
    return decoder.decode(rows_of(*rows)), decoder.warnings()


@given(table=TABLES, mode=st.sampled_from(["float", "exact"]), copies=st.sampled_from([1, 70]))
def test_both_protocols_give_the_same(table, mode, copies):
    """Few rows are decoded value by value, many column by column."""
    columns, rows = table
    as_text = [b"".join(encoded(binary.text(*pair)) for pair in zip(columns, row, strict=True)) for row in rows]
    as_binary = [binary.row(columns, row) for row in rows]
    ours, warnings = decoded(columns, as_binary * copies, is_binary=True, mode=mode)
    theirs, of_text = decoded(columns, as_text * copies, is_binary=False, mode=mode)
    assert ours.schema == theirs.schema
    assert ours.equals(theirs)
    assert warnings == [line for line in of_text if "FLOAT values rounded" not in line]


@given(table=TABLES, nulls=st.integers(1, 9), mode=st.sampled_from(["float", "exact"]), is_binary=st.booleans())
def test_values_between_many_nulls_are_as_they_are_alone(table, nulls, mode, is_binary):
    """Where most are NULL, the others are decoded apart and put back."""
    columns, rows = table
    rows = [row for each in rows for row in (each, *[(None,) * len(columns)] * nulls)]
    if is_binary:
        sent = [binary.row(columns, row) for row in rows]
    else:
        sent = [b"".join(encoded(binary.text(*pair)) for pair in zip(columns, row, strict=True)) for row in rows]
    many, _ = decoded(columns, sent * 64, is_binary=is_binary, mode=mode)
    alone, _ = decoded(columns, sent, is_binary=is_binary, mode=mode)
    for index in range(len(columns)):
        assert many.column(index).equals(pa.concat_arrays([alone.column(index)] * 64))


def test_the_row_of_a_value_between_many_nulls_is_told():
    rows = [*[b"\0\x04"] * 200, b"\0\0" + encoded(b"\xff" * 12)]
    with pytest.raises(DecodeError, match="Row 201 of column t"):
        decoded([column("t", TIME)], rows, is_binary=True)


@pytest.mark.parametrize("count", [1, 5, 6, 7, 14, 4096])
def test_each_column_has_its_bit(count):
    columns = [column(str(index), TINY) for index in range(count)]
    for null in {0, count // 2, count - 1}:
        row = [None if index == null else index % 100 for index in range(count)]
        full = [index % 100 for index in range(count)]
        batch, _ = decoded(columns, [binary.row(columns, each) for each in (full, row)], is_binary=True)
        assert [batch.column(index).to_pylist() for index in range(count)] == [list(pair) for pair in zip(full, row)]  # noqa: B905 - checked below
        assert batch.num_columns == count


def test_what_follows_a_null_is_not_read_as_it():
    """Any bytes are behind a NULL: also those of a signalling NaN, an impossible date, a length that leads out."""
    for column_, _ in FAMILIES[:-1]:
        for behind in (b"\x01\x00\x80\x7f\x01\x00\xf0\x7f", b"\xff" * 8, b"\xfe" * 9, b"\0" * 8, b"\x0c\xff\xff\x63"):
            columns = [column_, column("b", BLOB, charset=BINARY), column_]
            rows = [b"\0" + bytes([0b10100]) + encoded(behind), b"\0" + bytes([0b10100]) + encoded(behind * 3)]
            batch, _ = decoded(columns, rows, is_binary=True)
            assert batch.column(0).null_count == batch.column(2).null_count == 2
            assert batch.column(1).to_pylist() == [behind, behind * 3]


def test_bytes_of_a_float_that_would_warn_behind_a_null():
    columns = [column("f", FLOAT), column("f", FLOAT), column("x", DOUBLE)]
    rows = [b"\0" + bytes([0b00100]) + struct.pack("<f", 1.5) + struct.pack("<d", 2.5)]
    signalling = b"\x01\x00\x80\x7f"
    rows.append(b"\0" + bytes([0b01100]) + signalling + b"\0\0\0\0")
    batch, _ = decoded(columns, rows, is_binary=True)
    assert batch.column(1).to_pylist() == [1.5, None]
    with pytest.raises(DecodeError, match=r"0x0100807f"):
        decoded(columns[:1], [b"\0\0" + signalling], is_binary=True)


# ── A second decoder ──────────────────────────────────────────────────────────────────────────────────────────────


class BrokenError(Exception):
    """The row is not one."""


class WrongError(Exception):
    """A value is not one of its type."""


class Bytes:
    """Reads a row; never past its end."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise BrokenError
        part, self.rest = self.rest[:count], self.rest[count:]
        return part

    def text(self) -> bytes:
        first = self.take(1)[0]
        if first < 0xFB:
            return self.take(first)
        if first in (0xFB, 0xFF):
            raise BrokenError
        return self.take(int.from_bytes(self.take({0xFC: 2, 0xFD: 3, 0xFE: 8}[first]), "little"))

    def dated(self) -> bytes:
        count = self.take(1)[0]
        if count > 12:
            raise BrokenError
        return self.take(count)


def read_number(row: Bytes, each):
    width = {TINY: 1, SHORT: 2, YEAR: 2, INT: 4, INT24: 4, LONGLONG: 8}[each.type_code]
    return int.from_bytes(row.take(width), "little", signed=not each.unsigned)


def read_float(row: Bytes, each):
    return row.take(4) if each.type_code == FLOAT else row.take(8)


def float_of(raw: bytes) -> float:
    number = struct.unpack("<f" if len(raw) == 4 else "<d", raw)[0]
    if not math.isfinite(number):
        raise WrongError
    return number


def date_of(raw: bytes, kind: int):
    allowed = (0, 4) if kind == DATE else (0, 4, 7, 11)
    year, month, day, hour, minute, second, micros = struct.unpack("<HBBBBBI", raw.ljust(11, b"\0")[:11])
    if len(raw) not in allowed or hour > 23 or minute > 59 or second > 59 or micros > 999_999 or year > 9999:
        raise WrongError
    try:
        value = dt.datetime.combine(dt.date(year, month, day), dt.time(hour, minute, second, micros))
    except ValueError:
        return None  # NaT
    return value.date() if kind == DATE else value


def time_of(raw: bytes):
    sign, days, hour, minute, second, micros = struct.unpack("<BIBBBI", raw.ljust(12, b"\0"))
    if len(raw) not in (0, 8, 12) or sign > 1 or days > 34 or hour > 23 or minute > 59 or second > 59:
        raise WrongError
    if micros > 999_999:
        raise WrongError
    value = dt.timedelta(days=days, hours=hour, minutes=minute, seconds=second, microseconds=micros)
    return -value if sign else value


def split(columns, row: bytes):
    """The raw values of a row; the whole row has to be right before any value is."""
    data = Bytes(row)
    if data.take(1) != b"\0":
        raise BrokenError
    bitmap = int.from_bytes(data.take((len(columns) + 9) // 8), "little")
    if bitmap & 3 or bitmap >> (len(columns) + 2):
        raise BrokenError
    fields = []
    for index, each in enumerate(columns):
        if bitmap >> (index + 2) & 1:
            fields.append(None)
        elif each.type_code in (FLOAT, DOUBLE):
            fields.append(read_float(data, each))
        elif each.type_code in (DATE, DATETIME, TIMESTAMP, TIME):
            fields.append(data.dated())
        elif each.type_code == TEXT or each.type_code == BLOB:
            fields.append(data.text())
        else:
            fields.append(read_number(data, each))
    if data.rest:
        raise BrokenError
    return fields


def meaning(each, raw):
    kind = each.type_code
    if raw is None or isinstance(raw, int):
        return raw
    if kind in (FLOAT, DOUBLE):
        return float_of(raw)
    if kind == TIME:
        return time_of(raw)
    if kind in (DATE, DATETIME, TIMESTAMP):
        return date_of(raw, kind)
    return raw if kind == BLOB else raw.decode("utf-8", "backslashreplace")


READ_BELOW = {TINY, SHORT, INT, INT24, LONGLONG, YEAR, FLOAT, DOUBLE, DATE, DATETIME, TIMESTAMP, TIME, TEXT}
PLAIN = [family for family in FAMILIES if family[0].type_code in READ_BELOW]
NUMBERS = [
    (described, values)
    for described, values in FAMILIES
    if described.type_code in (TINY, SHORT, INT, LONGLONG, FLOAT, DOUBLE, YEAR)
]
ALIKE = st.lists(st.sampled_from(range(len(NUMBERS))), min_size=1, max_size=20).flatmap(
    lambda chosen: st.tuples(
        st.just([NUMBERS[index][0] for index in chosen]),
        st.lists(st.tuples(*(NUMBERS[index][1] for index in chosen)), min_size=1, max_size=4),
        st.lists(st.tuples(*(st.none() | NUMBERS[index][1] for index in chosen)), max_size=1),
    )
)


@given(table=ALIKE, mangled=st.none() | st.integers(0, 4), byte=st.integers(0, 255))
def test_rows_of_one_length_are_read_by_strides_as_others_are(table, mangled, byte):
    columns, rows, other = table
    sent = [bytearray(binary.row(columns, row)) for row in rows + other]
    if mangled is not None:
        sent[mangled % len(sent)][0] = byte
    many = (sent[: len(rows)] * 99)[:99] + sent[len(rows) :]  # more than are decoded value by value
    if any(row[0] for row in sent):
        with pytest.raises(ProtocolError):
            decoded(columns, many, is_binary=True)
        return
    each = {bytes(row): decoded(columns, [row], is_binary=True)[0] for row in sent}
    expected = pa.Table.from_batches([each[bytes(row)] for row in many]).combine_chunks()
    assert decoded(columns, many, is_binary=True)[0].equals(expected.to_batches()[0])


DAMAGED = st.lists(st.sampled_from(range(len(PLAIN))), min_size=1, max_size=9).flatmap(
    lambda chosen: st.tuples(
        st.just([PLAIN[index][0] for index in chosen]),
        st.lists(st.tuples(*(st.none() | PLAIN[index][1] for index in chosen)), min_size=1, max_size=3),
    )
)
DAMAGE = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from([0, 1, 4, 7, 8, 11, 12, 13, 60, 99, 0xFB, 0xFC, 0xFE, 0xFF])
              | st.integers(0, 255)),
    max_size=3,
)  # fmt: skip


def check_as_read_one_by_one(columns, rows):
    """The batch is what the second decoder reads, or an error where it finds one."""
    try:
        expected = [split(columns, row) for row in rows]
    except BrokenError:
        with pytest.raises(ProtocolError):
            decoded(columns, rows, is_binary=True)
        return
    try:
        values = [[meaning(*pair) for pair in zip(columns, row, strict=True)] for row in expected]
    except WrongError:
        with pytest.raises(DecodeError):
            decoded(columns, rows, is_binary=True)
        return
    batch, warnings = decoded(columns, rows, is_binary=True)
    ours = [list(row) for row in zip(*(batch.column(at).to_pylist() for at in range(len(columns))), strict=True)]
    assert ours == values
    raw, final = (sum(field is None for row in table for field in row) for table in (expected, values))
    told = sum("NaT" in line for line in warnings)
    assert bool(told) == (final > raw), "what became NaT is told"


@settings(max_examples=3 * settings.default.max_examples)
@given(table=DAMAGED, damage=DAMAGE, cut=st.integers(0, 60), more=st.binary(max_size=2))
def test_damaged_rows_are_refused_or_hold_what_is_in_them(table, damage, cut, more):
    columns, rows = table
    sent = [bytearray(binary.row(columns, row)) for row in rows]
    target = sent[-1]
    for place, byte in damage:
        target[place % len(target)] = byte
    if cut < len(target) // 2:
        del target[len(target) - cut :]
    target += more
    check_as_read_one_by_one(columns, list(map(bytes, sent)))


def dated(*parts: int, layout: str) -> bytes:
    return encoded(struct.pack(layout, *parts))


BYTE = st.sampled_from([0, 1, 2, 12, 13, 23, 24, 31, 32, 59, 60, 127, 128, 255])
WORD = st.sampled_from([0, 1, 1970, 2024, 9999, 10_000, 0x7FFF, 0xFFFF])
LONG = st.sampled_from([0, 1, 34, 35, 999_999, 1_000_000, 2**31, 2**32 - 1])
DATE_BYTES = st.builds(struct.Struct("<HBBBBBI").pack, WORD, *[BYTE] * 5, LONG)
TIME_BYTES = st.builds(struct.Struct("<BIBBBI").pack, BYTE, LONG, *[BYTE] * 3, LONG)


@settings(max_examples=3 * settings.default.max_examples)
@given(
    kind=st.sampled_from([DATE, DATETIME, TIMESTAMP, TIME]),
    raw=st.lists(DATE_BYTES | TIME_BYTES, min_size=1, max_size=3),
    length=st.sampled_from([0, 4, 7, 8, 11, 12]) | st.integers(0, 14),
)
@example(DATE, [bytes.fromhex("e8070d01000000") + bytes(5)], 4)
@example(DATE, [bytes.fromhex("0f270c20000000") + bytes(5)], 4)
@example(TIME, [bytes.fromhex("020000000001010100000000")], 8)
@example(TIME, [bytes.fromhex("012300000001010100000000")], 8)
@example(TIME, [bytes.fromhex("012200000017010100000000")], 8)
@example(DATETIME, [bytes.fromhex("10270101000000") + bytes(5)], 7)
@example(DATETIME, [bytes.fromhex("e807010100000040420f00")], 11)
def test_any_bytes_of_dates_and_times(kind, raw, length):
    columns = [column("v", kind, decimals=6), column("i", INT)]
    rows = [b"\0\0" + encoded(each.ljust(14, b"\1")[:length]) + b"\x07\0\0\0" for each in raw]
    check_as_read_one_by_one(columns, rows)


def test_the_middle_of_a_date_is_masked_by_its_length():
    columns = [column("day", DATETIME, decimals=6), column("b", BLOB, charset=BINARY)]
    rows = [b"\0\0" + encoded(struct.pack("<HBB", 2024, 2, 29)) + encoded(b"\x17\x3b\x3b" + b"\xff" * 8)]
    longest = dt.datetime.fromisoformat("2024-01-01 01:02:03.000004")
    batch, _ = decoded(columns, [*rows, binary.row(columns, [longest, b""])], is_binary=True)
    assert batch.column(0).to_pylist() == [dt.datetime.fromisoformat("2024-02-29"), longest]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b"\0", "malformed"),
        (b"", "malformed"),
        (b"\0\1\1\0\0\0", "malformed"),
        (b"\0\2\1\0\0\0", "malformed"),
        (b"\0\x08\1\0\0\0", "malformed"),
        (b"\0\x80\1\0\0\0", "malformed"),
        (b"\1\0\1\0\0\0", "malformed"),
        (b"\0\0\1\0\0", "longer than its row"),
        (b"\0\0\1\0\0\0\0", "too many fields"),
        (b"\0\4\1\0\0\0", "too many fields"),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_rows_that_are_broken(row, words, place):
    rows = [binary.row([column()], [5])]
    rows.insert(place, row)
    with pytest.raises(ProtocolError, match=words):
        list(locate(rows_of(*rows), [INT]))


@pytest.mark.parametrize("kind", [TEXT, BLOB, DECIMAL, BIT])
@pytest.mark.parametrize(
    "sent",
    [b"\xfb", b"\xfb" + b"x" * 251, b"\xff", b"\xfe" + b"\xff" * 8, b"\xfe" + struct.pack("<Q", 2**63), b"\x09x"],
)
def test_lengths_that_lead_out(kind, sent):
    with pytest.raises(ProtocolError):
        decoded([column("v", kind)], [b"\0\0" + sent], is_binary=True)


def test_the_null_type_with_a_value():
    with pytest.raises(DecodeError):
        decoded([column("n", NULL)], [b"\0\0"], is_binary=True)


@settings(max_examples=settings.default.max_examples // 2)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([3, 100, 4096]), mutations=st.integers(0, 4))
def test_random_damage_of_wide_rows(seed, count, mutations):
    chance = np.random.default_rng(seed)
    kinds = [TINY, SHORT, INT, LONGLONG, FLOAT, DOUBLE, DATE, DATETIME, TIME, TEXT, BLOB]
    columns = [column("c", kinds[index % len(kinds)], charset=BINARY if index % len(kinds) == 10 else 45)
               for index in range(count)]  # fmt: skip
    size = (count + 9) // 8
    bitmap = int.from_bytes(chance.bytes(size), "little") & ~3 & ((1 << (count + 2)) - 1)
    row = bytearray(b"\0" + bitmap.to_bytes(size, "little"))
    for index in range(count):
        if not bitmap >> (index + 2) & 1:
            row += [b"\1", b"\1\0", b"\1\0\0\0", bytes(8), bytes(4), bytes(8)][index % 11] if index % 11 < 6 else b"\0"
    for _ in range(mutations):
        row[chance.integers(len(row))] = chance.integers(256)
    check_as_read_one_by_one(columns, [bytes(row)])
