"""The lines of `%rds_iam_user`, `%rds_iam_policy` and `%rds_iam_access`."""

import re

import pytest

from rds_iam_magic.aws.policies.attaching import POLICY_NAME
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import OptionError, RdsIamError
from rds_iam_magic.notebook.setup.lines import options_beside, parse_access, parse_policy, parse_user


def test_user_line():
    parsed = parse_user("create analyst --secret s --grant 'SELECT, SHOW VIEW ON `my shop`.*' --grant 'INSERT ON a.b'")
    assert [str(g) for g in parsed.grants] == ["SELECT, SHOW VIEW ON `my shop`.*", "INSERT ON `a`.`b`"]
    assert parsed.host == "%"


@pytest.mark.parametrize(
    "grant",
    ["SELECT", "SELECT ON shop", "SELECT ON shop.* TO root", "SELECT; DROP ON a.b", "ALL ON `a.b", "SELECT ON a.b -- "],
)
def test_grants_are_parsed_not_pasted(grant):
    with pytest.raises(OptionError, match="not a grant"):
        parse_user(f'create analyst --secret s --grant "{grant}"')


def test_each_subcommand():
    parsed = parse_user("create ana --like bea --host 10.% --dry-run --target t")
    assert (parsed.action, parsed.name, parsed.like, parsed.host) == ("create", "ana", "bea", "10.%")
    assert (parsed.dry_run, parsed.target, parsed.secret) == (True, "t", None)
    assert [str(g) for g in parse_user("grant ana --grant 'SELECT (id) ON a.b' --grant role").grants] == [
        "SELECT (`id`) ON `a`.`b`",
        "role",
    ]
    assert parse_user("revoke ana --grant 'ALL ON a.*' -N").dry_run
    assert parse_user("drop ana --host ::1").host == "::1"
    assert (parse_user("show ana").action, parse_user("list").name) == ("show", "")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "needs one of create, grant, revoke, drop, show, list"),
        ("analyst", "not: analyst"),
        ("crate analyst", "Did you mean create?"),
        ("create", "needs: create NAME"),
        ("drop", "needs: drop NAME"),
        ("create a b --secret s", "not: create a b"),
        ("list ana", "needs: list, not: list ana"),
        ("create ''", "name is empty"),
        ("grant ana", "nothing to grant"),
        ("revoke ana", "nothing to revoke"),
        ("revoke ana --like bea", "--like has no effect with revoke"),
        ("drop ana --grant 'SELECT ON a.b'", "--grant has no effect with drop"),
        ("show ana --host ::1", "--host has no effect with show"),
        ("list --like bea", "--like has no effect with list"),
        ("create ana --grant 'SELECT ON a.* WITH GRANT OPTION'", "is not granted here"),
        ("create ana --grant 'SUPER ON a.*'", "SUPER is granted"),
    ],
)
def test_bad_user_lines(line, words):
    with pytest.raises(OptionError) as caught:
        parse_user(line)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_options_beside_those_of_a_connection():
    """Another identity over the same tunnel; half of two identities would be none."""
    reached = ConnectOptions(profile="analyst", role_arn="arn", via="127.0.0.1:3307", connect_timeout=5.0)
    assert options_beside(ConnectOptions(), reached) == reached
    assert options_beside(ConnectOptions(profile="admin"), reached) == ConnectOptions(
        profile="admin", via="127.0.0.1:3307", connect_timeout=5.0
    )
    assert options_beside(ConnectOptions(via="127.0.0.1:1", wait=True), reached) == ConnectOptions(
        profile="analyst", role_arn="arn", via="127.0.0.1:1", wait=True, connect_timeout=5.0
    )


def test_policy_needs_a_user():
    with pytest.raises(OptionError, match="user is missing"):
        parse_policy("")


IDS = "--resource-id cluster-ABC --account 123456789012 --region eu-west-1"


def test_policy_line():
    parsed = parse_policy(f"ana {IDS}")
    assert (parsed.user, parsed.targets, parsed.wildcard) == ("ana", (), False)
    assert (parsed.resource_id, parsed.account, parsed.options.region) == ("cluster-ABC", "123456789012", "eu-west-1")
    assert parse_policy("'read*' --wildcard --target sandbox --region eu-west-1").wildcard
    assert parse_policy("ana a --target b c --target d").targets == ("a", "c", "b", "d")


def test_attaching():
    assert (parse_policy("ana a").attach, parse_policy("ana a").name) == (None, POLICY_NAME)
    parsed = parse_policy(f"ana {IDS} --attach role/x/y --name given --dry-run --fix --profile p")
    assert (parsed.attach, parsed.name, parsed.dry_run, parsed.fix) == ("role/x/y", "given", True, True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("'*'", "more than one database user"),
        ("'${aws:username}'", "more than one database user"),
        (f"'*' {IDS}", "more than one database user"),
        ("''", "name is empty"),
        ("a" * 33, "1 to 32 characters"),
        ("ana --resource-id cluster-ABC", "--account and --region are missing"),
        ("ana --resource-id cluster-ABC --account 123456789012", "--region is missing"),
        ("ana --account 123456789012 --target sandbox", "--resource-id and --region are missing"),
        (f"ana {IDS} --target sandbox", "named twice: by --resource-id, and as 'sandbox'"),
        (f"ana sandbox {IDS}", "named twice"),
        (f"ana {IDS} --name x", "--name has no effect"),
        ("ana a --name x --fix", "--fix, --name has no effect without --attach"),
        ("ana a --attach x", "'x' is not a role, user or group"),
        ("ana a --attach role/x --name 'a b'", "not a name for a policy"),
        (f"ana {IDS} --profile x", "--profile has no effect"),
    ],
)
def test_bad_policy_lines(line, words):
    with pytest.raises(OptionError, match=words) as caught:
        parse_policy(line)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("line", ["ana mysql://a:secret@host", "ana a b:secret@host", "ana --target x:secret@h"])
def test_a_password_in_a_target_is_not_repeated(line):
    with pytest.raises(OptionError, match="may contain a password") as caught:
        parse_policy(line)
    assert "secret" not in str(caught.value)


def test_access_line():
    parsed = parse_access("my-cluster --secret s -u ana --all --region eu-west-1")
    assert (parsed.target, parsed.secret, parsed.user, parsed.everybody) == ("my-cluster", "s", "ana", True)
    assert parsed.options.region == "eu-west-1"
    parsed = parse_access("")
    assert (parsed.target, parsed.secret, parsed.user, parsed.everybody) == (None, None, None, False)
    assert parse_access("--target my-cluster").target == "my-cluster"
    assert parse_access("--help") is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b", "takes one TARGET; unexpected 'b'"),
        ("a --target b", "takes one TARGET; unexpected 'b'"),
        ("a --dry-run", "no option --dry-run"),
        ("mysql://u:pw@h", "password"),
        ("a --user ''", "empty"),
    ],
)
def test_access_lines_that_are_refused(line, words):
    with pytest.raises(RdsIamError, match=re.escape(words)) as caught:
        parse_access(line)
    assert "pw" not in str(caught.value)
