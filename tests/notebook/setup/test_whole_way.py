"""From an account without a database to a DataFrame, and back: each step is one cell."""

import pytest

from rds_iam_magic.errors import AccessDeniedError, OptionError, TargetError
from rds_iam_magic.setup.provision import stacks

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def often(monkeypatch):
    """No time between two looks at a stack."""
    monkeypatch.setattr(stacks, "_FIRST_STEP", 0.001)


CONNECT = "%rds_iam_connect --stack team-db -u ana -d shop --profile stranger"


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("engine", ["aurora", "mysql"])
def test_the_whole_way(shell, inside, engine):
    """From an account without that database to rows, and back; by the stack's own policy, or by an attached one."""
    deploy = f"%rds_iam_provision deploy team-db --engine {engine} --from 10.0.0.0/8"
    assert shell.ok(deploy).output.endswith("Nothing was made yet. To go on, add --yes.\n")
    made = shell.ok(f"{deploy} --yes").output
    assert "CREATE_COMPLETE     team-db (AWS::CloudFormation::Stack)" in made
    outputs = dict(line.split() for line in made.splitlines() if len(line.split()) == 2)
    assert "%rds_iam_user create USER --target team-db --grant" in made
    shell.ok("%rds_iam_user create ana --stack team-db --grant 'SELECT ON shop.*'")
    assert isinstance(shell(CONNECT).error, AccessDeniedError), "not before the policy"
    iam = inside.client("iam")
    if engine == "aurora":
        iam.attach_user_policy(UserName="stranger", PolicyArn=outputs["ConnectPolicyArn"])
    else:
        shell.ok("%rds_iam_policy ana --stack team-db --attach user/stranger")
    assert "Connected. team-db: ana@" in shell.ok(CONNECT).output
    frame = shell.ok("%rds_sql SELECT COUNT(*) AS orders FROM orders").value
    assert frame["orders"].tolist() == [50_000]
    assert "team-db is there already; nothing was changed." in shell.ok(f"{deploy} --yes").output
    assert "team-db is CREATE_COMPLETE." in shell.ok("%rds_iam_provision status team-db").output
    listed = shell.ok("%rds_iam_provision delete team-db").output
    assert ("The policy is taken from user/stranger." in listed) == (engine == "aurora")
    assert listed.endswith("Nothing was deleted yet. To go on, add --yes.\n")
    host = outputs["AuroraEndpoint" if engine == "aurora" else "DatabaseEndpoint"]
    assert "team-db is deleted. The snapshot team-db-" in shell.ok("%rds_iam_provision delete team-db --yes").output
    assert isinstance(shell(CONNECT).error, TargetError)
    assert isinstance(shell(f"%rds_iam_connect {host} -u ana --profile stranger").error, AccessDeniedError)
    if engine == "mysql":
        iam.delete_user_policy(UserName="stranger", PolicyName="rds-iam-connect")
    with inside.server.root() as root:
        root.execute("DROP USER 'ana'@'%'")


@pytest.mark.usefixtures("often")
def test_one_that_nobody_can_reach(shell):
    """The end says how, with the options of the magics."""
    made = shell.ok("%rds_iam_provision deploy team-db --yes").output
    assert "Nobody can reach it yet: sg-" in made
    assert "%rds_iam_connect team-db -u USER --ssm INSTANCE_ID, or --ssh HOST, or --via HOST:PORT" in made
    shell.ok("%rds_iam_provision delete team-db --yes")


def test_everybody_is_not_let_in_by_the_way(shell):
    cell = shell("%rds_iam_provision deploy team-db --from 0.0.0.0/0")
    assert isinstance(cell.error, OptionError)
    assert "if everybody is meant, add --yes" in cell.output


def test_iam_authentication_is_on_already(shell):
    assert "is on already for sandbox-1; nothing was changed." in shell.ok("%rds_iam_enable sandbox-1").output


@pytest.mark.parametrize("magic", ["rds_iam_provision", "rds_iam_enable"])
def test_help(shell, magic):
    assert "--yes" in shell.ok(f"%{magic} --help").output
