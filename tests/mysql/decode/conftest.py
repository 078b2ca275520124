"""Values come through both protocols, and are the same."""

import pytest

from tests.support.logins import through_text


@pytest.fixture(params=["binary", "text"])
def protocol(request):
    return request.param


@pytest.fixture
def db(scratch, notes, protocol):
    """A connection to the scratch schema whose queries use the protocol."""
    login = scratch.login()
    changes = {"endpoint": through_text(login).endpoint} if protocol == "text" else {}
    with scratch.connect(notes, **changes) as connection:
        yield connection
