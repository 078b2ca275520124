"""What AWS says of an endpoint where nothing answers."""

from dataclasses import replace

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.targets.found import Found
from rds_iam_magic.aws.targets.resolve import resolve
from rds_iam_magic.aws.targets.silent import Silence
from tests.aws.targets.conftest import Asking
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


def test_another_port_and_asked_once(asking, inside):
    silence = Silence(asking.session, resolve(asking.session, f"{inside.hosts[0]}:3307"))
    assert asking.calls == []
    assert silence() == "RDS says that its port is 3306, not 3307."
    assert asking.calls == ["DescribeDBClusters", "DescribeDBInstances"]
    assert (silence(), len(asking.calls)) == ("", 2)


def test_the_right_port(asking, inside):
    for host in (*inside.hosts[:6],):
        assert Silence(asking.session, resolve(asking.session, host))() == ""


def test_a_database_that_is_stopped(asking, inside):
    rds = inside.client("rds")
    rds.stop_db_instance(DBInstanceIdentifier="standalone")
    try:
        assert Silence(asking.session, resolve(asking.session, inside.hosts[3]))() == "standalone is stopped."
    finally:
        rds.start_db_instance(DBInstanceIdentifier="standalone")


def test_a_name_that_nothing_has(asking):
    endpoint = parse_host_name("gone.cluster-abc123.us-east-1.rds.amazonaws.com")
    said = Silence(asking.session, Found(endpoint, ""))()
    assert said == "No database of this account has that endpoint in us-east-1."
    everywhere = parse_host_name("g.global-abc123.global.rds.amazonaws.com", region="us-east-1")
    assert Silence(asking.session, Found(everywhere, ""))() == "", "it is in no cluster's description"


def test_without_the_permission_nothing_is_said(inside):
    with only(inside) as profile:
        poor = Asking(profile=profile)
        assert Silence(poor.session, resolve(poor.session, f"{inside.hosts[0]}:3307"))() == ""


def test_what_was_described_is_not_asked_for_again(asking):
    found = resolve(asking.session, "sandbox")
    asking.calls.clear()
    assert Silence(asking.session, replace(found, endpoint=replace(found.endpoint, port=1)))() == ""
    assert asking.calls == []
