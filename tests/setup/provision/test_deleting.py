"""Deleting a stack: what goes is told first, what is protected stays, a snapshot is kept."""

from dataclasses import replace

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.hints import Interface
from rds_iam_magic.setup.provision import stacks
from tests.setup.provision.running import delete, failure, lacking
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

# In the order of their use.
DELETE = (
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "iam:ListEntitiesForPolicy",
    "rds:DescribeDBClusters",
    "cloudformation:DescribeStackEvents",
    "iam:DetachUserPolicy",
    "cloudformation:DeleteStack",
)


def test_deleting_tells_what_goes(session, deploy, inside):
    arn = deploy().outputs["ConnectPolicyArn"]
    inside.client("iam").attach_user_policy(UserName="stranger", PolicyArn=arn)
    told = []
    assert not delete(session, told, yes=False)
    assert told[0] == "team-db, which is CREATE_COMPLETE, goes with all that is in it:"
    assert "  Cluster (AWS::RDS::DBCluster) team-db" in told
    assert "  The policy is taken from user/stranger." in told
    assert "A last snapshot of the database is kept" in told[-2]
    assert "the logs in CloudWatch stay" in told[-2]
    assert told[-1].spelled(Interface.NOTEBOOK) == "Nothing was deleted yet. To go on, add --yes."
    assert stacks.describe(session, "team-db").is_usable
    told.clear()
    assert delete(session, told)
    snapshots = inside.client("rds").describe_db_cluster_snapshots(DBClusterIdentifier="team-db", SnapshotType="manual")
    names = [row["DBClusterSnapshotIdentifier"] for row in snapshots["DBClusterSnapshots"]]
    assert any(told[-1] == f"team-db is deleted. The snapshot {name} was kept." for name in names)
    assert stacks.find(session, "team-db") is None


@pytest.mark.parametrize("engine", ["aurora", "mysql"])
def test_a_protected_database(session, deploy, inside, engine):
    deploy(engine=engine, protect=True)
    told = []
    error = failure(delete, session, told)
    assert error.cause == "database-protected"
    assert told[0].startswith("team-db, which is CREATE_COMPLETE, goes"), "what would go is told all the same"
    rds = inside.client("rds")
    if engine == "aurora":
        rds.modify_db_cluster(DBClusterIdentifier="team-db", DeletionProtection=False)
    else:
        rds.modify_db_instance(DBInstanceIdentifier="team-db", DeletionProtection=False)
    assert delete(session, told)


def test_a_protected_stack(session, inside):
    client = inside.client("cloudformation")
    template = '{"Resources": {"Ready": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'
    tags = [{"Key": stacks.TAG, "Value": "aurora"}]
    client.create_stack(StackName="kept", TemplateBody=template, Tags=tags, EnableTerminationProtection=True)
    assert failure(delete, session, [], stack="kept").cause == "stack-protected"
    assert stacks.describe(session, "kept").is_usable


def test_a_deletion_that_fails(session, deploy, inside):
    """A reader that was added by hand keeps the cluster."""
    deploy()
    rds = inside.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="by-hand",
        DBClusterIdentifier="team-db",
        Engine="aurora-mysql",
        DBInstanceClass="db.r6g.large",
    )
    error = failure(delete, session, [])
    assert error.message.startswith("The stack team-db is DELETE_FAILED: Cluster (AWS::RDS::DBCluster) failed, ")
    assert "%rds_iam_provision delete team-db --yes" in error.hint
    rds.delete_db_instance(DBInstanceIdentifier="by-hand", SkipFinalSnapshot=True)
    assert delete(session, [])


def test_a_database_that_was_deleted_by_hand(session, deploy, inside):
    deploy(engine="mysql")
    inside.client("rds").delete_db_instance(DBInstanceIdentifier="team-db", SkipFinalSnapshot=True)
    told = []
    assert delete(session, told)
    assert told[-1] == "team-db is deleted."


def test_deleting_needs_exactly_its_permissions(session, inside, deploy):
    arn = deploy().outputs["ConnectPolicyArn"]
    iam, told = inside.client("iam"), []
    iam.attach_user_policy(UserName="managed", PolicyArn=arn)
    for missing in DELETE:
        lacking(inside, DELETE, missing, lambda profile: delete(open_session(profile=profile), told))
        assert stacks.find(session, "team-db").is_usable
        if missing != DELETE[-1]:
            assert iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"], "nothing is done by half"
    with only(inside, *DELETE) as profile:
        assert delete(open_session(profile=profile), told)
    assert told[-1] == "team-db is deleted. A snapshot of its database was kept."


def test_a_name_with_capitals(session, deploy, inside):
    """RDS has identifiers in small letters."""
    stack = deploy("Team-DB")
    assert inside.client("rds").describe_db_clusters(DBClusterIdentifier="team-db")["DBClusters"]
    assert "  Cluster (AWS::RDS::DBCluster) team-db" in list(map("  {}".format, stacks.resources(session, stack)))
    told = []
    assert delete(session, told, stack="Team-DB")
    assert told[-1].startswith("Team-DB is deleted. The snapshot team-db-snapshot-")


def test_one_that_is_being_deleted_is_followed(session, deploy, monkeypatch):
    """By a cell that comes after an interrupted one."""
    stack = deploy()
    delete(session, [])
    gone = stacks.describe(session, stack.id)
    monkeypatch.setattr(stacks, "describe", lambda *_: replace(gone, status="DELETE_IN_PROGRESS"))
    last = stacks.events(session, stack.id)[-3:]
    monkeypatch.setattr(stacks, "events", lambda *_: last)
    told = []
    assert delete(session, told, yes=False)
    assert told[-1] == "team-db is deleted."


def test_an_interrupt_leaves_it_going(session, deploy):
    deploy()
    told = []

    class Told(list):
        def append(self, line):
            told.append(line)
            if "DELETE_IN_PROGRESS" in line:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete(session, Told())
    assert told[-1].spelled(Interface.NOTEBOOK).endswith("%rds_iam_provision status team-db")
