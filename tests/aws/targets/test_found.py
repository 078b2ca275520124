"""The account in what was found."""

import pytest

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.targets.found import Database, account_of
from rds_iam_magic.errors import AwsError

ENDPOINT = Endpoint("a.x1.eu-west-1.rds.amazonaws.com", "eu-west-1")


def test_the_account_is_in_the_arn():
    database = Database(ENDPOINT, "arn:aws:rds:eu-west-1:012345678901:db:a", "db-A", True)
    assert account_of(database) == "012345678901"


def test_a_malformed_arn():
    with pytest.raises(AwsError, match="is not an ARN"):
        account_of(Database(ENDPOINT, "a", "db-A", True))
