"""An AWS configuration of the test's own, and a session with the sandbox's account."""

import os

import pytest

from rds_iam_magic.aws.session import open_session


@pytest.fixture
def own_configuration(monkeypatch, tmp_path):
    """No AWS configuration but what the test writes."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def session(inside):
    """A session with the sandbox's account."""
    assert inside.server.pid
    return open_session()
