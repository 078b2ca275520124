"""Where the credentials come from, and what keeps them from being used."""

import json

import pytest

from rds_iam_magic.doctor.checks.credentials import CREDENTIALS
from rds_iam_magic.doctor.evidence import Keys
from rds_iam_magic.errors import AwsError
from tests.support.aws_errors import HIDDEN
from tests.support.fake_aws import answering
from tests.support.permissions import only

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": HIDDEN}


# botocore reads its data anew for each session
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_configuration")]


@pytest.fixture
def config(tmp_path):
    def write(text, name="config"):
        (tmp_path / name).write_text(text)

    return write


def use(monkeypatch, **variables):
    for name, value in {**KEYS, **variables}.items():
        monkeypatch.setenv(name, value)


def test_of_the_environment(look, monkeypatch):
    use(monkeypatch)
    assert look(CREDENTIALS).keys == Keys("env", temporary=False)
    use(monkeypatch, AWS_SESSION_TOKEN="token")
    assert look(CREDENTIALS).keys == Keys("env", temporary=True)


def test_of_a_profile(look, config, monkeypatch):
    keys = "aws_access_key_id=key\naws_secret_access_key=secret\n"
    config(f"[default]\n{keys}[north]\n{keys}", "credentials")
    assert look(CREDENTIALS).keys == Keys("shared-credentials-file", temporary=False)
    assert look(CREDENTIALS, profile="north").keys == Keys("shared-credentials-file", temporary=False, profile="north")
    monkeypatch.setenv("AWS_PROFILE", "north")
    assert look(CREDENTIALS).keys.profile == "north"


SSO = """[profile sso]
sso_session=s
sso_account_id=123456789012
sso_role_name=Analyst
[sso-session s]
sso_region=eu-west-1
sso_start_url=https://example.awsapps.com/start
"""


@pytest.mark.parametrize(
    ("variables", "options", "cause"),
    [
        ({}, {"profile": "nobody"}, "profile-unknown"),
        ({}, {"profile": "sso"}, "sso-session-ended"),
        ({}, {"profile": "process"}, "credential-process-failed"),
        ({}, {"external_id": "x"}, "external-id-without-role"),
        ({}, {"profile": " "}, "option-empty"),
        ({"AWS_ACCESS_KEY_ID": "ASIAEXAMPLE"}, {}, "session-token-missing"),
        ({"AWS_ACCESS_KEY_ID": "AKIA EXAMPLE"}, {}, "credentials-malformed"),
        ({"AWS_SECRET_ACCESS_KEY": f"{HIDDEN}\n"}, {}, "credentials-malformed"),
        ({"AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z", "AWS_SESSION_TOKEN": "t"}, {}, "credentials-expired"),
    ],
)
def test_what_cannot_be_used(look, config, monkeypatch, variables, options, cause):
    config(f"{SSO}[profile process]\ncredential_process=/bin/false\n")
    use(monkeypatch, **variables)
    keys = look(CREDENTIALS, **options).keys
    assert keys.cause == cause
    assert keys.message
    assert HIDDEN not in repr(keys)


def test_none(look):
    assert look(CREDENTIALS).keys.cause == "credentials-missing"


ROLE = "arn:aws:iam::123456789012:role/analytics"


def test_a_role_is_assumed(look, inside):
    assert inside.server.pid
    assert look(CREDENTIALS, role_arn=ROLE).keys == Keys("assume-role", temporary=True)


def test_a_role_that_may_not_be_assumed(look, inside):
    """It is a problem, not something that is not known: no token can be signed."""
    with only(inside) as profile:
        keys = look(CREDENTIALS, role_arn=ROLE, profile=profile).keys
    assert (keys.cause, "sts:AssumeRole" in keys.message) == ("aws-denied", True)


@pytest.mark.parametrize(
    ("status", "answer", "cause"),
    [
        (200, b"<html><body><p>Log in</p></body></html>", "aws-response-invalid"),
        (400, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", "aws-throttled"),
    ],
)
def test_without_an_answer_nothing_is_known(look, monkeypatch, status, answer, cause):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    use(monkeypatch)
    with answering(lambda *_: (status, answer)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(AwsError) as caught:
            look(CREDENTIALS, role_arn=ROLE)
    assert caught.value.cause == cause


def test_a_process_that_gives_them(look, config, tmp_path):
    (tmp_path / "keys.json").write_text(
        json.dumps({"Version": 1, "AccessKeyId": "key", "SecretAccessKey": "secret", "SessionToken": "token"})
    )
    config(f"[profile process]\ncredential_process=/bin/cat {tmp_path}/keys.json\n")
    keys = look(CREDENTIALS, profile="process").keys
    assert keys == Keys("custom-process", temporary=True, profile="process")
