"""Nothing that tells whose a diagnosis is stays in a masked one, and what was the same stays the same."""

import datetime as dt
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.policies.evaluate import Verdict as Verdict_
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions, as_line
from rds_iam_magic.doctor import evidence as ev
from rds_iam_magic.doctor.findings import Diagnosis, Finding, Verdict
from rds_iam_magic.doctor.masking import Masks, names_in
from rds_iam_magic.doctor.verdict import diagnosis_of
from rds_iam_magic.setup.accounts import Account
from tests.doctor.given import HOST, ROLE, diagnosis
from tests.doctor.worlds import bad_tls, mistake, not_allowed, not_reached, refused, said

MASK = re.compile(
    r"(?:account|address|email|external-id|group|host|instance|key|path|policy|profile|resource|role|schema|secret|session|stack|user"
    r"|zone)-[0-9]+"
)
KINDS = ("user", "host", "address", "profile", "role", "secret", "resource", "account")
names = st.lists(
    st.tuples(st.sampled_from(KINDS), st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)),
    max_size=5,
)


def texts_of(found):
    data = found.to_dict()
    texts = [*(str(value) for value in data["verdict"].values()), data["line"]]
    for each in data["findings"]:
        texts += [each["sentence"], each["evidence"], each["mend"], str(each["fix"] or "")]
    return "\n".join(texts)


def saying(text, told=()):
    verdict = Verdict("certain", ("a",), text, text, (text,), (text,))
    return Diagnosis(verdict, (Finding(1, "server", "problem", text, text, text),), "", tuple(told))


def test_no_name_is_left():
    text = texts_of(diagnosis().masked())
    for name in ("123456789012", "my-cluster", "c1abcdefgh12", "10.0.3.7", "fe80", "analyst", "team", "ABCDEFGHIJ1234"):
        assert name not in text
    assert "'user-1'@'address-" in text
    assert ".eu-west-1.rds.amazonaws.com" in text, "the region stays"
    assert ".cluster-zone-1." in text, "so does what kind of endpoint it is"


def test_the_same_name_has_the_same_mask_everywhere():
    masked = diagnosis().masked()
    assert masked.line == "host-1 -u user-1 --profile profile-1"
    assert "host-1 is available" in masked.findings[1].sentence
    assert masked.findings[-1].fix.user == "user-1"
    assert masked.findings[4].fix.principal.endswith("/role-1")
    assert masked.masked() == masked


@given(names)
@example([("user", "user")])
@example([("user", "a"), ("host", "ab")])
@example([("host", "abcd"), ("user", "bcde")])
@example([("user", "Straße"), ("user", "STRASSE")])
def test_whatever_the_names_are_none_is_left(given_names):
    told = [(kind, name) for kind, name in given_names if name.lower() not in ("%", "localhost", "default")]
    texts = [name for _, name in told] + [f"=={name}==" for _, name in told]
    found = Diagnosis(
        Verdict("certain", ("a",), "", "", tuple(texts), tuple(texts)),
        tuple(Finding(number, "server", "problem", text, text, text) for number, text in enumerate(texts)),
        names=tuple(told),
    )
    masked = found.masked()
    shown = dict(zip(texts, masked.verdict.others, strict=True))
    assert masked.verdict.decides == masked.verdict.others
    for finding in masked.findings:
        assert finding.sentence == finding.evidence == finding.mend == shown[texts[finding.number]]
    for _, name in told:
        assert MASK.fullmatch(shown[name])
        if not any("=" in other for _, other in told):
            assert shown[f"=={name}=="] == f"=={shown[name]}==", "the same in the midst of a text"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("account 123456789012.", "account account-1."),
        ("at 10.0.3.7:3306, 10.0.3.7", "at address-1:3306, address-1"),
        ("[2001:db8::7]:3306 at 10:23:45", "[address-1]:3306 at 10:23:45"),
        ("version 8.0.mysql_aurora.3.08.0", "version 8.0.mysql_aurora.3.08.0"),
        ("key AKIAIOSFODNN7EXAMPLE", "key key-1"),
        ("cluster-ABCDEFGHIJKL and db-ABCDEFGHIJKLM, prx-0123456789abcdef0", "resource-1 and resource-2, resource-3"),
        ("arn:aws:sts::210987654321:assumed-role/ops/me@x.org", "arn:aws:sts::account-1:assumed-role/role-1/session-1"),
        (
            "arn:aws:secretsmanager:eu-west-1:210987654321:secret:prod/master-AbCdEf, prod/master",
            "arn:aws:secretsmanager:eu-west-1:account-1:secret:secret-1, secret-2",
        ),
        (
            "arn:aws:rds:eu-west-1:210987654321:cluster:sales; sales",
            "arn:aws:rds:eu-west-1:account-1:cluster:host-1; host-1",
        ),
        (
            "a.endpoint.proxy-c1abcdefgh12.eu-west-1.rds.amazonaws.com",
            "host-1.endpoint.proxy-zone-1.eu-west-1.rds.amazonaws.com",
        ),
        ("a.c1abcdefgh12.rds.cn-north-1.amazonaws.com.cn", "host-1.zone-1.rds.cn-north-1.amazonaws.com.cn"),
        ("arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("i-0123456789abcdef0", "instance-1"),
        ("by ann@corp.example.", "by email-1."),
        ("user 'bob' is not known", "user 'user-1' is not known"),
        ("/home/ann/.aws/config and /Users/Ann Lee/ca.pem", "path-1 and path-2"),
        (r"C:\Users\ann\ca.pem cannot be read", "path-1 cannot be read"),
        ("The file /opt/corp/keys.pem.", "The file path-1."),
        ("The config profile (corp-prod) could not", "The config profile (profile-1) could not"),
        ("Run aws sso login --profile corp-prod.", "Run aws sso login --profile profile-1."),
        ("The proxy web.corp.example:8080", "The proxy host-1:8080"),
        ("https://sts.corp.example/ and proxy.corp:3128", "https://host-1/ and host-2:3128"),
        ("ip-10-0-3-7.eu-west-1.compute.internal", "host-1"),
        (
            "AWS cannot be reached at sts.eu-west-1.amazonaws.com:443",
            "AWS cannot be reached at sts.eu-west-1.amazonaws.com:443",
        ),
        ("https://docs.aws.amazon.com/AmazonRDS/latest/", "https://docs.aws.amazon.com/AmazonRDS/latest/"),
        ("the log group /aws/rds/cluster/x/iam-db-auth-error", "the log group /aws/rds/cluster/x/iam-db-auth-error"),
        ("~/.config/rds_iam_magic/connections.ini", "~/.config/rds_iam_magic/connections.ini"),
        (
            "rds-db:connect on port 3306, SHA256 1524, ERROR 1045 (28000)",
            "rds-db:connect on port 3306, SHA256 1524, ERROR 1045 (28000)",
        ),
    ],
)
def test_what_is_recognised_by_its_form(text, masked):
    assert saying(text).masked().verdict.sentence == masked


def test_the_options_of_the_line_are_masked():
    line = (
        "-u a.b --ssh me@bastion.example.com --stack shop --external-id abc-1 --profile default --secret 'the master'"
    )
    masked = replace(saying("shop me@bastion.example.com"), line=line).masked()
    for name in ("bastion", "shop", "abc-1", "the master"):
        assert name not in texts_of(masked)
    assert "--profile default" in masked.line


def test_a_short_name_is_masked_as_a_word():
    masks = Masks([("user", "me")])
    assert masks("me, some, ME and 'me'@'%'") == "user-1, some, user-1 and 'user-1'@'%'"


def test_the_names_in_the_evidence():
    endpoint = Endpoint(HOST, 3306, "eu-west-1")
    account = Account("Analyst", "10.0.%")
    evidence = ev.Evidence(
        ev.Asked("analyst", "my-cluster", way="ssh bastion:22", line="my-cluster -u analyst --profile prod"),
        keys=ev.Keys("env", False, "prod"),
        identity=ev.Identity("arn:aws:sts::123456789012:assumed-role/analysts/me", "123456789012", ROLE),
        target=ev.Target(endpoint, "It is a cluster."),
        database=ev.Described("my-cluster", "DB cluster", "123456789012", "cluster-ABCDEFGHIJ1234", 3306),
        proxy=ev.Proxy("front", True, True),
        writer=ev.Writer("world", "us-east-1", "there.example.com"),
        network=ev.Network("open", "db.example.com:3306"),
        tls=ev.Tls("name", names=("*.example.org",)),
        answer=ev.Answer(False, 1045, "No", address="10.0.3.7"),
        accounts=ev.ServerAccounts((account,), (Account("analyst2", "%"),)),
        log=(ev.LogEntry(dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc), "token", "…"),),
    )
    found = set(names_in(evidence))
    assert found >= {
        ("user", "analyst"),
        ("host", "my-cluster"),
        ("host", "bastion"),
        ("profile", "prod"),
        ("account", "123456789012"),
        ("role", "analysts"),
        ("session", "me"),
        ("path", "team"),
        ("host", HOST),
        ("resource", "cluster-ABCDEFGHIJ1234"),
        ("host", "front"),
        ("host", "world"),
        ("host", "there.example.com"),
        ("host", "db.example.com"),
        ("host", "example.org"),
        ("address", "10.0.3.7"),
        ("user", "Analyst"),
        ("address", "10.0.%"),
        ("user", "analyst2"),
    }
    assert names_in(ev.Evidence(ev.Asked("a"))) == (("user", "a"),)


@pytest.mark.parametrize("user", ["o'brien", 'a"b', "a`lice", "{alice}", "$alice", "al\\ice", "x\ny"])
def test_a_name_is_masked_as_it_is_quoted_too(user):
    evidence = refused(accounts=ev.ServerAccounts(()))
    line = as_line(HOST, user, None, None, ConnectOptions(), TargetOptions())
    masked = diagnosis_of(replace(evidence, asked=replace(evidence.asked, user=user, line=line))).masked()
    assert "user-1" in masked.line.partition(" -u ")[2]
    assert all(part not in texts_of(masked) for part in ("brien", "a`", "alice", "al\\", "ice", "x\n"))
    if user.isprintable():
        assert "CREATE USER user-1@`%` IDENTIFIED" in masked.findings[-3].mend.replace("`user-1`", "user-1")


def test_who_logs_in_at_a_tunnel_and_what_its_host_is():
    evidence = replace(
        not_reached("unreachable"),
        network=ev.Network("unreachable", "ssh ann@bastion.corp.example", "ssh: bastion.corp.example: no such host"),
    )
    for way in ("ssh ann@bastion.corp.example", "[2001:db8::7]:3307", "db.corp:3307"):
        asked = ev.Asked("analyst", HOST, way=way, line=f"{HOST} -u analyst")
        text = str(diagnosis_of(replace(evidence, asked=asked)).masked())
        for name in ("ann", "bastion", "corp", "2001", "[host"):
            assert name not in text.replace("cannot", "")


def test_schemas_policies_and_files_have_names_too():
    denied = not_allowed(verdict=Verdict_.DENIED, by="ann-no, statement 1")
    assert "ann-no" not in texts_of(diagnosis_of(denied).masked())
    wrong = not_allowed(replace(mistake("action"), policy="of-ann"))
    assert "of-ann" not in texts_of(diagnosis_of(wrong).masked())
    missing = diagnosis_of(said(1049, "Unknown database 'shop'")).masked()
    assert missing.verdict.sentence == "user-1 can log in, and there is no database schema-1."
    bundle = bad_tls("untrusted", asked=ev.Asked("a", names=(("profile", "corp"), ("path", "mine.pem"))))
    bundle = replace(bundle, tls=replace(bundle.tls, source="certificates of ann/ca.pem", message="corp, mine.pem"))
    text = texts_of(diagnosis_of(bundle).masked())
    for name in ("ann", "corp", "mine.pem"):
        assert name not in text.replace("cannot", "")
