"""Secrets show themselves nowhere; the master secret, against the sandbox's Secrets Manager."""

import json
import pickle

import pytest

from rds_iam_magic.aws.secret import Secret, read_master_secret
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.find import by_secret
from rds_iam_magic.aws.targets.resolve import described
from rds_iam_magic.errors import AwsError, OptionError, TargetError
from tests.support.fake_aws import answering, refusing
from tests.support.leaks import found_in


def test_a_managed_secret(session, inside):
    arn = inside.client("rds").describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    secret = read_master_secret(session, arn)
    assert (secret.username, secret.host, secret.port) == ("admin", None, None)
    assert by_secret(session, secret.arn, "us-east-1").endpoint.host == inside.hosts[0]


def test_a_full_secret(session, inside):
    secret = read_master_secret(session, "sandbox/standalone/master")
    assert (secret.username, secret.host, secret.port) == ("admin", inside.hosts[3], 3306)
    assert secret.identifier == "standalone"
    with pytest.raises(TargetError, match="does not name its database"):
        by_secret(session, secret.arn, "us-east-1")


def test_no_such_secret(session):
    with pytest.raises(TargetError, match="no secret 'nope' in us-east-1"):
        read_master_secret(session, "nope")


FULL = json.dumps({"username": "admin", "password": "x", "host": "h.cluster-abc.eu-west-1.rds.amazonaws.com"})
ELSEWHERE = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nope-AbCdEf"


@pytest.fixture
def abroad(session):
    """Secrets Manager in another region than the session's."""
    assert session.region_name == "us-east-1"
    return session.client("secretsmanager", region_name="eu-west-1")


def test_an_arn_tells_its_region(session, abroad):
    arn = abroad.create_secret(Name="abroad", SecretString=FULL)["ARN"]
    try:
        with pytest.raises(TargetError, match="no secret 'abroad' in us-east-1"):
            read_master_secret(session, "abroad")
        secret = read_master_secret(session, f" {arn}\n")
    finally:
        abroad.delete_secret(SecretId="abroad", ForceDeleteWithoutRecovery=True)
    assert (secret.username, secret.arn, secret.region) == ("admin", arn, "eu-west-1")


def test_no_such_secret_in_the_region_of_its_arn(session):
    with pytest.raises(TargetError, match=f"no secret '{ELSEWHERE}' in eu-west-1"):
        read_master_secret(session, ELSEWHERE)


def test_the_database_is_looked_for_in_the_secrets_region(session):
    """What RDS manages is where the database is; a name in a secret is taken for one of the same region."""
    rds = session.client("rds", region_name="eu-west-1")
    cluster = rds.create_db_cluster(
        DBClusterIdentifier="far", Engine="aurora-mysql", MasterUsername="admin", ManageMasterUserPassword=True
    )["DBCluster"]
    try:
        arn = cluster["MasterUserSecret"]["SecretArn"]
        found = by_secret(session, arn, "eu-west-1")
        assert (found.endpoint.host, found.endpoint.region) == (cluster["Endpoint"], "eu-west-1")
        assert described(session, "far", region="eu-west-1").endpoint == found.endpoint
    finally:
        rds.delete_db_cluster(DBClusterIdentifier="far", SkipFinalSnapshot=True)


def test_a_secret_that_is_marked_for_deletion(session, inside):
    client = inside.client("secretsmanager")
    client.create_secret(Name="doomed", SecretString=FULL)
    client.delete_secret(SecretId="doomed", RecoveryWindowInDays=7)
    try:
        with pytest.raises(TargetError, match="The secret 'doomed' is marked for deletion") as caught:
            read_master_secret(session, "doomed")
    finally:
        client.delete_secret(SecretId="doomed", ForceDeleteWithoutRecovery=True)
    assert "restore-secret" in caught.value.hint


def test_a_secret_without_a_value(session, inside):
    client = inside.client("secretsmanager")
    client.create_secret(Name="hollow")
    try:
        with pytest.raises(TargetError, match="The secret 'hollow' has no value") as caught:
            read_master_secret(session, "hollow")
    finally:
        client.delete_secret(SecretId="hollow", ForceDeleteWithoutRecovery=True)
    assert caught.value.cause == "secret-empty"


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "Access to KMS is not allowed"),
        ("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key."),
    ],
)
def test_no_right_to_a_secrets_kms_key(monkeypatch, code, message):
    """The same code as without the right to the secret, which other people may give."""
    with answering(refusing(code, message)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        with pytest.raises(AwsError, match="The secret 'locked' cannot be decrypted with its KMS key") as caught:
            read_master_secret(open_session(), "locked")
    assert "kms:Decrypt" in caught.value.hint


@pytest.mark.usefixtures("inside")
def test_no_right_to_a_secret(monkeypatch):
    words = "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: secretsmanager:GetSecretValue"
    with answering(refusing("AccessDeniedException", words)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        with pytest.raises(AwsError, match="does not permit reading the secret locked") as caught:
            read_master_secret(open_session(), "locked")
    assert caught.value.cause == "aws-denied"


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


def test_a_text_without_the_secret():
    token = Secret(
        "host:3306/?Action=connect&X-Amz-Security-Token=a%2Bsession%2Ftoken%3D%3D&X-Amz-Signature=" + 64 * "0"
    )
    for repeated in (token.reveal().decode(), "a%2Bsession%2Ftoken%3D%3D", "a+session/token==", 64 * "0"):
        assert token.hidden_in(f"It is {repeated}, to connect.") == "It is …, to connect."
    assert Secret("").hidden_in("It is empty.") == "It is empty."
