"""What the tests of MySQL's protocol share."""

import pytest


@pytest.fixture
def fresh(sandbox, db):
    """A connection whose values are compared with what root reads: the sandbox's own server, also with `--dsn`."""
    assert sandbox.server.pid
    return db
