"""Mistakes in policies that may not be read, by what they would allow."""

import pytest

from rds_iam_magic.aws.policies.document import Resource
from rds_iam_magic.aws.policies.misses import Login
from rds_iam_magic.aws.policies.probes import probe
from rds_iam_magic.aws.session import open_session
from tests.aws.policies.test_misses import ACCOUNT, ALONE, CLUSTER, GONE, MEMBER, NAMES, PROXY, arn
from tests.support.fake_aws import answering
from tests.support.fake_iam import FakeIam, policy

pytestmark = pytest.mark.slow  # servers and kernels


def probed(iam, monkeypatch, own=CLUSTER, name="shop"):
    login = Login(Resource("aws", "eu-west-1", ACCOUNT, own), "ana", name)
    with answering(iam) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        return probe(open_session(), iam.arn, login, NAMES)


@pytest.mark.parametrize(
    ("document", "kinds"),
    [
        (policy(arn("shop")), ["identifier"]),
        (policy(arn("shop-1")), ["identifier"]),
        (policy(arn(MEMBER)), ["instance-id"]),
        (policy([arn("shop"), arn(MEMBER)]), ["identifier", "instance-id"]),
        (policy(arn(CLUSTER, user="Ana")), ["user-case"]),
        (policy(arn(CLUSTER), "rds:connect"), ["action"]),
        (policy(arn("shop"), "rds:connect"), ["action"]),
        (policy(arn(CLUSTER, service="rds"), "rds:connect"), ["action"]),
        (policy("*", "rds:*"), []),
        (policy(arn(GONE)), []),
        (policy(arn(CLUSTER, user="bea")), []),
    ],
)
def test_a_mistake_shows_by_what_it_allows(keys, document, kinds):
    found = probed(FakeIam(managed={"p": document}), keys)
    assert [miss.kind for miss in found] == kinds
    assert {miss.policy for miss in found} <= {"p"}


@pytest.mark.parametrize(("own", "kinds"), [(ALONE, ["instance-id"]), (CLUSTER, ["instance-id"]),
                                            ("front", ["identifier"]), (GONE, [])])  # fmt: skip
def test_behind_a_proxy(keys, own, kinds):
    found = probed(FakeIam(managed={"p": policy(arn(own))}), keys, PROXY, "front")
    assert [miss.kind for miss in found] == kinds


def test_a_simulator_that_refuses_an_action_that_does_not_exist(keys):
    class Strict(FakeIam):
        def __call__(self, action, body):
            self.codes = {} if b"ActionNames.member.1=rds-db%3Aconnect" in body else {action: "InvalidInput"}
            return super().__call__(action, body)

    found = probed(Strict(managed={"p": policy(arn("shop"))}), keys)
    assert [miss.kind for miss in found] == ["identifier"]
