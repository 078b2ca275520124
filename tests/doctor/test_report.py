"""The text, the HTML and the JSON of a diagnosis."""

import json
import re
from dataclasses import replace

import pytest

from rds_iam_magic.doctor.findings import CHECKS, Diagnosis, Finding, Verdict
from rds_iam_magic.hints import Interface
from tests.doctor.given import COMMAND, DATABASE_USER, diagnosis

TEXT = """\
CERTAIN: The policy reports allows rds:connect, which is no action, instead of rds-db:connect.
    Why: IAM says no to rds-db:connect on the exact ARN, and there is a statement that is meant to
    allow it.
    What would decide: iam:SimulatePrincipalPolicy; --secret
    It may also be:
      - the database user: it is missing; it is mistyped as analyst2
      - the network: closed

 1  ok       credentials    They come from the profile prod (sso).
 2  ok       database       my-cluster is available, and IAM authentication is on.
 3  PROBLEM  server         The server rejected the token.
             Evidence: Access denied for user 'analyst'@'10.0.3.7' (using password: YES), from
                       fe80::1 it was the same, at
                       my-cluster.cluster-c1abcdefgh12.eu-west-1.rds.amazonaws.com
 4  skipped  proxy          It waits for network.
"""


def test_the_verdict_comes_first_then_the_findings_in_columns():
    text = str(diagnosis())
    assert text.startswith(TEXT)
    assert [line.strip() for line in text.splitlines()[-3:]] == [
        "12  PROBLEM  privileges     There is no such user.",
        "Done for you by:",
        "%rds_iam_doctor my-cluster -u analyst --profile prod --fix 12",
    ]


def test_no_line_is_wider_than_100_but_what_is_to_be_pasted():
    wide = [line.strip() for line in str(diagnosis()).splitlines() if len(line) > 100]
    assert wide == [f"{DATABASE_USER}.", COMMAND]  # a word that would not be one any more


def test_a_command_stands_on_a_line_of_its_own():
    lines = [line.strip() for line in str(diagnosis()).splitlines()]
    at = lines.index("Mend:")
    assert lines[at + 1 : at + 3] == ["Allow rds-db:connect in it:", COMMAND]
    assert "%rds_iam_doctor my-cluster -u analyst --secret SECRET_ID" in lines


@pytest.mark.parametrize(
    ("certainty", "headline"),
    [
        ("healthy", "HEALTHY: "),
        ("certain", "CERTAIN: "),
        ("likely", "LIKELY: "),
        ("one of", "ONE OF SEVERAL: "),
        ("unknown", "UNKNOWN: "),
    ],
)
def test_how_sure_it_is_is_said_in_words(certainty, headline):
    assert str(diagnosis(certainty)).startswith(headline)
    assert f"<strong>{headline}" in diagnosis(certainty)._repr_html_()


def test_several_causes_are_listed():
    text = str(diagnosis("one of"))
    assert "    It may be:\n      - the database user: it is missing" in text
    assert "<br>It may be:<br>- the database user: it is missing" in diagnosis("one of")._repr_html_()


def test_nothing_found_is_shown_too():
    empty = Diagnosis(Verdict("unknown", (), "Nothing is known."), ())
    assert str(empty) == "UNKNOWN: Nothing is known."
    assert empty._repr_html_().endswith("<strong>UNKNOWN: Nothing is known.</strong></p>")


def test_several_lines_of_evidence_stay_several():
    finding = Finding(1, "privileges", "ok", "It may read.", "GRANT USAGE ON *.* TO a\nGRANT SELECT ON s.* TO a")
    text = str(Diagnosis(Verdict("healthy", (), "It works."), (finding,)))
    assert text.endswith("Evidence:\n              GRANT USAGE ON *.* TO a\n              GRANT SELECT ON s.* TO a")


def test_html_is_escaped_and_lets_no_math_be_made_of_it():
    html = diagnosis()._repr_html_()
    assert "<b>" not in html
    assert "rds:connect &lt;b&gt;." in html
    assert html.count("tex2jax_ignore mathjax_ignore") == len(re.findall(r"<(p|table|details)\b", html)) == 4
    assert re.search(r"<pre [^>]*>aws iam put-role-policy", html)
    tags = re.findall(r"<(/?)(table|thead|tbody|tr|td|th|p|pre|strong|div|details|summary)\b", html)
    assert len([tag for tag in tags if tag[0]]) * 2 == len(tags)


def test_the_states_are_words_in_html():
    html = diagnosis()._repr_html_()
    for word in ("ok", "<strong>PROBLEM</strong>", "unknown", "skipped"):
        assert f">{word}</td>" in html


def test_what_is_ok_is_folded_up_below_the_rest():
    shown, _, folded = diagnosis()._repr_html_().partition("<details")
    assert "<summary>Ok: credentials, database</summary>" in folded
    assert re.findall(r"top\">(\d+)</td>", shown) == ["3", "4", "5", "6", "12"]
    assert re.findall(r"top\">(\d+)</td>", folded) == ["1", "2"]
    healthy = Diagnosis(Verdict("healthy", (), "It works."), (Finding(1, "server", "ok", "It let the user in."),))
    assert re.search(r"</p>\n<details [^>]*><summary>Ok: server</summary>\n<table", healthy._repr_html_())


def test_a_command_stands_below_its_label_in_html():
    html = diagnosis()._repr_html_()
    assert re.search(r"<div>Mend: Allow rds-db:connect in it:</div><pre [^>]*>aws iam", html)
    assert re.search(r"<div>Mend:</div><pre [^>]*>%rds_iam_doctor my-cluster", html)
    assert "<div>Evidence: Statement 1 of the policy reports" in html


def test_the_keys_are_stable():
    data = json.loads(diagnosis().to_json())
    assert list(data) == ["verdict", "findings", "line"]
    assert list(data["verdict"]) == ["certainty", "causes", "sentence", "why", "decides", "others"]
    assert {tuple(finding) for finding in data["findings"]} == {
        ("number", "check", "state", "sentence", "evidence", "mend", "fix")
    }
    assert {finding["check"] for finding in data["findings"]} <= set(CHECKS)
    fixes = {finding["number"]: finding["fix"] for finding in data["findings"]}
    assert fixes[1] is None
    assert fixes[5] == {
        "do": "AttachPolicy",
        "principal": "arn:aws:iam::123456789012:role/team/analysts",
        "arn": DATABASE_USER,
    }
    assert fixes[12] == {"do": "CreateUser", "user": "analyst"}


def test_in_python_it_is_done_by_a_command():
    text = str(replace(diagnosis(), interface=Interface.PYTHON))
    assert "python -m rds_iam_magic doctor my-cluster -u analyst --profile prod --fix 12" in text


def test_without_a_line_the_fix_has_a_placeholder():
    assert "%rds_iam_doctor LINE --fix 5" in str(replace(diagnosis(), line=""))
