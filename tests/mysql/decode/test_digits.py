"""Digits → integers, a column at once, against Python's own `int`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.mysql.decode import digits
from rds_iam_magic.mysql.decode.cells import word64_of
from rds_iam_magic.mysql.decode.column_decoder import InvalidValueError
from rds_iam_magic.mysql.wire.events import PAD

NUMBERS = st.text("0123456789", max_size=digits.MAX_DIGITS)
OTHERS = st.characters(max_codepoint=255).filter(lambda character: character not in "0123456789")


def words_of(data):
    return word64_of(np.frombuffer(data + bytes(PAD), np.uint8))


def parsed(texts):
    data, starts = b"", []
    for text in texts:
        starts.append(len(data))
        data += text.encode("latin-1") + b";"
    lengths = np.array([len(text) for text in texts], np.int64)
    return digits.parse(words_of(data), np.array(starts, np.int64), lengths).tolist()


@given(st.lists(NUMBERS, max_size=30))
def test_numbers(texts):
    assert parsed(texts) == [int(text or "0") for text in texts]


def test_no_numbers():
    assert parsed([]) == []


@pytest.mark.parametrize("length", range(1, digits.MAX_DIGITS + 1))
def test_each_length(length):
    assert parsed(["9" * length, "0" * length]) == [10**length - 1, 0]


@given(
    NUMBERS.filter(bool), st.integers(0, 30), st.characters(max_codepoint=255).filter(lambda c: c not in "0123456789")
)
def test_what_is_no_digit_is_refused_wherever_it_stands(text, place, other):
    place %= len(text)
    with pytest.raises(InvalidValueError):
        parsed(["123", text[:place] + other + text[place + 1 :], ""])


@given(
    scale=st.integers(1, digits.MAX_FRACTION),
    numbers=st.lists(st.none() | st.integers(0, 10**15 - 1), min_size=1, max_size=20),
    largest=st.integers(0, 15),
)
def test_numbers_with_a_point(scale, numbers, largest):
    """In one word, in two, and of both kinds."""
    numbers = [None if n is None else n % 10**largest for n in numbers]
    texts = ["" if n is None else f"{n // 10**scale}.{n % 10**scale:0{scale}}" for n in numbers]
    texts = [text if len(text) <= digits.MAX_WITH_POINT else "" for text in texts]
    assert with_point(texts, scale).tolist() == [int(text.replace(".", "") or "0") for text in texts]


@pytest.mark.parametrize("text", ["1234", "12.345", "1.2", ".50", "1234567890", "123456789.1", ".", "1", "12345678.1"])
def test_a_point_elsewhere_is_for_another_way(text):
    assert with_point(["1.25", text], 2) is None
    assert with_point(["123456789.25", text], 2) is None


@given(st.integers(0, 10**12), st.integers(0, 30), OTHERS)
def test_what_is_no_digit_beside_a_point_is_refused(number, place, other):
    text = f"{number}.25"
    place %= len(text)
    damaged = text[:place] + other + text[place + 1 :]
    if other == "." or place == len(text) - 3:
        assert other == "." or with_point([damaged], 2) is None
    else:
        with pytest.raises(InvalidValueError):
            with_point([damaged], 2)


def with_point(texts, scale):
    data, starts = b"", []
    for text in texts:
        starts.append(len(data))
        data += text.encode("latin-1") + b";"
    lengths = np.array([len(text) for text in texts], np.int64)
    return digits.parse_with_point(words_of(data), np.array(starts, np.int64), lengths, scale)


@given(st.integers(0, 99), st.integers(0, 6))
def test_pairs(number, byte):
    word = words_of(("7" * byte + f"{number:02}" + "7" * (6 - byte)).encode())[:1]
    assert digits.pair(word, byte).tolist() == [number]


def test_only_what_the_mask_covers_must_be_digits():
    word = words_of(b"12-34:56")[:1]
    digits.require_digits(word, 0xFFFF00FFFF00FFFF)
    with pytest.raises(InvalidValueError):
        digits.require_digits(word)
