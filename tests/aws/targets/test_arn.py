"""ARNs as targets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.endpoint import is_arn, is_host_name
from rds_iam_magic.aws.targets.arn import parse_arn, region_of_arn
from rds_iam_magic.errors import OptionError, TargetError

ACCOUNT = "012345678901"


@pytest.mark.parametrize(
    ("text", "kind", "region", "name"),
    [
        (f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:shop", "DB cluster", "eu-west-1", "shop"),
        (f" arn:aws-cn:rds:cn-north-1:{ACCOUNT}:db:a-1\n", "DB instance", "cn-north-1", "a-1"),
        (f"arn:aws-us-gov:rds:us-gov-west-1:{ACCOUNT}:cluster:shop", "DB cluster", "us-gov-west-1", "shop"),
        (f"arn:aws-eusc:rds:eusc-de-east-1:{ACCOUNT}:cluster:shop", "DB cluster", "eusc-de-east-1", "shop"),
        (f"arn:aws-iso-b:rds:us-isob-east-1:{ACCOUNT}:db:shop", "DB instance", "us-isob-east-1", "shop"),
        (f"arn:aws:rds:eu-west-1:{ACCOUNT}:db-proxy:prx-abc", "proxy", "eu-west-1", "prx-abc"),
        (f"arn:aws:rds:eu-west-1:{ACCOUNT}:db-proxy-endpoint:prx-endpoint-a", "proxy endpoint", "eu-west-1",
         "prx-endpoint-a"),
        (f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster-endpoint:mine", "custom endpoint", "eu-west-1", "mine"),
        (f"arn:aws:rds::{ACCOUNT}:global-cluster:all", "global database", "", "all"),
        (f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/BASE-output/6f1-2", "stack", "eu-west-1", "BASE-output"),
        (f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:rds!cluster-1-AbCdEf", "secret", "eu-west-1",
         "rds!cluster-1-AbCdEf"),
        (f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:a/b_c+d=e.f-AbCdEf", "secret", "eu-west-1",
         "a/b_c+d=e.f-AbCdEf"),
    ],
)  # fmt: skip
def test_arns(text, kind, region, name):
    assert is_arn(text)
    assert not is_host_name(text)
    arn = parse_arn(text)
    assert (arn.text, arn.kind, arn.region, arn.account, arn.name) == (text.strip(), kind, region, ACCOUNT, name)


@pytest.mark.parametrize(
    "text",
    [
        "arn:",
        f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:",
        "arn:aws:rds:eu-west-1:1234:cluster:shop",
        f"arn:aws:rds::{ACCOUNT}:cluster:shop",
        f"arn:aws:rds:eu-west-1:{ACCOUNT}:global-cluster:shop",
        f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster-snapshot:shop",
        f"arn:aws:rds-db:eu-west-1:{ACCOUNT}:dbuser:cluster-ABC/ana",
        f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:shop:3306",
        f"arn:aws:iam::{ACCOUNT}:role/analyst",
    ],
)
def test_other_arns_are_refused(text):
    with pytest.raises(TargetError, match="is not the ARN of a DB cluster or instance") as caught:
        parse_arn(text)
    assert caught.value.cause == "arn-unsupported"


@given(st.text(alphabet=st.sampled_from("arnwsd:-/ 01é\n"), max_size=60))
def test_any_text_is_an_arn_or_a_target_error(text):
    with pytest.raises(TargetError) as caught:
        parse_arn(f"arn:{text}")
    assert len(str(caught.value).splitlines()) == 2


def test_the_region_is_the_arns_own():
    cluster = parse_arn(f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:shop")
    everywhere = parse_arn(f"arn:aws:rds::{ACCOUNT}:global-cluster:shop")
    assert region_of_arn(cluster, None) == region_of_arn(cluster, "eu-west-1") == "eu-west-1"
    assert (region_of_arn(everywhere, None), region_of_arn(everywhere, "us-east-1")) == (None, "us-east-1")
    with pytest.raises(OptionError, match="ARN is of eu-west-1, not of us-east-1"):
        region_of_arn(cluster, "us-east-1")
