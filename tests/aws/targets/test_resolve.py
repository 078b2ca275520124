"""Targets, resolved in the sandbox's AWS account: what is found, what is not, and what permissions it takes."""

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.policies.databases import find_for_policy
from rds_iam_magic.aws.secret import read_master_secret
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.find import by_secret
from rds_iam_magic.aws.targets.resolve import described, locate, resolve
from rds_iam_magic.errors import AwsError, OptionError, TargetError
from tests.support.fake_aws import Changed, answering, with_least_capacity
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


def test_a_cluster_is_its_writer(session, inside):
    assert resolve(session, "sandbox").endpoint.host == inside.hosts[0]
    assert resolve(session, "SANDBOX").endpoint.host == inside.hosts[0]
    assert resolve(session, "sandbox", port=3307, notify=lambda _: None).endpoint.port == 3307


def test_an_instance_of_a_cluster_keeps_its_endpoint_and_has_the_clusters_resource(session, inside):
    found = described(session, "sandbox-1")
    assert found.endpoint.host == inside.hosts[2]
    assert found.resource_id == described(session, "sandbox").resource_id
    assert found.resource_id.startswith("cluster-")


@pytest.mark.parametrize(("least", "pauses"), [("0", True), ("0.0", True), ("0.5", False), ("8", False), (None, False)])
def test_a_cluster_that_pauses(session, inside, monkeypatch, least, pauses):
    """An instance in it pauses with it; one that is alone never does."""
    assert not described(session, "sandbox").pauses
    with answering(Changed(inside, with_least_capacity(least))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        found = [resolve(open_session(), name).database for name in ("sandbox", "sandbox-1", "standalone")]
    assert [database.pauses for database in found] == [pauses, pauses, False]


def test_a_standalone_instance(session):
    assert described(session, "standalone").resource_id.startswith("db-")


def test_a_host_name_needs_no_look_up(session):
    host = "whatever.cluster-abc123.eu-west-1.rds.amazonaws.com"
    assert resolve(session, host).endpoint.region == "eu-west-1"


def test_the_owner_of_each_endpoint(session, inside):
    for host in inside.hosts[:3]:
        assert described(session, parse_host_name(host)).resource_id.startswith("cluster-")
    with pytest.raises(TargetError, match=r"another one than the database|has the endpoint"):
        described(session, parse_host_name("other.cluster-abc123.us-east-1.rds.amazonaws.com"))


def test_an_instance_with_iam_authentication_off(session, inside):
    rds = inside.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="plain", Engine="mysql", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    try:
        with pytest.raises(TargetError, match="IAM database authentication is off on plain"):
            resolve(session, "plain")
        assert resolve(session, "plain", require_iam=False).endpoint.host.startswith("plain.")
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="plain", SkipFinalSnapshot=True)


def test_a_region_overrides_that_of_a_host_name(session, inside):
    assert resolve(session, inside.endpoint).endpoint.region == "us-east-1"
    assert resolve(session, inside.endpoint, region="eu-west-1", notify=lambda _: None).endpoint.region == "eu-west-1"


def test_a_host_names_own_region_wins_over_the_variables(inside, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert resolve(open_session(), inside.endpoint).endpoint.region == "us-east-1"
    moving = "shop.global-abc123.global.rds.amazonaws.com"
    assert resolve(open_session(), moving).endpoint.region == "eu-west-1", "its name has none"


CLUSTERS, INSTANCES = "rds:DescribeDBClusters", "rds:DescribeDBInstances"


@pytest.mark.parametrize(
    ("allowed", "target", "host"),
    [
        (CLUSTERS, "sandbox", 0),
        (INSTANCES, "standalone", 3),
        (INSTANCES, "sandbox-1", 2),
    ],
)
def test_what_may_not_be_described_ends_no_look_up(inside, allowed, target, host):
    """Clusters are asked first: who may describe instances only could connect to none of them by its name."""
    with only(inside, allowed) as profile:
        assert resolve(open_session(profile=profile), target).endpoint.host == inside.hosts[host]


@pytest.mark.parametrize(
    ("allowed", "target"),
    [((INSTANCES,), "sandbox"), ((CLUSTERS,), "standalone"), ((), "sandbox"), ((INSTANCES,), "nobody")],
)
def test_a_denial_is_told_when_nothing_was_found(inside, allowed, target):
    with only(inside, *allowed) as profile, pytest.raises(AwsError, match=f"permit looking up {target}") as caught:
        resolve(open_session(profile=profile), target)
    assert caught.value.cause == "aws-lookup-denied"
    missing = {CLUSTERS, INSTANCES} - set(allowed)
    assert any(action in caught.value.detail for action in missing)


def test_the_resource_of_an_instance_whose_cluster_may_not_be_described_is_unknown(inside):
    """Its own id is in no policy for Aurora, and whether IAM authentication is on is its cluster's to say."""
    with only(inside, INSTANCES) as profile:
        session = open_session(profile=profile)
        found = described(session, "sandbox-1")
        assert (found.resource_id, found.iam_enabled) == (None, None)
        assert described(session, parse_host_name(inside.hosts[2])).resource_id is None
        assert described(session, parse_host_name(inside.hosts[3])).resource_id.startswith("db-")
        with pytest.raises(AwsError, match="does not permit looking up"):
            described(session, parse_host_name(inside.hosts[0]))


def test_the_database_of_a_secret_among_those_that_may_be_described(inside):
    arn = inside.client("rds").describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    with only(inside, CLUSTERS) as profile:
        assert by_secret(open_session(profile=profile), arn, "us-east-1").endpoint.host == inside.hosts[0]
    with only(inside, INSTANCES) as profile, pytest.raises(AwsError, match="does not permit looking up") as caught:
        by_secret(open_session(profile=profile), arn, "us-east-1")
    assert CLUSTERS in caught.value.detail


def arn_of(kind, name, region="us-east-1", account="123456789012"):
    return f"arn:aws:rds:{region}:{account}:{kind}:{name}"


@pytest.mark.parametrize(
    ("kind", "name", "host"), [("cluster", "sandbox", 0), ("db", "sandbox-1", 2), ("db", "standalone", 3)]
)
def test_an_arn(inside, monkeypatch, kind, name, host):
    """It says all: no region need be known, nothing else is asked for, and another one's region does not count."""
    asked = Changed(inside, lambda _, text: text)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    for region in ("", "eu-west-1"):
        monkeypatch.setenv("AWS_REGION", region)
        with answering(asked) as url:
            monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
            found = resolve(open_session(), f" {arn_of(kind, name)} ").endpoint
        assert (found.host, found.region) == (inside.hosts[host], "us-east-1")
    assert asked.actions == 2 * (
        ["DescribeDBClusters"]
        if kind == "cluster"
        else ["DescribeDBInstances", "DescribeDBClusters"][: 2 - (host == 3)]
    )


def test_an_arn_for_what_has_no_name_of_its_own(inside):
    """A cluster and an instance may have one name; an ARN tells them apart."""
    rds = inside.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="sandbox", Engine="mysql", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    try:
        session = open_session()
        assert described(session, arn_of("cluster", "sandbox")).resource_id.startswith("cluster-")
        assert described(session, arn_of("db", "SANDBOX")).resource_id.startswith("db-")
        assert find_for_policy(session, arn_of("db", "sandbox")).resource_id.startswith("db-")
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="sandbox", SkipFinalSnapshot=True)


@pytest.mark.parametrize("name", ["sandbox", "nobody"])
def test_an_arn_of_another_account(session, name):
    with pytest.raises(TargetError, match=r"account 999999999999; .* of account 123456789012") as caught:
        described(session, arn_of("cluster", name, account="999999999999"))
    assert "role_arn=" in caught.value.hint


def test_an_arn_of_nothing(session):
    with pytest.raises(TargetError, match="There is no DB cluster 'nobody' in eu-west-1"):
        described(session, arn_of("cluster", "nobody", region="eu-west-1"))
    with pytest.raises(TargetError, match="There is no DB instance 'sandbox' in us-east-1"):
        described(session, arn_of("db", "sandbox"))


def test_an_arn_and_another_region(session):
    assert described(session, arn_of("cluster", "sandbox"), region="us-east-1").endpoint.identifier == "sandbox"
    with pytest.raises(OptionError, match="ARN is of us-east-1, not of eu-west-1"):
        described(session, arn_of("cluster", "sandbox"), region="eu-west-1")


PAGE = b"<!DOCTYPE html><html><body>Log in to the network<br></body></html>"
XHTML = b"<html><body><p>Log in to the network</p></body></html>"


@pytest.mark.parametrize("body", [PAGE, XHTML, b"", b"{}", b"OK"])
@pytest.mark.parametrize("status", [200, 302, 403])
def test_a_page_instead_of_aws(inside, monkeypatch, status, body):
    """Of a captive portal or a company's proxy: well-formed ones, too, and those that refuse."""
    with answering(lambda *_: (status, body)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        for look_up in (
            lambda: described(open_session(), "sandbox"),
            lambda: described(open_session(), parse_host_name(inside.endpoint)),
            lambda: read_master_secret(open_session(), "sandbox/standalone/master"),
        ):
            with pytest.raises(AwsError, match="Something other than AWS answered while") as caught:
                look_up()
            assert caught.value.cause == "aws-response-invalid"


@pytest.mark.parametrize("target", ["", " ", "\t\n"])
@pytest.mark.parametrize("look_up", [described, resolve])
def test_an_empty_target_is_refused(session, look_up, target):
    """RDS would answer an empty identifier with all that there is, and the first would be taken."""
    with pytest.raises(TargetError, match="The target is empty"):
        look_up(session, target)


def test_space_around_an_identifier_does_not_count(session):
    assert described(session, "sandbox\n").endpoint.identifier == "sandbox"


@pytest.mark.parametrize(
    "target",
    ["%", "*", "sandbox*", "sand_ox", "sandbox,standalone", "sandbox standalone", "?", "-", "日本",
     "a" * 300, "'", "{}", "sandbox\0", "a\ud800", "/sandbox", "sandbox/"],
)  # fmt: skip
def test_an_odd_identifier_names_nothing(session, target):
    with pytest.raises(TargetError, match="There is no DB cluster or instance") as caught:
        described(session, target)
    assert len(str(caught.value).splitlines()) == 2
    assert str(caught.value).replace("\n", "").isprintable()


def test_what_contradicts_a_name_or_rds_is_told_at_once(session, inside):
    """Before anything is dialled: what comes of it later is "Access denied"."""
    told = []
    host = inside.hosts[0]
    assert resolve(session, host, region="eu-west-1", notify=told.append).endpoint.region == "eu-west-1"
    assert told == [f"{host} is in us-east-1 by its name; the token is signed for eu-west-1, as was asked for."]
    told.clear()
    assert resolve(session, "sandbox", port=3307, notify=told.append).endpoint.port == 3307
    assert [note.partition(";")[0] for note in told] == ["RDS describes port 3306"]
    told.clear()
    resolve(session, host, region="us-east-1", port=3307, notify=told.append)
    resolve(session, "sandbox", region="us-east-1", port=3306, notify=told.append)
    assert told == [], "a host name's port is not known"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<Status>available<", "<Status>stopped<"),
        ("<IAMDatabaseAuthenticationEnabled>true<", "<IAMDatabaseAuthenticationEnabled>false<"),
    ],
)
def test_what_cannot_be_connected_to_is_still_located(inside, monkeypatch, before, after):
    with answering(Changed(inside, lambda _, text: text.replace(before, after))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        with pytest.raises(TargetError):
            resolve(open_session(), "sandbox")
        found = locate(open_session(), "sandbox", port=3307)
    assert (found.endpoint.host, found.endpoint.port) == (inside.hosts[0], 3307)
    assert found.database.endpoint.port == 3306, "as RDS describes it"
