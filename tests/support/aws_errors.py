"""What an error that came over the border to boto3 must be."""

from rds_iam_magic.errors import RdsIamError
from tests.support.leaks import frames_of

HIDDEN = "h1dden-Value/That+Must=Not-show"


def assert_plain(error, doing=""):
    """One line of what happened, one of what to do, nothing left unfilled, nothing of the other side."""
    assert isinstance(error, RdsIamError)
    for line in (error.message, error.hint):
        assert line
        assert line.isprintable()
        assert not set("{}%") & set(line.replace(doing, "")), line
    assert len(str(error).splitlines()) == 2
    assert error.__cause__ is error.__context__ is None
    assert all(name.startswith(("rds_iam_magic.", "tests.")) for name in frames_of(error)), frames_of(error)
