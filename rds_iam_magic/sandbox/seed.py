"""The contents of the sandbox's AWS account: databases, secrets, a stack, and principals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.sandbox.iam import ACCOUNT
from rds_iam_magic.sandbox.moto.rds import subnets
from rds_iam_magic.sandbox.verifier import ServedEndpoint

REGION = "us-east-1"
CLUSTER = "sandbox"
STANDALONE = "standalone"
STACK = "sandbox"
ARTICLE_STACK = "article-output"
PROXY = "sandbox-proxy"
CUSTOM_ENDPOINT = "analytics"
GLOBAL = "worldwide"
GLOBAL_MEMBERS = {"worldwide-west": "eu-west-1", "worldwide-east": "ap-northeast-1"}
MASTER = "admin"
PORT = 3306

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass(frozen=True, slots=True)
class Seeded:
    """The endpoints that tokens may be signed for, and the access keys of each principal."""

    endpoints: dict[str, ServedEndpoint]
    keys: dict[str, tuple[str, str]]
    global_endpoint: str

    def told(self) -> dict[str, Any]:
        """As JSON."""
        hosts = [host.rpartition(":")[0] for host in self.endpoints]
        return {"hosts": hosts, "keys": self.keys, "global_endpoint": self.global_endpoint}


def seed(url: str, passwords: dict[str, str]) -> Seeded:
    """Fill a new moto server.

    Args:
        url: Its URL.
        passwords: The master user's passwords, by database identifier.
    """
    import boto3

    session = boto3.Session("seed", "seed", region_name=REGION)

    def client(name: str, region: str = REGION) -> Any:
        return session.client(name, region_name=region, endpoint_url=url)

    endpoints = _databases(client("rds"))
    endpoints |= _further_endpoints(client("rds"), endpoints)
    endpoints |= _global_database(client)
    _secrets(client("rds"), client("secretsmanager"), client("cloudformation"), passwords)
    (database,) = client("rds").describe_global_clusters(GlobalClusterIdentifier=GLOBAL)["GlobalClusters"]
    return Seeded(endpoints, _principals(client("iam"), endpoints), database["Endpoint"])


def _databases(rds: Any) -> dict[str, ServedEndpoint]:
    cluster = rds.create_db_cluster(
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-mysql",
        MasterUsername=MASTER,
        ManageMasterUserPassword=True,
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["iam-db-auth-error"],
        Port=PORT,
    )["DBCluster"]
    member = rds.create_db_instance(
        DBInstanceIdentifier=f"{CLUSTER}-1",
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-mysql",
        DBInstanceClass="db.r6g.large",
        EnableIAMDatabaseAuthentication=True,
    )["DBInstance"]
    single = _instance(rds, STANDALONE, "mysql")
    _instance(rds, "warehouse", "postgres")
    cluster_endpoint = _endpoint(cluster["DbClusterResourceId"])
    return {
        f"{cluster['Endpoint']}:{PORT}": cluster_endpoint,
        f"{cluster['ReaderEndpoint']}:{PORT}": cluster_endpoint,
        f"{member['Endpoint']['Address']}:{PORT}": cluster_endpoint,
        f"{single['Endpoint']['Address']}:{PORT}": _endpoint(single["DbiResourceId"]),
    }


def _instance(rds: Any, name: str, engine: str) -> Any:
    return rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine=engine,
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MasterUsername=MASTER,
        MasterUserPassword="set-by-the-sandbox",
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["iam-db-auth-error"],
        Port=PORT if engine == "mysql" else 5432,
    )["DBInstance"]


def _endpoint(resource_id: str, region: str = REGION) -> ServedEndpoint:
    return ServedEndpoint(region, f"arn:aws:rds-db:{region}:{ACCOUNT}:dbuser:{resource_id}")


def _further_endpoints(rds: Any, endpoints: dict[str, ServedEndpoint]) -> dict[str, ServedEndpoint]:
    """The cluster's custom endpoint, and a proxy of the cluster."""
    custom = rds.create_db_cluster_endpoint(
        DBClusterIdentifier=CLUSTER, DBClusterEndpointIdentifier=CUSTOM_ENDPOINT, EndpointType="ANY"
    )
    master = rds.describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    proxy = rds.create_db_proxy(
        DBProxyName=PROXY,
        EngineFamily="MYSQL",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": master, "IAMAuth": "REQUIRED"}],
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/proxy",
        VpcSubnetIds=subnets(REGION),
        RequireTLS=True,
    )["DBProxy"]
    rds.register_db_proxy_targets(DBProxyName=PROXY, DBClusterIdentifiers=[CLUSTER])
    return {
        f"{custom['Endpoint']}:{PORT}": next(iter(endpoints.values())),
        f"{proxy['Endpoint']}:{PORT}": _endpoint(proxy["DBProxyArn"].rpartition(":")[2]),
    }


def _global_database(client: Callable[[str, str], Any]) -> dict[str, ServedEndpoint]:
    """A global database, whose first member is the writer."""
    client("rds", REGION).create_global_cluster(GlobalClusterIdentifier=GLOBAL, Engine="aurora-mysql")
    endpoints = {}
    for name, region in GLOBAL_MEMBERS.items():
        cluster = client("rds", region).create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-mysql",
            MasterUsername=MASTER,
            MasterUserPassword="set-by-the-sandbox",
            EnableIAMDatabaseAuthentication=True,
            GlobalClusterIdentifier=GLOBAL,
        )["DBCluster"]
        endpoints[f"{cluster['Endpoint']}:{PORT}"] = _endpoint(cluster["DbClusterResourceId"], region)
    return endpoints


def _secrets(rds: Any, secrets: Any, stacks: Any, passwords: dict[str, str]) -> None:
    """Master secrets in both formats, and the stack that outputs the cluster's."""
    cluster = rds.describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]
    single = rds.describe_db_instances(DBInstanceIdentifier=STANDALONE)["DBInstances"][0]
    managed = cluster["MasterUserSecret"]["SecretArn"]
    secrets.put_secret_value(
        SecretId=managed, SecretString=json.dumps({"username": MASTER, "password": passwords[CLUSTER]})
    )
    for name, host, of, password in (
        ("sandbox/master", cluster["Endpoint"], {"dbClusterIdentifier": CLUSTER}, passwords[CLUSTER]),
        (
            "sandbox/standalone/master",
            single["Endpoint"]["Address"],
            {"dbInstanceIdentifier": STANDALONE},
            passwords[STANDALONE],
        ),
    ):
        full = {"engine": "mysql", "host": host, "username": MASTER, "password": password, "port": str(PORT), **of}
        secrets.create_secret(Name=name, SecretString=json.dumps(full))
    # The article's sample has a stack for its outputs alone, and names the secret; templates give its ARN.
    for stack, secret in ((STACK, managed), (ARTICLE_STACK, "sandbox/master")):
        outputs = {"AuroraEndpoint": cluster["Endpoint"], "AuroraPort": str(PORT), "AuroraSecret": secret}
        template = {
            "Resources": {"Ready": {"Type": "AWS::CloudFormation::WaitConditionHandle"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        stacks.create_stack(StackName=stack, TemplateBody=json.dumps(template))


def _principals(iam: Any, endpoints: dict[str, ServedEndpoint]) -> dict[str, tuple[str, str]]:
    """IAM users with and without permission to connect, granted in every way that IAM has; and a role."""
    arn = next(iter(endpoints.values())).arn
    reader = f"{arn}/reader"
    for name in ("administrator", "inline", "grouped", "managed", "denied", "stranger"):
        iam.create_user(UserName=name)
    iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=_policy("*", "*"))
    iam.put_user_policy(UserName="inline", PolicyName="connect", PolicyDocument=_policy("rds-db:connect", reader))
    iam.create_group(GroupName="analysts")
    iam.put_group_policy(GroupName="analysts", PolicyName="connect", PolicyDocument=_policy("rds-db:connect", reader))
    iam.add_user_to_group(GroupName="analysts", UserName="grouped")
    wild = _policy("rds-db:*", f"arn:aws:rds-db:{REGION}:*:dbuser:*/read?r")
    attached = iam.create_policy(PolicyName="connect-anywhere", PolicyDocument=wild)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="managed", PolicyArn=attached)
    iam.put_user_policy(UserName="denied", PolicyName="all", PolicyDocument=_policy("*", "*"))
    iam.put_user_policy(UserName="denied", PolicyName="no", PolicyDocument=_policy("rds-db:connect", "*", "Deny"))
    iam.create_role(RoleName="analytics", AssumeRolePolicyDocument=json.dumps(_TRUST))
    iam.put_role_policy(RoleName="analytics", PolicyName="connect", PolicyDocument=_policy("rds-db:connect", reader))
    users = [user["UserName"] for user in iam.list_users()["Users"]]
    return {name: _key(iam, name) for name in users}


def _key(iam: Any, user: str) -> tuple[str, str]:
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def _policy(action: str, resource: str, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
