"""`diagnosis_of`: the cause is named for what it is, however little of the evidence is there."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.doctor.causes.table import CAUSES
from rds_iam_magic.doctor.evidence import (
    Evidence,
    Failed,
    LogEntry,
    Network,
    NoSuch,
    NotLooked,
    NotPermitted,
    Permission,
    Problem,
    Proxy,
    known,
)
from rds_iam_magic.doctor.findings import CHECKS
from rds_iam_magic.doctor.verdict import diagnosis_of
from rds_iam_magic.hints import Interface, spell
from tests.doctor.worlds import HEALTHY, NOW, WORLDS, at_proxy, not_reached, refused, said

FIELDS = tuple(field.name for field in fields(Evidence) if field.name != "asked")
NAMES = [f"{number}-{cause}" for number, (cause, _) in enumerate(WORLDS)]
LIKELY = {"policy-restored", "policy-user", "access-key", "session-policy"}
"""What is not certain, even with all there is to know."""


def test_each_cause_has_a_world():
    assert {cause for cause, _ in WORLDS} == set(CAUSES)


@pytest.mark.parametrize(("cause", "evidence"), WORLDS, ids=NAMES)
def test_with_all_evidence(cause, evidence):
    verdict = diagnosis_of(evidence).verdict
    paused = "paused" in verdict.sentence or "CloudWatch" in verdict.why
    assert verdict.causes[0] == cause
    assert verdict.certainty == ("likely" if cause in LIKELY or paused else "certain")
    assert verdict.sentence
    assert verdict.sentence[-1] in ".)"


reasons = st.sampled_from(
    [NotLooked("server"), NotLooked(), NotPermitted("rds:DescribeDBClusters"), Failed("no answer")]
)
hidden = st.dictionaries(st.sampled_from(FIELDS), reasons)


@given(st.sampled_from(WORLDS), hidden, st.booleans())
def test_what_is_hidden_leads_to_no_other_cause(world, hide, inner):
    cause, evidence = world
    evidence = replace(evidence, **hide)
    if inner:
        evidence = _hidden_within(evidence)
    verdict = diagnosis_of(evidence).verdict
    if verdict.certainty == "healthy":
        raise AssertionError(verdict)
    if verdict.certainty == "certain":
        assert verdict.causes == (cause,)
    elif verdict.certainty in ("likely", "one of"):
        assert cause in verdict.causes


@given(hidden, st.booleans())
def test_nothing_is_wrong_where_nothing_is(hide, inner):
    evidence = replace(HEALTHY, **hide)
    if inner:
        evidence = _hidden_within(evidence)
    diagnosis = diagnosis_of(evidence)
    assert diagnosis.verdict.certainty in ("healthy", "unknown")
    assert [finding for finding in diagnosis.findings if finding.state == "problem"] == []


def _hidden_within(evidence: Evidence) -> Evidence:
    permission, proxy = known(evidence.permission), known(evidence.proxy)
    if isinstance(permission, Permission):
        read = NotPermitted("iam:GetRolePolicy")
        evidence = replace(evidence, permission=replace(permission, mistakes=(), read=read))
    if isinstance(proxy, Proxy):
        evidence = replace(evidence, proxy=replace(proxy, health=NotPermitted("rds:DescribeDBProxyTargets")))
    return evidence


@pytest.mark.parametrize(("cause", "evidence"), WORLDS, ids=NAMES)
def test_there_is_a_finding_for_each_check(cause, evidence):
    findings = diagnosis_of(evidence).findings
    assert [finding.check for finding in findings] == [c for c in CHECKS if c != "proxy" or evidence.proxy is not None]
    assert [finding.number for finding in findings] == list(range(1, len(findings) + 1))
    assert all(finding.sentence for finding in findings)
    check = CAUSES[cause].check
    assert cause in LIKELY or any(each.check == check and each.state == "problem" for each in findings)


@pytest.mark.parametrize(("cause", "evidence"), WORLDS, ids=NAMES)
def test_what_is_to_be_done_is_spelled_for_who_asked(cause, evidence):
    texts = {}
    for interface in Interface:
        diagnosis = diagnosis_of(replace(evidence, asked=replace(evidence.asked, interface=interface)))
        texts[interface] = "\n".join([*diagnosis.verdict.decides, *(finding.mend for finding in diagnosis.findings)])
        assert not re.search(r"\{\w", texts[interface]), cause
    python = re.sub(r"(?m)^%rds_.*", "", texts[Interface.PYTHON])  # which its line before says is for a notebook
    assert not re.search(r"(?<!\S)--?[a-z]", python), cause
    assert not re.search(r"(?<!\S)(?:via|ca|profile|ssm|ssh|secret|wait|connect_timeout)=", texts[Interface.NOTEBOOK])


def test_general_mends_are_spelled_too():
    for cause in CAUSES.values():
        for text in (cause.mend, *cause.decides):
            for interface in Interface:
                assert not re.search(r"[{}]", spell(text, interface, {})), text


def test_names_stay_as_they_are_written():
    """A user's name in another case is another user's."""
    for _, evidence in WORLDS:
        said = " ".join(finding.sentence for finding in diagnosis_of(evidence).findings)
        assert not re.search("Sandbox |Analyst (?:can|has)|Analyst@% (?:logs|requires)", said)


@pytest.mark.parametrize(
    "changes",
    [
        {"log": (LogEntry(NOW, "permission", "no permission"),)},
        {"log": (LogEntry(NOW - timedelta(minutes=3), "token", "an old token"),)},
        {"clock": 360.0},
        {"clock": -800.0},
    ],
)
def test_who_is_let_in_has_no_problem(changes):
    diagnosis = diagnosis_of(replace(HEALTHY, **changes))
    assert diagnosis.verdict.certainty == "healthy"
    assert {finding.state for finding in diagnosis.findings} == {"ok"}
    assert not any("agrees with AWS's within 3" in finding.sentence for finding in diagnosis.findings)


def test_a_proxy_without_tokens_is_described_so():
    evidence = at_proxy(proxy=Proxy("front", iam=False, has_user=None), metrics={})
    evidence = replace(evidence, answer=NotLooked("network"))
    found = next(finding for finding in diagnosis_of(evidence).findings if finding.check == "proxy")
    assert "it takes no tokens for this user" in found.sentence


def test_all_is_well():
    diagnosis = diagnosis_of(HEALTHY)
    assert diagnosis.verdict.certainty == "healthy"
    assert {finding.state for finding in diagnosis.findings} == {"ok"}


@pytest.mark.parametrize(("earlier", "state"), [(0, "problem"), (1, "problem"), (60, "ok")])
def test_an_earlier_refusal_in_the_log_is_no_problem_of_this_login(earlier, state):
    entry = LogEntry(NOW - dt.timedelta(seconds=earlier), "permission", "RDS's words")
    (found,) = (each for each in diagnosis_of(refused(log=(entry,))).findings if each.check == "log")
    assert found.state == state
    assert "RDS's words" in f"{found.sentence} {found.evidence}"


def test_a_target_that_means_nothing_is_no_problem_of_the_region():
    (evidence,) = [evidence for cause, evidence in WORLDS if cause == "target"]
    states = {finding.check: finding.state for finding in diagnosis_of(evidence).findings}
    assert (states["region"], states["target"]) == ("skipped", "problem")


@pytest.mark.parametrize("cause", ["ssh-denied", "ssm-denied", "tunnel-slow", "aws-cli-missing"])
def test_a_tunnel_that_fails_has_its_own_hint(cause):
    evidence = not_reached("unreachable")
    network = Network("unreachable", "ssh bastion", "It failed.", Problem(cause, "It failed.", "Log in once."))
    asked = replace(evidence.asked, way="ssh bastion")
    diagnosis = diagnosis_of(replace(evidence, network=network, asked=asked))
    (finding,) = [finding for finding in diagnosis.findings if finding.state == "problem"]
    assert finding.mend == "Log in once."
    assert "no route" not in diagnosis.verdict.why


@pytest.mark.parametrize(("cause", "evidence"), WORLDS, ids=NAMES)
def test_a_name_keeps_its_case(cause, evidence):
    evidence = replace(evidence, asked=replace(evidence.asked, user="analyst"))
    for finding in diagnosis_of(evidence).findings:
        assert not finding.sentence.startswith(("Analyst", "Sandbox")), cause


@pytest.mark.parametrize("code", [1040, 1129])
def test_what_is_said_before_tls_is_no_proof_that_it_is_the_database(code):
    nobody = {"database": NoSuch("123456789012", "eu-west-1"), "permission": NotLooked("database")}
    evidence = replace(said(code, "no"), tls=NotLooked("server"), **nobody)
    assert diagnosis_of(evidence).verdict.causes == ("limits",)


def test_an_account_that_is_not_known_is_not_named():
    nobody = {"database": NoSuch("", "eu-west-1"), "permission": NotLooked("database")}
    verdict = diagnosis_of(refused(identity=Failed("no answer"), **nobody)).verdict
    assert verdict.sentence == "The credentials belong to one account; the database is in another one."
