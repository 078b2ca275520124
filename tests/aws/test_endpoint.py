"""Host names of RDS endpoints in every partition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.endpoint import (
    Destination,
    Endpoint,
    Kind,
    is_login,
    is_plain_url,
    is_rds_name,
    is_region,
    parse_host_name,
    partition_of,
    read_url,
    region_in_name,
    split_host_port,
)
from rds_iam_magic.errors import OptionError, TargetError


@pytest.mark.parametrize(
    ("host", "kind", "region", "partition"),
    [
        ("db1.abc123.eu-west-3.rds.amazonaws.com", Kind.INSTANCE, "eu-west-3", "aws"),
        ("c.cluster-abc123.us-east-1.rds.amazonaws.com", Kind.CLUSTER, "us-east-1", "aws"),
        ("c.cluster-ro-abc123.us-east-1.rds.amazonaws.com", Kind.READER, "us-east-1", "aws"),
        ("mine.cluster-custom-abc123.us-east-1.rds.amazonaws.com", Kind.CUSTOM, "us-east-1", "aws"),
        ("p.proxy-abc123.ap-northeast-1.rds.amazonaws.com", Kind.PROXY, "ap-northeast-1", "aws"),
        ("e.endpoint.proxy-abc123.ap-northeast-1.rds.amazonaws.com", Kind.PROXY, "ap-northeast-1", "aws"),
        ("s.shardgrp-abc123.us-east-1.rds.amazonaws.com", Kind.SHARD_GROUP, "us-east-1", "aws"),
        ("db1.abc123.us-gov-west-1.rds.amazonaws.com", Kind.INSTANCE, "us-gov-west-1", "aws-us-gov"),
        ("db1.abc123.rds.cn-north-1.amazonaws.com.cn", Kind.INSTANCE, "cn-north-1", "aws-cn"),
        ("c.cluster-abc123.rds.cn-northwest-1.amazonaws.com.cn", Kind.CLUSTER, "cn-northwest-1", "aws-cn"),
        ("db1.abc123.cn-north-1.rds.amazonaws.com.cn", Kind.INSTANCE, "cn-north-1", "aws-cn"),
        ("db1.abc123.us-iso-east-1.rds.c2s.ic.gov", Kind.INSTANCE, "us-iso-east-1", "aws-iso"),
        ("db1.abc123.us-isob-east-1.rds.sc2s.sgov.gov", Kind.INSTANCE, "us-isob-east-1", "aws-iso-b"),
        ("db1.abc123.eusc-de-east-1.rds.amazonaws.eu", Kind.INSTANCE, "eusc-de-east-1", "aws-eusc"),
    ],
)
def test_shapes(host, kind, region, partition):
    assert parse_host_name(host) == Endpoint(host, region, 3306, kind, partition)


def test_case_and_spaces_do_not_matter():
    upper = parse_host_name("  DB1.ABC123.EU-WEST-3.RDS.Amazonaws.com. ")
    assert upper == parse_host_name("db1.abc123.eu-west-3.rds.amazonaws.com")
    assert upper.identifier == "db1"


def test_port_is_read_and_overridden():
    assert parse_host_name("db1.abc.eu-west-3.rds.amazonaws.com:3310").port == 3310
    assert parse_host_name("db1.abc.eu-west-3.rds.amazonaws.com:3310", port=3311).port == 3311


def test_global_endpoint_needs_a_region():
    host = "g.global-abc123.global.rds.amazonaws.com"
    with pytest.raises(TargetError, match="region="):
        parse_host_name(host)
    found = parse_host_name(host, region="eu-west-1")
    assert (found.kind, found.region) == (Kind.GLOBAL, "eu-west-1")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "db.example.com", "rds.amazonaws.com", "db..rds.amazonaws.com"]
)
def test_what_cannot_be_signed_for_is_refused_with_the_way_out(host):
    with pytest.raises(TargetError, match=r"via=|region="):
        parse_host_name(host)


@pytest.mark.parametrize("text", ["a\x1b[31m.example.com", "a\u202eb.example.com", "."])
def test_what_would_not_show_is_escaped(text):
    with pytest.raises(TargetError, match=r"'.* is not the host name") as caught:
        parse_host_name(text)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host", ("host", None)),
        ("host:3307", ("host", 3307)),
        ("[::1]:3307", ("::1", 3307)),
        ("[::1]", ("::1", None)),
    ],
)
def test_host_and_port(text, expected):
    assert split_host_port(text) == expected


@pytest.mark.parametrize(
    "text", ["", "host:", "host:0", "host:65536", "host:x", "a:b:c", "host:３３０６", "user@host", "a b"]
)
def test_bad_host_and_port(text):
    with pytest.raises(TargetError):
        split_host_port(text)


@given(st.text())
def test_any_text_is_an_endpoint_or_a_target_error(text):
    try:
        endpoint = parse_host_name(text)
    except TargetError as caught:
        message = str(caught)
    else:
        assert endpoint.host == endpoint.host.lower().strip()
        return
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize("port", ["", ":3307"])
@given(text=st.text(max_size=20))
def test_a_name_of_rds_is_told_by_its_suffix(text, port):
    assert is_rds_name(f" c.cluster-abc123.us-east-1.rds.Amazonaws.com{port} ")
    assert not is_rds_name("db.example.com" + port)
    assert not is_rds_name("bucket.s3.us-east-1.amazonaws.com" + port)
    if is_rds_name(text):
        assert parse_host_name(text, region="us-east-1")


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b"])
def test_a_region_tells_its_partition_as_a_host_name_does(partition):
    host = {
        "aws": "a.x1.eu-west-3.rds.amazonaws.com",
        "aws-cn": "a.x1.rds.cn-north-1.amazonaws.com.cn",
        "aws-us-gov": "a.x1.us-gov-west-1.rds.amazonaws.com",
        "aws-eusc": "a.x1.eusc-de-east-1.rds.amazonaws.eu",
        "aws-iso": "a.x1.us-iso-east-1.rds.c2s.ic.gov",
        "aws-iso-b": "a.x1.us-isob-east-1.rds.sc2s.sgov.gov",
    }[partition]
    endpoint = parse_host_name(host)
    assert partition_of(endpoint.region) == endpoint.partition == partition
    assert is_region(endpoint.region)


HOST = "db1.abc123.eu-west-3.rds.amazonaws.com"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"mysql://ana@{HOST}:3307/sales", Destination(HOST, "ana", "sales", 3307)),
        (f" mysql+pymysql://ana@{HOST}/sales\n", Destination(HOST, "ana", "sales")),
        ("MariaDB://ana@my-cluster/", Destination("my-cluster", "ana")),
        (f"mysql://{HOST}", Destination(HOST)),
        ("mysql://ana.b-c_d$@sandbox", Destination("sandbox", "ana.b-c_d$")),
    ],
)
def test_a_plain_url(url, expected):
    assert is_plain_url(url)
    assert read_url(Destination(url)) == expected


def test_a_plain_url_beside_what_else_is_given():
    url = f"mysql://ana@{HOST}:3307/sales"
    assert read_url(Destination(url, "ana", "sales", 3307)) == Destination(HOST, "ana", "sales", 3307)
    assert read_url(Destination(f"mysql://{HOST}", "ana", "sales", 3307)) == Destination(HOST, "ana", "sales", 3307)
    assert read_url(Destination("sandbox", "ana", None, 3307)) == Destination("sandbox", "ana", None, 3307)
    for other, words in (
        ({"user": "bob"}, "user ana, and user bob"),
        ({"database": "hr"}, "database sales, and database hr"),
        ({"port": 3308}, "port 3307, and port 3308"),
    ):
        with pytest.raises(OptionError, match=words):
            read_url(Destination(url, **other))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana@host/db",
        "mysql:/ana@host/db",
        "mysql://ana@host/db?charset=utf8",
        "mysql://ana@host/db#x",
        "mysql://ana%3Apass@host/db",
        "mysql://ana@host:99999/db",
        "mysql://ana@host:/db",
        "mysql://",
        "sandbox",
        HOST,
    ],
)
def test_what_is_no_plain_url(url):
    assert not is_plain_url(url)
    assert read_url(Destination(url)) == Destination(url)


@given(user=st.text(max_size=20), password=st.text(min_size=1, max_size=20), rest=st.sampled_from(["", ":3306", "/db"]))
def test_a_url_with_a_password_is_never_plain(user, password, rest):
    assert not is_plain_url(f"mysql://{user}:{password}@{HOST}{rest}")
    assert is_login(f"mysql://{user}:{password}@{HOST}{rest}")


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("app.cluster-abc123.eu-west-1.rds.amazonaws.com", "eu-west-1"),
        ("app.abc123.rds.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("app.global-abc123.global.rds.amazonaws.com", ""),
        ("eu-west-1.abc123.rds.amazonaws.com", ""),
    ],
)
def test_the_region_in_a_name(host, region):
    assert region_in_name(host) == region
