"""Databases of one's own as stacks of the sandbox: made, looked at, and failed."""

from dataclasses import replace

import pytest

from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.hints import Interface
from rds_iam_magic.setup.provision import provisioning, stacks
from tests.setup.provision.running import delete, failure, lacking
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

# In the order of their use.
DEPLOY = (
    "cloudformation:DescribeStacks",
    "rds:DescribeDBEngineVersions",
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "cloudformation:CreateStack",
    "cloudformation:DescribeStackEvents",
)


@pytest.fixture
def group(inside):
    """A security group of the default VPC."""
    return inside.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]


def test_without_yes_nothing_is_made(session, deploy):
    assert deploy(yes=False) is None
    assert deploy.told[0].startswith("team-db: a cluster of Aurora MySQL Serverless v2")
    assert any(line.startswith("Costs: ") for line in deploy.told)
    assert deploy.told[-1].spelled(Interface.NOTEBOOK) == "Nothing was made yet. To go on, add --yes."
    assert stacks.find(session, "team-db") is None


@pytest.mark.parametrize(("engine", "kind"), [("aurora", "cluster"), ("mysql", "instance")])
def test_what_is_made_is_as_promised(deploy, inside, engine, kind):
    stack = deploy(engine=engine, source="10.0.0.0/8", policy_user="ana")
    assert stack.status == "CREATE_COMPLETE"
    rds = inside.client("rds")
    if kind == "cluster":
        (database,) = rds.describe_db_clusters(DBClusterIdentifier="team-db")["DBClusters"]
        assert database["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0, "MaxCapacity": 2}
        assert stack.outputs["AuroraEndpoint"] == database["Endpoint"]
        assert stack.outputs["AuroraReaderEndpoint"] == database["ReaderEndpoint"]
        (writer,) = rds.describe_db_instances(DBInstanceIdentifier="team-db-1")["DBInstances"]
        assert writer["DBInstanceClass"] == "db.serverless"
        assert not writer["PubliclyAccessible"]
        resource_id = database["DbClusterResourceId"]
    else:
        (database,) = rds.describe_db_instances(DBInstanceIdentifier="team-db")["DBInstances"]
        assert stack.outputs["DatabaseEndpoint"] == database["Endpoint"]["Address"]
        assert not database["PubliclyAccessible"]
        resource_id = database["DbiResourceId"]
    assert database["IAMDatabaseAuthenticationEnabled"]
    assert database["StorageEncrypted"]
    assert database["EnabledCloudwatchLogsExports"] == ["error", "iam-db-auth-error"]
    assert database["MasterUserSecret"]["SecretArn"] in stack.outputs.values()
    (group,) = inside.client("ec2").describe_security_groups(GroupIds=[stack.outputs["SecurityGroupId"]])[
        "SecurityGroups"
    ]
    ((rule,),) = [group["IpPermissions"]]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"][0]["CidrIp"]) == (3306, 3306, "10.0.0.0/8")
    policy = inside.client("iam").get_policy_version(PolicyArn=stack.outputs["ConnectPolicyArn"], VersionId="v1")
    (statement,) = policy["PolicyVersion"]["Document"]["Statement"]
    assert statement["Resource"] == f"arn:aws:rds-db:us-east-1:123456789012:dbuser:{resource_id}/ana"


def test_the_events_come_one_after_the_other(deploy, group):
    """Each is told once, the stack's own end last."""
    deploy(source=group)
    events = [line for line in deploy.told if "_IN_PROGRESS" in line or "_COMPLETE" in line]
    assert len(events) == len(set(events)) == 16
    assert "CREATE_IN_PROGRESS  team-db (AWS::CloudFormation::Stack)" in events[0]
    assert "CREATE_COMPLETE     team-db (AWS::CloudFormation::Stack)" in events[-1]
    assert deploy.told.index(next(e for e in events if "Cluster (AWS::RDS::DBCluster)" in e)) > len(deploy.told) - 16


def test_a_second_time_changes_nothing(deploy):
    first = deploy()
    deploy.told.clear()
    assert deploy() == first
    assert deploy.told == ["team-db is there already; nothing was changed."]


def test_another_wish_for_one_that_is_there(deploy):
    deploy()
    for options, words in (
        ({"max_acu": "8"}, "with MaxAcu 2 instead of 8."),
        (
            {"source": "10.0.0.0/8", "public": True},
            "FromCidr empty instead of 10.0.0.0/8, Public false instead of true.",
        ),
        ({"engine": "mysql"}, "with Engine aurora instead of mysql."),
        ({"engine_version": "8.0.mysql_aurora.3.04.4"}, "EngineVersion 8.0.mysql_aurora.3.10.6 instead of"),
    ):
        error = failure(deploy, **options)
        assert error.cause == "stack-differs"
        assert words in error.message


def test_an_interrupt_leaves_the_stack_going(deploy):
    """The first event is the last that this cell tells; the next cell goes on."""

    def interrupted(line):
        told.append(line)
        if "CREATE_IN_PROGRESS" in line:
            raise KeyboardInterrupt

    told = []
    with pytest.raises(KeyboardInterrupt):
        deploy(notify=interrupted)
    assert told[-1].spelled(Interface.NOTEBOOK) == (
        "What has begun goes on by itself; this shows how far it is: %rds_iam_provision status team-db"
    )
    assert deploy(yes=False).status == "CREATE_COMPLETE"
    assert "is there already" in deploy.told[-1]


def test_one_that_is_being_made_is_followed(session, deploy, monkeypatch):
    """By a cell that comes after an interrupted one."""
    deploy()
    at_that_time = replace(stacks.describe(session, "team-db"), status="CREATE_IN_PROGRESS", outputs={})
    monkeypatch.setattr(stacks, "find", lambda *_: at_that_time)
    deploy.told.clear()
    assert deploy(yes=False).outputs
    assert "CREATE_IN_PROGRESS  team-db" in deploy.told[0]
    assert "CREATE_COMPLETE     team-db" in deploy.told[-1]


def test_a_failure_names_what_failed_first(session, deploy, inside):
    rds = inside.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="team-db", Engine="aurora-mysql", MasterUsername="a", MasterUserPassword="x" * 8
    )
    error = failure(deploy)
    assert error.message == (
        "The stack team-db is ROLLBACK_COMPLETE: Cluster (AWS::RDS::DBCluster) failed, DB Cluster already exists."
    )
    assert "%rds_iam_provision delete team-db --yes" in error.hint
    assert failure(deploy).message == error.message, "the next cell says the same"
    told = []
    assert provisioning.status(session, "team-db", notify=told.append).status == "ROLLBACK_COMPLETE"
    assert told[1] == error.message
    rds.delete_db_cluster(DBClusterIdentifier="team-db", SkipFinalSnapshot=True)
    told.clear()
    assert delete(session, told)
    assert told[0] == "team-db, which is ROLLBACK_COMPLETE, is empty."
    assert deploy().status == "CREATE_COMPLETE"


def test_the_status_of_one_in_the_making(session, deploy, monkeypatch):
    """With what has happened last."""
    deploy()
    at_that_time = replace(stacks.describe(session, "team-db"), status="CREATE_IN_PROGRESS", outputs={})
    monkeypatch.setattr(stacks, "describe", lambda *_: at_that_time)
    told = []
    assert provisioning.status(session, "team-db", notify=told.append) == at_that_time
    assert told[0] == "team-db is CREATE_IN_PROGRESS."
    assert told[1:] == [str(event) for event in stacks.events(session, at_that_time.id)[-5:]]
    at_that_time = replace(at_that_time, status="DELETE_IN_PROGRESS")
    with pytest.raises(ProvisionError, match="The stack team-db is DELETE_IN_PROGRESS"):
        deploy()


def test_a_stack_of_somebody_else_is_left_alone(session, deploy):
    """The sandbox's own has the name of its cluster."""
    assert failure(deploy, "sandbox").cause == "stack-foreign"
    assert failure(delete, session, [], stack="sandbox").cause == "stack-foreign"
    assert stacks.describe(session, "sandbox").status == "CREATE_COMPLETE"


def test_what_a_stack_of_somebody_else_puts_out_is_not_shown(session):
    """It may be a password: CloudFormation hides parameters at most."""
    sandbox = stacks.describe(session, "sandbox")
    lines = list(provisioning.what_next(replace(sandbox, outputs={"Password": "hunter2"})))
    assert lines == ["It was made in another way: its outputs are not shown, since they may hold secrets."]
    assert list(provisioning.what_next(replace(sandbox, outputs={}))) == []


def test_a_stack_that_is_not_there(session):
    assert failure(delete, session, []).message == "There is no stack team-db."
    assert failure(provisioning.status, session, "team-db", notify=print).cause == "stack-unknown"


def test_deploying_needs_exactly_its_permissions(session, inside, deploy):
    for missing in DEPLOY:
        deploy.told.clear()
        lacking(inside, DEPLOY, missing, lambda profile: deploy(profile=profile))
        was_made = stacks.find(session, "team-db") is not None
        assert was_made == (missing == DEPLOY[-1]), "without the right to follow it, it goes on"
        assert any("goes on by itself" in line for line in deploy.told) == was_made
    delete(session, [])
    with only(inside, *DEPLOY) as profile:
        assert deploy(profile=profile).is_usable


@pytest.mark.parametrize(
    ("source", "public", "words"),
    [
        (None, False, "Nobody can reach it yet: sg-"),
        ("10.0.0.0/8", False, "10.0.0.0/8 can reach it, by sg-"),
        ("20.30.40.50", False, "20.30.40.50/32 may reach it, by sg-"),
        ("20.30.40.50", True, "20.30.40.50/32 can reach it, by sg-"),
        ("group", False, "members of sg-"),
    ],
)
def test_the_end_says_how_to_reach_it(deploy, group, source, public, words):
    source = group if source == "group" else source
    lines = list(provisioning.what_next(deploy(source=source, public=public)))
    assert lines[-2].startswith(words)
    has_tunnel = hasattr(lines[-2], "spelled")
    assert has_tunnel == ("can reach it, by" not in lines[-2] and "members" not in lines[-2])
    if has_tunnel:
        text = lines[-2].spelled(Interface.NOTEBOOK)
        assert all(option in text for option in ("--ssm INSTANCE_ID", "--ssh HOST", "--via HOST:PORT"))
    assert "%rds_iam_connect team-db -u USER" in lines[-1].spelled(Interface.NOTEBOOK)
