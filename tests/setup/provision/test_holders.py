"""Who holds a policy, and taking it away."""

import json

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.setup.provision.holders import detach, holders_of

pytestmark = pytest.mark.slow  # servers and kernels


def test_each_kind_of_holder(inside):
    iam = inside.client("iam")
    statement = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_policy(PolicyName="held", PolicyDocument=document)["Policy"]["Arn"]
    session = open_session()
    assert holders_of(session, arn) == []
    iam.attach_user_policy(UserName="stranger", PolicyArn=arn)
    iam.attach_group_policy(GroupName="analysts", PolicyArn=arn)
    iam.attach_role_policy(RoleName="analytics", PolicyArn=arn)
    holders = holders_of(session, arn)
    assert list(map(str, holders)) == ["user/stranger", "group/analysts", "role/analytics"]
    for holder in holders:
        detach(session, holder)
    assert holders_of(session, arn) == []
    iam.delete_policy(PolicyArn=arn)
    assert holders_of(session, arn) == [], "a policy that is gone is held by nobody"
