"""Sandboxes beside each other."""

from rds_iam_magic.sandbox import Sandbox


def test_two_run_side_by_side(sandbox):
    with Sandbox() as other:
        assert other.server.port != sandbox.server.port
        assert other.environment["AWS_ENDPOINT_URL"] != sandbox.environment["AWS_ENDPOINT_URL"]
        assert other.endpoint != sandbox.endpoint
        with other.server.root() as root:
            root.execute("CREATE DATABASE only_here")
        with sandbox.server.root() as root:
            root.execute("SHOW DATABASES LIKE 'only_here'")
            assert root.fetchall() == ()
