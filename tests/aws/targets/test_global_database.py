"""Global databases: whoever writes now."""

import re

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.resolve import described, resolve
from rds_iam_magic.errors import AwsError, TargetError
from rds_iam_magic.sandbox import seed
from tests.aws.targets.conftest import Asking
from tests.support.fake_aws import Changed, answering
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

(WEST, IN_WEST), (EAST, IN_EAST) = seed.GLOBAL_MEMBERS.items()


@pytest.fixture
def switched(inside):
    """Switches the writer; back at the end."""
    rds = inside.client("rds")

    def switch(name):
        arn = f"arn:aws:rds:{seed.GLOBAL_MEMBERS[name]}:123456789012:cluster:{name}"
        rds.switchover_global_cluster(GlobalClusterIdentifier=seed.GLOBAL, TargetDbClusterIdentifier=arn)

    yield switch
    switch(WEST)


def test_the_writer_is_found_anew_for_each_session(asking, inside, switched):
    found = resolve(asking.session, seed.GLOBAL, port=3307, notify=str)
    assert (found.endpoint.host, found.endpoint.region) == (inside.hosts[6], IN_WEST)
    switched(EAST)
    now = found.again()
    assert (now.host, now.region, now.port) == (inside.hosts[7], IN_EAST, 3307)


def test_a_member_by_its_own_name(inside):
    """RDS describes it with the name of its global database."""
    found = resolve(open_session(region=IN_WEST), WEST)
    assert (found.endpoint.host, found.moves) == (inside.hosts[6], False)


def test_the_policy_names_the_writers_cluster(asking):
    database = described(asking.session, seed.GLOBAL)
    assert database.arn == f"arn:aws:rds:{IN_WEST}:123456789012:cluster:{WEST}"
    assert database.resource_id.startswith("cluster-")


def test_while_none_writes(inside, monkeypatch):
    none = Changed(inside, lambda _, text: text.replace("<IsWriter>true<", "<IsWriter>false<"))
    with answering(none) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        with pytest.raises(TargetError, match=r"worldwide has no writer at the moment .status: available") as caught:
            resolve(open_session(), seed.GLOBAL)
    assert caught.value.cause == "global-without-writer"


@pytest.mark.parametrize("part", ["IsWriter", "DBClusterArn"])
def test_a_member_without_a_part_is_told(inside, monkeypatch, part):
    without = Changed(inside, lambda _, text: re.sub(f"<{part}>[^<]*</{part}>", "", text))
    with answering(without) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        with pytest.raises(AwsError):
            resolve(open_session(), seed.GLOBAL)


def test_a_writer_that_is_not_there(inside, monkeypatch):
    gone = Changed(inside, lambda _, text: re.sub("cluster:worldwide-west", "cluster:gone", text))
    with answering(gone) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        with pytest.raises(TargetError, match="has the writer gone in eu-west-1, which does not exist"):
            resolve(open_session(), seed.GLOBAL)


def test_the_arn_of_a_global_database_that_may_not_be_described(inside):
    arn = "arn:aws:rds::123456789012:global-cluster:worldwide"
    with only(inside) as profile, pytest.raises(AwsError, match="permit looking up worldwide") as caught:
        resolve(Asking(profile=profile).session, arn)
    assert "rds:DescribeGlobalClusters" in caught.value.detail
    with pytest.raises(TargetError, match="in account 999999999999; the credentials are of account 123456789012"):
        resolve(Asking().session, arn.replace("123456789012", "999999999999"), notify=str)


def test_the_arn_of_no_global_database(asking):
    with pytest.raises(TargetError, match="There is no global database 'none' in us-east-1"):
        resolve(asking.session, "arn:aws:rds::123456789012:global-cluster:none")
