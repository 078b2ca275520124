"""IAM authentication switched on: at once or in the window, with nothing else applied unasked."""

from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from rds_iam_magic.aws import availability
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.connecting import connect
from rds_iam_magic.errors import AccessDeniedError, AwsError, OptionError, ProvisionError, TargetError
from rds_iam_magic.hints import Interface
from rds_iam_magic.setup import enable
from rds_iam_magic.setup.enable import enable_iam
from tests.support.fake_aws import Changed, answering
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

OFF = "without-iam"


@pytest.fixture
def rds(inside, monkeypatch):
    """An instance without IAM authentication."""
    monkeypatch.setattr(availability, "STEP", 0.001)
    client = inside.client("rds")
    client.create_db_instance(
        DBInstanceIdentifier=OFF,
        Engine="mysql",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword="set-by-the-test",
        Port=3306,
    )
    yield client
    client.delete_db_instance(DBInstanceIdentifier=OFF, SkipFinalSnapshot=True)


def told(target=OFF, profile=None, **options):
    lines = []
    enable_iam(open_session(profile=profile), target, notify=lines.append, **options)
    return [line.spelled(Interface.NOTEBOOK) if hasattr(line, "spelled") else line for line in lines]


def is_on(rds):
    return rds.describe_db_instances(DBInstanceIdentifier=OFF)["DBInstances"][0]["IAMDatabaseAuthenticationEnabled"]


def test_at_once(rds):
    assert not is_on(rds)
    assert told(now=True, wait=True) == [
        f"IAM database authentication is being switched on for {OFF}; it needs no restart."
    ]
    assert is_on(rds)
    assert told() == [f"IAM database authentication is on already for {OFF}; nothing was changed."]


def test_a_login_is_refused_until_then(rds):
    """The sandbox's server asks for the flag, as RDS has no plugin without it."""
    host = rds.describe_db_instances(DBInstanceIdentifier=OFF)["DBInstances"][0]["Endpoint"]["Address"]
    with pytest.raises(AccessDeniedError, match="1045"):
        connect(host, user="reader").close()
    assert told(host, now=True, wait=True)
    connect(host, user="reader").close()


@pytest.fixture
def asked(inside, monkeypatch):
    """What AWS was asked for, and what it says of the database is changed by the function in `change`."""
    state = {"bodies": {}, "change": lambda _action, text: text}
    through = Changed(inside, lambda action, text: state["change"](action, text))

    def handle(action, body):
        state["bodies"][action] = parse_qs(body.decode())
        return through(action, body)

    with answering(handle) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield state


def off(_action, text):
    """The sandbox's cluster as if IAM authentication were off."""
    return text.replace(
        "<IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>",
        "<IAMDatabaseAuthenticationEnabled>false</IAMDatabaseAuthenticationEnabled>",
    )


@pytest.mark.parametrize("target", ["sandbox", "sandbox-1", 0, 2])
def test_for_an_instance_in_a_cluster_the_cluster(inside, asked, target):
    """By any of its names."""
    asked["change"] = off
    assert told(inside.hosts[target] if isinstance(target, int) else target, now=True)
    body = asked["bodies"]["ModifyDBCluster"]
    assert body["DBClusterIdentifier"] == ["sandbox"]
    assert body["EnableIAMDatabaseAuthentication"] == ["true"]
    assert body["ApplyImmediately"] == ["true"]
    assert "ModifyDBInstance" not in asked["bodies"]


def test_in_the_maintenance_window(rds, asked):
    (line,) = told()
    window = rds.describe_db_instances(DBInstanceIdentifier=OFF)["DBInstances"][0]["PreferredMaintenanceWindow"]
    assert line == (
        f"IAM authentication will be switched on for {OFF} in the maintenance window ({window}, UTC); --now does it at "
        "once."
    )
    assert asked["bodies"]["ModifyDBInstance"]["ApplyImmediately"] == ["false"]


def pending(text):
    def change(action, answer):
        return (
            answer.replace(
                "<DBInstanceIdentifier>",
                f"<PendingModifiedValues>{text}</PendingModifiedValues><DBInstanceIdentifier>",
                1,
            )
            if action == "DescribeDBInstances" and f">{OFF}<" in answer
            else answer
        )

    return change


@pytest.mark.usefixtures("rds")
def test_one_that_is_pending_is_left_so(asked):
    asked["change"] = pending("<IAMDatabaseAuthenticationEnabled>true</IAMDatabaseAuthenticationEnabled>")
    assert "It is going to be switched on in the maintenance window" in told()[0]
    assert "ModifyDBInstance" not in asked["bodies"]
    told(now=True)
    assert asked["bodies"]["ModifyDBInstance"]["ApplyImmediately"] == ["true"]


@pytest.mark.usefixtures("rds")
def test_other_changes_are_not_applied_unasked(asked):
    """RDS applies all that is pending at once, and some of it restarts the database."""
    asked["change"] = pending("<EngineVersion>8.4.99</EngineVersion><DBInstanceClass>db.r7g.large</DBInstanceClass>")
    with pytest.raises(ProvisionError) as caught:
        told(now=True)
    assert caught.value.cause == "changes-pending"
    assert caught.value.message.endswith("applied at once, too: DBInstanceClass, EngineVersion.")
    assert "ModifyDBInstance" not in asked["bodies"]
    told(now=True, yes=True)
    assert asked["bodies"]["ModifyDBInstance"]["ApplyImmediately"] == ["true"]


@pytest.mark.usefixtures("rds")
def test_to_switch_something_off_is_a_change_too(asked):
    asked["change"] = pending("<BackupRetentionPeriod>0</BackupRetentionPeriod><MultiAZ>false</MultiAZ>")
    with pytest.raises(ProvisionError) as caught:
        told(now=True)
    assert caught.value.message.endswith("applied at once, too: BackupRetentionPeriod, MultiAZ.")
    assert "ModifyDBInstance" not in asked["bodies"]


@pytest.mark.usefixtures("rds")
def test_waiting_is_until_it_is_on(monkeypatch):
    """Right after the call, nothing shows that it is pending."""
    found = enable._find(open_session(), OFF, None)
    states = [found, found, replace(found, iam_pending=True), replace(found, iam_enabled=True)]
    monkeypatch.setattr(enable, "_find", lambda *_: states.pop(0))
    lines = told(now=True, wait=True)
    assert lines[1].startswith(f"IAM database authentication is being switched on for {OFF}. Waiting, ")
    assert lines[-1] == f"{OFF} is ready now."
    assert states == []


def test_the_window_is_not_waited_for(inside):
    assert inside.hosts
    with pytest.raises(OptionError) as caught:
        told(wait=True)
    assert caught.value.cause == "wait-for-window"


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("InvalidParameterCombination", "iam-authentication-unsupported"),
        ("InvalidDBInstanceState", "database-busy"),
        ("Throttling", "aws-throttled"),
    ],
)
@pytest.mark.usefixtures("rds")
def test_aws_refuses(inside, monkeypatch, code, cause):
    through = Changed(inside, lambda _action, text: text)
    answer = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>"
    )

    def handle(action, body):
        return (400, answer.encode()) if action == "ModifyDBInstance" else through(action, body)

    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with answering(handle) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises((ProvisionError, AwsError)) as caught:
            told(now=True)
    assert caught.value.cause == cause


@pytest.mark.usefixtures("inside")
def test_a_target_that_is_not_there():
    with pytest.raises(TargetError, match="There is no DB cluster or instance 'none'"):
        told("none")


PERMISSIONS = ("rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:ModifyDBInstance")


@pytest.mark.usefixtures("rds")
def test_it_needs_exactly_its_permissions(inside):
    with only(inside, *PERMISSIONS[:2]) as profile, pytest.raises(AwsError) as caught:
        told(now=True, profile=profile)
    assert "rds:ModifyDBInstance is missing" in caught.value.message
    with only(inside) as profile, pytest.raises(AwsError):
        told(now=True, profile=profile)
    with only(inside, "rds:DescribeDBInstances") as profile, pytest.raises(AwsError) as caught:
        told("sandbox-1", now=True, profile=profile)
    assert "rds:DescribeDBClusters is missing" in caught.value.message
    with only(inside, *PERMISSIONS) as profile:
        assert "being switched on" in told(now=True, profile=profile)[0]
