"""The magics that set up, in a shell and a sandbox."""

import pytest

from rds_iam_magic.errors import AwsError
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


def test_a_policy_is_looked_up_as_the_connection_was(shell):
    shell.ok("%rds_iam_connect sandbox -u reader --profile inline")
    assert "/reader" in shell.ok("%rds_iam_policy reader").output
    refused = shell("%rds_iam_connect sandbox -u reader --profile stranger -A x")
    assert "Why: %rds_iam_doctor sandbox -u reader --profile stranger" in refused.output


def test_a_policy_without_the_right_to_look_the_database_up(shell, inside, monkeypatch):
    """The permissions are named, and the way that needs none works without AWS."""
    target = inside.hosts[0]
    with only(inside) as profile:
        cell = shell(f"%rds_iam_policy reader --target {target} --profile {profile}")
        assert isinstance(cell.error, AwsError)
        assert "rds:DescribeDBClusters and rds:DescribeDBInstances" in cell.output
        assert "--resource-id ID --account N --region R" in cell.output
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    ids = "--resource-id cluster-ABC --account 123456789012 --region eu-west-1"
    assert "eu-west-1:123456789012:dbuser:cluster-ABC/reader" in shell.ok(f"%rds_iam_policy reader {ids}").output


def test_the_user_is_set_up(shell, inside):
    secret = inside.client("rds").describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    line = f"%rds_iam_user create set_up --secret {secret} --grant 'SELECT ON shop.*'"
    first = shell.ok(line).output
    assert "Created set_up." in first
    assert "AWSAuthenticationPlugin" in first
    assert "nothing was changed" in shell.ok(line).output
    shell.ok("%rds_iam_connect sandbox -u set_up -d shop")
    assert (
        '"Resource": "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-'
        in shell.ok("%rds_iam_policy set_up").output
    )
    with inside.server.root() as root:
        root.execute("DROP USER 'set_up'@'%'")


def test_a_stack_names_the_database_and_its_secret(shell, inside):
    made = shell.ok("%rds_iam_user create by_stack --stack article-output --grant 'SELECT ON shop.*'").output
    assert "Created by_stack." in made
    assert f"The stack article-output names {inside.hosts[0]} (output AuroraEndpoint)." in made
    by_stack = shell.ok("%rds_iam_policy by_stack --stack sandbox").output
    assert by_stack == shell.ok("%rds_iam_policy by_stack --target sandbox").output
    assert by_stack == shell.ok("%rds_iam_policy by_stack --secret sandbox/master").output
    assert "dbuser:prx-" in shell.ok("%rds_iam_policy by_stack --target sandbox-proxy").output
    shown = shell.ok("%rds_iam_connect --stack sandbox -u by_stack -d shop").output
    assert f"The stack sandbox names {inside.hosts[0]}" in shown
    assert shell.ok("%rds_sql SELECT COUNT(*) AS n FROM orders").value.loc[0, "n"] > 0
    with inside.server.root() as root:
        root.execute("DROP USER 'by_stack'@'%'")


@pytest.mark.parametrize(
    "line",
    [
        "%rds_iam_connect sandbox --stack sandbox -u reader",
        "%rds_iam_connect sandbox --secret sandbox/master -u reader",
        "%rds_iam_connect --stack sandbox --secret sandbox/master -u reader",
        "%rds_iam_policy reader --target sandbox --stack sandbox",
        "%rds_iam_user create x --target sandbox --stack sandbox --secret sandbox/master",
    ],
)
def test_a_database_that_is_named_twice(shell, line):
    cell = shell(line)
    assert "The database is named by" in cell.output
    assert "--stack NAME and --secret SECRET_ID" in cell.output


def test_the_reader_is_held_beside_the_writer(shell):
    for options in ("", " --reader", " --endpoint analytics"):
        shell.ok(f"%rds_iam_connect sandbox -u reader{options}")
    listed = shell.ok("%rds_iam_connect --connections").output
    assert [line.lstrip("* ").partition(":")[0] for line in listed.splitlines()] == [
        "sandbox", "sandbox-reader", "analytics",
    ]  # fmt: skip
    assert "dbuser:cluster-" in shell.ok("%rds_iam_policy reader").output
