"""Items are made one ahead, and in order."""

import threading
from contextlib import closing

import pytest

from rds_iam_magic.connection.frames.ahead import ahead
from tests.support.events import wait_until


def test_each_is_made_while_the_one_before_is_used():
    made = []

    def items():
        for number in range(4):
            made.append((number, threading.get_ident()))
            yield number

    seen = []
    with closing(ahead(items())) as numbers:
        for number in numbers:
            wait_until(lambda number=number: len(made) == min(number + 2, 4))
            seen.append(number)
    assert seen == [0, 1, 2, 3]
    assert {ident for _, ident in made} != {threading.get_ident()}


def test_an_error_comes_in_its_turn():
    def items():
        yield 1
        raise ValueError("two")

    with closing(ahead(items())) as numbers:
        assert next(numbers) == 1
        with pytest.raises(ValueError, match="two"):
            next(numbers)


def test_the_thread_ends_when_it_is_closed_early():
    with closing(ahead(iter(range(100)))) as numbers:
        assert next(numbers) == 0
    assert list(ahead(iter([]))) == []
