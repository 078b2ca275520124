"""Stacks in the sandbox, looked at often, and none left behind."""

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.setup.provision import provisioning, stacks
from rds_iam_magic.setup.provision.request import ProvisionOptions, read_request


@pytest.fixture
def session(inside, monkeypatch):
    """A session of the sandbox's administrator, with no time between two looks at a stack; none is left at the end."""
    monkeypatch.setattr(stacks, "_FIRST_STEP", 0.001)
    yield open_session()
    rds, iam, client = map(inside.client, ("rds", "iam", "cloudformation"))
    for stack in client.describe_stacks()["Stacks"]:
        if not any(tag["Key"] == stacks.TAG for tag in stack["Tags"]):
            continue
        for row in rds.describe_db_clusters()["DBClusters"]:
            if row["DBClusterIdentifier"] == stack["StackName"]:
                rds.modify_db_cluster(DBClusterIdentifier=stack["StackName"], DeletionProtection=False)
        for row in rds.describe_db_instances()["DBInstances"]:
            if row["DBInstanceIdentifier"] == stack["StackName"]:
                rds.modify_db_instance(DBInstanceIdentifier=stack["StackName"], DeletionProtection=False)
            if row.get("DBClusterIdentifier") == stack["StackName"]:
                rds.delete_db_instance(DBInstanceIdentifier=row["DBInstanceIdentifier"], SkipFinalSnapshot=True)
        arns = [row["OutputValue"] for row in stack.get("Outputs", []) if row["OutputKey"] == "ConnectPolicyArn"]
        for arn in arns:
            for row in iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]:
                iam.detach_user_policy(UserName=row["UserName"], PolicyArn=arn)
        client.delete_stack(StackName=stack["StackId"])


@pytest.fixture
def deploy(session):
    """Deploys `team-db`, as wanted; what was told is in the list `deploy.told`."""

    def function(stack="team-db", source=None, *, yes=True, profile=None, notify=None, **options):
        request = read_request(stack, ProvisionOptions(**options), source, yes=yes)
        chosen = open_session(profile=profile) if profile else session
        return provisioning.deploy(chosen, request, yes=yes, notify=notify or function.told.append)

    function.told = []
    return function
