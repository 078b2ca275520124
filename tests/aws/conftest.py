"""A session with the sandbox's account."""

import pytest

from rds_iam_magic.aws.session import open_session


@pytest.fixture
def session(inside):
    """A session with the sandbox's account."""
    assert inside.server.pid
    return open_session()
