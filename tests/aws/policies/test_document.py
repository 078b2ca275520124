"""The document of a policy: from ids, merged into what is there, as large as IAM counts it."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.policies.document import (
    Resource,
    check_policy_user,
    compact,
    connect_policy,
    difference,
    listed,
    resource_from_ids,
    size_of,
    with_statements_of,
)
from rds_iam_magic.errors import OptionError, RegionError
from rds_iam_magic.sandbox.policies import Verdict, decide

IDS = {"resource_id": "cluster-ABC123", "account": "012345678901", "region": "eu-west-1"}


def policy_from_ids(user, *, wildcard=False, **ids):
    return connect_policy([resource_from_ids(**ids)], user, wildcard=wildcard)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-west-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
    ],
)
def test_from_ids_alone(region, partition):
    (statement,) = policy_from_ids("ana", **{**IDS, "region": region})["Statement"]
    assert statement["Resource"] == f"arn:{partition}:rds-db:{region}:012345678901:dbuser:cluster-ABC123/ana"


@pytest.mark.parametrize("resource_id", ["cluster-ABC", "db-ABC123", "prx-0123abc"])
def test_each_kind_of_resource(resource_id):
    (statement,) = policy_from_ids("ana", **{**IDS, "resource_id": resource_id})["Statement"]
    assert statement["Resource"].endswith(f":dbuser:{resource_id}/ana")


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"resource_id": "sandbox"}, OptionError, "'sandbox' is not a resource id"),
        ({"resource_id": "cluster-sandbox"}, OptionError, "'cluster-sandbox' is not a resource id"),
        ({"resource_id": "db-orders"}, OptionError, "not a resource id"),
        ({"resource_id": "cluster-"}, OptionError, "not a resource id"),
        ({"resource_id": "*"}, OptionError, "not a resource id"),
        ({"resource_id": "cluster-A/ana"}, OptionError, "not a resource id"),
        ({"account": "1234"}, OptionError, "12 digits"),
        ({"account": "*"}, OptionError, "12 digits"),
        ({"account": "１２３４５６７８９０１２"}, OptionError, "12 digits"),
        ({"region": "europe"}, RegionError, "europe is not an AWS region"),
        ({"region": "*"}, RegionError, "not an AWS region"),
    ],
)
def test_ids_that_are_none(changed, kind, words):
    with pytest.raises(kind, match=words) as caught:
        policy_from_ids("ana", **IDS | changed)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("user", ["*", "ana*", "an?", "${aws:username}", "a${x", f"{'a' * 40}*"])
def test_a_pattern_is_for_those_who_ask_for_one(user):
    """In a policy it stands for more users than the one that is meant: `*` for every one."""
    with pytest.raises(OptionError, match="more than one database user") as caught:
        policy_from_ids(user, **IDS)
    assert caught.value.cause == "policy-user-pattern"
    assert "wildcard=True" in caught.value.hint
    (statement,) = policy_from_ids(user, **IDS, wildcard=True)["Statement"]
    assert statement["Resource"].endswith(f"/{user}")


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("a\ud800", "lone surrogate"),
        ("a" * 33, "1 to 32"),
        ("ana ", "ends with a space"),
        ("ana@%", r"holds a host pattern, too\.\nA policy names the user alone: ana\."),
        ("'ana'@'%'", "names the user alone: ana"),
        ("`ana`@`10.0.%`", "names the user alone: ana"),
        ("ana@localhost", "names the user alone: ana"),
    ],
)
@pytest.mark.parametrize("wildcard", [False, True])
def test_a_policy_for_nobody(user, words, wildcard):
    with pytest.raises(OptionError, match=words):
        check_policy_user(user, wildcard=wildcard)


@pytest.mark.parametrize("user", ["a" * 32, "日" * 32, "$x", "{a}", "a.b-c@d", "Ana"])
def test_other_names_are_taken_as_they_are(user):
    assert policy_from_ids(user, **IDS)["Statement"][0]["Resource"].endswith(f"/{user}")


def test_several_databases_are_several_resources_each_once():
    resources = [resource_from_ids(**{**IDS, "resource_id": name}) for name in ("cluster-A1", "prx-b2", "cluster-A1")]
    (statement,) = connect_policy(resources, "ana")["Statement"]
    assert [arn.rpartition(":")[2] for arn in statement["Resource"]] == ["cluster-A1/ana", "prx-b2/ana"]


users = st.text("abcÄ日ß$-_.{}\"\\'", min_size=1, max_size=32).filter(lambda text: "${" not in text)
resources = st.builds(
    Resource,
    st.just("aws"),
    st.sampled_from(["eu-west-1", "us-east-1"]),
    st.sampled_from(["012345678901", "123456789012"]),
    st.sampled_from(["cluster-A", "cluster-B", "db-C", "prx-d"]),
)
wanted = st.builds(connect_policy, st.lists(resources, min_size=1, max_size=4), users)
values = st.text("abc*:/日", min_size=1, max_size=8)
others = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.sampled_from(["s3:GetObject", "rds-db:connect", ["rds-db:connect", "rds:Describe*"]]),
        "Resource": values | st.lists(values, max_size=3),
    },
    optional={"Sid": st.just("Given"), "Condition": st.just({"Bool": {"aws:SecureTransport": "true"}})},
)
existing = st.builds(lambda statements: {"Version": "2012-10-17", "Statement": statements}, others | st.lists(others))


def allows(document, arn):
    return decide([document], "rds-db:connect", arn) is Verdict.ALLOWED


@given(existing, wanted)
def test_an_update_adds_and_takes_nothing_out(before, wanted):
    kept = copy.deepcopy(before)
    after = with_statements_of(before, wanted)
    assert before == kept, "it is shown beside the new one"
    assert with_statements_of(after, wanted) == after, "a second time changes nothing"
    assert {**after, "Statement": None} == {**before, "Statement": None}
    denied = any(statement["Effect"] == "Deny" for statement in listed(before["Statement"]))
    arns = listed(wanted["Statement"][0]["Resource"])
    assert denied or all(allows(after, arn) for arn in arns)
    for old in listed(before["Statement"]):
        assert any(
            set(listed(old["Resource"])) <= set(listed(new["Resource"]))
            and {**old, "Resource": None} == {**new, "Resource": None}
            for new in listed(after["Statement"])
        )


@given(wanted)
def test_a_first_policy_is_what_is_printed(wanted):
    assert with_statements_of(None, wanted) == wanted


@given(st.lists(wanted, min_size=1, max_size=4))
def test_one_statement_for_all_that_was_asked_for(documents):
    merged = None
    for document in documents:
        merged = with_statements_of(merged, document)
    assert len(merged["Statement"]) == 1
    arns = [arn for document in documents for arn in listed(document["Statement"][0]["Resource"])]
    assert listed(merged["Statement"][0]["Resource"]) == list(dict.fromkeys(arns))


@given(existing | wanted)
def test_what_is_sent_is_the_document_in_iams_characters(document):
    text = compact(document)
    assert json.loads(text) == document
    assert all(0x20 <= ord(character) <= 0xFF for character in text)
    indented = json.dumps(json.loads(text), indent=4, ensure_ascii=False)
    if all(ord(character) <= 0xFF for character in indented):
        assert size_of(document) == len("".join(indented.split())), "white space does not count"


def test_a_difference_has_no_lines_of_a_name():
    """IAM takes U+0080 to U+009F, among them a line break and the beginning of what terminals obey."""
    lines = difference(None, connect_policy([resource_from_ids(**IDS)], "a\x85+b\x9b31m\xad日é"), "p").split("\n")
    (line,) = [line for line in lines if "Resource" in line]
    assert line.endswith(r'/a\u0085+b\u009b31m\u00ad日é"')
    assert all(line.isprintable() for line in lines)
    assert len(lines) == len("\n".join(lines).splitlines())


@given(existing | wanted | st.none(), existing | wanted)
def test_a_difference_is_of_the_lines_of_both(before, after):
    lines = difference(before, after, "p").splitlines()
    if not lines:
        assert before == after
        return
    old, new = (difference(None, each or {}, "p").split("\n")[3:] for each in (before, after))
    old, new = ([line[1:] for line in each] for each in (old, new))
    assert lines[0].startswith("--- p (")
    assert lines[1] == "+++ p (after)"
    assert ("(none)" in lines[0]) == (before is None)
    for line in lines[2:]:
        assert line[0] in "@ +-"
        assert line[0] in "@-" or line[1:] in new
        assert line[0] in "@+" or line[1:] in old
    if before is None:
        assert [line[1:] for line in lines[3:]] == new
