"""Each cause, made real in the sandbox, is told from the others; and what is printed mends it."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack

import pytest

from rds_iam_magic import diagnose
from rds_iam_magic.doctor.causes.table import CAUSES
from tests.doctor import write_docs
from tests.doctor.ground import USER, Ground
from tests.doctor.matrix import LEVELS, PAIRS, ROWS, certain_numbers
from tests.notebook.conftest import Shell

pytestmark = pytest.mark.slow  # servers
SECRET = "sandbox/master"


@pytest.fixture
def ground(inside, tmp_path, monkeypatch):
    yield from Ground(inside, tmp_path, monkeypatch).make()


@pytest.fixture
def shell(ground, tmp_path):
    assert ground.host
    made = Shell(tmp_path)
    made.ip.run_line_magic("load_ext", "rds_iam_magic")
    yield made
    made.close()


def look(ground, level, options):
    asked = {"target": ground.host, "user": USER, "connect_timeout": 60, "notify": lambda _: None, **options}
    if level == "P2":
        asked["secret"] = SECRET
    with ground.permitted(*LEVELS[level]):
        diagnosis = diagnose(**asked)
    check_nothing_secret(ground, diagnosis)
    return diagnosis


def check_nothing_secret(ground, diagnosis):
    """No secret in whatever it is shown as, and no name in what is masked."""
    shared = diagnosis.masked()
    texts = {each: [str(each), repr(each), each._repr_html_(), each.to_json()] for each in (diagnosis, shared)}
    for secret in ground.secrets():
        assert not any(secret in text for each in texts.values() for text in each)
    for name in ("123456789012", USER, ground.host.split(".")[1], ground.resource_id, os.environ.get("HOME", "")):
        assert not any(name in text for text in texts[shared]), f"{name} in\n{shared}"


@pytest.mark.parametrize("row", [row for row in ROWS if not row.printed], ids=str)
def test_cause(ground, row):
    with row.breaks(ground) as options:
        check_levels(ground, row, options)
    again = look(ground, "P2", {})
    assert again.verdict.certainty == "healthy", again


@pytest.mark.parametrize("row", [row for row in ROWS if row.printed], ids=str)
def test_cause_and_its_mend_as_printed(ground, shell, row):
    with row.breaks(ground) as options:
        diagnosis = check_levels(ground, row, options)
        check = CAUSES[row.cause].check
        finding = next(each for each in diagnosis.findings if each.check == check)
        apply(shell, ground, finding.mend)
        again = look(ground, "P2", options)
        assert again.verdict.certainty == "healthy", f"after:\n{finding.mend}\n{again}"


def check_levels(ground, row, options):
    """What each level gives; the diagnosis of the last one."""
    for level, expected in zip(LEVELS, row.expected, strict=True):
        diagnosis = look(ground, level, options)
        verdict = diagnosis.verdict
        assert verdict.certainty == expected, f"{level}:\n{diagnosis}"
        if expected == "certain":
            assert verdict.causes == (row.cause,), f"{level}:\n{diagnosis}"
        elif expected != "unknown":
            assert row.cause in verdict.causes, f"{level}:\n{diagnosis}"
    return diagnosis


def apply(shell, ground, mend):
    """Run what is printed: magics as the account's administrator, statements as the database's."""
    key, secret = ground.sandbox.keys["administrator"]
    for line in mend.splitlines():
        if line.startswith("%"):
            with ground.variables(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret):
                shell.ok(line)
        elif re.match(r"(CREATE|ALTER|DROP|GRANT) ", line):
            ground.run(line)


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda row: f"{row.numbers}")
def test_of_two_faults_the_first_on_the_way_is_named(ground, first, second):
    with second.breaks(ground) as options:
        with first.breaks(ground) as more:
            diagnosis = look(ground, "P2", {**options, **more})
            assert diagnosis.verdict.causes == (first.cause,), diagnosis
        diagnosis = look(ground, "P2", options)
        assert diagnosis.verdict.causes == (second.cause,), diagnosis


@pytest.mark.parametrize("count", [1, 10, 100])
def test_an_unknown_user_of_mariadb_whatever_its_accounts_are(ground, count):
    """It asks an unknown user for what some account of its own logs in with, drawn by the name."""
    names = [f"other{number}" for number in range(count)]
    with ExitStack() as stack:
        for name in names:
            stack.callback(ground.run, f"DROP USER '{name}'@'%'")
            ground.run(f"CREATE USER '{name}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'")
        ground.put_policy(ground.arn.replace(USER, "nobody*"))
        asked = set()
        for number in range(4):
            user = f"nobody{number}"
            poor, rich = (look(ground, level, {"user": user}) for level in ("P0", "P2"))
            assert poor.verdict.certainty == "one of"
            assert CAUSES[poor.verdict.causes[0]].check == "database user"
            assert "user-missing" in poor.verdict.causes
            assert (rich.verdict.certainty, rich.verdict.causes) == ("certain", ("user-missing",))
            asked.add(next(finding.evidence for finding in poor.findings if finding.check == "server"))
    assert asked


def test_how_many_are_certain():
    assert len(certain_numbers("P0")) >= 17
    assert len(certain_numbers("P2")) >= 34


def test_each_number_of_the_table_has_a_row():
    numbers = {int(number) for row in ROWS for number in row.numbers.split(", ")}
    assert numbers >= set(range(1, 40))
    assert {row.cause for row in ROWS} >= set(CAUSES) - {"session-policy", "policy-user"}


def test_the_page_is_current():
    assert write_docs.PAGE.read_text(encoding="utf-8") == write_docs.text()
