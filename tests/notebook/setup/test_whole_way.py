"""From an account without a database to a DataFrame, and back: each step is one cell."""

import pytest

from rds_iam_magic.errors import AccessDeniedError, OptionError, TargetError
from rds_iam_magic.setup.provision import stacks

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def often(monkeypatch):
    """No time between two looks at a stack."""
    monkeypatch.setattr(stacks, "_FIRST_STEP", 0.001)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("engine", "connect"),
    [
        ("aurora", "%rds_iam_connect {AuroraEndpoint} -u ana -d shop"),
        ("mysql", "%rds_iam_connect {DatabaseEndpoint} -u ana -d shop"),
    ],
)
def test_the_whole_way(shell, inside, engine, connect):
    deploy = f"%rds_iam_provision deploy team-db --engine {engine} --from 10.0.0.0/8"
    assert shell.ok(deploy).output.endswith("Nothing was made yet. To go on, add --yes.\n")
    made = shell.ok(f"{deploy} --yes").output
    assert "CREATE_COMPLETE     team-db (AWS::CloudFormation::Stack)" in made
    outputs = dict(line.split() for line in made.splitlines() if len(line.split()) == 2)
    secret = outputs["AuroraSecret" if engine == "aurora" else "DatabaseSecret"]
    assert f"%rds_iam_user create USER --secret {secret} --grant" in made
    shell.ok(f"%rds_iam_user create ana --secret {secret} --grant 'SELECT ON shop.*'")
    cell = f"{connect.format(**outputs)} --profile stranger"
    assert isinstance(shell(cell).error, AccessDeniedError), "not before the policy"
    inside.client("iam").attach_user_policy(UserName="stranger", PolicyArn=outputs["ConnectPolicyArn"])
    assert "Connected. team-db: ana@" in shell.ok(cell).output
    frame = shell.ok("%rds_sql SELECT COUNT(*) AS orders FROM orders").value
    assert frame["orders"].tolist() == [50_000]
    assert "team-db is there already; nothing was changed." in shell.ok(f"{deploy} --yes").output
    assert "team-db is CREATE_COMPLETE." in shell.ok("%rds_iam_provision status team-db").output
    listed = shell.ok("%rds_iam_provision delete team-db").output
    assert "The policy is taken from user/stranger." in listed
    assert listed.endswith("Nothing was deleted yet. To go on, add --yes.\n")
    assert "team-db is deleted. The snapshot team-db-" in shell.ok("%rds_iam_provision delete team-db --yes").output
    assert isinstance(shell(f"{cell} -A again").error, AccessDeniedError), "nor afterwards"
    assert isinstance(shell("%rds_iam_connect team-db -u ana").error, TargetError)
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
