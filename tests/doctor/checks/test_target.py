"""What a target means, whether it can be connected to or not."""

import pytest

from rds_iam_magic.aws.endpoint import Destination, Kind, read_url
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.resolve import resolve
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.doctor.checks.target import TARGET
from rds_iam_magic.doctor.evidence import NotLooked, NotPermitted
from rds_iam_magic.errors import AwsError
from tests.doctor.checks.conftest import CODES
from tests.support.fake_aws import Changed, answering, refusing
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.mark.parametrize(
    ("target", "where", "options"),
    [
        ("sandbox", {}, {}),
        ("SANDBOX ", {}, {"port": 3307}),
        ("sandbox-1", {}, {}),
        ("sandbox", {"reader": True}, {}),
        ("sandbox", {"endpoint": "analytics"}, {}),
        ("sandbox-proxy", {}, {}),
        ("worldwide", {}, {}),
        ("arn:aws:rds:us-east-1:123456789012:db:standalone", {}, {"region": "us-east-1"}),
        ("", {"stack": "sandbox"}, {}),
        ("", {"secret": "sandbox/master"}, {"port": 3308}),
        ("mysql://reader@{host}:3309/shop", {}, {}),
        ("{host}:3310", {}, {}),
        ("{host}", {}, {"region": "eu-west-1"}),
        ("app.global-abc123.global.rds.amazonaws.com", {}, {"region": "eu-west-1"}),
    ],
)
def test_it_is_the_endpoint_that_connecting_signs_for(look, inside, target, where, options):
    target, where = target.format(host=inside.hosts[0]), TargetOptions(**where)
    found = look(TARGET, target=target, where=where, **options).target
    to = read_url(Destination(target, port=options.pop("port", None)))
    expected = resolve(
        open_session(region=options.get("region")),
        to.target or None,
        port=to.port,
        where=where,
        notify=lambda _: None,
        **options,
    )
    assert (found.endpoint, found.origin, found.described) == (expected.endpoint, expected.origin, expected.database)


def test_the_region_of_its_name(look, inside):
    host = inside.hosts[0]
    found = look(TARGET, target=host, region="eu-west-1").target
    assert (found.endpoint.region, found.region_of_name) == ("eu-west-1", "us-east-1")
    found = look(TARGET, target="app.global-abc123.global.rds.amazonaws.com", region="eu-west-1").target
    assert (found.endpoint.kind, found.endpoint.region, found.region_of_name) == (Kind.GLOBAL, "eu-west-1", "")


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("<Status>available<", "<Status>stopped<", "sandbox"),
        ("<DBInstanceStatus>available<", "<DBInstanceStatus>failed<", "standalone"),
        ("<IAMDatabaseAuthenticationEnabled>true<", "<IAMDatabaseAuthenticationEnabled>false<", "sandbox"),
        ("<IAMAuth>REQUIRED<", "<IAMAuth>DISABLED<", "sandbox-proxy"),
    ],
)
def test_what_cannot_be_connected_to_has_its_endpoint(look, inside, monkeypatch, before, after, name):
    with answering(Changed(inside, lambda _, text: text.replace(before, after))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        found = look(TARGET, target=name).target
    assert found.endpoint.identifier == name


@pytest.mark.parametrize(
    ("target", "where", "cause"),
    [
        ("127.0.0.1", {}, "not-rds-host"),
        ("localhost", {}, "not-rds-host"),
        ("db.example.invalid:3306", {}, "not-rds-host"),
        ("nobody", {}, "target-unknown"),
        ("warehouse", {}, "engine-unsupported"),
        ("", {}, "target-empty"),
        ("mysql://a:b@host/db", {}, "login-as-target"),
        ("arn:aws:rds:us-east-1:999999999999:cluster:sandbox", {}, "target-in-other-account"),
        ("arn:aws:s3:::bucket", {}, "arn-unsupported"),
        ("sandbox", {"stack": "sandbox"}, ""),
        ("", {"stack": "nobody"}, "stack-unknown"),
        ("", {"secret": "nobody"}, "secret-unknown"),
        ("sandbox.cluster-abc.us-east-1.rds.amazonaws.com:99999", {}, "port-invalid"),
        ("sandbox", {"endpoint": "nobody"}, "endpoint-name-unknown"),
    ],
)
def test_what_means_nothing_is_a_problem(look, inside, target, where, cause):
    assert inside.server.pid
    problem = look(TARGET, target=target, where=TargetOptions(**where)).target
    assert problem.cause == cause or (not cause and problem.cause)
    assert problem.message
    assert "a:b" not in repr(problem)


def test_two_of_one_name(look, inside):
    rds = inside.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="sandbox", Engine="mysql", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    try:
        assert look(TARGET, target="sandbox").target.cause == "target-ambiguous"
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="sandbox", SkipFinalSnapshot=True)


_DESCRIBE = ["rds:DescribeDBClusters", "rds:DescribeDBInstances"]


def test_without_a_region(look, inside, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert look(TARGET, target="sandbox").target.cause == "region-missing"
    assert look(TARGET, target=inside.hosts[0]).target.endpoint.region == "us-east-1"


@pytest.mark.parametrize(
    ("allowed", "target", "where", "permission"),
    [
        ([], "sandbox", {}, "rds:DescribeDBClusters"),
        (["rds:DescribeDBClusters"], "standalone", {}, "rds:DescribeDBInstances"),
        (["rds:DescribeDBInstances"], "sandbox-1", {"reader": True}, "rds:DescribeDBClusters"),
        ([], "worldwide", {}, "rds:DescribeDBClusters"),
        (["rds:DescribeGlobalClusters"], "worldwide", {}, "rds:DescribeDBClusters"),
        (_DESCRIBE, "sandbox-proxy", {}, "rds:DescribeDBProxies and rds:DescribeGlobalClusters"),
        ([*_DESCRIBE, "rds:DescribeDBProxies"], "worldwide", {}, "rds:DescribeGlobalClusters"),
        ([], "", {"stack": "sandbox"}, "cloudformation:DescribeStacks"),
    ],
)
def test_what_may_not_be_looked_up(look, inside, allowed, target, where, permission):
    with only(inside, *allowed) as profile:
        found = look(TARGET, target=target, where=TargetOptions(**where), profile=profile).target
    assert found == NotPermitted(permission)


def test_a_secret_that_may_not_be_read(look, inside, monkeypatch):
    assert inside.server.pid
    with answering(refusing("AccessDeniedException", "not authorized")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        found = look(TARGET, where=TargetOptions(secret="sandbox/master")).target
    assert found == NotPermitted("secretsmanager:GetSecretValue")


def test_a_host_name_needs_no_permission_and_no_credentials(look, inside, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    assert look(TARGET, target=inside.hosts[0]).target.endpoint.host == inside.hosts[0]
    assert look(TARGET, target="sandbox").target == NotLooked(waits_for="credentials")
    assert look(TARGET, target="sandbox", profile="nobody").target == NotLooked(waits_for="credentials")


@pytest.mark.parametrize(("answer", "cause"), CODES)
def test_without_an_answer_nothing_is_known(look, inside, monkeypatch, answer, cause):
    assert inside.server.pid
    with answering(lambda *_: answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        with pytest.raises(AwsError) as caught:
            look(TARGET, target="sandbox")
    assert caught.value.cause == cause
