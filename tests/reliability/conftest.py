"""A sandbox whose server may be broken, a proxy in front of it, and time limits short enough for tests."""

import pytest
from grounds import create_tester, login_of_tester
from reliability.matrix import World
from reliability.proxy import Proxy

from rds_iam_magic.database import answer, held, interrupt
from rds_iam_magic.database.connection import Connection
from rds_iam_magic.database.dial import Address
from rds_iam_magic.database.settings import Settings
from rds_iam_magic.sandbox import Sandbox


@pytest.fixture(scope="package")
def fragile():
    """A sandbox of these tests' own."""
    with Sandbox() as sandbox:
        create_tester(sandbox.server)
        with sandbox.server.root() as root:
            root.execute("CREATE TABLE scratch.ledger (a BIGINT) ENGINE=InnoDB")
        yield sandbox


@pytest.fixture
def short_limits(monkeypatch):
    """The product's own time limits, shortened: what they do is under test, not how long an hour is."""
    monkeypatch.setattr(held, "PING_AFTER", 0.5)
    monkeypatch.setattr(held, "PING_TIMEOUT", 1.0)
    monkeypatch.setattr(answer, "SILENCE", 1.0)
    monkeypatch.setattr(interrupt, "PATIENCE", 2.0)


@pytest.fixture
def make_world(fragile, short_limits, notes):
    """Worlds on the fragile server; all is closed at the end."""
    assert short_limits is None
    opened = []

    def make(*, settings=None, timeout=8.0, **changes):
        proxy = Proxy(fragile.server.port).__enter__()
        opened.append(proxy)
        login = login_of_tester(fragile, via=Address("127.0.0.1", proxy.port), timeout=timeout, **changes)
        db = Connection(login, settings=settings or Settings(), notify=notes.append)
        opened.append(db)
        return World(fragile.server, proxy, db, notes)

    with fragile.server.root() as root:
        root.execute("TRUNCATE scratch.ledger")
    yield make
    for part in reversed(opened):
        part.__exit__(None, None, None)


@pytest.fixture
def world(make_world):
    """One of them."""
    return make_world()
