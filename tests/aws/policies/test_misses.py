"""Each kind of mistake in a statement that is for connecting, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.policies.document import Resource
from rds_iam_magic.aws.policies.evaluate import Policy, Verdict, evaluate
from rds_iam_magic.aws.policies.misses import Login, misses

CLUSTER, MEMBER, ALONE = "cluster-AAAAAAAAAAAAAAAAAAAAAAAAAA", "db-BBBBBBBBBBBBBBBBBBBBBBBBBB", "db-CCCCCCCCCCCCCCCCCC"
OLD, GONE, PROXY = "cluster-DDDDDDDDDDDDDDDDDDDDDDDDDD", "cluster-EEEEEEEEEEEEEEEEEEEEEEEEEE", "prx-0123456789abcdef0"
NAMES = {
    "shop": CLUSTER,
    "shop-1": CLUSTER,
    MEMBER: CLUSTER,
    CLUSTER: CLUSTER,
    "stock": ALONE,
    ALONE: ALONE,
    "shop-old1": OLD,
    OLD: OLD,
}
KNOWN = {"eu-west-1": NAMES}
CONNECT = "rds-db:connect"
ACCOUNT = "123456789012"


def login(own=CLUSTER, name="shop", user="ana"):
    return Login(Resource("aws", "eu-west-1", ACCOUNT, own), user, name)


def arn(own, *, service="rds-db", region="eu-west-1", account=ACCOUNT, user="ana"):
    return f"arn:aws:{service}:{region}:{account}:dbuser:{own}/{user}"


def policy(resource, action=CONNECT, effect="Allow", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return Policy("p", {"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("document", "kinds"),
    [
        (policy(arn(CLUSTER), "rds:connect"), ["action"]),
        (policy(arn(CLUSTER), "RDS:Connect"), ["action"]),
        (policy(arn(CLUSTER), "rds-db:conect"), ["action"]),
        (policy(arn(CLUSTER, service="rds")), ["action"]),
        (policy(arn("shop"), "rds:connect"), ["action", "identifier"]),
        (policy(arn("shop")), ["identifier"]),
        (policy(arn("Shop-1")), ["identifier"]),
        (policy(arn("nothing")), ["identifier"]),
        (policy(f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:shop"), ["identifier"]),
        (policy(f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:stock"), ["other-user"]),
        (policy(f"arn:aws:rds-db:eu-west-1:{ACCOUNT}:dbuser/{CLUSTER}/ana"), ["other"]),
        (policy(arn(MEMBER)), ["instance-id"]),
        (policy(arn(GONE)), ["other-id"]),
        (policy(arn(OLD)), ["other-id"]),
        (policy(arn("shop-old1")), ["other-id"]),
        (policy(arn(CLUSTER, user="Ana")), ["user-case"]),
        (policy(arn(MEMBER, user="ANA")), ["instance-id", "user-case"]),
        (policy(arn(CLUSTER, user="bea")), ["other-user"]),
        (policy(arn("shop", user="bea")), ["other-user"]),
        (policy(arn(CLUSTER, user="ana@%")), ["other-user"]),
        (policy(arn(ALONE)), ["other-user"]),
        (policy(arn("db-*")), ["other-user"]),
        (policy(arn(PROXY)), ["other"]),
        (policy(arn(CLUSTER, region="us-east-1")), ["other-user"]),
        (policy(arn(CLUSTER, account="210987654321")), ["other-user"]),
        (policy(arn(CLUSTER, region="")), ["other-user"]),
        (policy([arn("shop"), arn(MEMBER), "arn:aws:s3:::b/*"]), ["identifier", "instance-id"]),
        (policy("*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}), ["condition"]),
        (policy(arn(CLUSTER), Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), ["condition"]),
        (policy(arn("${aws:username}")), ["other-user"]),
    ],
)
def test_the_mistakes_of_a_statement(document, kinds):
    found = misses([document], login(), KNOWN, {"aws:username": "ana"})
    assert [miss.kind for miss in found] == kinds
    assert {miss.policy for miss in found} == {"p"}
    assert all(miss.wrong and miss.why for miss in found)


@pytest.mark.parametrize(
    "document",
    [
        policy(arn(CLUSTER)),
        policy("*"),
        policy(arn("*", user="*"), "rds-db:*"),
        policy(arn(CLUSTER, user="${aws:username}")),
        policy(arn(CLUSTER, user="${aws:userid}")),
        policy([arn("shop"), arn(CLUSTER)]),
        policy(arn(CLUSTER), Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        policy(arn("shop"), effect="Deny"),
        policy("arn:aws:s3:::b/*", "s3:*"),
        policy(f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:shop", "rds:Describe*"),
        Policy("unread", None),
    ],
)
def test_what_is_none(document):
    assert misses([document], login(), KNOWN, {"aws:username": "ana"}) == []


@pytest.mark.parametrize(
    ("own", "kind"),
    [(ALONE, "instance-id"), (CLUSTER, "instance-id"), (GONE, "instance-id"), ("stock", "instance-id"),
     ("front", "identifier"), ("prx-ffffffffffffffff0", "other")],
)  # fmt: skip
def test_in_front_of_a_proxy(own, kind):
    (miss,) = misses([policy(arn(own))], login(PROXY, "front"), KNOWN, {})
    assert miss.kind == kind
    assert PROXY in miss.why


@pytest.mark.parametrize(("own", "kind"), [("shop", "identifier"), ("other", "identifier"), (GONE, "other")])
def test_where_databases_may_not_be_looked_up(own, kind):
    (miss,) = misses([policy(arn(own))], login(), {}, {})
    assert miss.kind == kind


def test_it_says_what_is_wrong_on_one_line():
    (miss,) = misses([policy(arn("a\nb"))], login(), KNOWN, {})
    assert miss.wrong == arn("a?b")
    assert miss.why == f"a?b is not a resource id; the database's is {CLUSTER}"


TEXTS = st.sampled_from(["shop", CLUSTER, MEMBER, GONE, "*", "ana", "Ana", "bea", "", "${aws:username}", "a/b"])


@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["rds", "rds-db", "s3"])), max_size=3),
       st.sampled_from([CONNECT, "rds:connect", "rds-db:*", "*", "s3:*"]))  # fmt: skip
def test_whatever_lets_in_has_no_mistake_and_whatever_is_for_connecting_and_does_not_has_one(parts, action):
    document = policy([arn(own, service=service, user=user) for own, user, service in parts], action)
    allowed = evaluate([document], CONNECT, login().arn).verdict
    found = misses([document], login(), KNOWN, {})
    if allowed is not Verdict.NOT_ALLOWED:
        assert found == []
    elif parts and action in (CONNECT, "rds:connect", "rds-db:*") and any(part[2] != "s3" for part in parts):
        assert found
