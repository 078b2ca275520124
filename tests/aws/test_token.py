"""Tokens equal botocore's to the byte."""

import datetime
from functools import cache

import boto3
import pytest
from botocore.credentials import RefreshableCredentials

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.token import sign_token
from tests.support import clock

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
HOST = "sandbox.cluster-abc123.eu-west-1.rds.amazonaws.com"


@pytest.fixture
def frozen(monkeypatch):
    clock.stop(monkeypatch, NOW)


def session(token=None):
    return boto3.Session("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, region_name="eu-west-1")


@cache
def client(token):
    """botocore's client; one for many tests, for botocore reads a megabyte of its data for each."""
    return session(token).client("rds")


@pytest.mark.parametrize("user", ["analyst", "Analyst", "an alyst", "ünï+çødé/&=", "a" * 32])
@pytest.mark.parametrize("token", [None, "FwoGZXIvYXdzE/+=="])
@pytest.mark.usefixtures("frozen")
def test_equals_botocore_to_the_byte(user, token):
    ours = sign_token(session(token), parse_host_name(HOST), user).reveal().decode()
    theirs = client(token).generate_db_auth_token(HOST, 3306, user, "eu-west-1")
    assert ours == theirs
    assert "X-Amz-Date=20260304T050607Z" in ours


@pytest.mark.usefixtures("frozen")
def test_upper_case_and_padding_sign_the_same():
    plain = sign_token(session(), parse_host_name(HOST), "analyst").reveal()
    padded = sign_token(session(), parse_host_name(f"  {HOST.upper()}  "), "analyst").reveal()
    assert plain == padded
    assert plain.startswith(HOST.encode() + b":3306/?Action=connect&DBUser=analyst&")


def test_refreshable_credentials_are_refreshed_by_signing():
    fresh = {
        "access_key": "AKIDFRESH",
        "secret_key": "fresh",
        "token": "fresh-token",
        "expiry_time": (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat(),
    }
    stale = fresh | {
        "access_key": "AKIDSTALE",
        "expiry_time": (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=20)).isoformat(),
    }
    with_refresh = session()
    with_refresh._session._credentials = RefreshableCredentials.create_from_metadata(stale, lambda: fresh, "test")
    assert b"AKIDFRESH" in sign_token(with_refresh, parse_host_name(HOST), "analyst").reveal()


def test_a_secret_never_shows_itself():
    token = sign_token(session("session-token"), parse_host_name(HOST), "analyst")
    for text in (repr(token), str(token), f"{token}", f"{token!r:>40}", f"{[token]}", "%s" % token):  # noqa: UP031
        assert "Signature" not in text
        assert "AKID" not in text
    with pytest.raises(TypeError):
        __import__("pickle").dumps(token)
