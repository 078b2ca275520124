"""The table of causes: each error that botocore has is in it, and comes out in our words."""

import inspect

import botocore.exceptions as aws
import pytest

from rds_iam_magic.aws import causes
from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.errors import RdsIamError
from tests.support.aws_errors import HIDDEN, assert_plain
from tests.support.leaks import found_in

pytestmark = pytest.mark.usefixtures("own_configuration")


CLASSES = sorted(
    (kind for _, kind in inspect.getmembers(aws, inspect.isclass) if issubclass(kind, Exception)),
    key=lambda kind: kind.__name__,
)


class _Anything(dict):
    def __missing__(self, name):
        return HIDDEN


def build(kind):
    """An instance with a secret in every field that its text has, but for those that are names."""
    if issubclass(kind, aws.ClientError):
        return kind({"Error": {"Code": "Odd", "Message": HIDDEN}}, "DescribeDBClusters")
    if not issubclass(kind, aws.BotoCoreError):
        return kind(HIDDEN)
    if kind is aws.WaiterError:
        return kind("the-name", HIDDEN, HIDDEN)
    names = {"profile", "path", "provider", "cred_var", "region_name", "source_profile"}
    fields = [name for name in _names_in(kind.fmt) if name != "error"]
    values = {name: f"the-{name}" if name in names else HIDDEN for name in fields}
    return kind(error=ValueError(HIDDEN), **values)


def _names_in(text):
    import string

    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_error_of_botocore(kind):
    doing = "looking up sandbox"
    with pytest.raises(RdsIamError) as caught, aws_call(doing):
        raise build(kind)
    assert_plain(caught.value, doing)
    assert HIDDEN not in found_in(caught.value)
    if issubclass(kind, aws.BotoCoreError):
        assert caught.value.hint != causes.ANY[2], f"{kind.__name__} is in no table"


def test_the_table_names_what_there_is():
    known = {kind.__name__ for kind in CLASSES}
    elsewhere = {"BadIMDSRequestError", "InvalidArnException", "HTTPError", "ResponseParserError"}
    beneath = {"Boto3Error", "ImportError", "RecursionError", "MemoryError", "EOFError", "JSONDecodeError"}
    beneath |= {"UnicodeEncodeError", "UnicodeError", "SubprocessError", "OSError", "LookupError", "ValueError"}
    assert set(causes.BY_CLASS) <= known | elsewhere | beneath
