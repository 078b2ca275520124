"""`Tools`: one boto3 session for all checks, however many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.checks.check import Tools
from rds_iam_magic.errors import CredentialsError


@pytest.fixture
def keys(own_configuration, monkeypatch):
    assert own_configuration is None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")


@pytest.mark.usefixtures("keys")
def test_all_threads_have_the_same_session():
    tools = Tools(ConnectOptions(region="eu-west-1"), TargetOptions())

    def use(_):
        session = tools.session
        client = session.client("sts")
        return session, session.get_credentials().access_key, client.meta.config.connect_timeout, session.region_name

    with ThreadPoolExecutor(8) as threads:
        seen = set(threads.map(use, range(16)))
    assert seen == {(tools.session, "AKIA1", 3, "eu-west-1")}


@pytest.mark.usefixtures("keys")
def test_each_check_finds_that_the_profile_does_not_exist():
    tools = Tools(ConnectOptions(profile="none"), TargetOptions())
    for _ in range(2):
        with pytest.raises(CredentialsError):
            assert tools.session
