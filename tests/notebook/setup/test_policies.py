"""`%rds_iam_policy --attach` in a shell: what it shows, in every case."""

import json

import pytest

import rds_iam_magic
from rds_iam_magic.errors import AccessDeniedError, AwsError, OptionError
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

ATTACH = "--attach user/stranger"


@pytest.fixture
def iam(inside):
    """The sandbox's IAM; the stranger has no policies again after the test."""
    client = inside.client("iam")
    yield client
    for name in client.list_user_policies(UserName="stranger")["PolicyNames"]:
        client.delete_user_policy(UserName="stranger", PolicyName=name)


def held(iam):
    return iam.list_user_policies(UserName="stranger")["PolicyNames"]


def enters():
    try:
        rds_iam_magic.connect("sandbox", user="reader", profile="stranger").close()
    except AccessDeniedError:
        return False
    return True


def test_the_printed_policy_lets_in_and_taking_it_away_keeps_out(shell, iam):
    printed = shell.ok("%rds_iam_policy reader sandbox").output
    assert not enters()
    iam.put_user_policy(UserName="stranger", PolicyName="printed", PolicyDocument=printed)
    assert enters()
    iam.delete_user_policy(UserName="stranger", PolicyName="printed")
    assert not enters()


def test_attached_in_one_cell(shell, iam):
    looked = shell.ok(f"%rds_iam_policy reader sandbox {ATTACH} --dry-run").output
    assert looked.startswith("--- rds-iam-connect (none)\n+++ rds-iam-connect (after)\n@@ ")
    assert '+      "Action": "rds-db:connect"' in looked
    assert looked.endswith("Nothing was changed: --dry-run. It would change rds-iam-connect of user/stranger.\n")
    assert (held(iam), enters()) == ([], False)
    done = shell.ok(f"%rds_iam_policy reader sandbox {ATTACH}").output
    assert done.endswith("Changed rds-iam-connect of user/stranger; IAM takes some seconds to apply it.\n")
    assert done.rpartition("\n@@")[2].partition("Changed")[0] in looked
    assert enters()
    again = shell.ok(f"%rds_iam_policy reader sandbox {ATTACH}").output
    assert again == "user/stranger has the policy rds-iam-connect already; nothing was changed.\n"


def test_several_targets_are_one_policy(shell, iam):
    shell.ok(f"%rds_iam_policy reader sandbox --target standalone {ATTACH} --name both")
    document = iam.get_user_policy(UserName="stranger", PolicyName="both")["PolicyDocument"]
    (statement,) = document["Statement"]
    assert [arn.rpartition(":")[2].partition("-")[0] for arn in statement["Resource"]] == ["cluster", "db"]
    assert json.loads(shell.ok("%rds_iam_policy reader sandbox standalone").output) == document


def test_of_the_connection_and_of_ids(shell, iam, monkeypatch):
    shell.ok("%rds_iam_connect sandbox -u reader --profile inline")
    shell.ok(f"%rds_iam_policy reader {ATTACH}")
    assert enters()
    ids = "--resource-id cluster-ABC --account 123456789012 --region us-east-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", "http://127.0.0.1:1")
    said = shell.ok(f"%rds_iam_policy ana {ids} {ATTACH}").output
    assert "dbuser:cluster-ABC/ana" in said
    assert "Note: the databases in us-east-1 could not be looked up" in said
    assert held(iam) == ["rds-iam-connect"]


def test_mistakes_are_told_and_replaced(shell, iam):
    start = "arn:aws:rds-db:us-east-1:123456789012:dbuser"
    wrong = {
        "Effect": "Allow",
        "Action": "rds:connect",
        "Resource": [f"{start}:sandbox/reader", f"{start}:gone/reader"],
    }
    document = {"Version": "2012-10-17", "Statement": [wrong]}
    iam.put_user_policy(UserName="stranger", PolicyName="old", PolicyDocument=json.dumps(document))
    told = shell.ok(f"%rds_iam_policy ana sandbox {ATTACH} --dry-run").output
    assert "Note: the inline policy old does not do what it says: the action rds:connect does not exist" in told
    assert "sandbox is an identifier; the resource id is cluster-" in told
    assert "; --fix replaces it." in told
    assert "gone is not a resource id; correct it by hand." in told
    done = shell.ok(f"%rds_iam_policy ana sandbox {ATTACH} --fix").output
    assert "--fix replaces" not in done
    assert "; replaced in the diff below." in done
    assert '-      "Action": "rds:connect",\n+      "Action": "rds-db:connect",' in done
    assert "Changed old, rds-iam-connect of user/stranger" in done
    assert enters()


def test_what_could_not_be_looked_over_is_told(shell, inside, iam):
    assert held(iam) == []
    allowed = [f"iam:{call}" for call in ("GetRole", "ListRolePolicies", "GetRolePolicy")]
    with only(inside, *allowed, "rds:DescribeDBClusters") as profile:
        told = shell.ok(f"%rds_iam_policy reader sandbox --attach role/analytics --dry-run --profile {profile}").output
    assert "Note: managed policies were not all looked over: that takes iam:ListAttachedRolePolicies" in told


@pytest.fixture
def reserved(inside):
    iam = inside.client("iam")
    name = "AWSReservedSSO_Analyst_0123456789abcdef"
    iam.create_role(RoleName=name, Path="/aws-reserved/sso.amazonaws.com/", AssumeRolePolicyDocument="{}")
    yield name
    iam.delete_role(RoleName=name)


def test_a_role_of_identity_center_gets_the_document_to_copy(shell, reserved):
    cell = shell(f"%rds_iam_policy reader sandbox --attach role/{reserved}")
    assert isinstance(cell.error, AwsError)
    document, _, said = cell.output.partition("AwsError: ")
    assert json.loads(document)["Statement"][0]["Action"] == "rds-db:connect"
    assert "belongs to IAM Identity Center; only its permission set Analyst can be edited." in said
    assert "Put the policy into the permission set (IAM Identity Center of the management account" in said


def test_too_large_shows_the_document_too(shell, iam):
    filler = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{'x' * 1900}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [filler]})
    iam.put_user_policy(UserName="stranger", PolicyName="filler", PolicyDocument=document)
    cell = shell(f"%rds_iam_policy reader sandbox {ATTACH}")
    assert '"Action": "rds-db:connect"' in cell.output
    assert "IAM allows a user 2,048 in all, white space aside." in cell.output
    assert held(iam) == ["filler"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("reader sandbox --attach nobody", "'nobody' is not a role, user or group of IAM"),
        ("reader sandbox --dry-run", "--dry-run has no effect without --attach"),
    ],
)
def test_a_line_that_is_wrong(shell, line, words):
    cell = shell(f"%rds_iam_policy {line}")
    assert isinstance(cell.error, OptionError)
    assert words in cell.output
