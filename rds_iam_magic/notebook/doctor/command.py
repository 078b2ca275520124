"""`python -m rds_iam_magic doctor`: the line of `%rds_iam_doctor` as a command, for terminals and scripts."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rds_iam_magic.connect_options import as_ipython_reads
from rds_iam_magic.errors import OptionError, RdsIamError
from rds_iam_magic.hints import Interface, Note
from rds_iam_magic.notebook.grammars import DOCTOR

if TYPE_CHECKING:
    from rds_iam_magic.doctor.findings import Diagnosis
    from rds_iam_magic.notebook.doctor.lines import DoctorLine

COMMAND = "python -m rds_iam_magic"
HEALTHY, FOUND, UNDECIDED = 0, 1, 2
USAGE = 64
"""The line cannot be understood, as in sysexits.h."""
NOT_WRITTEN = 74
"""The diagnosis could not be written, as in sysexits.h."""
INTERRUPTED = 130

_EXITS = {"healthy": HEALTHY, "certain": FOUND, "likely": FOUND, "one of": UNDECIDED, "unknown": UNDECIDED}

HELP = f"""\
{COMMAND} doctor TARGET -u USER [options]

  doctor    Say why a database user cannot log in. Exit code: {HEALTHY} it can; {FOUND} the cause is certain or likely;
            {UNDECIDED} undecided, or what was to be mended could not be; {USAGE} the line cannot be understood.
            {COMMAND} doctor --help lists the options.

In a notebook: %load_ext rds_iam_magic, then %rds_iam_connect --help."""


def main(arguments: Sequence[str]) -> int:
    """Run a command.

    Args:
        arguments: The words behind the program's name.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter ends nothing
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(f"{HELP}\n")
        return 0
    if arguments[0] != "doctor":
        sys.stderr.write(f"{COMMAND} has one command, doctor; unexpected {arguments[0]!r}.\n")
        return USAGE
    try:
        return _doctor(" ".join(map(_quoted, arguments[1:])))
    except RdsIamError as error:
        error.interface = Interface.NOTEBOOK
        sys.stderr.write(f"{_as_command(str(error))}\n")
        return USAGE if isinstance(error, OptionError) else UNDECIDED
    except KeyboardInterrupt:
        return INTERRUPTED


def _quoted(word: str) -> str:
    """A word of the command's line as one of a magic's; an option's name stays outside of the quotes."""
    match = re.fullmatch(r"(--[\w-]+=|-[A-Za-z](?=.)|)(.*)", word, re.DOTALL)
    return f"{match[1]}{shlex.quote(match[2])}" if match is not None else shlex.quote(word)


def _doctor(text: str) -> int:
    from rds_iam_magic.notebook.doctor.lines import attempt_on, parse_doctor

    parsed = parse_doctor(text)
    if parsed is None:
        sys.stdout.write(f"{_as_command(DOCTOR.help())}\n")
        return 0
    attempt = attempt_on(parsed)
    diagnosis = attempt.diagnose(_note, Interface.NOTEBOOK)
    if parsed.fix is not None:
        from rds_iam_magic.notebook.doctor.fixing import fixed

        with contextlib.redirect_stdout(sys.stderr):  # the diagnosis stays alone on stdout, for --json
            diagnosis = fixed(diagnosis, parsed.fix, attempt, _note)
    return _written(_shown(diagnosis, parsed)) or _EXITS[diagnosis.verdict.certainty]


def _written(text: str) -> int:
    """Write to stdout; the exit code if that is not possible, else 0. Who has closed it wants no more."""
    if sys.stdout is None:
        return 0
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError as error:
        sys.stdout = None  # it would be flushed once more at the exit
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"The diagnosis could not be written: {error.strerror}.\n")
            return NOT_WRITTEN
    return 0


def _shown(diagnosis: Diagnosis, parsed: DoctorLine) -> str:
    diagnosis = diagnosis.masked() if parsed.share else diagnosis
    return _on_any_terminal(diagnosis.to_json()) if parsed.json else _as_command(str(diagnosis))


def _on_any_terminal(text: str) -> str:
    """JSON that stays JSON where stdout lacks a letter: with JSON's own escapes."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(json.loads(text), indent=2)
    return text


def _note(text: str) -> None:
    sys.stderr.write(f"{text.spelled(Interface.NOTEBOOK) if isinstance(text, Note) else text}\n")


def _as_command(text: str) -> str:
    """A text about the magic's line, about the command's, where nothing but the shell takes words for variables."""
    return re.sub(
        rf"{DOCTOR.magic}(?P<words>[^\n]*)", lambda line: f"{COMMAND} doctor{as_ipython_reads(line['words'])}", text
    )
