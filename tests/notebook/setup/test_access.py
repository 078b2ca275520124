"""`%rds_iam_access` in a shell: the table, and the sentences above it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from rds_iam_magic.errors import AwsError, OptionError, TargetError
from rds_iam_magic.notebook.setup import access
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

ACCESS = "%rds_iam_access sandbox"
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"


@pytest.fixture
def found(shell, inside):
    """With an account that nobody may use, and a policy with a typing error."""
    iam = inside.client("iam")
    shell.ok("%rds_iam_user create former --target sandbox")
    policy = json.loads(shell.ok("%rds_iam_policy raeder sandbox").output)
    iam.put_role_policy(RoleName="analytics", PolicyName="reports", PolicyDocument=json.dumps(policy))
    yield shell.ok(ACCESS)
    iam.delete_role_policy(RoleName="analytics", PolicyName="reports")
    shell.ok("%rds_iam_user drop former --target sandbox")


def test_what_is_wrong_is_said_above_the_table(found):
    first, second, *_ = found.output.splitlines()
    # Other tests may have accounts of their own there.
    assert re.fullmatch(
        r"\d accounts log in with IAM\. Administrators aside, nobody may connect as former@%.*\.", first
    )
    assert second == "Policies name users without an account for IAM: raeder."
    nobody = found.value.query("User == 'former' and Principal == ''")
    assert [*nobody["Note"]] == ["only administrators, who may connect as any user"]
    assert [*found.value.query("Host == ''")["By"]] == ["reports, statement 1"]


def test_the_table_is_shown_in_full(shell, found):
    shell.names["found"] = found.value
    data, _ = shell.ip.display_formatter.format(found.value)
    for arn in found.value["Principal"]:
        assert arn in data["text/html"]
        assert arn in data["text/plain"]
    assert "…" not in data["text/html"]


@pytest.mark.usefixtures("found")
def test_one_user(shell):
    cell = shell.ok(f"{ACCESS} -u raeder")
    assert cell.output.splitlines()[:2] == [
        "No account named raeder logs in with IAM here.",
        "Policies name users without an account for IAM: raeder.",
    ]
    assert set(shell.ok(f"{ACCESS} --user reader").value["User"]) == {"reader"}
    assert shell.ok(f"{ACCESS} --user Reader").value.empty


def test_all_principals(shell):
    some, everybody = shell.ok(f"{ACCESS} -u reader").value, shell.ok(f"{ACCESS} -u reader --all").value
    assert set(everybody["Principal"]) - set(some["Principal"]) == {"arn:aws:iam::123456789012:user/stranger"}
    assert len(everybody) == len(some) + 1


def test_each_way_to_name_the_database(shell, inside):
    expected = shell.ok(ACCESS).value
    for line in (
        f"%rds_iam_access {inside.hosts[0]}",
        "%rds_iam_access sandbox-1",
        "%rds_iam_access --target sandbox --secret sandbox/master",
        "%rds_iam_access --secret sandbox/master",
    ):
        assert shell.ok(line).value.equals(expected), line
    shell.ok("%rds_iam_connect sandbox -u reader --profile inline")
    with only(inside):  # the connection's own credentials may not
        refused = shell("%rds_iam_access")
    assert isinstance(refused.error, AwsError)
    assert shell.ok("%rds_iam_access --profile administrator").value.equals(expected)


def test_another_database_has_other_policies(shell):
    one = shell.ok("%rds_iam_access standalone --secret sandbox/standalone/master").value
    let_in = set(one[one["Connect"] == "yes"]["Principal"].str.rpartition("/")[2])
    assert let_in == {"administrator", "managed"}


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("%rds_iam_access", TargetError, "Neither a target nor a secret is given"),
        ("%rds_iam_access a b", OptionError, "takes one TARGET"),
        ("%rds_iam_access standalone", TargetError, "RDS manages no secret"),
        ("%rds_iam_access sandbox --secret nope", AwsError, "no secret 'nope'"),
    ],
)
def test_errors_are_of_one_line(shell, line, kind, words):
    cell = shell(line)
    assert isinstance(cell.error, kind)
    assert words in cell.output
    assert "Traceback" not in cell.output


def test_a_host_name_is_not_advised_where_it_does_not_help(shell, inside):
    with only(inside, "secretsmanager:GetSecretValue") as profile:
        for target in ("sandbox", inside.hosts[0]):
            said = shell(f"%rds_iam_access {target} --secret sandbox/master --profile {profile}").output
            assert "rds:DescribeDBClusters" in said
            assert "full host name" not in said
            assert "--resource-id" not in said


def test_help(shell):
    assert "iam:GetAccountAuthorizationDetails" in shell.ok("%rds_iam_access --help").output


def executed(source, tmp_path):
    nbformat.write(source, tmp_path / "access.ipynb")
    command = [sys.executable, NOTEBOOKS / "run.py", tmp_path / "access.ipynb", tmp_path / "build"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_notebook_finds_and_mends(inside, tmp_path):
    assert inside.server.pid
    said = executed(nbformat.read(NOTEBOOKS / "access.ipynb", as_version=4), tmp_path)
    before, _, after = said.partition("Dropped former@%")
    assert "Administrators aside, nobody may connect as former@%" in before
    assert "\nPolicies name users without an account for IAM: raeder.\n" in before
    assert "DROP USER `former`@`%`;\nThis is what would run; --dry-run has changed nothing." in before
    assert " in with IAM." in after
    assert "former@%" not in after
    assert "without an account" not in after


def test_the_notebook_changes_nothing_in_an_account(inside, tmp_path):
    iam = inside.client("iam")
    document = nbformat.read(NOTEBOOKS / "access.ipynb", as_version=4)
    document.cells[1].source = re.sub(r"PRACTICE = .*", "PRACTICE = False", document.cells[1].source)
    said = executed(document, tmp_path)
    assert "Created" not in said
    assert "Dropped" not in said
    assert "There is no user former@%" in said
    assert iam.list_role_policies(RoleName="analytics")["PolicyNames"] == ["connect"]


def test_many_and_odd_names_are_told_in_one_line(capsys):
    rows = [(f"u{number}\n", "", "arn", "no", "p", "") for number in range(7)]
    access.show(pd.DataFrame(rows, columns=["User", "Host", "Principal", "Connect", "By", "Note"]), None)
    assert capsys.readouterr().out.splitlines() == [
        "No database user logs in with IAM here.",
        r"Policies name users without an account for IAM: u0\n, u1\n, u2\n, u3\n, u4\n and 2 more.",
    ]
