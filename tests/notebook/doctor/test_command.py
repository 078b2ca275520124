"""`python -m rds_iam_magic doctor`: what it prints, and its exit codes."""

import contextlib
import io
import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rds_iam_magic.doctor import diagnose as running
from rds_iam_magic.doctor.diagnosing import Attempt
from rds_iam_magic.errors import UnreachableError
from rds_iam_magic.notebook.doctor.command import main
from tests.doctor.given import diagnosis


@pytest.fixture
def calls(monkeypatch):
    made = []

    def diagnose_with(*given):
        made.append(given)
        return diagnosis()

    monkeypatch.setattr(running, "diagnose_with", diagnose_with, raising=False)
    return made


@pytest.mark.parametrize(
    ("certainty", "code"), [("healthy", 0), ("certain", 1), ("likely", 1), ("one of", 2), ("unknown", 2)]
)
def test_the_exit_code_is_the_verdict(monkeypatch, capsys, certainty, code):
    monkeypatch.setattr(running, "diagnose_with", lambda *_: diagnosis(certainty), raising=False)
    assert main(["doctor", "my-cluster", "-u", "analyst"]) == code
    assert capsys.readouterr().out.startswith(certainty.upper())


def test_words_arrive_as_the_shell_gave_them(calls):
    given = [
        "doctor",
        "my-cluster",
        "-u",
        'it\'s "a" user',
        "-d",
        "# ü",
        "--profile=a b",
        "--external-id",
        "{x} $y",
        "--ca=it's",
    ]
    assert main(given) == 1
    ((asked, options, *_),) = calls
    assert (asked.user, asked.database) == ('it\'s "a" user', "# ü")
    assert (options.profile, options.external_id, options.ca) == ("a b", "{x} $y", "it's")


@pytest.mark.usefixtures("calls")
def test_json_and_share(capsys):
    assert main(["doctor", "my-cluster", "-u", "analyst", "--json", "--share"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["line"] == "host-1 -u user-1"
    assert said.err == ""
    assert "analyst" not in said.out


@pytest.mark.usefixtures("calls")
def test_what_is_to_be_typed_is_the_command(capsys):
    main(["doctor", "my-cluster", "-u", "analyst"])
    said = capsys.readouterr().out
    assert "python -m rds_iam_magic doctor my-cluster -u analyst --fix 5" in said
    assert "%rds_iam_doctor" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["doctor"], "Write python -m rds_iam_magic doctor TARGET -u USER."),
        (["doctor", "a"], "user is missing"),
        (["doctor", "a", "-u", "b", "--nope"], "python -m rds_iam_magic doctor has no option --nope."),
        (["doctor", "a", "-u", "b", "--fix", "1"], "Finding 1 (credentials) is no problem"),
        (["nurse"], "unexpected 'nurse'"),
    ],
)
@pytest.mark.usefixtures("calls")
def test_a_line_that_cannot_be_understood(capsys, arguments, words):
    assert main(arguments) == 64
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_what_else_fails_is_undecided(monkeypatch, capsys):
    def fail(*_):
        raise UnreachableError("Nothing answers.", "Look.")

    monkeypatch.setattr(running, "diagnose_with", fail, raising=False)
    assert main(["doctor", "a", "-u", "b"]) == 2
    assert capsys.readouterr().err == "Nothing answers.\nLook.\n"


def test_ctrl_c(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "diagnose_with", interrupted, raising=False)
    assert main(["doctor", "a", "-u", "b"]) == 130
    assert capsys.readouterr() == ("", "")


def test_notes_are_beside_the_diagnosis(monkeypatch, capsys):
    monkeypatch.setattr(running, "diagnose_with", lambda *given: given[-1]("it waits.") or diagnosis(), raising=False)
    main(["doctor", "a", "-u", "b", "--json"])
    said = capsys.readouterr()
    assert said.err == "it waits.\n"
    assert json.loads(said.out)


@pytest.mark.parametrize("arguments", [["--help"], [], ["doctor", "--help"]])
def test_help(capsys, arguments):
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "python -m rds_iam_magic doctor TARGET -u USER" in said
    assert "%rds_iam_doctor" not in said
    assert ("--secret SECRET_ID" in said) == ("doctor" in arguments)


def test_the_module_runs_it():
    done = subprocess.run(
        [sys.executable, "-m", "rds_iam_magic", "doctor", "a"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("The database user is missing.\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("user", ["anälyst😀", "an\udc80lyst"])
def test_json_is_json_on_any_terminal(monkeypatch, encoding, user):
    told = diagnosis()
    told = replace(told, line=user)
    monkeypatch.setattr(running, "diagnose_with", lambda *_: told, raising=False)
    monkeypatch.setattr(Attempt, "line", user)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert main(["doctor", "my-cluster", "-u", "analyst", "--json"]) == 1
    sys.stdout.flush()
    assert json.loads(written.getvalue().decode(encoding))["line"] == user


def test_what_is_mended_is_not_masked(calls, capsys):
    assert main(["doctor", "my-cluster", "-u", "analyst", "--share", "--fix", "5"]) == 64
    assert "--share does not go with --fix" in capsys.readouterr().err
    assert calls == [], "nothing was done"


@pytest.mark.parametrize("user", ["$alice", "{x}", "a{{b}}", "$$x", "o'brien", "$ 1"])
def test_the_command_to_copy_names_the_same_user(monkeypatch, capsys, user):
    monkeypatch.setattr(running, "diagnose_with", lambda *_: diagnosis(), raising=False)
    main(["doctor", "my-cluster", "-u", user])
    command = next(line for line in capsys.readouterr().out.splitlines() if line.endswith("--fix 5"))
    assert shlex.split(command)[4:7] == ["my-cluster", "-u", user]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.usefixtures("calls")
def test_a_diagnosis_that_cannot_be_written(monkeypatch, capsys):
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["doctor", "my-cluster", "-u", "analyst"]) == 74
        with contextlib.suppress(OSError):
            full.close()
    assert capsys.readouterr().err == "The diagnosis could not be written: No space left on device.\n"


@pytest.mark.usefixtures("calls")
def test_nobody_reads_it(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["doctor", "my-cluster", "-u", "analyst"]) == 1
