"""The policy that lets a database user connect, against the sandbox's IAM, and from ids alone."""

import json

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.policy import check_policy_user, connect_policy, find_for_policy, policy_from_ids
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.resolve import described
from rds_iam_magic.errors import AwsError, OptionError, RegionError, TargetError
from tests.support.permissions import only

slow = pytest.mark.slow  # servers and kernels

IDS = {"resource_id": "cluster-ABC123", "account": "012345678901", "region": "eu-west-1"}


@slow
def test_the_policy_names_the_resource_id(session):
    database = described(session, "sandbox")
    (statement,) = connect_policy(database, "analyst")["Statement"]
    assert statement["Action"] == "rds-db:connect"
    assert statement["Resource"] == f"arn:aws:rds-db:us-east-1:123456789012:dbuser:{database.resource_id}/analyst"


@slow
def test_the_policy_lets_its_holder_in(session, inside):
    """What is printed works: attached to a user, it lets that user connect, and only as that database user."""
    import rds_iam_magic
    from rds_iam_magic.errors import AccessDeniedError

    iam = inside.client("iam")
    database = described(session, "sandbox")
    document = connect_policy(database, "reader")
    ids = {"resource_id": str(database.resource_id), "account": "123456789012", "region": "us-east-1"}
    assert policy_from_ids("reader", **ids) == document
    with pytest.raises(AccessDeniedError):
        rds_iam_magic.connect("sandbox", user="reader", profile="stranger")
    iam.put_user_policy(UserName="stranger", PolicyName="given", PolicyDocument=json.dumps(document))
    try:
        rds_iam_magic.connect("sandbox", user="reader", profile="stranger").close()
    finally:
        iam.delete_user_policy(UserName="stranger", PolicyName="given")


@slow
@pytest.mark.parametrize("kind", [str, parse_host_name])
def test_a_target_by_any_name(session, inside, kind):
    for number, of_cluster in enumerate((True, True, True, False)):
        found = find_for_policy(session, kind(inside.hosts[number]))
        assert found.resource_id.startswith("cluster-" if of_cluster else "db-")
    assert find_for_policy(session, "sandbox-1") == described(session, "sandbox-1")


@slow
@pytest.mark.parametrize("target", [0, 2, "sandbox-1", "sandbox"])
def test_without_the_right_to_look_the_permissions_are_named(inside, target):
    """The host name does not help here, as it does when connecting; the ids do."""
    target = inside.hosts[target] if isinstance(target, int) else target
    with only(inside, "rds:DescribeDBInstances") as profile, pytest.raises(AwsError) as caught:
        connect_policy(find_for_policy(open_session(profile=profile), target), "reader")
    assert caught.value.cause == "policy-lookup-denied"
    for words in ("rds:DescribeDBClusters", "rds:DescribeDBInstances", "resource_id="):
        assert words in caught.value.hint


@slow
def test_what_is_not_there_is_not_for_want_of_a_permission(session):
    with pytest.raises(TargetError, match="There is no DB cluster or instance 'nobody'"):
        find_for_policy(session, "nobody")


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-west-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
    ],
)
def test_from_ids_alone(region, partition):
    (statement,) = policy_from_ids("ana", **{**IDS, "region": region})["Statement"]
    assert statement["Resource"] == f"arn:{partition}:rds-db:{region}:012345678901:dbuser:cluster-ABC123/ana"


@pytest.mark.parametrize("resource_id", ["cluster-ABC", "db-ABC123", "prx-0123abc"])
def test_each_kind_of_resource(resource_id):
    (statement,) = policy_from_ids("ana", **{**IDS, "resource_id": resource_id})["Statement"]
    assert statement["Resource"].endswith(f":dbuser:{resource_id}/ana")


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"resource_id": "sandbox"}, OptionError, "'sandbox' is not a resource id"),
        ({"resource_id": "cluster-"}, OptionError, "not a resource id"),
        ({"resource_id": "*"}, OptionError, "not a resource id"),
        ({"resource_id": "cluster-A/ana"}, OptionError, "not a resource id"),
        ({"account": "1234"}, OptionError, "12 digits"),
        ({"account": "*"}, OptionError, "12 digits"),
        ({"account": "１２３４５６７８９０１２"}, OptionError, "12 digits"),
        ({"region": "europe"}, RegionError, "europe is not an AWS region"),
        ({"region": "*"}, RegionError, "not an AWS region"),
    ],
)
def test_ids_that_are_none(changed, kind, words):
    with pytest.raises(kind, match=words) as caught:
        policy_from_ids("ana", **IDS | changed)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("user", ["*", "ana*", "an?", "${aws:username}", "a${x", f"{'a' * 40}*"])
def test_a_pattern_is_for_those_who_ask_for_one(user):
    """In a policy it stands for more users than the one that is meant: `*` for every one."""
    with pytest.raises(OptionError, match="more than one database user") as caught:
        policy_from_ids(user, **IDS)
    assert caught.value.cause == "policy-user-pattern"
    assert "wildcard=True" in caught.value.hint
    (statement,) = policy_from_ids(user, **IDS, wildcard=True)["Statement"]
    assert statement["Resource"].endswith(f"/{user}")


@pytest.mark.parametrize(
    ("user", "words"),
    [("", "is empty"), (" ", "is empty"), ("a" * 33, "1 to 32"), ("a\ud800", "lone surrogate")],
)
@pytest.mark.parametrize("wildcard", [False, True])
def test_a_policy_for_nobody(user, words, wildcard):
    with pytest.raises(OptionError, match=words):
        check_policy_user(user, wildcard=wildcard)


@pytest.mark.parametrize("user", ["a" * 32, "日" * 32, "$x", "{a}", "a.b-c@d", "Ana"])
def test_other_names_are_taken_as_they_are(user):
    assert policy_from_ids(user, **IDS)["Statement"][0]["Resource"].endswith(f"/{user}")
