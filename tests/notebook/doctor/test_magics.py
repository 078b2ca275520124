"""`%rds_iam_doctor` in a shell: which login it is about, what it shows, and that it ends no run."""

import json

import pytest

from rds_iam_magic.doctor import diagnose as running
from rds_iam_magic.errors import AccessDeniedError, OptionError, TargetError
from tests.doctor.given import FINDINGS, diagnosis

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def calls(monkeypatch):
    """What `diagnose_with` was called with; the diagnosis is one that was made by hand."""
    made = []
    monkeypatch.setattr(running, "diagnose_with", lambda *given: made.append(given) or diagnosis(), raising=False)
    return made


def test_a_problem_does_not_end_the_run(shell, calls):
    cell = shell.ok("%rds_iam_doctor my-cluster -u analyst")
    assert [finding.number for finding in cell.value.findings] == [finding.number for finding in FINDINGS]
    data, _ = shell.ip.display_formatter.format(cell.value)
    assert data["text/plain"].startswith("CERTAIN: ")
    assert data["text/html"].startswith("<p")
    assert cell.output.count("CERTAIN: ") == 1, "it is shown once"
    assert len(calls) == 1


@pytest.mark.usefixtures("calls")
def test_json_and_share(shell):
    cell = shell.ok("found = %rds_iam_doctor my-cluster -u analyst --json --share\nfound")
    assert json.loads(cell.value)["line"] == "host-1 -u user-1"
    assert '"line": "host-1 -u user-1"\n}' in cell.output, "its lines are lines"
    assert "analyst" not in cell.output


def test_it_is_about_the_connection_that_failed_last(shell, calls):
    failed = shell("%rds_iam_connect sandbox -u reader -d shop --profile stranger --read-only")
    assert isinstance(failed.error, AccessDeniedError)
    assert failed.output.endswith("Why: %rds_iam_doctor sandbox -u reader -d shop --profile stranger\n")
    shell.ok("%rds_iam_connect standalone -u reader -A other")
    shell.ok("%rds_iam_doctor --secret sandbox/master")
    asked, options, where, secret, _ = calls[-1]
    assert (asked.line, options.profile) == ("sandbox -u reader -d shop --profile stranger", "stranger")
    assert (asked.database, where.secret, secret) == ("shop", None, "sandbox/master")
    assert isinstance(shell("%rds_iam_connect nowhere -u reader").error, TargetError)
    shell.ok("%rds_iam_doctor")
    assert calls[-1][0].target == "nowhere"


def test_what_was_mended_is_over_and_the_current_connection_is_meant(shell, calls, inside):
    assert shell("%rds_iam_connect sandbox -u reader --profile stranger").error is not None
    shell.ok("%rds_iam_connect sandbox -u reader -d shop")
    shell.ok("%rds_iam_doctor")
    asked, options, *_ = calls[-1]
    assert (asked.target, asked.user, asked.database) == (inside.hosts[0], "reader", "shop")
    assert options.region == inside.environment["AWS_DEFAULT_REGION"]


def test_an_alias_is_a_target(shell, calls, inside):
    shell.ok("%rds_iam_connect sandbox -u reader -A first --profile inline")
    shell.ok("%rds_iam_connect standalone -u reader -A second")
    shell.ok("%rds_iam_doctor first")
    asked, options, *_ = calls[-1]
    assert (asked.target, options.profile) == (inside.hosts[0], "inline")
    assert shell.ok("%rds_iam_connect").output.startswith("second: "), "the current one stays"


def test_what_the_line_lacks_is_said(shell, calls):
    cell = shell("%rds_iam_doctor")
    assert isinstance(cell.error, OptionError)
    assert "Write %rds_iam_doctor TARGET -u USER." in cell.output
    assert isinstance(shell("%rds_iam_connect").error, Exception)
    assert isinstance(shell("%rds_iam_connect a b").error, OptionError)
    assert isinstance(shell("%rds_iam_doctor").error, OptionError), "a line that was wrong is no failed connection"
    assert calls == []


def test_the_line_at_the_end_of_an_error_can_be_copied(shell, calls):
    failed = shell("%rds_iam_connect sandbox -u 'no $such {{user}}' --profile stranger")
    line = failed.output.splitlines()[-1].partition("Why: ")[2]
    shell.ok(line)
    assert calls[-1][0].user == "no $such {{user}}", "where IPython fills in nothing, for there is no such"


def test_help(shell):
    text = shell.ok("%rds_iam_doctor --help").output
    assert text.startswith("Say why a database user cannot log in.")
    assert "--fix N" in text


def test_in_a_real_kernel(kernel):
    """The text and the table reach the notebook, and the next cell runs."""
    _, client = kernel
    shown = []

    def hook(message):
        if message["msg_type"] in ("execute_result", "error"):
            shown.append(message["content"])

    client.execute_interactive(
        "%load_ext rds_iam_magic\n"
        "from rds_iam_magic.doctor import diagnose as running\n"
        "from rds_iam_magic.doctor.findings import Diagnosis, Finding, Verdict\n"
        "found = Diagnosis(Verdict('certain', ('a',), 'It is off.'), (Finding(1, 'database', 'problem', 'Off.'),))\n"
        "running.diagnose_with = lambda *given: found",
        timeout=60,
        output_hook=hook,
    )
    client.execute_interactive("%rds_iam_doctor sandbox -u reader", timeout=60, output_hook=hook)
    (content,) = shown
    assert content["data"]["text/plain"] == "CERTAIN: It is off.\n\n1  PROBLEM  database  Off."
    assert "<strong>PROBLEM</strong>" in content["data"]["text/html"]
