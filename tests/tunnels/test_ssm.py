"""`--ssm`: which instances it takes, how `aws` is started, and what its words mean."""

import json

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.errors import CredentialsError, OptionError, RdsIamError, TunnelError
from rds_iam_magic.tunnels.ssm import Ssm, read_ssm

ENDPOINT = Endpoint("sales.cluster-abc.eu-west-1.rds.amazonaws.com", "eu-west-1", 3307)
KEY, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FwoGZXIvYXdzEXAMPLE"


@pytest.mark.parametrize("text", ["i-0123456789abcdef0", "mi-0123456789abcdef0", "ecs:cluster_task_task-123"])
def test_instances(text):
    assert read_ssm(f" {text} ") == text


@pytest.mark.parametrize(
    "text", ["", "-i", "--endpoint-url=http://x", "i 0", "i-0;id", "file\n", "$(id)", "a@b", "i" * 401]
)
def test_what_is_no_instance(text):
    if text == "file\n":
        assert read_ssm(text) == "file"
        return
    with pytest.raises(OptionError) as caught:
        read_ssm(text)
    assert caught.value.cause == "ssm-target-invalid"


@given(st.text())
def test_nothing_is_an_option_of_aws(text):
    try:
        assert read_ssm(text)[0].isalnum()
    except RdsIamError:
        return


@pytest.fixture
def bin_folder(tmp_path, monkeypatch, own_configuration):  # noqa: ARG001 - no other credentials
    for name in ("aws", "session-manager-plugin"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_how_it_is_started(bin_folder, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"):
        monkeypatch.setenv(name, "the environment's")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/ca.pem")
    start = Ssm("i-1", boto3.Session(KEY, SECRET, TOKEN, region_name="us-east-1"), "sales").start(ENDPOINT, 10)
    *words, parameters = start.command
    assert words == [
        str(bin_folder / "aws"), "ssm", "start-session", "--region", "eu-west-1", "--target", "i-1",
        "--document-name", "AWS-StartPortForwardingSessionToRemoteHost", "--parameters",
    ]  # fmt: skip
    assert json.loads(parameters) == {"host": [ENDPOINT.host], "portNumber": ["3307"]}
    ours = {name: value for name, value in start.environment.items() if name.startswith("AWS_")}
    assert {
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN,
        "AWS_PROFILE": "sales", "AWS_CA_BUNDLE": "/ca.pem",
    }.items() <= ours.items()  # fmt: skip
    assert "the environment's" not in ours.values()
    assert start.mask(f"{SECRET} {TOKEN}") == "… …"
    assert SECRET not in repr(start)
    without = Ssm("i-1", boto3.Session(KEY, SECRET)).start(ENDPOINT, 10).environment
    assert not {"AWS_SESSION_TOKEN", "AWS_PROFILE"} & set(without)


def test_when_it_is_open(bin_folder):
    assert bin_folder
    port = Ssm("i-1", boto3.Session(KEY, SECRET)).start(ENDPOINT, 10).port
    assert port("\nStarting session with SessionId: a-0f\n") is None
    assert port("\nStarting session with SessionId: a-0f\nPort 5678 opened for sessionId a-0f.") == 5678


def test_programs_and_credentials_that_are_missing(bin_folder):
    with pytest.raises(CredentialsError):
        Ssm("i-1", boto3.Session()).start(ENDPOINT, 10)
    for name in ("session-manager-plugin", "aws"):
        (bin_folder / name).unlink()
        with pytest.raises(TunnelError, match=f"no program {name} ") as caught:
            Ssm("i-1", boto3.Session(KEY, SECRET)).start(ENDPOINT, 10)
        assert caught.value.lasting


def refusal(code):
    return f"\nAn error occurred ({code}) when calling the StartSession operation: No, thanks.\n"


SAYS = [
    (refusal("TargetNotConnected"), TunnelError, "ssm-not-connected", True),
    (refusal("AccessDeniedException"), TunnelError, "ssm-denied", True),
    (refusal("InvalidDocument"), TunnelError, "ssm-document-missing", True),
    (refusal("ThrottlingException"), TunnelError, "aws-throttled", False),
    (refusal("SomethingNew"), TunnelError, "tunnel-failed", True),
    (refusal("ExpiredTokenException"), CredentialsError, "credentials-expired", None),
    (refusal("UnrecognizedClientException"), CredentialsError, "access-key-refused", None),
    ("\nSessionManagerPlugin is not found. Please refer to", TunnelError, "session-manager-plugin-missing", True),
    ('\nCould not connect to the endpoint URL: "https://ssm.x/"', TunnelError, "aws-unreachable", False),
    ("\nWaiting for connections...\n\nYour session timed out due to inactivity", TunnelError, "tunnel-failed", False),
    ("", TunnelError, "tunnel-failed", False),
]


@pytest.mark.parametrize(("output", "kind", "cause", "lasting"), SAYS)
def test_what_it_says(output, kind, cause, lasting):
    error = Ssm("i-1", None).error(output)
    assert type(error) is kind
    assert (error.cause, getattr(error, "lasting", None)) == (cause, lasting)
    assert error.message.startswith("ssm i-1 failed: ")
    assert (output.strip().splitlines() or ["it ended without a word"])[-1][-10:].rstrip(".") in error.message
    assert error.hint
    assert "i-1" in error.hint or cause != "ssm-denied"


def test_words_of_an_open_one():
    output = "Connection accepted for session [a]\nConnection to destination port failed, check SSM Agent logs.\n"
    assert Ssm("i-1", None).words(output) == "Connection to destination port failed, check SSM Agent logs"
    assert Ssm("i-1", None).words("Port 1 opened for sessionId a.\nWaiting for connections...\n") == ""
