"""The database in a stack: the cluster before its instances."""

import datetime as dt

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.setup.provision.database import StackDatabase, database_in
from rds_iam_magic.setup.provision.stacks import Resource
from tests.support.permissions import only

GROUP = Resource("SubnetGroup", "AWS::RDS::DBSubnetGroup", "g")
WRITER = Resource("Writer", "AWS::RDS::DBInstance", "team-db-1")
CLUSTER = Resource("Cluster", "AWS::RDS::DBCluster", "team-db")


@pytest.mark.parametrize(
    ("resources", "database"),
    [
        ([GROUP, WRITER, CLUSTER], StackDatabase("team-db", "DBCluster")),
        ([GROUP, WRITER], StackDatabase("team-db-1", "DBInstance")),
        ([GROUP], None),
        ([], None),
    ],
)
def test_which_one_it_is(resources, database):
    assert database_in(resources) == database


def test_a_resource_in_one_line():
    assert str(CLUSTER) == "Cluster (AWS::RDS::DBCluster) team-db"
    assert str(CLUSTER._replace(id="")) == "Cluster (AWS::RDS::DBCluster)"


@pytest.mark.slow
@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("noun", ["DBCluster", "DBInstance"])
def test_one_that_is_gone(noun):
    """It is not protected, and nothing was kept of it."""
    database = StackDatabase("none", noun)
    assert not database.is_protected(open_session())


@pytest.mark.slow
def test_a_snapshot_that_may_not_be_looked_up(inside):
    when = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    with only(inside) as profile:
        kept = StackDatabase("sandbox", "DBCluster").snapshot_since(open_session(profile=profile), when)
    assert kept == "A snapshot of its database was kept."


@pytest.mark.slow
def test_only_a_snapshot_that_was_made_since(inside):
    rds, database = inside.client("rds"), StackDatabase("standalone", "DBInstance")
    rds.create_db_snapshot(DBInstanceIdentifier="standalone", DBSnapshotIdentifier="of-today")
    now = dt.datetime.now(dt.timezone.utc)
    assert database.snapshot_since(open_session(), now - dt.timedelta(hours=1)) == "The snapshot of-today was kept."
    assert database.snapshot_since(open_session(), now + dt.timedelta(hours=1)) == ""
    rds.delete_db_snapshot(DBSnapshotIdentifier="of-today")
