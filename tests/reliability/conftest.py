"""A sandbox whose server may be broken, and a proxy in front of it."""

from contextlib import ExitStack

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.sandbox import Sandbox
from tests.reliability.faults import Principal, Rig
from tests.reliability.matrix import create_tables
from tests.support.events import LONG
from tests.support.logins import create_tester, login_of_tester
from tests.support.proxy import Proxy
from tests.support.watched import watch


def _create_ledger(server):
    create_tester(server)
    create_tables(server)


@pytest.fixture(scope="package")
def own_sandbox():
    """A sandbox of these tests' own."""
    with Sandbox() as sandbox:
        _create_ledger(sandbox.server)
        with watch(sandbox.server):
            yield sandbox


@pytest.fixture(scope="package")
def second(own_sandbox):
    """Another server of the same names, for failovers."""
    server = own_sandbox.add_server()
    _create_ledger(server)
    with watch(server):
        yield server


@pytest.fixture(scope="package")
def principal(own_sandbox):
    """Whose tokens the rigs' connections use."""
    return Principal(own_sandbox, "held")


@pytest.fixture
def make_rig(own_sandbox, second, principal, notes):
    """Rigs on the sandbox; all is mended and closed at the end."""
    for server in (own_sandbox.server, second):
        with server.root() as root:
            root.execute("TRUNCATE scratch.ledger")
    with ExitStack() as opened:

        def make(*, settings=None, timeout=LONG, **changes):
            proxy = opened.enter_context(Proxy(own_sandbox.server.port))
            via = Address("localhost", proxy.port)
            login = login_of_tester(own_sandbox, via=via, timeout=timeout, **{"credential": principal.token} | changes)
            db = opened.enter_context(Connection(login, settings=settings or SessionSettings(), notify=notes.append))
            rig = Rig(own_sandbox, own_sandbox.server, proxy, db, notes, principal, second)
            opened.enter_context(rig.undo)
            return rig

        yield make


@pytest.fixture
def rig(make_rig):
    """One of them."""
    return make_rig()
