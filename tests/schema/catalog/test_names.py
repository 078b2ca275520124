"""Many names, by how they begin."""

from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.schema.catalog.names import Names

NAMES = st.lists(st.text(st.characters(exclude_characters="\0\1", exclude_categories=["Cs"]), min_size=1, max_size=5))


def test_in_their_order_without_regard_to_case():
    names = Names(["order_id", "Customer", "ORDERS", "x", "order_id"])
    assert names.beginning("ord", 10) == ["order_id", "ORDERS"]
    assert names.beginning("ORD", 1) == ["order_id"]
    assert names.beginning("c", 10) == ["Customer"]
    assert names.beginning("rder", 10) == []
    assert list(names) == ["order_id", "Customer", "ORDERS", "x"]
    assert not Names()
    assert Names().beginning("", 5) == []


@given(NAMES, st.text(max_size=3), st.integers(0, 5))
def test_the_same_as_one_by_one(names, prefix, most):
    expected = [name for name in dict.fromkeys(names) if name.lower().startswith(prefix.lower())]
    if "\0" not in prefix and "\1" not in prefix:
        assert Names(names).beginning(prefix, most) == expected[:most]
    assert list(Names(names)) == list(dict.fromkeys(names))
