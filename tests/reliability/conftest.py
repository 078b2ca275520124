"""A sandbox whose server may be broken, and a proxy in front of it."""

from contextlib import ExitStack

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.sandbox import Sandbox
from tests.reliability.faults import Principal, World
from tests.reliability.matrix import create_tables
from tests.support.events import LONG
from tests.support.logins import create_tester, login_of_tester, watch
from tests.support.proxy import Proxy


def _create_ledger(server):
    create_tester(server)
    create_tables(server)


@pytest.fixture(scope="package")
def fragile():
    """A sandbox of these tests' own."""
    with Sandbox() as sandbox:
        _create_ledger(sandbox.server)
        with watch(sandbox.server):
            yield sandbox


@pytest.fixture(scope="package")
def second(fragile):
    """Another server of the same names, for failovers."""
    server = fragile.add_server()
    _create_ledger(server)
    with watch(server):
        yield server


@pytest.fixture(scope="package")
def principal(fragile):
    """Whose tokens the worlds use."""
    return Principal(fragile, "held")


@pytest.fixture
def make_world(fragile, second, principal, notes):
    """Worlds on the fragile server; all is mended and closed at the end."""
    for server in (fragile.server, second):
        with server.root() as root:
            root.execute("TRUNCATE scratch.ledger")
    with ExitStack() as opened:

        def make(*, settings=None, timeout=LONG, **changes):
            proxy = opened.enter_context(Proxy(fragile.server.port))
            via = Address("localhost", proxy.port)
            login = login_of_tester(fragile, via=via, timeout=timeout, **{"credential": principal.token} | changes)
            db = opened.enter_context(Connection(login, settings=settings or SessionSettings(), notify=notes.append))
            world = World(fragile, fragile.server, proxy, db, notes, principal, second)
            opened.enter_context(world.undo)
            return world

        yield make


@pytest.fixture
def world(make_world):
    """One of them."""
    return make_world()
