"""What a server has, as values."""

from rds_iam_magic.schema.catalog.catalog import Catalog, SchemaNames, schemas_of

SHOP = SchemaNames().with_columns({"Orders": "id\0total", "orders": "other", "Lines": "id\0amount"})


def test_columns_of_a_table():
    assert SHOP.columns_of("Orders") == ["id", "total"]
    assert SHOP.columns_of("orders") == ["other"]
    assert SHOP.columns_of("LINES") == ["id", "amount"]
    assert SHOP.columns_of("nothing") == []
    assert list(SHOP.all_columns) == ["amount", "id", "other", "total"]


def test_schemas_by_name():
    catalog = Catalog({"Shop": SHOP})
    assert catalog.schema("Shop") is SHOP
    assert catalog.schema("shop") is SHOP
    assert catalog.schema("other") is None
    assert catalog.schema(None) is None
    assert catalog.with_schema("b", SHOP).schema("b") is SHOP
    assert catalog.schema("b") is None


def test_new_names_keep_the_columns_of_the_tables_that_stay():
    before = Catalog({"shop": SHOP})
    after = schemas_of(
        ["shop", "empty"],
        [("shop", "Orders"), ("shop", "new"), ("seen_only_by_its_table", "t")],
        [("shop", "f", "FUNCTION"), ("shop", "p", "PROCEDURE")],
        before,
    )
    shop = after.schemas["shop"]
    assert list(shop.tables) == ["new", "Orders"]
    assert dict(shop.columns) == {"Orders": "id\0total"}
    assert list(shop.all_columns) == ["id", "total"]
    assert (shop.functions, shop.procedures) == (("f",), ("p",))
    assert not after.schemas["empty"].tables
    assert list(after.schemas) == ["shop", "empty", "seen_only_by_its_table"]
    assert dict(SHOP.columns)["orders"] == "other"
