"""What is ordered of the account: the states of databases. Refusals: moto/test_refusals; limits: moto/test_iam."""

import pytest

from rds_iam_magic.sandbox import SandboxError, seed

pytestmark = pytest.mark.slow  # servers and kernels


def test_the_status_of_a_database(sandbox):
    rds = sandbox.client("rds")

    def told():
        (cluster,) = rds.describe_db_clusters(DBClusterIdentifier=seed.CLUSTER)["DBClusters"]
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=seed.STANDALONE)["DBInstances"]
        (proxy,) = rds.describe_db_proxies(DBProxyName=seed.PROXY)["DBProxies"]
        return cluster["Status"], instance["DBInstanceStatus"], proxy["Status"]

    assert told() == ("available",) * 3
    with sandbox.account.status(seed.CLUSTER, "stopped"), sandbox.account.status(seed.STANDALONE, "starting"):
        with sandbox.account.status(seed.PROXY, "suspended"):
            assert told() == ("stopped", "starting", "suspended")
    assert told() == ("available",) * 3


def test_a_database_of_another_region(sandbox):
    east = list(seed.GLOBAL_MEMBERS)[1]
    with sandbox.account.status(east, "failing-over"):
        (row,) = sandbox.client("rds", seed.GLOBAL_MEMBERS[east]).describe_db_clusters(DBClusterIdentifier=east)[
            "DBClusters"
        ]
        assert row["Status"] == "failing-over"


def test_what_is_not_there(sandbox):
    with pytest.raises(SandboxError, match="cannot set_status: LookupError"), sandbox.account.status("none", "x"):
        pytest.fail("it has no such database")
    with pytest.raises(SandboxError, match="cannot end_session"):
        sandbox.account.end_session("ASIAIOSFODNN7EXAMPLE")
    with pytest.raises(SandboxError, match="cannot refuse_next"):
        sandbox.account.refuse_next(kind="no kind")
