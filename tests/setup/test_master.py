"""The master user's connection: by the secret that RDS manages for the target, whatever its state."""

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.resolve import described
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.errors import AwsError, OptionError, TargetError
from rds_iam_magic.setup.master import connect_to_set_up
from tests.support.fake_aws import Changed, answering, with_least_capacity
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


def user_of(**how):
    with connect_to_set_up(ConnectOptions(**how.pop("options", {})), **how) as master:
        return master.query("SELECT CURRENT_USER() AS u")["u"].iloc[0]


def arn_of(inside, kind="cluster"):
    name = inside.client("rds").describe_db_clusters()["DBClusters"][0]["DBClusterArn"]
    return name if kind == "cluster" else name.replace(":cluster:sandbox", ":db:sandbox-1")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_secret_of_a_host_name(inside, number):
    """The writer's, the reader's, an instance's in the cluster."""
    assert user_of(target=inside.hosts[number]) == "admin@%"


@pytest.mark.parametrize("target", ["sandbox", "sandbox-1"])
def test_the_secret_of_an_identifier(inside, target):
    assert inside.hosts
    assert user_of(target=target) == "admin@%"
    assert user_of(target=arn_of(inside, "cluster" if target == "sandbox" else "instance")) == "admin@%"


def test_the_secret_of_an_endpoint(inside):
    assert inside.hosts
    assert user_of(target=described(open_session(), "sandbox").endpoint) == "admin@%"


def test_a_secret_that_is_given(inside):
    assert inside.hosts
    assert user_of(secret="sandbox/standalone/master") == "admin@%"
    assert user_of(secret="sandbox/standalone/master", target="sandbox") == "admin@%"
    endpoint = described(open_session(), "sandbox").endpoint
    assert user_of(secret="sandbox/standalone/master", target=endpoint) == "admin@%"


def test_what_goes_by_the_name_is_told(inside):
    """A secret's ARN as the target is its database, and the secret; a stack's ARN likewise."""
    secret = inside.client("secretsmanager").describe_secret(SecretId="sandbox/standalone/master")["ARN"]
    stacks = inside.client("cloudformation").describe_stacks
    for target in (secret, stacks(StackName="article-output")["Stacks"][0]["StackId"]):
        notes = []
        assert user_of(target=target, notify=notes.append) == "admin@%"
        assert len(notes) == 1
    notes = []
    with pytest.raises(TargetError, match="manages no secret for the master user of worldwide-west"):
        user_of(target="worldwide", notify=notes.append)
    assert "worldwide is a global database; its writer is worldwide-west" in notes[0]


def test_none_of_both(inside):
    assert inside.hosts
    with pytest.raises(TargetError, match="Neither a target nor a secret"):
        user_of()


def test_the_secret_of_an_instance_that_is_in_no_cluster(inside, monkeypatch):
    """moto has none for such: RDS describes it in the same words as a cluster's."""
    arn = inside.client("secretsmanager").describe_secret(SecretId="sandbox/standalone/master")["ARN"]
    managed = (
        f"<MasterUserSecret><SecretArn>{arn}</SecretArn><SecretStatus>active</SecretStatus></MasterUserSecret>"
        "<DBInstanceIdentifier>standalone<"
    )
    rds = Changed(inside, lambda _, text: text.replace("<DBInstanceIdentifier>standalone<", managed))
    with answering(rds) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        assert user_of(target="standalone") == user_of(target=inside.hosts[3]) == "admin@%"


def test_a_password_that_rds_does_not_manage(inside):
    assert inside.hosts
    with pytest.raises(TargetError, match="manages no secret for the master user of standalone") as caught:
        user_of(target="standalone")
    assert "secret=" in caught.value.hint
    assert "Managed in AWS Secrets Manager" in caught.value.hint


def test_a_proxy(inside):
    host = inside.hosts[0].replace("sandbox.cluster-", "orders.proxy-")
    with pytest.raises(TargetError, match="is an RDS Proxy") as caught:
        user_of(target=host)
    assert "behind it" in caught.value.hint


@pytest.fixture
def with_status(inside, monkeypatch):
    """The same account, where RDS says so of the secret's state."""

    def change(status):
        return lambda _, text: text.replace(
            "<SecretStatus>active</SecretStatus>", f"<SecretStatus>{status}</SecretStatus>"
        )

    from contextlib import contextmanager

    @contextmanager
    def within(status):
        rds = Changed(inside, change(status))
        with answering(rds) as url, monkeypatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL_RDS", url)
            yield rds

    return within


def test_a_secret_that_is_being_created(with_status):
    with (
        with_status("creating"),
        pytest.raises(TargetError, match="secret of sandbox's master user is being created") as e,
    ):
        user_of(target="sandbox")
    assert "few minutes" in e.value.hint


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("rotating", "the password of sandbox's master user is being rotated: a refused login may work in a minute."),
        ("impaired", "RDS cannot rotate the password of sandbox's master user (its secret is impaired)"),
    ],
)
def test_a_secret_that_still_works(with_status, status, words):
    notes = []
    with with_status(status):
        assert user_of(target="sandbox", notify=notes.append) == "admin@%"
    assert len(notes) == 1
    assert notes[0].startswith(words)


def test_what_is_active_is_not_told(with_status):
    notes = []
    with with_status("active"):
        user_of(target="sandbox", notify=notes.append)
    assert notes == []


SECRET = ("secretsmanager:GetSecretValue",)
LOOK_UP = ("rds:DescribeDBClusters", "rds:DescribeDBInstances")


def test_the_permissions_that_it_needs(inside):
    with only(inside, *SECRET, *LOOK_UP) as profile:
        for target in ("sandbox", inside.hosts[0], inside.hosts[2], "sandbox-1"):
            assert user_of(target=target, options={"profile": profile}) == "admin@%"
    with only(inside, *SECRET, LOOK_UP[0]) as profile:  # of a cluster, one is enough
        for target in ("sandbox", inside.hosts[0]):
            assert user_of(target=target, options={"profile": profile}) == "admin@%"
    with only(inside, *SECRET) as profile:
        for target in ("sandbox", inside.hosts[0]):
            with pytest.raises(AwsError) as caught:
                user_of(target=target, options={"profile": profile})
            assert caught.value.cause == "master-lookup-denied"
            assert "Ask for rds:DescribeDBClusters and rds:DescribeDBInstances, or give secret=" in caught.value.hint


def test_an_instance_whose_cluster_may_not_be_described(inside):
    with (
        only(inside, *SECRET, LOOK_UP[1]) as profile,
        pytest.raises(AwsError, match="is the cluster's, which") as caught,
    ):
        user_of(target="sandbox-1", options={"profile": profile})
    assert caught.value.cause == "master-lookup-denied"


def test_no_target_at_all(inside):
    assert inside.hosts
    with pytest.raises(TargetError, match="no DB cluster or instance 'nothing'"):
        user_of(target="nothing")
    with pytest.raises(OptionError):
        user_of(target="mysql://admin:hunter2@host/db")


@pytest.mark.parametrize("target", ["sandbox", "sandbox-1", None])
def test_a_database_that_may_be_paused_has_time_to_resume(inside, monkeypatch, target):
    """What the look-up has shown counts, though it is the endpoint's host name that is dialled."""
    notes = []
    with answering(Changed(inside, with_least_capacity("0.0"))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        endpoint = parse_host_name(inside.endpoint)  # the current connection's
        with connect_to_set_up(ConnectOptions(), target=target or endpoint, notify=notes.append) as master:
            assert master.login.timeout == 60
    assert ["0 ACU" in note for note in notes] == [True]


def test_by_a_stack_nobody_knows_that_it_may_be_paused(inside, monkeypatch):
    """Its outputs are enough, so RDS is not asked."""
    with answering(Changed(inside, with_least_capacity("0.0"))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        where = TargetOptions(stack="article-output")
        with connect_to_set_up(ConnectOptions(), where=where, notify=[].append) as master:
            assert master.login.timeout == 10
