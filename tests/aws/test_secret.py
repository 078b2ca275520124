"""Secrets show themselves nowhere; the master secret, against the sandbox's Secrets Manager."""

import json
import pickle

import pytest

from rds_iam_magic.aws import discovery
from rds_iam_magic.aws.secret import Secret, read_master_secret
from rds_iam_magic.errors import AwsError, OptionError, TargetError
from tests.support.leaks import found_in


def test_a_managed_secret(session, inside):
    arn = inside.client("rds").describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    secret = read_master_secret(session, arn)
    assert (secret.username, secret.host, secret.port) == ("admin", None, None)
    assert discovery.find_by_secret(session, secret.arn).endpoint.host == inside.hosts[0]


def test_a_full_secret(session, inside):
    secret = read_master_secret(session, "sandbox/standalone/master")
    assert (secret.username, secret.host, secret.port) == ("admin", inside.hosts[3], 3306)
    assert secret.identifier == "standalone"
    with pytest.raises(TargetError, match="does not name its database"):
        discovery.find_by_secret(session, secret.arn)


def test_no_such_secret(session):
    with pytest.raises(TargetError, match="no secret 'nope' in us-east-1"):
        read_master_secret(session, "nope")


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_secret_name_is_refused(session, name):
    with pytest.raises(OptionError, match="The secret's name is empty"):
        read_master_secret(session, name)


HIDDEN = "pa55-that-must-not-show"


@pytest.mark.parametrize(
    "value",
    [
        HIDDEN,
        json.dumps({"password": HIDDEN}),
        json.dumps([HIDDEN]),
        json.dumps(HIDDEN),
        f'{{"username": "{HIDDEN}"',
        json.dumps({"username": "admin", "password": HIDDEN, "port": "none"}),
        json.dumps({"username": "admin", "password": f"{HIDDEN}\ud800"}),
        json.dumps({"username": f"{HIDDEN}\ud800", "password": HIDDEN}),
        json.dumps({"username": "admin", "password": [HIDDEN]}),
        json.dumps({"username": "admin", "password": {"a": HIDDEN}}),
        json.dumps({"username": "admin", "password": None, "old": HIDDEN}),
        json.dumps({"username": "admin", "password": HIDDEN, "host": {"a": HIDDEN}}),
        json.dumps({"username": "admin", "password": HIDDEN, "dbInstanceIdentifier": [HIDDEN]}),
        f'{{"username": "admin", "password": "{HIDDEN}", "more": {"[" * 20_000}{"]" * 20_000}}}',
        f'{{"username": "admin", "password": {"[" * 20_000}"{HIDDEN}"{"]" * 20_000}}}',
    ],
)
def test_a_secret_of_another_shape_is_not_shown(session, inside, value):
    client = inside.client("secretsmanager")
    client.create_secret(Name="odd", SecretString=value)
    try:
        with pytest.raises(AwsError, match="does not hold a database user") as caught:
            read_master_secret(session, "odd")
    finally:
        client.delete_secret(SecretId="odd", ForceDeleteWithoutRecovery=True)
    assert HIDDEN not in found_in(caught.value), "%xmode Verbose shows the locals"


def test_a_secret_shows_itself_nowhere():
    secret = Secret(HIDDEN)
    assert HIDDEN not in f"{secret} {secret!r} {secret:>40} {[secret]} {vars(Secret)}"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    assert secret.reveal() == HIDDEN.encode()
