"""The policy that lets a database user connect, against the sandbox's IAM."""

import json

import pytest

from rds_iam_magic.aws import discovery
from rds_iam_magic.aws.policy import connect_policy

pytestmark = pytest.mark.slow  # servers and kernels


def test_the_policy_names_the_resource_id(session):
    database = discovery.find(session, "sandbox")
    (statement,) = connect_policy(database, "analyst")["Statement"]
    assert statement["Action"] == "rds-db:connect"
    assert statement["Resource"] == f"arn:aws:rds-db:us-east-1:123456789012:dbuser:{database.resource_id}/analyst"


def test_the_policy_lets_its_holder_in(session, inside):
    """What is printed works: attached to a user, it lets that user connect, and only as that database user."""
    import rds_iam_magic
    from rds_iam_magic.errors import AccessDeniedError

    iam = inside.client("iam")
    document = connect_policy(discovery.find(session, "sandbox"), "reader")
    with pytest.raises(AccessDeniedError):
        rds_iam_magic.connect("sandbox", user="reader", profile="stranger")
    iam.put_user_policy(UserName="stranger", PolicyName="given", PolicyDocument=json.dumps(document))
    try:
        rds_iam_magic.connect("sandbox", user="reader", profile="stranger").close()
    finally:
        iam.delete_user_policy(UserName="stranger", PolicyName="given")
