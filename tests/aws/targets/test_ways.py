"""Every way to name a database: target → endpoint, region, the calls that it takes, the line that is shown."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rds_iam_magic.aws.endpoint import Kind, parse_host_name
from rds_iam_magic.aws.secret import read_master_secret
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets import alias, ways
from rds_iam_magic.aws.targets.resolve import resolve
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.errors import OptionError, TargetError
from rds_iam_magic.hints import Interface, spell
from tests.aws.targets.conftest import Asking
from tests.support.permissions import only

slow = pytest.mark.slow  # servers and kernels

WRITER, READER, MEMBER, ALONE, CUSTOM, PROXY, WEST = range(7)  # `hosts` of the sandbox
DC, DI, DP, DE = (f"DescribeDB{what}" for what in ("Clusters", "Instances", "Proxies", "ClusterEndpoints"))
DG = "DescribeGlobalClusters"
ACCOUNT = "123456789012"
ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}"
OTHER_REGION = {WEST: "eu-west-1"}
GLOBAL_LINE = "worldwide is a global database; its writer is {host} in eu-west-1."


def ids(sandbox):
    """What is different in each sandbox."""
    rds = sandbox.client("rds")
    (cluster,) = rds.describe_db_clusters()["DBClusters"]
    (proxy,) = rds.describe_db_proxies()["DBProxies"]
    alone = rds.describe_db_instances(DBInstanceIdentifier="standalone")["DBInstances"][0]
    member = rds.describe_db_instances(DBInstanceIdentifier="sandbox-1")["DBInstances"][0]
    stack = sandbox.client("cloudformation").describe_stacks(StackName="sandbox")["Stacks"][0]
    full = sandbox.client("secretsmanager").describe_secret(SecretId="sandbox/master")["ARN"]
    managed = cluster["MasterUserSecret"]["SecretArn"]
    return {
        "hosts": sandbox.hosts,
        "upper": sandbox.hosts[WRITER].upper(),
        "cluster": cluster["DbClusterResourceId"],
        "alone": alone["DbiResourceId"],
        "member": member["DbiResourceId"],
        "proxy": proxy["DBProxyArn"].rpartition(":")[2],
        "proxy_arn": proxy["DBProxyArn"],
        "stack_arn": stack["StackId"],
        "secret_arn": full,
        "managed_arn": managed,
        "managed_name": managed.partition(":secret:")[2][:-7],
        "global": rds.describe_global_clusters()["GlobalClusters"][0]["Endpoint"],
    }


ROWS = [  # the target or the options, the host, the calls, the line that is shown
    # a URL, host names of each kind
    ("mysql://reader@{hosts[0]}:3306/shop", WRITER, [], ""),
    ("mysql://sandbox", WRITER, [DC, DI], ""),
    *[(f"{{hosts[{n}]}}", n, [], "") for n in range(7)],
    ("  {upper}. ", WRITER, [], ""),
    ("{hosts[0]}:3306", WRITER, [], ""),
    ("{global}", WEST, [DG, f"{DC}@eu-west-1"], GLOBAL_LINE),
    # ARNs
    (f"{ARN}:cluster:sandbox", WRITER, [DC], ""),
    (f"{ARN}:db:standalone", ALONE, [DI], ""),
    (f"{ARN}:db:sandbox-1", MEMBER, [DI, DC], ""),
    ("{proxy_arn}", PROXY, [DP], ""),
    (f"{ARN}:cluster-endpoint:analytics", CUSTOM, [DE, DC], ""),
    (f"arn:aws:rds::{ACCOUNT}:global-cluster:worldwide", WEST, [DG, f"{DC}@eu-west-1"], GLOBAL_LINE),
    (f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:worldwide-west", WEST, [f"{DC}@eu-west-1"], ""),
    ("{stack_arn}", WRITER, ["DescribeStacks"], "The stack sandbox names {host} (output AuroraEndpoint)."),
    ("{secret_arn}", WRITER, ["GetSecretValue"], "The secret {secret_arn} is of {host}."),
    ("{managed_arn}", WRITER, [DC, DI], "The secret {managed_arn} is of {host}."),
    # resource ids
    ("{cluster}", WRITER, [DC], ""),
    ("{alone}", ALONE, [DI], ""),
    ("{member}", MEMBER, [DI, DC], ""),
    ("{proxy}", PROXY, [DP], ""),
    # identifiers
    ("sandbox", WRITER, [DC, DI], ""),
    ("Sandbox", WRITER, [DC, DI], ""),
    ("standalone", ALONE, [DC, DI], ""),
    ("sandbox-1", MEMBER, [DC, DI, DC], ""),
    ("sandbox-proxy", PROXY, [DC, DI, DP], ""),
    ("worldwide", WEST, [DC, DI, DP, DG, f"{DC}@eu-west-1"], GLOBAL_LINE),
    # a stack: its secret by ARN, and by name as in the article
    ({"stack": "sandbox"}, WRITER, ["DescribeStacks"], "The stack sandbox names {host} (output AuroraEndpoint)."),
    ({"stack": "article-output"}, WRITER, ["DescribeStacks"],
     "The stack article-output names {host} (output AuroraEndpoint)."),
    # a secret: by its host, and one that RDS manages, by name and ARN
    ({"secret": "sandbox/master"}, WRITER, ["GetSecretValue"], "The secret sandbox/master is of {host}."),
    ({"secret": "sandbox/standalone/master"}, ALONE, ["GetSecretValue"],
     "The secret sandbox/standalone/master is of {host}."),
    ({"secret": "{managed_arn}"}, WRITER, [DC, DI], "The secret {managed_arn} is of {host}."),
    ({"secret": "{managed_name}"}, WRITER, [DC, DI], "The secret {managed_name} is of {host}."),
    # another endpoint
    ({"target": "sandbox", "reader": True}, READER, [DC, DI], ""),
    ({"target": "sandbox-1", "reader": True}, READER, [DC, DI, DC], ""),
    ({"target": "{hosts[0]}", "reader": True}, READER, [], ""),
    ({"target": "{hosts[2]}", "reader": True}, READER, [DC, DI], ""),
    ({"target": "sandbox", "endpoint": "Analytics"}, CUSTOM, [DC, DI], ""),
    ({"target": "{hosts[0]}", "endpoint": "analytics"}, CUSTOM, [DC, DI], ""),
    ({"stack": "sandbox", "reader": True}, READER, ["DescribeStacks"],
     "The stack sandbox names {hosts[0]} (output AuroraEndpoint); {host} is its reader endpoint."),
]  # fmt: skip


@slow
@pytest.mark.parametrize(("said", "number", "calls", "line"), ROWS, ids=lambda value: str(value)[:60])
def test_each_way(asking, inside, said, number, calls, line):
    values = ids(inside)
    fill = lambda value: value.format(**values) if isinstance(value, str) else value  # noqa: E731
    options = {key: fill(value) for key, value in said.items()} if isinstance(said, dict) else {"target": fill(said)}
    shown = []
    target = options.pop("target", None)
    found = resolve(asking.session, target, where=TargetOptions(**options), notify=shown.append)
    host = inside.hosts[number]
    assert (found.endpoint.host, found.endpoint.port) == (host, 3306)
    assert found.endpoint.region == OTHER_REGION.get(number, "us-east-1")
    assert found.endpoint.kind is parse_host_name(host).kind
    assert asking.calls == calls
    assert shown == ([line.format(host=host, **values)] if line else [])
    assert host in found.origin
    assert found.moves == (found.again is not None) == ("global" in line)
    assert (found.database is not None) == bool({DC, DI, DP, f"{DC}@eu-west-1"} & set(calls))
    assert found.schema == ("shop" if "/shop" in str(said) else None)


@slow
def test_a_secret_that_names_itself(asking, inside):
    """Nor does it lead to itself by its ARN, for ever."""
    secrets = inside.client("secretsmanager")
    arn = secrets.create_secret(Name="loop", SecretString="x")["ARN"]
    try:
        secrets.put_secret_value(
            SecretId="loop", SecretString=json.dumps({"username": "a", "password": "x", "host": arn})
        )
        with pytest.raises(TargetError, match="where the database's host name is expected"):
            resolve(asking.session, None, where=TargetOptions(secret="loop"))
    finally:
        secrets.delete_secret(SecretId="loop", ForceDeleteWithoutRecovery=True)
    assert asking.calls == ["GetSecretValue"]


@slow
def test_the_arn_of_a_stack_tells_its_region(inside):
    arn = inside.client("cloudformation").describe_stacks(StackName="sandbox")["Stacks"][0]["StackId"]
    for region in ("us-east-1", "eu-west-1"):
        found = resolve(open_session(region=region), None, where=TargetOptions(stack=arn), notify=str)
        assert found.endpoint.host == inside.hosts[WRITER]
    with pytest.raises(OptionError, match="The ARN is of us-east-1, not of eu-west-1"):
        resolve(open_session(), None, where=TargetOptions(stack=arn), region="eu-west-1")


@slow
def test_a_secret_that_names_nothing(asking, inside):
    """No target goes beside it, so that none is asked for beside it."""
    secrets = inside.client("secretsmanager")
    secrets.create_secret(Name="nameless", SecretString=json.dumps({"username": "a", "password": "x"}))
    try:
        with pytest.raises(TargetError, match="does not name its database") as caught:
            resolve(asking.session, None, where=TargetOptions(secret="nameless"))
    finally:
        secrets.delete_secret(SecretId="nameless", ForceDeleteWithoutRecovery=True)
    assert "instead of the secret" in caught.value.hint


@slow
def test_a_secret_or_a_stack_gives_what_is_known_besides(asking, inside):
    secrets = inside.client("secretsmanager")
    full = {"username": "a", "password": "x", "host": inside.hosts[0], "port": 3307, "dbname": "shop"}
    secrets.create_secret(Name="with-schema", SecretString=json.dumps(full))
    try:
        found = resolve(asking.session, None, where=TargetOptions(secret="with-schema"), notify=str)
    finally:
        secrets.delete_secret(SecretId="with-schema", ForceDeleteWithoutRecovery=True)
    assert (found.schema, found.endpoint.port, found.secret) == ("shop", 3307, "with-schema")
    arn = ids(inside)["managed_arn"]
    for stack, secret in (("sandbox", arn), ("article-output", "sandbox/master")):
        assert resolve(asking.session, None, where=TargetOptions(stack=stack), notify=str).secret == secret
        assert read_master_secret(asking.session, secret).username == "admin"


@slow
@pytest.mark.parametrize(
    ("named", "host", "calls"),
    [
        ({"dbClusterIdentifier": "sandbox"}, WRITER, ["GetSecretValue", DC]),
        ({"dbInstanceIdentifier": "sandbox-1"}, MEMBER, ["GetSecretValue", DI, DC]),
    ],
)
def test_a_secret_that_names_an_identifier(asking, inside, named, host, calls):
    secrets = inside.client("secretsmanager")
    secrets.create_secret(Name="named", SecretString=json.dumps({"username": "a", "password": "x", **named}))
    try:
        where = TargetOptions(secret="named")
        assert resolve(asking.session, None, where=where, notify=str).endpoint.host == inside.hosts[host]
        assert asking.calls == calls
        secrets.put_secret_value(
            SecretId="named", SecretString='{"username": "a", "password": "x", "dbInstanceIdentifier": "sandbox"}'
        )
        with pytest.raises(TargetError, match="names the DB instance 'sandbox', which does not exist in us-east-1"):
            resolve(asking.session, None, where=where, notify=str)
    finally:
        secrets.delete_secret(SecretId="named", ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize("port", [None, 3307])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("a.x1", Kind.INSTANCE),
        ("a.cluster-x1", Kind.CLUSTER),
        ("a.cluster-ro-x1", Kind.READER),
        ("a.cluster-custom-x1", Kind.CUSTOM),
        ("a.proxy-x1", Kind.PROXY),
        ("a.endpoint.proxy-x1", Kind.PROXY),
        ("a.shardgrp-x1", Kind.SHARD_GROUP),
    ],
)
@pytest.mark.parametrize(
    ("region", "suffix", "partition"),
    [
        ("eu-west-3", "rds.amazonaws.com", "aws"),
        ("us-gov-west-1", "rds.amazonaws.com", "aws-us-gov"),
        ("cn-north-1", "rds.amazonaws.com.cn", "aws-cn"),
        ("eusc-de-east-1", "rds.amazonaws.eu", "aws-eusc"),
        ("us-iso-east-1", "rds.c2s.ic.gov", "aws-iso"),
        ("us-isob-east-1", "rds.sc2s.sgov.gov", "aws-iso-b"),
        ("eu-isoe-west-1", "rds.cloud.adc-e.uk", "aws-iso-e"),
        ("us-isof-south-1", "rds.csp.hci.ic.gov", "aws-iso-f"),
    ],
)
def test_each_kind_of_host_name_in_each_partition(region, suffix, partition, body, kind, port):
    """Without a session: AWS is not asked."""
    host = f"{body}.{region}.{suffix}"
    shown = []
    found = resolve(None, f"{host}:{port}" if port else host, notify=shown.append)
    endpoint = found.endpoint
    assert (endpoint.host, endpoint.region, endpoint.port) == (host, region, port or 3306)
    assert (endpoint.kind, endpoint.partition) == (kind, partition)
    assert (found.database, shown) == (None, [])


def test_a_host_name_in_china_of_the_newer_form():
    found = resolve(None, "a.cluster-x1.rds.cn-northwest-1.amazonaws.com.cn")
    assert (found.endpoint.region, found.endpoint.partition) == ("cn-northwest-1", "aws-cn")


@slow
def test_a_global_host_name_of_a_known_region(asking, inside):
    """With a region it is taken as it is; without the permission it is signed for the session's region."""
    host = ids(inside)["global"]
    assert resolve(asking.session, host, region="ap-northeast-1").endpoint.region == "ap-northeast-1"
    assert asking.calls == []
    with only(inside) as profile:
        poor = Asking(profile=profile)
        found = resolve(poor.session, host)
    assert (found.endpoint.host, found.endpoint.region, poor.calls) == (host, "us-east-1", [DG])


@slow
def test_a_name_of_ones_own(asking, inside, monkeypatch):
    monkeypatch.setattr(alias, "chain_of", lambda host: [host, inside.hosts[0], inside.hosts[2]])
    shown = []
    found = resolve(asking.session, "DB.example.com:3307", notify=shown.append)
    assert (found.endpoint.host, found.endpoint.port, asking.calls) == (inside.hosts[0], 3307, [])
    assert shown == [f"DB.example.com leads to {inside.hosts[0]} (CNAME): the token and TLS are for that name."]
    assert found.again is not None
    monkeypatch.setattr(alias, "chain_of", lambda host: [host, inside.hosts[3]])
    assert (found.again().host, found.again().port) == (inside.hosts[3], 3307)


@pytest.mark.parametrize("target", ["db.example.com", "10.0.0.1", "10.0.0.1:3306", "localhost:3306", "a.b"])
def test_a_name_that_leads_to_no_rds_name(monkeypatch, target):
    monkeypatch.setattr(alias, "chain_of", lambda host: [host, "elsewhere.example.net"])
    with pytest.raises(TargetError, match="is not the host name of an RDS endpoint") as caught:
        resolve(None, target)
    assert caught.value.cause == "not-rds-host"


@given(st.text())
@example("\ud800")
@example("[::1")
@example("mysql://a:b@c")
def test_any_text_is_of_one_way(text):
    """What it is recognised by is its form alone: nothing is asked, and nothing fails."""
    assert [way for way in ways.WAYS if way.fits(ways.Search(None, text))]


@slow
@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:rds:us-east-1:{}:cluster:sandbox",
        "arn:aws:rds:us-east-1:{}:db:nobody",
        "arn:aws:rds:us-east-1:{}:db-proxy:prx-0123456789abcdef0",
        "arn:aws:rds:us-east-1:{}:db-proxy-endpoint:prx-endpoint-0123456789abcdef0",
        "arn:aws:cloudformation:us-east-1:{}:stack/sandbox/1",
        "arn:aws:secretsmanager:us-east-1:{}:secret:other-AbCdEf",
    ],
)
def test_an_arn_of_another_account_asks_for_its_role(session, arn):
    with pytest.raises(TargetError, match=r"in account 999999999999; .* of account 123456789012") as caught:
        resolve(session, arn.format("999999999999"))
    assert caught.value.cause == "target-in-other-account"
    assert "role_arn=" in caught.value.hint
    with pytest.raises(TargetError) as caught:
        resolve(session, arn.format("123456789012").replace(":sandbox", ":nobody"))
    assert caught.value.cause in ("target-unknown", "stack-unknown", "secret-unknown")
    assert "region=" not in caught.value.hint  # the ARN has one, and no other may be given


@pytest.mark.parametrize("interface", Interface)
def test_the_table_can_be_told(interface):
    """Each way has its texts, and the last one takes what is left."""
    for way in ways.WAYS:
        for text in (way.says, way.recognised, way.calls):
            told = spell(text, interface, {})
            assert told
            assert "{" not in told
    assert ways.WAYS[-1].fits(ways.Search(None, "anything at all"))
