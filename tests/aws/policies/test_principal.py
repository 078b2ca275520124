"""Whom a policy is attached to, as it is written; what can be edited at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.policies.principal import (
    Principal,
    PrincipalKind,
    check_editable,
    check_policy_name,
    parse_principal,
)
from rds_iam_magic.errors import AwsError, OptionError

ROLE, USER, GROUP = PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.GROUP


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("role/analysts", Principal(ROLE, "analysts")),
        ("user/ana", Principal(USER, "ana")),
        (" group/team.a ", Principal(GROUP, "team.a")),
        ("role/teams/data/analysts", Principal(ROLE, "analysts", "/teams/data/")),
        ("arn:aws:iam::123456789012:role/analysts", Principal(ROLE, "analysts", "/", "123456789012")),
        ("arn:aws-cn:iam::123456789012:user/a/b/ana@x", Principal(USER, "ana@x", "/a/b/", "123456789012")),
        ("arn:aws:iam::123456789012:group/team", Principal(GROUP, "team", "/", "123456789012")),
        ("arn:aws:sts::123456789012:assumed-role/analysts/ana", Principal(ROLE, "analysts", None, "123456789012")),
    ],
)
def test_a_principal(text, expected):
    assert parse_principal(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "analysts", "role/", "role", "roles/x", "role/a b", "role/*", "policy/x", "role//", "role/ä",
     f"role/{'a' * 129}", "arn:aws:iam::123456789012:policy/x", "arn:aws:iam::aws:policy/x", "arn:aws:iam::1234:role/x",
     "arn:aws:rds:eu-west-1:123456789012:cluster:x", "arn:aws:iam::123456789012:root", "role/a\nb"],
)  # fmt: skip
def test_what_is_none(text):
    with pytest.raises(OptionError, match="is not a role, user or group") as caught:
        parse_principal(text)
    assert "role/NAME" in caught.value.hint


names = st.text("aZ09_+=,.@-", min_size=1, max_size=20)
paths = st.none() | st.lists(names, min_size=1, max_size=3).map(lambda parts: f"/{'/'.join(parts)}/")


@given(st.builds(Principal, st.sampled_from(PrincipalKind), names, paths))
def test_what_is_shown_can_be_written(principal):
    assert parse_principal(str(principal)) == principal


RESERVED = "AWSReservedSSO_Data_Analyst_0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        f"role/{RESERVED}",
        f"role/aws-reserved/sso.amazonaws.com/eu-west-1/{RESERVED}",
        f"arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/{RESERVED}",
        f"arn:aws:sts::123456789012:assumed-role/{RESERVED}/ana@example.com",
    ],
)
def test_a_role_of_identity_center_is_its_permission_sets(text):
    with pytest.raises(AwsError, match="permission set Data_Analyst can be edited") as caught:
        check_editable(parse_principal(text))
    assert caught.value.cause == "role-reserved"
    assert "permission set" in caught.value.hint


def test_a_role_of_a_service():
    with pytest.raises(AwsError, match="belongs to an AWS service"):
        check_editable(parse_principal("role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"))


@pytest.mark.parametrize("text", ["role/analysts", "user/aws-reserved/x", "role/x/AWSReservedSSO_a_0123456789abcdef"])
def test_others_can_be_edited(text):
    check_editable(parse_principal(text))


@pytest.mark.parametrize("name", ["", "a b", "a/b", "*", "ä", "a" * 129])
def test_a_name_that_no_policy_has(name):
    with pytest.raises(OptionError, match="not a name for a policy"):
        check_policy_name(name)


def test_the_sizes_are_iams():
    assert {kind.word: kind.characters for kind in PrincipalKind} == {"user": 2048, "group": 5120, "role": 10240}
