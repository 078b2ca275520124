"""RDS Proxy in the sandbox, over RDS's API; its names and endpoints: test_rds, its logins: test_verifier."""

import pytest

from rds_iam_magic.sandbox import seed

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def rds(sandbox):
    return sandbox.client("rds")


def test_what_is_modified_is_described(rds):
    def told():
        (row,) = rds.describe_db_proxies(DBProxyName=seed.PROXY)["DBProxies"]
        return row["DefaultAuthScheme"], row["Auth"][0]["IAMAuth"], row["RequireTLS"]

    (was,) = rds.describe_db_proxies(DBProxyName=seed.PROXY)["DBProxies"][0]["Auth"]
    assert told() == ("NONE", "REQUIRED", True)
    rds.modify_db_proxy(DBProxyName=seed.PROXY, DefaultAuthScheme="IAM_AUTH", Auth=[{**was, "IAMAuth": "DISABLED"}])
    assert told() == ("IAM_AUTH", "DISABLED", True)
    rds.modify_db_proxy(DBProxyName=seed.PROXY, DefaultAuthScheme="NONE", Auth=[was])
    assert told() == ("NONE", "REQUIRED", True)


def test_the_targets_are_the_cluster_and_its_members(rds, sandbox):
    def health():
        cluster, member = rds.describe_db_proxy_targets(DBProxyName=seed.PROXY)["Targets"]
        assert (cluster["Type"], cluster["Endpoint"], cluster["Port"]) == ("TRACKED_CLUSTER", sandbox.hosts[0], 3306)
        assert "TargetHealth" not in cluster
        assert (member["Type"], member["RdsResourceId"]) == ("RDS_INSTANCE", "sandbox-1")
        return member["TargetHealth"]

    assert health() == {"State": "AVAILABLE"}
    words = "Proxy does not have any registered credentials"
    with sandbox.account.target_health(seed.PROXY, "UNAVAILABLE", "AUTH_FAILURE", words):
        assert health() == {"State": "UNAVAILABLE", "Reason": "AUTH_FAILURE", "Description": words}
    assert health() == {"State": "AVAILABLE"}


def test_an_instance_is_a_target_too(rds):
    named = {"DBProxyName": seed.PROXY, "DBInstanceIdentifiers": [seed.STANDALONE]}
    rds.register_db_proxy_targets(**named)
    try:
        target = rds.describe_db_proxy_targets(DBProxyName=seed.PROXY)["Targets"][-1]
        assert (target["RdsResourceId"], target["TargetHealth"]["State"]) == (seed.STANDALONE, "AVAILABLE")
    finally:
        rds.deregister_db_proxy_targets(**named)
