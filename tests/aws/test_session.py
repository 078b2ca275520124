"""What goes wrong between the user's AWS configuration and a token, in words."""

import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.exceptions as aws
import pytest

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.session import (
    HastySession,
    Source,
    client_of,
    credentials_of,
    environment_of,
    open_session,
    region_of,
    source_of,
)
from rds_iam_magic.errors import AwsError, CredentialsError, RegionError


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_no_credentials():
    with pytest.raises(CredentialsError, match="No AWS credentials") as caught:
        credentials_of(open_session(region="eu-west-1"))
    assert "aws sso login" in caught.value.hint


def test_a_temporary_key_without_its_session_token(monkeypatch):
    """Nothing would say so later but the database, by "Access denied"."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(CredentialsError, match="session token is missing") as caught:
        credentials_of(open_session(region="eu-west-1"))
    assert caught.value.cause == "session-token-missing"
    assert "AWS_SESSION_TOKEN" in caught.value.hint
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert credentials_of(open_session(region="eu-west-1")).token == "token"


def test_no_region():
    with pytest.raises(RegionError, match="region="):
        region_of(open_session())


@pytest.mark.parametrize(
    ("option", "variable", "default_variable", "expected"),
    [
        ("us-west-1", "eu-west-1", "eu-west-2", "us-west-1"),
        (None, "eu-west-1", "eu-west-2", "eu-west-1"),
        (None, "eu-west-1", None, "eu-west-1"),
        (None, "", "eu-west-2", "eu-west-2"),
        (None, None, "eu-west-2", "eu-west-2"),
        (None, None, None, "eu-north-1"),
    ],
)
@pytest.mark.parametrize("profile", [None, "north"])
def test_the_region_is_looked_for_as_the_aws_cli_does(
    monkeypatch, tmp_path, option, variable, default_variable, expected, profile
):
    """boto3 alone does not read AWS_REGION."""
    (tmp_path / "config").write_text("[default]\nregion=eu-north-1\n[profile north]\nregion=eu-north-1\n")
    for name, value in (("AWS_REGION", variable), ("AWS_DEFAULT_REGION", default_variable)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert region_of(open_session(region=option, profile=profile)) == expected


def test_a_role_is_assumed_in_the_same_region(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert region_of(open_session(role_arn="arn:aws:iam::123456789012:role/analytics")) == "eu-west-1"


def test_the_credentials_as_variables_of_the_aws_cli(monkeypatch):
    with pytest.raises(CredentialsError):
        environment_of(open_session())
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    for more in ({}, {"AWS_SESSION_TOKEN": "token"}):
        for name, value in (keys | more).items():
            monkeypatch.setenv(name, value)
        assert environment_of(open_session()) == keys | more


def test_credentials_are_read_where_no_interrupt_strikes():
    """They may come over TLS, or from another program: neither of Python's ways there bears an interrupt."""
    readers = []

    class Session:
        def get_credentials(self):
            readers.append(threading.get_ident())

    with pytest.raises(CredentialsError):
        credentials_of(Session())
    assert len(readers) == 1
    assert readers[0] != threading.get_ident()


def test_unknown_profile():
    with pytest.raises(CredentialsError, match="nobody") as caught:
        open_session(profile="nobody")
    assert "list-profiles" in caught.value.hint


def test_sso_session_that_has_ended(tmp_path):
    (tmp_path / "config").write_text(
        "[profile sso]\nsso_session=s\nsso_account_id=123456789012\nsso_role_name=Analyst\nregion=eu-west-1\n"
        "[sso-session s]\nsso_region=eu-west-1\nsso_start_url=https://example.awsapps.com/start\n"
    )
    with pytest.raises(CredentialsError, match="SSO session has ended") as caught, aws_call("signing"):
        credentials_of(open_session(profile="sso")).get_frozen_credentials()
    assert "aws sso login" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("ExpiredToken", CredentialsError, "expired"),
        ("InvalidClientTokenId", CredentialsError, "access key"),
        ("AccessDenied", AwsError, "does not permit looking up x"),
        ("Throttling", AwsError, "failed while looking up x"),
    ],
)
def test_client_errors(code, kind, words):
    with pytest.raises(kind, match=words) as caught, aws_call("looking up x"):
        raise aws.ClientError({"Error": {"Code": code, "Message": "…"}}, "DescribeDBClusters")
    assert caught.value.__context__ is None  # botocore's frames hold secret keys
    assert len(str(caught.value).splitlines()) <= 2


def test_an_endpoint_that_is_no_address(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:5000")
    with pytest.raises(AwsError, match="invalid endpoint"), aws_call("looking up x"):
        boto3.Session("key", "secret", region_name="us-east-1").client("rds").describe_db_clusters()


def test_a_hasty_session_gives_up_soon_and_is_the_session_else():
    session = boto3.Session("key", "secret", region_name="eu-west-1")
    hasty = HastySession(session)
    client = client_of(HastySession(hasty), "sts", region_name="eu-west-2")
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (3, 3)
    assert client.meta.region_name == "eu-west-2"
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert (region_of(hasty), hasty.events) == ("eu-west-1", session.events)
    assert credentials_of(hasty) is credentials_of(session)


@pytest.mark.parametrize("token", ["", "token"])
def test_where_credentials_come_from(monkeypatch, tmp_path, token):
    with pytest.raises(CredentialsError):
        source_of(open_session())
    keys = f"aws_access_key_id=key\naws_secret_access_key=secret\naws_session_token={token}\n"
    (tmp_path / "credentials").write_text(f"[north]\n{keys}")
    source = source_of(open_session(profile="north"))
    assert (source.method, source.temporary, source.profile) == ("shared-credentials-file", bool(token), "north")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert source_of(open_session()) == Source("env", temporary=False)


@pytest.mark.slow  # botocore reads its data anew for each session
def test_threads_may_take_clients_of_a_hasty_session(monkeypatch):
    """botocore makes its parts when they are first asked for, without looking whether another thread does so, too."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    hasty = HastySession(open_session(region="eu-west-1"))
    with ThreadPoolExecutor(4) as threads:
        clients = list(threads.map(lambda name: client_of(hasty, name), ["sts", "iam"] * 2))
    assert {client.meta.region_name for client in clients} == {"eu-west-1", "aws-global"}


@pytest.mark.slow  # botocore reads much
def test_sessions_share_what_is_read_of_services(monkeypatch, tmp_path):
    """13 MB for each connection otherwise, and half of the time that opening a session takes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (tmp_path / "config").write_text("[profile west]\nregion = us-west-2\n")
    (tmp_path / "credentials").write_text("[west]\naws_access_key_id=key\naws_secret_access_key=secret\n")
    role = "arn:aws:iam::123456789012:role/analytics"
    sessions = [
        open_session(region="eu-west-1"),
        open_session(profile="west"),
        open_session(region="eu-west-1", role_arn=role),
    ]
    assert [client_of(session, "rds").meta.region_name for session in sessions[:2]] == ["eu-west-1", "us-west-2"]
    first, *others = [described(session) for session in sessions]
    assert all(other is first for other in others)


@pytest.mark.slow
def test_a_session_with_data_of_the_user_s_own_has_them(monkeypatch, tmp_path):
    before = described(open_session(region="eu-west-1"))
    own = tmp_path / "data" / "rds" / "2030-01-01"
    own.mkdir(parents=True)
    (own / "service-2.json").write_text('{"metadata": {"apiVersion": "2030-01-01"}, "operations": {}, "shapes": {}}')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "data"))
    assert described(open_session(region="eu-west-1"))["metadata"]["apiVersion"] == "2030-01-01"
    monkeypatch.delenv("AWS_DATA_PATH")
    assert described(open_session(region="eu-west-1")) is before


def described(session):
    """botocore's description of RDS, as a session's clients are made of it."""
    return session._session.get_component("data_loader").load_service_model("rds", "service-2")
