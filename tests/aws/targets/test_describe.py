"""RDS's describe calls: what is not there, what may not be described, and answers that have more than was asked for."""

import boto3
import pytest
from botocore.exceptions import ClientError

from rds_iam_magic.aws.targets.describe import CLUSTERS, INSTANCES, PROXIES, Describer, describe

pytestmark = pytest.mark.slow  # botocore's client


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "User is not authorized to perform: rds:X"}}, "X")


class Client:
    """Answers as RDS does; a call without an answer is refused with the code that is there instead."""

    exceptions = boto3.Session("key", "secret", region_name="eu-west-1").client("rds").exceptions

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def __getattr__(self, name):
        if not name.startswith("describe_"):
            raise AttributeError(name)
        return lambda **arguments: self.answer(name, arguments)

    def answer(self, name, arguments):
        self.asked.append((name, arguments))
        answer = self.answers[name]
        if isinstance(answer, str):
            raise refusal(answer)
        return answer

    def get_paginator(self, name):
        class Paginator:
            paginate = staticmethod(lambda **arguments: [self.answer(name, arguments)])

        return Paginator


def describer(**answers):
    made = object.__new__(Describer)
    made.client, made.denials = Client(**answers), {}
    return made


def test_only_the_one_that_was_asked_for():
    """The first of an answer is not taken for it: some endpoints answer a filter that they do not know with all."""
    rows = [{"DBClusterIdentifier": "first"}, {"DBClusterIdentifier": "second"}]
    client = Client(describe_db_clusters={"DBClusters": rows})
    assert describe(client, CLUSTERS, "SECOND") == rows[1]
    assert describe(client, CLUSTERS, "third") is None


@pytest.mark.parametrize(
    "code",
    [
        "DBClusterNotFoundFault",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "ValidationError",
        "InvalidAction",
    ],
)
def test_what_is_not_there(code):
    asking = describer(describe_db_clusters=code)
    assert asking.one(CLUSTERS, "x") is None
    asking.require(CLUSTERS)


def test_a_denial_is_remembered_and_raised_when_that_is_asked_for():
    asking = describer(
        describe_db_clusters="AccessDenied",
        describe_db_instances={"DBInstances": [{"DBInstanceIdentifier": "x"}]},
        describe_db_proxies="AccessDenied",
    )
    assert asking.one(CLUSTERS, "x") is None
    assert asking.all(PROXIES, INSTANCES) == [{"DBInstanceIdentifier": "x"}]
    assert asking.denied(PROXIES)
    assert not asking.denied(INSTANCES)
    asking.require(INSTANCES)
    with pytest.raises(ClientError, match="AccessDenied"):
        asking.require(INSTANCES, CLUSTERS)


def test_another_refusal_is_raised_at_once():
    for ask in (lambda it: it.one(CLUSTERS, "x"), lambda it: it.all(CLUSTERS)):
        with pytest.raises(ClientError, match="Throttling"):
            ask(describer(describe_db_clusters="Throttling"))


@pytest.mark.parametrize("name", ["*", "a b", "a,b", "-", "日本", "", "a/b"])
def test_what_is_no_identifier_is_never_sent(name):
    asking = describer()
    assert asking.one(CLUSTERS, name) is None
    assert asking.client.asked == []
