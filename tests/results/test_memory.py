"""Sizes, and the memory that results may take."""

import pytest

from rds_iam_magic.errors import OptionError, ResultError
from rds_iam_magic.results import memory
from rds_iam_magic.results.memory import MemoryBudget, parse_size

MIB = 1 << 20


@pytest.mark.parametrize(
    ("setting", "size"), [("4 GB", 4 << 30), ("1.5gb", 3 << 29), (1000, 1000), ("512 MB", 512 << 20), ("64k", 65536)]
)
def test_sizes(setting, size):
    assert parse_size(setting) == size


@pytest.mark.parametrize("setting", ["much", "-1", 0, "4 PB", "GB", "inf"])
def test_what_is_no_size(setting):
    with pytest.raises(OptionError, match="not a valid size"):
        MemoryBudget(setting)


def test_a_budget_is_spent_to_its_last_byte():
    budget = MemoryBudget("1 MB")
    budget.spend(MIB - 1, 10)
    budget.spend(1, 20)
    with pytest.raises(ResultError, match="30 rows"):
        budget.spend(1, 30)


def test_what_is_refunded_can_be_spent_again():
    budget = MemoryBudget("1 MB")
    budget.spend(MIB, 10)
    budget.refund()
    budget.spend(MIB, 10)


@pytest.mark.parametrize("setting", [None, ""])
def test_half_of_what_is_available_is_the_default(setting):
    budget = MemoryBudget(setting)
    budget.spend(33 * MIB, 1)  # from here on it matters
    with pytest.raises(ResultError, match="exceeds its memory limit"):
        budget.spend(memory.available(), 2)


def test_something_is_available():
    assert memory.available() > 0
