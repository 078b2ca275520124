"""The statements that rows become: all rows, in order, none too large."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest import rows
from rds_iam_magic.ingest.column import Column
from rds_iam_magic.ingest.rows import inserts_of, prepared_inserts_of


def columns_of(*values):
    return [Column(f"c{i}", pa.array(each), True, "") for i, each in enumerate(values)]


def test_rows():
    columns = columns_of([1, None], pa.array(["a", "b"], pa.large_string()))
    assert [tuple(insert) for insert in inserts_of(columns, "V ", 2)] == [("V (1,'a'),(NULL,'b')", 0, 2, b"")]
    assert [tuple(insert) for insert in inserts_of(columns, "V ", 2, first=1)] == [("V (NULL,'b')", 1, 1, b"")]
    assert list(inserts_of(columns_of(pa.array([], pa.int8())), "V ", 0)) == []


@given(lengths=st.lists(st.integers(0, 60), min_size=1, max_size=60), packet=st.integers(150, 400))
def test_no_statement_is_larger_than_the_server_takes(lengths, packet):
    texts = ["x" * length for length in lengths]
    inserts = list(inserts_of(columns_of(pa.array(texts, pa.large_string())), "V ", len(texts), max_packet=packet))
    assert all(len(insert.text) <= packet for insert in inserts)
    assert ",".join(insert.text[2:] for insert in inserts) == ",".join(f"('{text}')" for text in texts)
    starts = [insert.first for insert in inserts]
    assert starts == [sum(insert.rows for insert in inserts[:i]) for i in range(len(inserts))]


def test_a_row_that_is_too_large(monkeypatch):
    monkeypatch.setattr(rows, "_AT_ONCE", 2)
    columns = columns_of(pa.array(["a", "b", "c", "d" * 500], pa.large_string()))
    with pytest.raises(OptionError, match="Row 4 takes 505 bytes, and the server accepts 300 bytes"):
        list(inserts_of(columns, "V ", 4, max_packet=300))


def test_rows_beside_a_text():
    columns = columns_of(pa.array([1, None], pa.int8()), pa.array(["a", "b"], pa.large_string()))
    types, rows_beside = b"\x01\0\xfd\0", b"\0\1\0\1a\1\0\1b"
    assert list(prepared_inserts_of(columns, "V ", 2)) == [("V (?, ?)", 0, 2, types + rows_beside)]
    assert list(prepared_inserts_of(columns_of(pa.array([], pa.int8())), "V ", 0)) == []


@given(lengths=st.lists(st.integers(0, 250), min_size=1, max_size=60), packet=st.integers(350, 600))
def test_no_rows_beside_a_text_are_larger_than_the_server_takes(lengths, packet):
    texts = ["x" * length for length in lengths]
    columns = columns_of(pa.array(texts, pa.large_string()))
    inserts = list(prepared_inserts_of(columns, "V ", len(texts), max_packet=packet))
    assert all(len(insert.beside) + 6 < packet for insert in inserts)
    written = b"".join(insert.beside[2:] for insert in inserts)
    assert written == b"".join(bytes([0, len(text)]) + text.encode() for text in texts)
    assert [insert.first for insert in inserts] == [sum(i.rows for i in inserts[:n]) for n in range(len(inserts))]


def test_a_row_that_is_too_large_to_be_beside_is_in_a_text(monkeypatch):
    monkeypatch.setattr(rows, "_MOST_BESIDE", 300)
    texts = ["a", "b" * 500, "c"]
    inserts = list(prepared_inserts_of(columns_of(pa.array(texts, pa.large_string())), "V ", 3))
    assert [insert.text for insert in inserts] == ["V (?)", f"V ('{'b' * 500}')", "V (?)"]
    assert [(insert.first, insert.rows) for insert in inserts] == [(0, 1), (1, 1), (2, 1)]
    with pytest.raises(OptionError, match="Row 2 takes 505 bytes, and the server accepts 400 bytes"):
        list(prepared_inserts_of(columns_of(pa.array(texts, pa.large_string())), "V ", 3, max_packet=400))
