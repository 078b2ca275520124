"""What policies say, against tables and against the sandbox's own evaluation; and which statement says it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.aws.policies.evaluate import (
    Decision,
    Named,
    Policy,
    Verdict,
    about,
    evaluate,
    glob,
    is_never_there,
    named_users,
)
from rds_iam_magic.sandbox import policies as sandbox

DATABASE = "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC"
ARN = f"{DATABASE}/analyst"
CONNECT = "rds-db:connect"


def statement(effect="Allow", action=CONNECT, resource=ARN, **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policy(*statements, name="p", version="2012-10-17"):
    return Policy(name, {"Version": version, "Statement": list(statements)})


def without(key, **more):
    return {name: value for name, value in {**statement(), **more}.items() if name != key}


def when(operator, key, effect="Allow"):
    return statement(effect, Condition={operator: {key: "x"}})


def decided(*statements, **more):
    return evaluate([policy(*statements)], CONNECT, ARN, **more)


@pytest.mark.parametrize(
    ("statements", "verdict", "by"),
    [
        ([], Verdict.NOT_ALLOWED, ""),
        ([statement()], Verdict.ALLOWED, "p, statement 1"),
        ([statement(Sid="Analysts")], Verdict.ALLOWED, "p, statement Analysts"),
        ([statement(action="RDS-DB:Connect")], Verdict.ALLOWED, "p, statement 1"),
        ([statement(action=["s3:GetObject", "rds-db:conn?ct"])], Verdict.ALLOWED, "p, statement 1"),
        ([statement(action="rds:connect")], Verdict.NOT_ALLOWED, ""),
        ([statement(resource="*")], Verdict.ALLOWED, "p, statement 1"),
        ([statement(resource=["arn:aws:s3:::b", f"{DATABASE}/an*st"])], Verdict.ALLOWED, "p, statement 1"),
        ([statement(resource=ARN.upper())], Verdict.NOT_ALLOWED, ""),
        ([statement(resource=f"{DATABASE}/Analyst")], Verdict.NOT_ALLOWED, ""),
        ([statement(), statement("Deny", resource="*")], Verdict.DENIED, "p, statement 2"),
        ([statement("Deny", action="s3:*"), statement()], Verdict.ALLOWED, "p, statement 2"),
        ([without("Action", NotAction="s3:*")], Verdict.ALLOWED, "p, statement 1"),
        ([without("Action", NotAction="rds-db:*")], Verdict.NOT_ALLOWED, ""),
        ([without("Resource", NotResource=f"{DATABASE}/admin*")], Verdict.ALLOWED, "p, statement 1"),
        ([without("Resource", NotResource=f"{DATABASE}/ana*")], Verdict.NOT_ALLOWED, ""),
        ([statement("Maybe"), "no statement"], Verdict.NOT_ALLOWED, ""),
    ],
)
def test_which_statement_decides(statements, verdict, by):
    decision = decided(*statements)
    assert (decision.verdict, decision.by) == (verdict, by)


def test_a_single_statement_without_a_list():
    decision = evaluate([Policy("p", {"Statement": statement()})], CONNECT, ARN)
    assert decision == Decision(Verdict.ALLOWED, "p", "1")


def test_a_denial_tells_what_it_overrides():
    allowing, denying = policy(statement(), name="yes"), policy(statement("Deny", Sid="Never"), name="no")
    assert evaluate([allowing, denying], CONNECT, ARN) == Decision(
        Verdict.DENIED, "no", "Never", despite="yes, statement 1"
    )
    assert evaluate([denying], CONNECT, ARN) == Decision(Verdict.DENIED, "no", "Never")


@pytest.mark.parametrize(
    ("resource", "variables", "verdict"),
    [
        ("${aws:username}", {"aws:username": "analyst"}, Verdict.ALLOWED),
        ("${AWS:UserName}", {"aws:username": "analyst"}, Verdict.ALLOWED),
        ("${aws:username}", {"aws:username": "other"}, Verdict.NOT_ALLOWED),
        ("${aws:username}", {"aws:username": "*"}, Verdict.NOT_ALLOWED),
        ("${aws:username}", {"aws:username": None}, Verdict.NOT_ALLOWED),
        ("${aws:username, 'analyst'}", {"aws:username": None}, Verdict.ALLOWED),
        ("${aws:username}", {}, Verdict.UNKNOWN),
        ("x-${aws:username}", {}, Verdict.NOT_ALLOWED),
        ("${aws:PrincipalTag/team}*", {"aws:principaltag/team": "ana"}, Verdict.ALLOWED),
        ("${*}", {}, Verdict.NOT_ALLOWED),
        ("anal${$}", {}, Verdict.NOT_ALLOWED),
    ],
)
def test_policy_variables(resource, variables, verdict):
    assert decided(statement(resource=f"{DATABASE}/{resource}"), variables=variables).verdict is verdict


def test_a_variable_that_is_not_known_is_named():
    decision = decided(statement(resource=f"{DATABASE}/${{aws:userid}}"))
    assert decision.why == "it depends on ${aws:userid}, which is known at connect only"


def test_old_documents_have_no_variables():
    document = policy(statement(resource=f"{DATABASE}/${{aws:username}}"), version="2008-10-17")
    assert evaluate([document], CONNECT, ARN, variables={"aws:username": "analyst"}).verdict is Verdict.NOT_ALLOWED


def test_a_denial_but_for_a_variable_without_a_value():
    denying = without("Resource", Effect="Deny", NotResource=f"{DATABASE}/${{aws:username}}")
    assert decided(statement(), denying, variables={"aws:username": None}).verdict is Verdict.UNKNOWN
    assert decided(statement(), denying, variables={"aws:username": "analyst"}).verdict is Verdict.ALLOWED
    assert decided(statement(), denying, variables={"aws:username": "other"}).verdict is Verdict.DENIED


@pytest.mark.parametrize(
    ("condition", "verdict", "why"),
    [
        (when("StringEquals", "aws:SourceVpc"), Verdict.NOT_ALLOWED, "RDS logins have no aws:SourceVpc"),
        (when("IpAddress", "AWS:sourceip"), Verdict.NOT_ALLOWED, "RDS logins have no AWS:sourceip"),
        (when("ForAnyValue:StringLike", "rds:db-tag/x"), Verdict.NOT_ALLOWED, "RDS logins have no rds:db-tag/x"),
        (when("NotIpAddress", "aws:SourceIp"), Verdict.UNKNOWN, "a condition on aws:SourceIp"),
        (when("StringNotEquals", "aws:SourceVpc"), Verdict.UNKNOWN, "a condition on aws:SourceVpc"),
        (when("StringEqualsIfExists", "aws:SourceVpc"), Verdict.UNKNOWN, "a condition on aws:SourceVpc"),
        (when("ForAllValues:StringEquals", "aws:SourceVpc"), Verdict.UNKNOWN, "a condition on aws:SourceVpc"),
        (when("Null", "aws:SourceVpc"), Verdict.UNKNOWN, "a condition on aws:SourceVpc"),
        (when("Bool", "aws:MultiFactorAuthPresent"), Verdict.UNKNOWN, "a condition on aws:MultiFactorAuthPresent"),
        (when("StringEquals", "aws:ResourceTag/team"), Verdict.UNKNOWN, "a condition on aws:ResourceTag/team"),
    ],
)
def test_conditions(condition, verdict, why):
    decision = decided(condition)
    assert decision.verdict is verdict
    assert why in decision.why
    assert decided(condition, statement()) == Decision(Verdict.ALLOWED, "p", "2")


@pytest.mark.parametrize("key", ["aws:SourceVpc", "aws:CurrentTime"])
def test_whether_a_denial_with_a_condition_applies_is_not_known(key):
    decision = decided(statement(), when("StringEquals", key, "Deny"))
    assert (decision.verdict, decision.by) == (Verdict.UNKNOWN, "p, statement 2")
    assert decided(when("StringEquals", key, "Deny")).verdict is Verdict.NOT_ALLOWED
    assert decided(statement(), statement("Deny"), when("StringEquals", key, "Deny")).verdict is Verdict.DENIED


def test_a_permissions_boundary():
    wide, other = policy(statement(resource="*"), name="wide"), policy(statement(action="s3:*"), name="other")
    assert decided(statement(), boundary=wide).verdict is Verdict.ALLOWED
    assert evaluate([], CONNECT, ARN, boundary=wide).verdict is Verdict.NOT_ALLOWED
    assert decided(statement(), boundary=other) == Decision(
        Verdict.NOT_ALLOWED, "other", why="the permissions boundary does not allow it"
    )
    assert decided(statement(), boundary=policy(statement("Deny"), name="b")).by == "b, statement 1"
    assert decided(statement(), boundary=policy(when("Bool", "aws:ViaAWSService"))).verdict is Verdict.UNKNOWN
    never = decided(statement(), boundary=policy(when("StringEquals", "aws:SourceVpc")))
    assert never.verdict is Verdict.NOT_ALLOWED
    assert "aws:SourceVpc" in never.why


def test_a_policy_that_could_not_be_read():
    unread = Policy("secret", None)
    assert evaluate([unread], CONNECT, ARN) == Decision(Verdict.UNKNOWN, "secret", why="its document could not be read")
    assert evaluate([unread, policy(statement())], CONNECT, ARN).verdict is Verdict.UNKNOWN  # it may deny
    assert evaluate([unread, policy(statement("Deny"))], CONNECT, ARN).verdict is Verdict.DENIED
    assert decided(statement(), boundary=unread).verdict is Verdict.UNKNOWN


def test_the_statements_about_an_action_keep_their_labels():
    document = policy("none", statement(action="s3:*"), statement(), statement("Deny", action="*", resource="x"))
    unread = Policy("unread", None)
    (narrowed, same) = about([document, unread], "RDS-db:connect")
    assert narrowed.document["Statement"][:2] == [None, None]
    assert (
        evaluate([narrowed], CONNECT, ARN) == evaluate([document], CONNECT, ARN) == Decision(Verdict.ALLOWED, "p", "3")
    )
    assert same is unread


ACTIONS = st.sampled_from([CONNECT, "RDS-db:Connect", "rds-db:*", "*", "rds:connect", "s3:*", "rds-db:c?nnect", ""])
PIECES = [
    "arn:aws:rds-db:us-east-1:123456789012:dbuser:",
    "arn:aws:",
    "cluster-ABC",
    "/",
    "analyst",
    "a",
    "*",
    "?",
    "\n",
]
RESOURCES = st.one_of(
    st.sampled_from([ARN, "*", f"{DATABASE}/*", f"{DATABASE}/anal?st", f"{DATABASE}/analist", f"{DATABASE}/a*t*"]),
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join),
)


@st.composite
def statements(draw):
    """What both understand: no variables, and no conditions but those that never hold."""
    made = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    made[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(ACTIONS | st.lists(ACTIONS, max_size=3))
    made[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(
        RESOURCES | st.lists(RESOURCES, max_size=3)
    )
    if made["Effect"] == "Allow" and draw(st.integers(0, 4)) == 0:
        made["Condition"] = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    return made


@given(st.lists(st.lists(statements(), max_size=4), max_size=3))
def test_the_sandbox_decides_the_same(groups):
    documents = [{"Version": "2012-10-17", "Statement": group} for group in groups]
    decision = evaluate([Policy(str(at), each) for at, each in enumerate(documents)], CONNECT, ARN)
    theirs = sandbox.decide(documents, CONNECT, ARN)
    assert (
        decision.verdict
        is {
            sandbox.Verdict.ALLOWED: Verdict.ALLOWED,
            sandbox.Verdict.DENIED: Verdict.DENIED,
            sandbox.Verdict.SILENT: Verdict.NOT_ALLOWED,
        }[theirs]
    )
    if decision.statement:  # the statement that is named says so by itself
        alone = {"Statement": documents[int(decision.policy)]["Statement"][int(decision.statement) - 1]}
        assert sandbox.decide([alone], CONNECT, ARN) is theirs


@given(st.lists(statements(), max_size=3), st.lists(statements(), max_size=3))
def test_the_sandbox_decides_the_same_within_a_boundary(own, limits):
    documents = [{"Version": "2012-10-17", "Statement": each} for each in (own, limits)]
    decision = evaluate([Policy("own", documents[0])], CONNECT, ARN, boundary=Policy("limits", documents[1]))
    theirs = {sandbox.decide([document], CONNECT, ARN) for document in documents}
    if sandbox.Verdict.DENIED in theirs:
        assert decision.verdict is Verdict.DENIED
    else:
        assert (decision.verdict is Verdict.ALLOWED) is (theirs == {sandbox.Verdict.ALLOWED})
        assert decision.verdict in (Verdict.ALLOWED, Verdict.NOT_ALLOWED)


@pytest.mark.parametrize(
    ("key", "never"),
    [("aws:SourceVpc", True), ("AWS:sourceip", True), ("rds:db-tag/x", True), ("aws:SourceVpcArn", False),
     ("aws:username", False), ("s3:prefix", False)],
)  # fmt: skip
def test_keys_that_no_login_has(key, never):
    assert is_never_there(key) is never


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("a", "", False),
        ("*", "", True),
        ("?", "", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-b-b", False),
        ("*a", "ba", True),
        ("a?", "a\n", True),
        ("[a]", "a", False),
        ("a.c", "abc", False),
    ],
)
def test_glob(pattern, text, fits):
    assert glob(pattern, text) is fits


def test_no_pattern_takes_long():
    began = time.process_time()
    assert not glob("*a" * 200 + "b", "a" * 2000)
    assert time.process_time() - began < 5


def test_the_users_that_statements_name():
    document = policy(
        statement(resource=[ARN, f"{DATABASE}/re*", f"{DATABASE}/*", "*", f"{DATABASE[:-1]}X/other"]),
        statement("Deny", resource=f"{DATABASE}/denied"),
        statement(action="s3:*", resource=f"{DATABASE}/stored"),
        statement(Sid="Own", resource=[f"{DATABASE}/${{aws:username}}", f"{DATABASE}/${{aws:userid}}"]),
        statement(resource="arn:aws:rds-db:*/everywhere"),
        without("Resource", NotResource=f"{DATABASE}/not"),
    )
    found = list(named_users([document, Policy("unread", None)], CONNECT, DATABASE, variables={"aws:username": "ana"}))
    assert found == [
        Named("analyst", "p", "1"),
        Named("re*", "p", "1"),
        Named("ana", "p", "Own"),
        Named("everywhere", "p", "5"),
    ]
