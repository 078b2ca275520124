"""No secret, token, password or access key anywhere that a notebook shows or keeps."""

import json
import logging
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from rds_iam_magic.errors import RdsIamError
from tests.support.leaks import found_in

pytestmark = pytest.mark.slow  # servers and kernels

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
TOKEN = re.compile(r"X-Amz-(Signature|Credential|Security-Token)|DBUser=")


def secrets_of(inside):
    """Every secret of the sandbox: the principals' secret keys and the master's password."""
    client = inside.client("secretsmanager")
    found = [secret for _, secret in inside.keys.values()]
    values = [client.get_secret_value(SecretId=entry["ARN"]) for entry in client.list_secrets()["SecretList"]]
    return [*found, *(json.loads(value["SecretString"])["password"] for value in values)]


def assert_clean(text, inside):
    assert not TOKEN.search(text)
    leaked = [secret for secret in secrets_of(inside) if secret in text]
    assert not leaked


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose"])
@pytest.mark.parametrize(
    "line",
    [
        "%rds_iam_connect sandbox -u nobody",
        "%rds_iam_connect sandbox -u reader --profile stranger",
        "%rds_iam_connect sandbox -u reader -d nowhere",
        "%rds_iam_connect sandbox -u reader --via 127.0.0.1:1",
        "%rds_iam_connect sandbox -u reader --ca {other_ca}",
        "%rds_sql SELECT * FROM nowhere.nothing",
        "%rds_iam_user create reader --secret {broken} --grant 'SELECT ON shop.*' --target sandbox",
        "%rds_iam_user create o'k --secret {secret} --grant 'SELECT ON nowhere.nothing'",
        "import rds_iam_magic; rds_iam_magic.pymysql_connect('sandbox', user='nobody')",
        "import rds_iam_magic; rds_iam_magic.pymysql_connect('sandbox', user='reader', ca=other_ca)",
        "import rds_iam_magic\nwith rds_iam_magic.pymysql_connect('sandbox', user='reader') as db: db.query('SELEC')",
        "import rds_iam_magic; rds_iam_magic.sqlalchemy_engine('sandbox', user='reader', profile='stranger').connect()",
    ],
)
def test_tracebacks(connected, inside, tmp_path, mode, line):
    import trustme

    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    client = inside.client("secretsmanager")
    name = f"broken-{mode}-{abs(hash(line))}"
    value = {"username": "admin", "password": "a-wrong-password-that-must-not-show"}
    client.create_secret(Name=name, SecretString=json.dumps(value))
    names = {"other_ca": str(tmp_path / "other.pem"), "broken": name, "secret": "sandbox/standalone/master"}
    connected.names.update(names)
    connected.ok(f"%xmode {mode}")
    cell = connected(line)
    assert cell.error is not None
    shown = cell.output + connected("%tb").output
    assert len(shown.splitlines()) > 5
    assert_clean(shown, inside)
    assert "a-wrong-password" not in shown
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_history_and_namespace(connected, inside):
    connected.ok("%rds_sql SELECT 1")
    connected("%rds_iam_connect sandbox -u nobody")
    connected.ip.history_manager.writeout_cache()
    with sqlite3.connect(connected.history) as history:
        kept = "\n".join(history.iterdump())
    history.close()
    assert "rds_iam_connect sandbox" in kept
    assert_clean(kept, inside)
    assert_clean(repr(connected.names), inside)
    assert_clean(repr(vars(connected.ip._rds_iam_magics)), inside)


class Log(logging.Handler):
    """All that any logger gives to any handler, as a file of it would have it, and the arguments beside."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name} {self.format(record)} {record.args!r} {vars(record)!r}")


@pytest.fixture
def log():
    """Everything at DEBUG: on the root, and on the libraries' own loggers, as `boto3.set_stream_logger` does it."""
    made = Log()
    names = ["", "botocore", "boto3", "urllib3", "botocore.auth", "botocore.parsers", "botocore.endpoint", "pymysql"]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(made)
        logger.setLevel(logging.DEBUG)
    yield made
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(made)
        logger.setLevel(level)


def test_logs(shell, inside, log):
    """Through all that uses AWS, well and failing, with every logger at DEBUG."""
    arn = "arn:aws:iam::123456789012:role/analytics"
    managed = inside.client("rds").describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    known = secrets_of(inside)
    client = inside.client("s3")
    client.create_bucket(Bucket="logged")
    del log.lines[:]  # what the lines above, boto3's own use, have logged
    shell.names["managed"] = managed
    for line in (
        "%rds_iam_connect sandbox -u reader -d shop",
        f"%rds_iam_connect sandbox -u reader --role-arn {arn} -A other",
        "%rds_sql SELECT 1",
        "%rds_sql --to s3://logged/x.csv SELECT 1 AS a",
        "%rds_iam_user create logged --secret sandbox/standalone/master --grant 'SELECT ON shop.*'",
        "%rds_iam_user create logged --secret {managed} --grant 'SELECT ON shop.*'",
        "%rds_iam_user list --target sandbox",
        "%rds_iam_user show admin",
        "%rds_iam_policy reader --target sandbox",
        "%rds_iam_policy reader",
        "%rds_iam_access sandbox",
    ):
        shell.ok(line)
    for line in (
        "%rds_iam_connect sandbox -u nobody",
        "%rds_iam_connect sandbox -u reader --profile stranger",
        "%rds_iam_connect sandbox -u reader --profile nobody",
        "%rds_iam_connect nothing -u reader",
        "%rds_iam_user create x --secret nothing",
    ):
        assert shell(line).error is not None
    shell.ok("%unload_ext rds_iam_magic")
    text = "\n".join(log.lines)
    shell.ok("%load_ext rds_iam_magic")
    assert not TOKEN.search(text)
    assert not [secret for secret in known if secret in text]
    assert not re.search(
        r"SecretString|Signature=|X-Amz-|aws4_request|StringToSign|SecretAccessKey", text, re.IGNORECASE
    )
    with inside.server.root() as root:
        root.execute("DROP USER 'logged'@'%'")
    client.delete_object(Bucket="logged", Key="x.csv")
    client.delete_bucket(Bucket="logged")
    client.close()


HIDDEN = "h1dden-Value/That+Must-Not-show"
CREATE = "%rds_iam_user create x --secret odd --target sandbox"
CONNECT = "%rds_iam_connect sandbox -u reader"
LEAKS = {
    "an unknown profile beside others": ({}, "%rds_iam_connect sandbox -u reader --profile nobody"),
    "a session token with a line break": ({"AWS_SESSION_TOKEN": f"{HIDDEN}\nmore"}, CONNECT),
    "a session token with a lone surrogate": ({"AWS_SESSION_TOKEN": f"{HIDDEN}\udcff"}, CONNECT),
    "a secret key with a lone surrogate": ({"AWS_SECRET_ACCESS_KEY": f"{HIDDEN}\udcff"}, CONNECT),
    "a credential_process that fails": ({"AWS_PROFILE": "failing"}, CONNECT),
    "a credential_process that prints no JSON": ({"AWS_PROFILE": "garbage"}, CONNECT),
    "a credential_process that is missing": ({"AWS_PROFILE": "missing"}, CONNECT),
    "a configuration that cannot be parsed": ({"AWS_CONFIG_FILE": "{folder}/broken"}, CONNECT),
    "an endpoint with a password": ({"AWS_ENDPOINT_URL": f"http://a:{HIDDEN.replace('/', '')}@127.0.0.1:1"}, CONNECT),
    "a master password with a lone surrogate": (
        {"secret": {"username": "admin", "password": f"{HIDDEN}\udcff"}},
        CREATE,
    ),
    "a master password that is wrong": ({"secret": {"username": "admin", "password": HIDDEN}}, CREATE),
    "a master password that is an object": ({"secret": {"username": "admin", "password": {"a": HIDDEN}}}, CREATE),
    "a secret of deeply nested JSON": (
        {"secret": f'{{"password": "{HIDDEN}", "x": {"[" * 20_000}{"]" * 20_000}}}'},
        CREATE,
    ),
    "a secret that is no JSON": ({"secret": HIDDEN}, CREATE),
}


@pytest.fixture
def odd_secret(inside):
    """Makes the secret `odd`."""
    client = inside.client("secretsmanager")

    def make(value):
        client.create_secret(Name="odd", SecretString=value if isinstance(value, str) else json.dumps(value))

    yield make
    client.delete_secret(SecretId="odd", ForceDeleteWithoutRecovery=True)
    client.close()


@pytest.mark.parametrize("mode", ["Plain", "Verbose"])
@pytest.mark.parametrize("leak", LEAKS)
def test_what_errors_hold(shell, odd_secret, tmp_path, monkeypatch, log, leak, mode):
    """The text, `%tb`, the objects that the error leads to, the logs and the history, for each kind that has leaked."""
    changes, line = LEAKS[leak]
    changes = dict(changes)
    odd_secret(changes.pop("secret", "{}"))
    _write_profiles(tmp_path, monkeypatch)
    if "AWS_PROFILE" in changes:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in changes.items():
        monkeypatch.setenv(name, value.replace("{folder}", str(tmp_path)))
    shell.ok(f"%xmode {mode}")
    del log.lines[:]
    cell = shell(line)
    assert isinstance(cell.error, RdsIamError), cell.output
    shown = cell.output + shell("%tb").output
    lines = "\n".join(log.lines)
    shell.ip.history_manager.writeout_cache()
    for text in (shown, found_in(cell.error), lines, shell.history.read_bytes().decode("latin-1")):
        assert HIDDEN not in text
        assert HIDDEN.replace("/", "") not in text


def _write_profiles(folder, monkeypatch):
    """Programs of `credential_process`, another profile's keys, and a file that cannot be parsed."""
    for name, script in (("failing", f"echo '{HIDDEN}' >&2; exit 1"), ("garbage", f"echo '{HIDDEN}'")):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o700)
    profiles = [
        f"[profile {name}]\nregion = us-east-1\ncredential_process = {folder / name} --token {HIDDEN}\n"
        for name in ("failing", "garbage", "missing")
    ]
    keys = f"[profile other]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = {HIDDEN}\n"
    (folder / "aws").write_text("".join(profiles) + keys)
    (folder / "broken").write_text(f"{keys}{HIDDEN}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "aws"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))


@pytest.mark.parametrize("name", ["setup", "quickstart", "access"])
def test_notebooks_run_and_show_no_secret(inside, name, tmp_path):
    """As `make demo` runs them: in a kernel of their own, under nbclient."""
    source = NOTEBOOKS / f"{name}.ipynb"
    committed = nbformat.read(source, as_version=4)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in committed.cells)
    command = [sys.executable, NOTEBOOKS / "run.py", source, tmp_path / "build"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_clean(done.stdout + done.stderr, inside)
    for kept in (
        tmp_path / "build" / f"{name}.ipynb",
        tmp_path / "build" / f"{name}.html",
        *tmp_path.rglob("*.sqlite"),
    ):
        assert_clean(kept.read_bytes().decode("utf-8", errors="replace"), inside)
    executed = nbformat.read(tmp_path / "build" / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert not any(output.output_type == "error" for output in outputs)
    assert name == "access" or re.search(r"^Connected\. \w+: ", done.stdout, re.MULTILINE)
    if name == "setup":
        assert any("image/png" in output.get("data", {}) for output in outputs)
        with inside.server.root() as root:
            root.execute("SELECT User, plugin FROM mysql.user WHERE User = 'analyst'")
            assert root.fetchall() == (("analyst", "AWSAuthenticationPlugin"),)
            root.execute("DROP USER 'analyst'@'%'")
        inside.client("iam").delete_user_policy(UserName="stranger", PolicyName="rds-iam-connect")


@pytest.mark.slow
def test_a_notebook_that_fails_ends_the_run(tmp_path):
    cells = [nbformat.v4.new_code_cell("1/0"), nbformat.v4.new_code_cell("print('never')")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "broken.ipynb")
    command = [sys.executable, NOTEBOOKS / "run.py", tmp_path / "broken.ipynb", tmp_path / "build"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "never\n" not in done.stdout.replace("print('never')", "")
