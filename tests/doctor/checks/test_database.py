"""What RDS says of the database or proxy that has the endpoint."""

import re

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.resolve import described
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.doctor.checks.database import DATABASE
from rds_iam_magic.doctor.checks.identity import IDENTITY
from rds_iam_magic.doctor.evidence import Described, Failed, NoSuch, NotLooked, NotPermitted, Proxy, Writer
from rds_iam_magic.sandbox import seed
from tests.doctor.checks.conftest import CODES
from tests.support.fake_aws import Changed, answering, with_least_capacity
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

CLUSTERS, INSTANCES, PROXIES = (f"rds:DescribeDB{what}" for what in ("Clusters", "Instances", "Proxies"))
GLOBALS, TARGETS = "rds:DescribeGlobalClusters", "rds:DescribeDBProxyTargets"
ORDERABLE = "rds:DescribeOrderableDBInstanceOptions"
ACCOUNT = "123456789012"
WRITER, READER, MEMBER, ALONE, CUSTOM, PROXY, WEST, EAST = range(8)  # `hosts` of the sandbox


@pytest.fixture
def changed(inside, monkeypatch):
    """Has RDS's answers changed: patterns and what takes their place, in the answers to an action."""
    changes = []

    def change(action, text):
        for each in changes:
            text = each(action, text)
        return text

    def replaced(before, after, of):
        return lambda action, text: re.sub(before, after, text) if of in action else text

    asked = Changed(inside, change)

    def add(*pairs, of=""):
        changes.extend(replaced(before, after, of) for before, after in pairs)
        return asked.actions

    add.changes = changes
    with answering(asked) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        yield add


def test_a_cluster_by_each_of_its_endpoints(look, inside):
    """Its own, for all; as it is known under every name."""
    database = described(open_session(), "sandbox")
    for target in (*(inside.hosts[n] for n in (WRITER, READER, MEMBER, CUSTOM)), "sandbox", "sandbox-1"):
        evidence = look.first(IDENTITY, DATABASE, target=target)
        assert evidence.database == Described(
            name="sandbox",
            kind="DB cluster",
            account=ACCOUNT,
            resource_id=database.resource_id,
            port=3306,
            iam_enabled=True,
            engine="aurora-mysql",
            version=database.version,
            supports_iam=True,
            arn=database.arn,
        )
        assert (evidence.proxy, evidence.writer) == (None, None)
    assert database.version


def test_an_instance(look, inside):
    found = look.first(DATABASE, target=inside.hosts[ALONE], port=3307).database
    assert (found.name, found.kind, found.port) == ("standalone", "DB instance", 3306)
    assert found.resource_id.startswith("db-")


def test_what_is_described_on_the_way_is_not_asked_for_again(look, changed):
    asked = changed()
    look.first(DATABASE, target="sandbox")
    assert asked == ["DescribeDBClusters", "DescribeDBInstances"]


def test_it_is_where_its_name_says(look, inside):
    """Also where the token would be signed for another region."""
    found = look.first(DATABASE, target=inside.hosts[WRITER], region="eu-west-1").database
    assert found.name == "sandbox"


@pytest.mark.parametrize(
    "target",
    ["app.cluster-abc123.us-east-1.rds.amazonaws.com", "app.abc123.us-east-1.rds.amazonaws.com",
     "app.proxy-abc123.us-east-1.rds.amazonaws.com", "app.global-abc123.global.rds.amazonaws.com"],
)  # fmt: skip
def test_nothing_has_the_endpoint(look, inside, target):
    assert inside.server.pid
    options = {"region": "us-east-1"} if "global" in target else {}
    evidence = look.first(IDENTITY, DATABASE, target=target, **options)
    assert evidence.database == NoSuch(ACCOUNT, "us-east-1")
    assert evidence.proxy == (NotLooked(waits_for="database") if ".proxy-" in target else None)
    assert evidence.writer is None
    assert look.first(DATABASE, target=target, **options).database == NoSuch("", "us-east-1")


def test_a_shard_group_is_in_no_description(look, inside):
    assert inside.server.pid
    evidence = look.first(DATABASE, target="app.shardgrp-abc123.us-east-1.rds.amazonaws.com")
    assert isinstance(evidence.database, Failed)


@pytest.mark.parametrize(
    ("allowed", "host", "permission"),
    [
        ([], WRITER, CLUSTERS),
        ([], MEMBER, INSTANCES),
        ([CLUSTERS], ALONE, INSTANCES),
        ([INSTANCES], READER, CLUSTERS),
        ([CLUSTERS, INSTANCES], PROXY, PROXIES),
        ([], "app.global-abc123.global.rds.amazonaws.com", GLOBALS),
    ],
)
def test_what_may_not_be_described(look, inside, allowed, host, permission):
    target = inside.hosts[host] if isinstance(host, int) else host
    with only(inside, *allowed) as profile:
        evidence = look.first(DATABASE, target=target, profile=profile, region="us-east-1")
    assert evidence.database == NotPermitted(permission)
    assert evidence.proxy == (NotPermitted(permission) if host == PROXY else None)
    assert evidence.writer == (NotPermitted(permission) if permission == GLOBALS else None)


def test_what_may_be_described_tells_that_there_is_none(look, inside):
    """An instance's endpoint is in no cluster's description."""
    with only(inside, INSTANCES) as profile:
        found = look.first(DATABASE, target="app.abc123.us-east-1.rds.amazonaws.com", profile=profile).database
    assert isinstance(found, NoSuch)


def test_an_instance_whose_cluster_may_not_be_described(look, inside):
    with only(inside, INSTANCES) as profile:
        found = look.first(DATABASE, target=inside.hosts[MEMBER], profile=profile).database
    assert (found.name, found.kind) == ("sandbox-1", "DB instance")
    assert (found.resource_id, found.iam_enabled) == (None, None)
    assert found.supports_iam == NotPermitted(ORDERABLE)


OFF = ("<IAMDatabaseAuthenticationEnabled>true<", "<IAMDatabaseAuthenticationEnabled>false<")
PENDING = "<PendingModifiedValues><IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>"


@pytest.mark.parametrize(
    ("changes", "enabled", "pending"),
    [
        ([], True, False),
        ([OFF], False, False),
        ([OFF, ("<DBClusterArn>", f"{PENDING}</PendingModifiedValues><DBClusterArn>")], False, True),
        ([OFF, ("<Status>available<", "<Status>configuring-iam-database-auth<")], False, True),
        ([("<Status>available<", "<Status>configuring-iam-database-auth<")], True, False),
    ],
)
def test_whether_iam_authentication_is_on(look, inside, changed, changes, enabled, pending):
    changed(*changes)
    for target in ("sandbox", inside.hosts[WRITER]):
        found = look.first(DATABASE, target=target).database
        assert (found.iam_enabled, found.iam_pending) == (enabled, pending)
        assert found.supports_iam is True or (not enabled and not pending)


def test_what_is_stopped_or_pauses(look, inside, changed):
    changed(("<DBInstanceStatus>available<", "<DBInstanceStatus>stopped<"))
    changed.changes.append(with_least_capacity("0"))
    found = look.first(DATABASE, target=inside.hosts[MEMBER]).database
    assert (found.name, found.status, found.pauses) == ("sandbox", "stopped", True)


@pytest.mark.parametrize("number", [WRITER, PROXY])
def test_another_engine(look, inside, changed, number):
    changed(
        ("<Engine>[a-z-]*mysql<", "<Engine>aurora-postgresql<"), ("<EngineFamily>MYSQL<", "<EngineFamily>POSTGRESQL<")
    )
    found = look.first(DATABASE, target=inside.hosts[number]).database
    assert found.supports_iam is False
    assert found.engine == ("aurora-postgresql" if number == WRITER else "")


FLAG = "SupportsIAMDatabaseAuthentication"
ANSWER = (
    "<{0}Response><{0}Result><OrderableDBInstanceOptions>{1}</OrderableDBInstanceOptions></{0}Result></{0}Response>"
)


@pytest.mark.parametrize(
    ("rows", "supports"),
    [(["false", "true"], True), (["false", "false"], False), ([], Failed)],
)
def test_whether_the_version_supports_it(look, inside, changed, rows, supports):
    """RDS lists what is offered, class by class; what it does not list, it does not tell of."""
    changed(OFF)
    members = "".join(f"<member><{FLAG}>{each}</{FLAG}></member>" for each in rows)
    text = ANSWER.format("DescribeOrderableDBInstanceOptions", members)
    changed.changes.append(lambda action, answer: text if "Orderable" in action else answer)
    found = look.first(DATABASE, target=inside.hosts[ALONE]).database
    assert found.supports_iam is supports or isinstance(found.supports_iam, Failed) == (supports is Failed)


def test_whether_the_version_supports_it_may_not_be_looked_up(look, inside):
    rds = inside.client("rds")
    rds.modify_db_instance(
        DBInstanceIdentifier="standalone", EnableIAMDatabaseAuthentication=False, ApplyImmediately=True
    )
    try:
        with only(inside, CLUSTERS, INSTANCES) as profile:
            found = look.first(DATABASE, target=inside.hosts[ALONE], profile=profile).database
    finally:
        rds.modify_db_instance(
            DBInstanceIdentifier="standalone", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True
        )
    assert (found.iam_enabled, found.supports_iam) == (False, NotPermitted(ORDERABLE))


@pytest.mark.parametrize(("answer", "cause"), CODES)
@pytest.mark.parametrize("number", [WRITER, PROXY])
def test_without_an_answer_nothing_is_known(look, inside, monkeypatch, answer, cause, number):
    with answering(lambda *_: answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        evidence = look.first(DATABASE, target=inside.hosts[number])
    assert isinstance(evidence.database, Failed), cause
    assert isinstance(evidence.proxy, Failed) == (number == PROXY)


def test_without_credentials(look, inside, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    evidence = look.first(DATABASE, target=inside.hosts[WRITER])
    waits = NotLooked(waits_for="credentials")
    assert (evidence.database, evidence.proxy, evidence.writer) == (waits, waits, waits)


def test_without_a_target(look, inside):
    assert inside.server.pid
    waits = NotLooked(waits_for="target")
    evidence = look.first(DATABASE, target="127.0.0.1")
    assert (evidence.database, evidence.proxy, evidence.writer) == (waits, waits, waits)


# Proxies


def test_a_proxy(look, inside):
    evidence = look.first(DATABASE, target=inside.hosts[PROXY])
    found = evidence.database
    assert (found.name, found.kind, found.iam_enabled, found.engine) == ("sandbox-proxy", "RDS Proxy", None, "")
    assert found.resource_id.startswith("prx-")
    assert found.supports_iam is True
    assert evidence.proxy == Proxy("sandbox-proxy", iam=True, has_user=None, health=(("AVAILABLE", "", ""),))
    assert look.first(DATABASE, target="sandbox-proxy").proxy == evidence.proxy


def auth(*entries, default="NONE"):
    rows = "".join(f"<member><UserName>{user}</UserName><IAMAuth>{iam}</IAMAuth></member>" for user, iam in entries)
    return [
        ("(?s)<Auth>.*?</Auth>", f"<Auth>{rows}</Auth>"),
        ("<DefaultAuthScheme>[A-Z_]*<", f"<DefaultAuthScheme>{default}<"),
    ]


@pytest.mark.parametrize(
    ("changes", "iam", "has_user"),
    [
        (auth(("reader", "REQUIRED"), ("app", "DISABLED")), True, True),
        (auth(("reader", "DISABLED"), ("app", "REQUIRED")), False, True),
        (auth(("Reader", "DISABLED"), ("app", "REQUIRED")), None, False),
        (auth(("app", "REQUIRED")), True, False),
        (auth(("app", "DISABLED")), False, False),
        (auth(("", "REQUIRED"), ("", "REQUIRED")), True, None),
        (auth(("", "REQUIRED"), ("", "DISABLED")), None, None),
        (auth(("", "DISABLED")), False, None),
        (auth(), False, False),
        (auth(default="IAM_AUTH"), True, True),
        (auth(("reader", "DISABLED"), default="IAM_AUTH"), False, True),
        (auth(("app", "DISABLED"), default="IAM_AUTH"), True, True),
    ],
)
def test_whom_it_lets_in(look, inside, changed, changes, iam, has_user):
    changed(*changes, of="DescribeDBProxies")
    proxy = look.first(DATABASE, target=inside.hosts[PROXY]).proxy
    assert (proxy.iam, proxy.has_user) == (iam, has_user)


TARGET = "<member><TargetHealth><State>{}</State>{}</TargetHealth></member>"


def test_the_health_of_its_targets(look, inside, changed):
    rows = TARGET.format("UNAVAILABLE", "<Reason>AUTH_FAILURE</Reason><Description>no secret</Description>")
    rows += TARGET.format("AVAILABLE", "")
    changed(("(?s)<Targets */>|<Targets>.*?</Targets>", f"<Targets>{rows}</Targets>"), of="DescribeDBProxyTargets")
    health = look.first(DATABASE, target=inside.hosts[PROXY]).proxy.health
    assert health == (("UNAVAILABLE", "AUTH_FAILURE", "no secret"), ("AVAILABLE", "", ""))


def test_the_health_may_not_be_looked_up(look, inside):
    with only(inside, PROXIES) as profile:
        proxy = look.first(DATABASE, target=inside.hosts[PROXY], profile=profile).proxy
    assert (proxy.iam, proxy.health) == (True, NotPermitted(TARGETS))


def test_a_proxys_further_endpoint(look, inside):
    rds = inside.client("rds")
    subnets = rds.describe_db_proxies()["DBProxies"][0]["VpcSubnetIds"]
    rds.create_db_proxy_endpoint(DBProxyName="sandbox-proxy", DBProxyEndpointName="more", VpcSubnetIds=subnets)
    try:
        evidence = look.first(DATABASE, target="sandbox-proxy", where=TargetOptions(endpoint="more"))
        assert (evidence.target.endpoint.identifier, evidence.proxy.name) == ("more", "sandbox-proxy")
    finally:
        rds.delete_db_proxy_endpoint(DBProxyEndpointName="more")


# Global databases


@pytest.fixture
def name(inside):
    """The host name of the sandbox's global database."""
    return inside.client("rds").describe_global_clusters()["GlobalClusters"][0]["Endpoint"]


def test_the_writer_of_a_global_database(look, inside, name):
    """With a region that is given, the token is for its name, and for that region."""
    evidence = look.first(DATABASE, target=name, region="us-east-1")
    assert evidence.writer == Writer(seed.GLOBAL, "eu-west-1", inside.hosts[WEST])
    assert (evidence.database.name, evidence.proxy) == ("worldwide-west", None)


def test_the_writer_as_far_as_it_may_be_described(look, inside, name):
    with only(inside, GLOBALS) as profile:
        evidence = look.first(DATABASE, target=name, region="us-east-1", profile=profile)
    assert evidence.writer == Writer(seed.GLOBAL, "eu-west-1", "")
    assert evidence.database == NotPermitted(CLUSTERS)


def test_while_none_writes(look, changed, name):
    changed(("<IsWriter>true<", "<IsWriter>false<"))
    evidence = look.first(DATABASE, target=name, region="us-east-1")
    assert "no writer" in evidence.writer.what
    assert evidence.database == evidence.writer


@pytest.mark.parametrize(("answer", "cause"), CODES)
def test_a_global_database_without_an_answer(look, inside, monkeypatch, name, answer, cause):
    assert inside.server.pid
    with answering(lambda *_: answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        evidence = look.first(DATABASE, target=name, region="us-east-1")
    assert isinstance(evidence.database, Failed), cause
    assert evidence.writer == evidence.database
