"""Many names, by how they begin."""

from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.schema.catalog.names import Names

NAMES = st.lists(st.text(st.characters(exclude_characters="\0\1", exclude_categories=["Cs"]), min_size=1, max_size=5))


def test_in_alphabetical_order_without_regard_to_case():
    names = Names(["order_id", "Customer", "ORDERS", "x", "order_id"])
    assert names.beginning("ord", 10) == ["order_id", "ORDERS"]
    assert names.beginning("ORD", 1) == ["order_id"]
    assert names.beginning("c", 10) == ["Customer"]
    assert names.beginning("rder", 10) == []
    assert list(names) == ["Customer", "order_id", "ORDERS", "x"]
    assert not Names()
    assert Names().beginning("", 5) == []


@given(NAMES, st.text(max_size=3), st.integers(0, 5))
def test_the_same_as_one_by_one(names, prefix, most):
    in_order = sorted(set(names), key=lambda name: (name.lower(), name != name.lower(), name))
    expected = [name for name in in_order if name.lower().startswith(prefix.lower())]
    assert Names(names).beginning(prefix, most) == expected[:most]
    assert list(Names(names)) == in_order


def test_many_names():
    many = Names(f"N{number}" for number in range(50_000))
    assert len(list(many)) == 50_000
    assert many.beginning("n4999", 20) == ["N4999", *(f"N4999{digit}" for digit in range(10))]
    assert many.beginning("n", 3) == ["N0", "N1", "N10"]
    assert many.beginning("o", 3) == many.beginning("m", 3) == []
