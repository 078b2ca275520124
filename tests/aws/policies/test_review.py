"""Statements that allow nothing: found, told, and replaced where it is known what is right."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.policies.document import listed
from rds_iam_magic.aws.policies.review import mend, regions_in_doubt, review
from rds_iam_magic.sandbox.policies import Verdict, decide

CLUSTER, MEMBER, ALONE = "cluster-AAAAAAAAAAAAAAAAAAAAAAAAAA", "db-BBBBBBBBBBBBBBBBBBBBBBBBBB", "db-CCCCCCCCCCCCCCCCCC"
NAMES = {"shop": CLUSTER, "shop-1": CLUSTER, MEMBER: CLUSTER, CLUSTER: CLUSTER, "stock": ALONE, ALONE: ALONE}
KNOWN = {"eu-west-1": NAMES}
CONNECT = "rds-db:connect"


def arn(name, *, service="rds-db", region="eu-west-1", user="ana"):
    return f"arn:aws:{service}:{region}:123456789012:dbuser:{name}/{user}"


def document(resource, action=CONNECT, effect="Allow"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}


@pytest.mark.parametrize(
    ("resource", "right", "why"),
    [
        (arn("shop"), arn(CLUSTER), f"shop is an identifier; the resource id is {CLUSTER}"),
        (arn("Shop"), arn(CLUSTER), "Shop is an identifier"),
        (arn("shop-1"), arn(CLUSTER), "shop-1 is an identifier"),
        (arn("stock"), arn(ALONE), "stock is an identifier"),
        (arn(MEMBER), arn(CLUSTER), f"instance in an Aurora cluster, whose own id is {CLUSTER}"),
        (arn("shop", region="*"), arn(CLUSTER, region="*"), "shop is an identifier"),
        (arn("nobody"), None, "nobody is not a resource id"),
        (arn("db-orders"), None, "db-orders is not a resource id"),
        (arn("shop", region="us-east-1"), None, "shop is not a resource id"),
        (arn(CLUSTER, service="rds"), arn(CLUSTER), "service is rds instead of rds-db"),
        (arn("shop", service="rds"), arn(CLUSTER), "shop is an identifier"),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:shop", None, "is another kind of ARN"),
    ],
)
def test_a_resource_that_is_none(resource, right, why):
    (mistake,) = review(document(resource), "p", KNOWN)
    assert (mistake.policy, mistake.element, mistake.wrong, mistake.right) == ("p", "Resource", resource, right)
    assert why in mistake.why


@pytest.mark.parametrize(
    "resource",
    [arn(CLUSTER), arn(ALONE), arn("*"), arn("cluster-*"), arn("prx-0123456789abcdef0"), "*", arn("db-D" + "E" * 20),
     arn(CLUSTER, user="*"), "arn:aws:s3:::bucket/*"],
)  # fmt: skip
def test_a_resource_that_is_right_or_may_be(resource):
    assert review(document(resource), "p", KNOWN) == []
    assert review(document(resource), "p", {}) == []


def test_what_is_told_is_one_line():
    (mistake,) = review(document(arn("a\nb\x1b[2J")), "p", KNOWN)
    assert mistake.why == "a?b?[2J is not a resource id"


def test_without_a_look_the_form_tells():
    assert [each.right for each in review(document([arn("shop"), arn(MEMBER)]), "p", {})] == [None]


@pytest.mark.parametrize("action", ["rds:connect", "RDS:Connect", ["rds:connect", "rds:DescribeDBClusters"]])
def test_an_action_that_does_not_exist(action):
    wrong = document(arn(CLUSTER), action)
    (mistake,) = review(wrong, "p", KNOWN)
    assert (mistake.element, mistake.right) == ("Action", CONNECT)
    mended = mend(wrong, [mistake])["Statement"][0]["Action"]
    assert mended == (CONNECT if isinstance(action, str) else [CONNECT, "rds:DescribeDBClusters"])


def test_another_account_may_have_a_database_of_that_name():
    """What it is called here says nothing of it: it is not replaced by an id of this account."""
    there = arn("shop").replace("123456789012", "999999999999")
    (mistake,) = review(document(there), "p", KNOWN, "123456789012")
    assert (mistake.right, mistake.why) == (None, "shop is not a resource id")
    for here in (arn("shop"), arn("shop").replace("123456789012", "*")):
        (mistake,) = review(document(here), "p", KNOWN, "123456789012")
        assert mistake.right == here.replace("shop", CLUSTER)


@pytest.mark.parametrize(
    "resource",
    ["*", [arn(CLUSTER), "*"], [], "arn:aws:rds:eu-west-1:123456789012:cluster:shop", arn("*", region="*", user="*")],
)
def test_an_action_is_not_replaced_where_that_would_allow_more(resource):
    """`rds:connect` on `*` allows nothing; `rds-db:connect` on it would allow every user of every database."""
    wrong = document(resource, "rds:connect")
    mistakes = review(wrong, "p", KNOWN)
    assert mistakes[0].element == "Action"
    assert mend(wrong, mistakes) == wrong


def test_what_is_to_deny_is_told_and_left():
    wrong = document([arn("shop")], "rds:connect", effect="Deny")
    mistakes = review(wrong, "p", KNOWN)
    assert [each.element for each in mistakes] == ["Action", "Resource"]
    assert mend(wrong, mistakes) == wrong


def test_the_same_twice_is_once():
    wrong = document([arn("shop"), arn(CLUSTER), arn(MEMBER)], ["rds:connect", CONNECT])
    assert mend(wrong, review(wrong, "p", KNOWN)) == document([arn(CLUSTER)], [CONNECT])


@pytest.mark.parametrize(
    ("resources", "regions"),
    [
        ([arn("shop")], {"eu-west-1"}),
        ([arn(MEMBER), arn("x", region="us-east-1")], {"eu-west-1", "us-east-1"}),
        ([arn(CLUSTER)], set()),
        ([arn("*"), "*", arn("x", region="*"), arn("x", region="")], set()),
    ],
)
def test_what_is_worth_a_look(resources, regions):
    assert regions_in_doubt([document(resources)], [CLUSTER]) == regions


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"Statement": None},
        {"Statement": ["x"]},
        {"Statement": {"Effect": "Allow"}},
        document([1, None], [2, {}]),
        {"Statement": [{"NotAction": "x", "NotResource": "y"}]},
    ],
)
def test_odd_documents_have_no_mistakes(odd):
    assert review(odd, "p", KNOWN) == []
    assert regions_in_doubt([odd], []) == set()
    assert mend(odd, []) == odd


ids = st.sampled_from([*NAMES, "nobody", "*", "cluster-*", "prx-0123456789abcdef0"])
arns = st.builds(arn, ids, service=st.sampled_from(["rds", "rds-db"]), region=st.sampled_from(["eu-west-1", "*", "x"]))
resources = arns | st.just("*") | st.lists(arns | st.sampled_from(["*", "arn:aws:s3:::b"]), max_size=4)
actions = st.sampled_from(["rds:connect", "RDS:connect", CONNECT, "rds-db:*", "s3:Get*"])
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Action": actions | st.lists(actions, max_size=3),
        "Resource": resources,
    }
)
documents = st.builds(lambda each: {"Version": "2012-10-17", "Statement": each}, statements | st.lists(statements))
RIGHT = [arn(CLUSTER), arn(ALONE), arn("prx-0123456789abcdef0")]


def verdicts(document):
    return [decide([document], CONNECT, right) for right in RIGHT]


def _place(mistake):
    return mistake.statement, mistake.element, mistake.wrong


@given(documents)
def test_mending(before):
    kept = copy.deepcopy(before)
    mistakes = review(before, "p", KNOWN)
    after = mend(before, mistakes)
    assert before == kept
    again = review(after, "p", KNOWN)
    assert [each for each in again if each.right is not None] == [], "once is enough"
    # What stands twice in a list that is mended, is there once.
    assert {_place(each) for each in again} == {_place(each) for each in mistakes if each.right is None}
    for old, new in zip(verdicts(before), verdicts(after), strict=True):
        assert new == old or (old, new) == (Verdict.SILENT, Verdict.ALLOWED), "nothing is taken away or denied"
    for old, new in zip(listed(before["Statement"]), listed(after["Statement"]), strict=True):
        assert old == new or old["Effect"] == "Allow"
        assert (
            "*" not in listed(new["Resource"])
            or "rds:connect" not in str(old["Action"])
            or (listed(new["Action"]) == listed(old["Action"]))
        )


@given(documents, st.sampled_from(["shop", "shop-1", MEMBER]))
def test_what_was_meant_is_allowed(before, name):
    meant = {"Effect": "Allow", "Action": "rds:connect", "Resource": [arn(name)]}
    statements = [*(each for each in listed(before["Statement"]) if each["Effect"] == "Allow"), meant]
    wrong = {**before, "Statement": statements}
    assert decide([mend(wrong, review(wrong, "p", KNOWN))], CONNECT, arn(CLUSTER)) is Verdict.ALLOWED
