"""The border to boto3: what comes out of it, and that nothing else does. Real configuration files, real programs."""

import json
import logging
import os
import signal
import stat
import sys
import threading

import boto3
import botocore.exceptions as aws
import pytest

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.session import open_session, region_of
from rds_iam_magic.aws.targets.resolve import described, resolve
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.errors import AwsError, CredentialsError, OptionError, RdsIamError
from tests.support.aws_errors import HIDDEN, assert_plain
from tests.support.leaks import found_in, frames_of

pytestmark = pytest.mark.slow  # botocore reads its data anew for each session

ENDPOINT = parse_host_name("sandbox.cluster-abc123.us-east-1.rds.amazonaws.com")


@pytest.fixture(autouse=True)
def _own_configuration(own_configuration):
    """Before `inside`, which sets the sandbox's."""


def test_nothing_is_chained_while_another_error_is_handled():
    try:
        raise KeyError("of the user's")
    except KeyError:
        with pytest.raises(AwsError) as caught, aws_call("reading"):
            int(HIDDEN)
    assert caught.value.__context__ is None


class _Alarm:
    def __call__(self, *_):
        raise TimeoutError("of the user's")

    def method(self, *_):
        raise TimeoutError("of the user's")


def _on_alarm(*_):
    raise TimeoutError("of the user's")


@pytest.mark.parametrize("handler", [_on_alarm, _Alarm(), _Alarm().method])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_a_signal_handler_raises_comes_out(handler, wrapped):
    """Told by where it was raised: the class is that of a network error, and a library may have wrapped it."""

    def work():
        try:
            os.kill(os.getpid(), signal.SIGALRM)
            for _ in range(1000):
                pass
        except TimeoutError as error:
            if wrapped:
                raise aws.HTTPClientError(error=error) from None
            raise

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(TimeoutError, match="of the user's") as caught, aws_call("reading"):
            work()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert set(frames_of(caught.value)) <= {"rds_iam_magic.aws.border", __name__}


def test_what_a_signal_handler_has_raised_before_does_not_come_out_again():
    before = signal.signal(signal.SIGALRM, _on_alarm)
    try:
        os.kill(os.getpid(), signal.SIGALRM)
        for _ in range(1000):
            pass
    except TimeoutError:
        with pytest.raises(AwsError), aws_call("reading"):
            int(HIDDEN)
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interrupts_come_out_without_frames(kind):
    def work():
        kept = HIDDEN
        raise kind(len(kept))

    with pytest.raises(kind) as caught, aws_call("reading"):
        work()
    assert caught.value.args == (len(HIDDEN),)
    assert HIDDEN not in found_in(caught.value)


# Profiles and their files


def profile(tmp_path, text, name="default"):
    (tmp_path / "config").write_text(f"[{name}]\n{text}\n")


def program(tmp_path, text):
    path = tmp_path / "process"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


GOOD = {"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": HIDDEN}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"echo '{HIDDEN}' >&2; echo '{HIDDEN}'; exit 3", "credential_process failed"),
        (f"echo '{json.dumps(GOOD | {'Version': HIDDEN})}'", "credential_process failed"),
        (f"echo '{json.dumps({'Version': 1, 'SecretAccessKey': HIDDEN})}'", "credential_process failed"),
        ("", "did not print the JSON"),
        (f"echo '{HIDDEN}'", "did not print the JSON"),
        (f"echo '[\"{HIDDEN}\"]'", "did not print the JSON"),
        (f"printf '\\377{HIDDEN}'", "did not print the JSON"),
        (f"echo '{json.dumps(GOOD)[:-2]}'", "did not print the JSON"),
        (f"printf '%0100000d{HIDDEN}' 0 | tr 0 '['", "did not print the JSON"),
        (
            f"echo '{json.dumps(GOOD | {'Expiration': HIDDEN})}'",
            "something other than credentials|did not print the JSON",
        ),
    ],
)
def test_a_credential_process_that_fails(tmp_path, script, words):
    profile(tmp_path, f"credential_process = {program(tmp_path, script)} --token {HIDDEN}")
    with pytest.raises(AwsError, match=words) as caught:
        sign_token(open_session(), ENDPOINT, "reader")
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/nowhere/a-program", "No such file"),
        ("{tmp}", "Permission denied"),
        ("{tmp}/config", "Permission denied|Exec format"),
        ("'unclosed", "did not print the JSON|not valid"),
    ],
)
def test_a_credential_process_that_is_missing(tmp_path, command, words):
    profile(tmp_path, f"credential_process = {command.format(tmp=tmp_path)} --token {HIDDEN}")
    with pytest.raises(CredentialsError, match=words) as caught:
        sign_token(open_session(), ENDPOINT, "reader")
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


KEYS = f"[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = {HIDDEN}\n"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (f"aws_secret_access_key = {HIDDEN}\n{KEYS}", "line 1 is not of the form"),
        (f"{KEYS}\n{HIDDEN.replace('=', '-')}\n", "line 5 is not of the form"),
        (f"{KEYS}\n{KEYS}\n".encode() + b"\xff\xfe", "not UTF-8"),
    ],
)
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_file_that_cannot_be_parsed(tmp_path, name, config, words):
    (tmp_path / name).write_bytes(config if isinstance(config, bytes) else config.encode())
    with pytest.raises(AwsError, match=words) as caught:
        sign_token(open_session(), ENDPOINT, "reader")
    with pytest.raises(AwsError, match=words):
        region_of(open_session())
    assert name in caught.value.message
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_file_that_is_a_folder(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(CredentialsError, match="No AWS credentials") as caught:
        sign_token(open_session(), ENDPOINT, "reader")
    assert_plain(caught.value)


def test_an_unknown_profile_beside_one_with_keys(tmp_path):
    (tmp_path / "credentials").write_text(KEYS)
    with pytest.raises(CredentialsError, match=r"\(nobody\) could not be found") as caught:
        open_session(profile="nobody")
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


ROLE = "role_arn = arn:aws:iam::123456789012:role/x\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{ROLE}source_profile = default", "gets its credentials from itself|No AWS credentials|incomplete"),
        (f"{ROLE}source_profile = b\n[profile b]\n{ROLE}source_profile = default", "gets its credentials from itself"),
        (f"{ROLE}source_profile = nobody", "incomplete"),
        (f"{ROLE}credential_source = Nonsense", "incomplete"),
        (f"{ROLE}", "source_profile or credential_source is missing"),
        (f"aws_secret_access_key = {HIDDEN}\naws_access_key_id =", "the access key or its secret is empty"),
        ("aws_access_key_id = AKIDEXAMPLE", "aws_secret_access_key is missing"),
        (f"{ROLE}web_identity_token_file = /nowhere/token", "/nowhere/token: No such file"),
        ("sso_session = s", "not complete|No AWS credentials"),
        ("sso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]", "incomplete"),
        ("sso_start_url = https://x.example/start\nsso_region = eu-west-1", "not complete|No AWS credentials"),
        ("login_session = arn:aws:iam::123456789012:user/x", "aws login|awscrt|lacks a component"),
    ],
)
def test_a_profile_that_is_not_complete(tmp_path, text, words):
    profile(tmp_path, text)
    with pytest.raises(AwsError, match=words) as caught:
        sign_token(open_session(), ENDPOINT, "reader")
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


@pytest.mark.parametrize(
    "broken", [HIDDEN, "", f'{{"accessToken": "{HIDDEN}"}}', f'["{HIDDEN}"]', "[" * 100_000, "\ufeff"]
)
def test_an_sso_token_file_that_is_broken(tmp_path, broken):
    import hashlib

    url = "https://example.awsapps.com/start"
    profile(
        tmp_path,
        "sso_session = s\nsso_account_id = 123456789012\nsso_role_name = Analyst\n"
        f"[sso-session s]\nsso_region = eu-west-1\nsso_start_url = {url}",
    )
    cache = tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    (cache / f"{hashlib.sha1(b's').hexdigest()}.json").write_text(broken)
    with pytest.raises(AwsError) as caught:
        sign_token(open_session(), ENDPOINT, "reader")
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


NOWHERE = [
    "localhost:5000",
    "http://",
    "nonsense",
    "http://[::1",
    "http://a b/",
    "ftp://127.0.0.1",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:x",
    f"http://user:{HIDDEN.replace('/', '')}@127.0.0.1:1",
    "http://-.invalid",
    f"http://{'a' * 70}/",
    "http://\udcff/",
    "http://..",
    "http://127.0.0.1:1/",
]


@pytest.mark.parametrize("url", NOWHERE)
def test_an_endpoint_that_leads_nowhere(monkeypatch, url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HIDDEN)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(AwsError) as caught:
        described(open_session(), "sandbox")
    assert not isinstance(caught.value, CredentialsError), caught.value
    assert_plain(caught.value)
    assert HIDDEN.replace("/", "") not in found_in(caught.value)
    assert HIDDEN not in found_in(caught.value)


@pytest.mark.parametrize(
    "variable",
    [
        {"AWS_SESSION_TOKEN": f"{HIDDEN}\nmore"},
        {"AWS_SESSION_TOKEN": f"{HIDDEN}\r\n"},
        {"AWS_SESSION_TOKEN": f"{HIDDEN}\udcff"},
        {"AWS_SESSION_TOKEN": f"{HIDDEN}日本"},
        {"AWS_SECRET_ACCESS_KEY": f"{HIDDEN}\udcff"},
        {"AWS_ACCESS_KEY_ID": f"{HIDDEN}\n"},
        {"AWS_ACCESS_KEY_ID": f"{HIDDEN}\udcff"},
    ],
)
@pytest.mark.parametrize("target", ["sandbox", None])
@pytest.mark.usefixtures("inside")
def test_credentials_with_odd_characters(monkeypatch, variable, target):
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    session = open_session()
    error = None
    try:
        if target:
            resolve(session, target)
        else:
            sign_token(session, ENDPOINT, "reader")
    except RdsIamError as caught:
        error = caught
    assert isinstance(error, CredentialsError)
    assert "Copy" in error.hint
    assert_plain(error)
    assert HIDDEN not in found_in(error)


@pytest.mark.parametrize("name", ["profile", "region", "role_arn"])
@pytest.mark.parametrize("value", ["", "  ", "a\ud800"])
def test_options_that_are_no_text(name, value):
    with pytest.raises(OptionError, match=r"is empty|lone surrogate"):
        open_session(**{name: value})


@pytest.mark.parametrize("user", ["", " ", "a\ud800"])
def test_a_user_that_is_no_text(user):
    with pytest.raises(OptionError, match=r"is empty|lone surrogate"):
        sign_token(boto3.Session("a", "b"), ENDPOINT, user)


# Logs


class _Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append((record.name, self.format(record)))


@pytest.fixture
def kept():
    """All that is logged, at every level, by handlers on the root and on the libraries' own loggers."""
    handler = _Kept()
    loggers = [logging.getLogger(name) for name in ("", "botocore", "botocore.auth", "urllib3", "boto3")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield handler.records
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.mark.usefixtures("inside")
def test_nothing_is_logged_inside_and_all_outside(kept):
    session = open_session()
    described(session, "sandbox")
    sign_token(session, ENDPOINT, "reader")
    assert not [name for name, _ in kept if name.startswith(("boto", "urllib3"))]
    boto3.Session().client("rds").describe_db_clusters()
    assert {"botocore.auth", "botocore.parsers", "urllib3.connectionpool"} <= {name for name, _ in kept}


def test_another_thread_logs_while_one_is_inside(kept):
    def log():
        logging.getLogger("botocore.auth").debug("from another thread")

    with aws_call("reading"):
        logging.getLogger("botocore.auth").debug("from inside")
        thread = threading.Thread(target=log)
        thread.start()
        thread.join()
    with pytest.raises(AwsError), aws_call("reading"):
        int("x")
    logging.getLogger("botocore.auth").debug("after an error")
    told = [text for name, text in kept if name == "botocore.auth"]
    assert "from inside" not in told
    assert {"from another thread", "after an error"} <= set(told)


def test_a_warning_with_the_frames_of_a_refresh_is_not_logged(tmp_path, kept):
    """botocore logs a refresh that fails at WARNING, with the error's text: the process's own stderr."""
    flag = tmp_path / "flag"
    answer = json.dumps(GOOD | {"SecretAccessKey": "x", "Expiration": "2020-01-01T00:00:00Z"})
    script = f"if [ -e {flag} ]; then echo '{HIDDEN}' >&2; exit 1; fi; touch {flag}; echo '{answer}'"
    profile(tmp_path, f"credential_process = {program(tmp_path, script)}")
    with pytest.raises(CredentialsError) as caught:
        sign_token(open_session(), ENDPOINT, "reader")
    assert_plain(caught.value)
    assert HIDDEN not in "".join(text for _, text in kept)
    assert HIDDEN not in found_in(caught.value)


def test_no_module_makes_a_logger_behind_the_filter():
    """In a process of its own, after one call: every logger of the libraries that there is has the filter."""
    import subprocess

    code = (
        "import logging, boto3, botocore.session\n"
        "from rds_iam_magic.aws import border\n"
        "from rds_iam_magic.aws.session import open_session, credentials_of\n"
        "session = open_session(region='us-east-1')\n"
        "with border.aws_call('x'):\n"
        "    before = set(logging.root.manager.loggerDict)\n"
        "    for service in ('rds', 'sts', 'secretsmanager', 's3', 'sso', 'sso-oidc', 'signin'):\n"
        "        session.client(service) if service in session.get_available_services() else None\n"
        "made = set(logging.root.manager.loggerDict) - before\n"
        "made = {name for name in made if name.startswith(border._LIBRARIES)}\n"
        "assert made <= {'boto3.s3', 'boto3.s3.inject', 'boto3.s3.transfer'}, made  # these log no secrets\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
