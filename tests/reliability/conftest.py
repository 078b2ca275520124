"""A sandbox whose server may be broken, a proxy in front of it, and time limits short enough for tests."""

from contextlib import ExitStack

import pytest
from grounds import create_tester, login_of_tester
from reliability.faults import Principal, World
from reliability.proxy import Proxy

from rds_iam_magic.database import answer, held, interrupt
from rds_iam_magic.database.connection import Connection
from rds_iam_magic.database.dial import Address
from rds_iam_magic.database.settings import Settings
from rds_iam_magic.sandbox import Sandbox


def _create_ledger(server):
    create_tester(server)
    with server.root() as root:
        root.execute("CREATE TABLE scratch.ledger (a BIGINT) ENGINE=InnoDB")


@pytest.fixture(scope="package")
def fragile():
    """A sandbox of these tests' own."""
    with Sandbox() as sandbox:
        _create_ledger(sandbox.server)
        yield sandbox


@pytest.fixture(scope="package")
def second(fragile):
    """Another server of the same names, for failovers."""
    server = fragile.add_server()
    _create_ledger(server)
    return server


@pytest.fixture(scope="package")
def principal(fragile):
    """Whose tokens the worlds use."""
    return Principal(fragile, "held")


@pytest.fixture
def short_limits(monkeypatch):
    """The product's own time limits, shortened: what they do is under test, not how long an hour is."""
    monkeypatch.setattr(held, "PING_AFTER", 0.3)
    monkeypatch.setattr(held, "PING_TIMEOUT", 0.7)
    monkeypatch.setattr(answer, "SILENCE", 0.8)
    monkeypatch.setattr(interrupt, "PATIENCE", 2.0)


@pytest.fixture
def make_world(fragile, second, principal, short_limits, notes):
    """Worlds on the fragile server; all is mended and closed at the end."""
    assert short_limits is None
    for server in (fragile.server, second):
        with server.root() as root:
            root.execute("TRUNCATE scratch.ledger")
    with ExitStack() as opened:

        def make(*, settings=None, timeout=8.0, **changes):
            proxy = opened.enter_context(Proxy(fragile.server.port))
            via = Address("localhost", proxy.port)
            login = login_of_tester(fragile, via=via, timeout=timeout, **{"credential": principal.token} | changes)
            db = opened.enter_context(Connection(login, settings=settings or Settings(), notify=notes.append))
            world = World(fragile, fragile.server, proxy, db, notes, principal, second)
            opened.enter_context(world.undo)
            return world

        yield make


@pytest.fixture
def world(make_world):
    """One of them."""
    return make_world()
