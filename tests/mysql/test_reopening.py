"""A session instead of a lost one: how often it is tried, and who hears of it; by real faults in reliability/."""

from types import SimpleNamespace

import pytest

from rds_iam_magic.errors import AccessDeniedError, TlsError, TunnelError, UnreachableError
from rds_iam_magic.mysql.reopening import open_with_retries
from rds_iam_magic.timeouts import Timeouts

LOGIN = SimpleNamespace(timeout=60.0, timeouts=Timeouts(first_pause=0.001))


def attempts(*errors):
    """Fails with each error in turn, then opens; notes what happens in `heard`."""
    left, heard = list(errors), []

    def open_session(seconds):
        assert 0 < seconds <= max(0.5, LOGIN.timeout)
        heard.append("tried")
        if left:
            raise left.pop(0)

    return open_session, heard


def test_each_failure_that_is_tried_again_is_heard_of():
    slow = TunnelError("slow", lasting=False)
    open_session, heard = attempts(UnreachableError("gone"), AccessDeniedError("expired"), slow)
    open_with_retries(open_session, LOGIN, lambda: heard.append("failed"))
    assert heard == ["tried", "failed"] * 3 + ["tried"]


@pytest.mark.parametrize(
    "errors",
    [[TlsError("untrusted")], [TunnelError("no key")], [AccessDeniedError("no"), AccessDeniedError("no")]],
)
def test_what_a_retry_would_not_help(errors):
    open_session, heard = attempts(*errors)
    with pytest.raises(type(errors[-1])):
        open_with_retries(open_session, LOGIN)
    assert heard == ["tried"] * len(errors)


def test_the_time_is_limited():
    open_session, heard = attempts(UnreachableError("gone"))
    with pytest.raises(UnreachableError):
        open_with_retries(open_session, SimpleNamespace(timeout=0.0, timeouts=LOGIN.timeouts))
    assert heard == ["tried"]
