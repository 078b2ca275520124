"""No secret, token, password or access key anywhere that a notebook shows or keeps."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

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


def test_logs(connected, inside, caplog):
    """Even with every logger at DEBUG: botocore's logs hold requests, never the token or the secret."""
    caplog.set_level("DEBUG")
    connected.ok("%rds_iam_connect sandbox -u reader -A again")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("rds_iam_magic"))
    assert_clean(ours, inside)


@pytest.mark.parametrize("name", ["setup", "quickstart"])
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
    assert "Connected. sandbox: " in done.stdout
    if name == "setup":
        assert any("image/png" in output.get("data", {}) for output in outputs)
        with inside.server.root() as root:
            root.execute("SELECT User, plugin FROM mysql.user WHERE User = 'analyst'")
            assert root.fetchall() == (("analyst", "AWSAuthenticationPlugin"),)
            root.execute("DROP USER 'analyst'@'%'")


@pytest.mark.slow
def test_a_notebook_that_fails_ends_the_run(tmp_path):
    cells = [nbformat.v4.new_code_cell("1/0"), nbformat.v4.new_code_cell("print('never')")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "broken.ipynb")
    command = [sys.executable, NOTEBOOKS / "run.py", tmp_path / "broken.ipynb", tmp_path / "build"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "never\n" not in done.stdout.replace("print('never')", "")
