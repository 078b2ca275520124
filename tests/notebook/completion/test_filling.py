"""A connection's catalog, read from a real server in the background."""

import time

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.notebook.completion.filling import CatalogFilling
from tests.support.events import LONG, processes, wait_until
from tests.support.proxy import Proxy

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def filled(db):
    """A connection with some tables, and its catalog, read."""
    db.execute("CREATE OR REPLACE TABLE filled (id INT, `odd name` INT); CREATE OR REPLACE TABLE Filled (other INT)")
    filling = CatalogFilling(db)
    read(filling)
    yield db, filling
    filling.stop()
    db.execute("DROP TABLE IF EXISTS filled, Filled, fresh")


def read(filling, changed=None):
    filling.refresh(changed)
    wait_until(lambda: not filling.working, "the catalog")


def columns(filling, table, schema="scratch"):
    found = filling.catalog.schema(schema)
    return found.columns_of(table) if found else None


def test_it_knows_what_is_there(filled):
    _, filling = filled
    assert columns(filling, "filled") == ["id", "odd name"]
    assert columns(filling, "Filled") == ["other"]
    assert "TABLE_NAME" in columns(filling, "tables", "information_schema")


def test_no_session_is_left_after_reading(filled, sandbox):
    db, _ = filled
    assert db
    wait_until(lambda: len(processes(sandbox.server, "USER = 'tester'")) == 1, "the end of its session")


def test_the_users_session_notices_nothing(filled):
    db, filling = filled
    db.execute("BEGIN; INSERT INTO filled VALUES (7, 7)")
    before = db.connection_id
    db.query("SELECT CAST('x' AS SIGNED) UNION SELECT 2 LIMIT 1")
    read(filling)
    assert db.query("SHOW WARNINGS")["Message"].tolist() == ["Truncated incorrect INTEGER value: 'x'"]
    assert db.transaction_since is not None
    assert db.connection_id == before
    db.execute("ROLLBACK")
    assert db.query("SELECT * FROM filled").empty


def test_after_ddl(filled):
    db, filling = filled
    db.execute("CREATE TABLE fresh (a INT); ALTER TABLE filled ADD added INT; DROP TABLE Filled")
    read(filling, {"fresh", "filled"})
    assert columns(filling, "fresh") == ["a"]
    assert columns(filling, "filled") == ["id", "odd name", "added"]
    assert not filling.catalog.schemas["scratch"].columns.get("Filled")


@pytest.fixture
def proxied(scratch, sandbox, notes):
    """A connection through a proxy that can fall silent, and a catalog that was not read yet."""
    with Proxy(sandbox.server.port) as proxy:
        login = scratch.login(via=Address("127.0.0.1", proxy.port), timeout=LONG)
        with Connection(login, notify=notes.append) as connection:
            filling = CatalogFilling(connection)
            yield proxy, filling
            filling.stop()
            proxy.be_silent(False)
            proxy.cut()


def test_a_server_that_says_nothing_delays_nobody(proxied):
    proxy, filling = proxied
    proxy.be_silent()
    before = proxy.accepted
    filling.refresh()
    wait_until(lambda: proxy.accepted > before, "its session")
    assert filling.working
    assert filling.catalog.schema("scratch") is None
    began = time.monotonic()
    filling.stop()
    assert time.monotonic() - began < 1
    proxy.cut()  # else it would wait for the time to connect
    wait_until(lambda: not filling.working, "its end")


def test_a_reading_that_gets_stuck_ends_with_the_connection(proxied):
    proxy, filling = proxied
    filling.refresh()
    wait_until(lambda: filling._session is not None or not filling.working, "its session")
    proxy.freeze()
    filling.stop()
    wait_until(lambda: not filling.working, "its end")


def test_a_login_that_fails_is_no_ones_concern(proxied, notes, capsys):
    proxy, filling = proxied
    proxy.refuse()
    read(filling)
    assert filling.catalog.schema("scratch") is None
    assert notes == []
    assert capsys.readouterr() == ("", "")
    proxy.refuse(False)
    read(filling)
    assert filling.catalog.schema("scratch") is not None


def test_stopped_it_reads_no_more(filled):
    _, filling = filled
    filling.stop()
    before = filling.catalog
    filling.refresh()
    assert not filling.working
    assert filling.catalog is before


def test_orders_that_come_together_take_one_reading(proxied):
    proxy, filling = proxied
    before = proxy.accepted
    for word in "abcdefgh":
        filling.refresh({word})
    wait_until(lambda: not filling.working, "the catalog")
    assert before < proxy.accepted < before + 8
