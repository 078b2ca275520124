"""Each magic works with exactly the permissions of its row, and with one less says which is missing."""

import re
from pathlib import Path

import pytest

from rds_iam_magic.notebook.setup.permissions import NEEDS
from tests.support.fake_aws import answering, refusing
from tests.support.permissions import USER, only

pytestmark = pytest.mark.slow  # servers and kernels

PAGE = Path(__file__).parents[3] / "docs" / "permissions.md"
IDS = "--resource-id cluster-ABC --account 123456789012 --region us-east-1"


@pytest.fixture
def names(inside):
    """What the words of a row stand for; principals with a policy each, and a proxy, as long as the test runs."""
    iam, rds, ec2 = (inside.client(service) for service in ("iam", "rds", "ec2"))
    managed = rds.describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    rds.create_db_instance(
        DBInstanceIdentifier="plain", Engine="mysql", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    proxy = rds.create_db_proxy(
        DBProxyName="front",
        EngineFamily="MYSQL",
        Auth=[],
        RoleArn="arn:aws:iam::123456789012:role/x",
        VpcSubnetIds=subnets,
    )["DBProxy"]["Endpoint"]
    yield {
        "HOST": inside.hosts[0],
        "CLUSTER": "sandbox",
        "INSTANCE": "standalone",
        "MEMBER": "sandbox-1",
        "PROXY": proxy,
        "USER": "reader",
        "…": f"reader {IDS}",
        "SECRET": "sandbox/master",
        "MANAGED": managed,
        "role/NAME": "role/analytics",
        "user/NAME": "user/inline",
        "group/NAME": "group/analysts",
        "NAME": "needy",
        "TARGET": "plain",
        "STACK": STACK,
        "--resource-id": IDS,
    }
    rds.delete_db_proxy(DBProxyName="front")
    rds.delete_db_instance(DBInstanceIdentifier="plain", SkipFinalSnapshot=True)
    for kind, name in (("role", "analytics"), ("user", "inline"), ("group", "analysts")):
        named = {f"{kind.title()}Name": name}
        if "rds-iam-connect" in getattr(iam, f"list_{kind}_policies")(**named)["PolicyNames"]:
            getattr(iam, f"delete_{kind}_policy")(PolicyName="rds-iam-connect", **named)
    with inside.server.root() as root:
        root.execute("DROP USER IF EXISTS 'needy'@'%'")


@pytest.fixture
def refused_secret(monkeypatch):
    """moto refuses in XML here too, which is not the protocol of Secrets Manager; AWS in JSON, with these words."""
    words = f"User: arn:aws:iam::123456789012:user/{USER} is not authorized to perform: secretsmanager:GetSecretValue"
    with answering(refusing("AccessDeniedException", words)) as url:
        yield lambda: monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)


STACK = "needy-db"
IN_A_STACK = "%rds_iam_provision"


@pytest.fixture
def stack(shell, inside, monkeypatch):
    """Makes the stack that a row takes; whatever there is of it goes afterwards."""
    monkeypatch.setattr("rds_iam_magic.setup.provision.stacks._FIRST_STEP", 0.01)

    def made_for(need):
        if need.magic.startswith((f"{IN_A_STACK} status", f"{IN_A_STACK} delete")):
            shell.ok(f"{IN_A_STACK} deploy {STACK} --yes")

    yield made_for
    if any(each["StackName"] == STACK for each in inside.client("cloudformation").describe_stacks()["Stacks"]):
        shell.ok(f"{IN_A_STACK} delete {STACK} --yes")


def line_of(need, names):
    """A line to run, with the row's words filled in."""
    if need.magic.startswith("%rds_iam_connect"):
        names = names | {"STACK": "sandbox"}
    head = need.magic.partition(" --resource-id")[0] + (" --resource-id" if "--resource-id" in need.magic else "")
    line = " ".join(names.get(word, word) for word in head.split())
    return f"{line} -u reader" if line.startswith("%rds_iam_connect") else line


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.magic)
def test_exactly_these(shell, inside, names, stack, need):
    stack(need)
    with only(inside, *need.actions) as profile:
        shell.ok(f"{line_of(need, names)} --profile {profile}" if need.actions else line_of(need, names))
        if need.magic.startswith("%rds_iam_connect"):
            shell.ok("%rds_sql -q SELECT 1")


@pytest.mark.parametrize(
    ("need", "missing"),
    [pytest.param(need, action, id=f"{need.magic}-{action}") for need in NEEDS for action in need.actions],
)
def test_one_less_is_named(shell, inside, names, stack, need, missing, refused_secret):
    stack(need)
    if missing == "secretsmanager:GetSecretValue":
        refused_secret()
    with only(inside, *(action for action in need.actions if action != missing)) as profile:
        cell = shell(f"{line_of(need, names)} --profile {profile}")
    assert cell.error is not None
    assert missing in cell.output
    assert len(str(cell.error).splitlines()) <= 2


def test_what_is_not_needed_is_asked_for_where_permitted(shell, inside, names):
    for need in NEEDS:
        if need.more and "--attach" in need.magic:
            with only(inside, *need.actions, *need.more) as profile:
                assert "Note:" not in shell.ok(f"{line_of(need, names)} --profile {profile} --dry-run").output
            with only(inside, *need.actions) as profile:
                assert "Note:" in shell.ok(f"{line_of(need, names)} --profile {profile} --dry-run").output


def test_the_readme_has_the_table():
    rows = ["| magic | needs | and, where permitted |", "|---|---|---|"]
    for need in NEEDS:
        case = f" ({need.case})" if need.case else ""
        needs, more = (", ".join(f"`{action}`" for action in actions) for actions in (need.actions, need.more))
        rows.append(f"| `{need.magic}`{case} | {needs or 'nothing'} | {more} |")
    text = PAGE.read_text(encoding="utf-8")
    assert "\n".join(rows) in text, f"docs/permissions.md should have:\n{chr(10).join(rows)}"


def test_the_table_names_actions():
    actions = {action for need in NEEDS for action in (*need.actions, *need.more)}
    assert [action for action in actions if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action)] == []
    assert USER == "stranger"
