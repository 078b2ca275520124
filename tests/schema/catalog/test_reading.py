"""A catalog read by queries: which ones, and what comes of their rows."""

import pytest

from rds_iam_magic.errors import ConnectionLostError, RdsIamError
from rds_iam_magic.schema.catalog.catalog import Catalog
from rds_iam_magic.schema.catalog.reading import ONE_BY_ONE, read_catalog


class Server:
    """Answers the queries of `read_catalog` from a dict of schemas."""

    def __init__(self, schemas):
        self.schemas = schemas
        self.asked = []

    def __call__(self, sql):
        self.asked.append(sql)
        if "information_schema.TABLES" in sql:
            return [[schema, table] for schema, tables in self.schemas.items() for table in tables]
        if "SCHEMATA" in sql:
            return [["sys"], *([schema] for schema in self.schemas)]
        if "ROUTINES" in sql:
            return [["shop", "f", "FUNCTION"]]
        if "COLUMNS" in sql:
            schema = next(name for name in self.schemas if _hex(name) in sql)
            tables = self.schemas[schema]
            return [[t, "\0".join(c)] for t, c in tables.items() if "AND TABLE_NAME" not in sql or _hex(t) in sql]
        return []

    def columns_asked(self):
        return [sql for sql in self.asked if "information_schema.COLUMNS" in sql]


def _hex(text):
    return f"X'{text.encode().hex()}'"


@pytest.fixture
def server():
    return Server({"aaa": {"t": ["x"]}, "shop": {"orders": ["id", "total"], "lines": ["id"]}})


def last(server, known=None, changed=None):
    return list(read_catalog(server, known or Catalog(), "shop", changed))[-1]


def test_names_first_then_the_default_schemas_columns(server):
    steps = list(read_catalog(server, Catalog(), "shop", None))
    assert [step.schemas["shop"].columns_of("orders") for step in steps] == [[], ["id", "total"], ["id", "total"]]
    assert list(steps[0].schemas["shop"].tables) == ["lines", "orders"]
    assert steps[0].schemas["shop"].functions == ("f",)
    assert steps[1].schemas["aaa"].columns_of("t") == []
    assert steps[2].schemas["aaa"].columns_of("t") == ["x"]


def test_after_a_change_only_what_changed_is_read(server):
    known = last(server)
    server.asked.clear()
    server.schemas["shop"] |= {"orders": ["id", "total", "new"], "fresh": ["y"]}
    del server.schemas["shop"]["lines"]
    catalog = last(server, known, {"alter", "orders"})
    assert catalog.schemas["shop"].columns_of("orders") == ["id", "total", "new"]
    assert catalog.schemas["shop"].columns_of("fresh") == ["y"]
    assert catalog.schemas["shop"].columns_of("lines") == []
    assert len(server.columns_asked()) == 2
    assert all("AND TABLE_NAME" in sql for sql in server.columns_asked())


def test_after_many_changes_the_whole_schema_is(server):
    known = last(server)
    server.asked.clear()
    server.schemas["shop"] |= {f"t{number}": ["a"] for number in range(ONE_BY_ONE + 1)}
    assert last(server, known, {"create"}).schemas["shop"].columns_of("t3") == ["a"]
    assert len(server.columns_asked()) == 1


def test_what_the_server_refuses_is_missing(server):
    def refusing(sql):
        if "ROUTINES" in sql or "COLUMNS" in sql:
            raise RdsIamError("denied", cause="own-query-failed")
        return server(sql)

    catalog = last(refusing)
    assert list(catalog.schemas["shop"].tables) == ["lines", "orders"]
    assert catalog.schemas["shop"].columns_of("orders") == []


def test_a_lost_connection_ends_it(server):
    def lost(sql):
        if "COLUMNS" in sql:
            raise ConnectionLostError("lost")
        return server(sql)

    with pytest.raises(ConnectionLostError):
        last(lost)
