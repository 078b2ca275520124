"""Colours in a real IPython, in a pseudo-terminal: on, off by %config, and gone with the extension."""

import os
import sys
from pathlib import Path

import pexpect
import pytest

from tests.support.events import LONG

pytestmark = pytest.mark.slow  # servers and kernels

COLORED, PLAIN = r"\x1b\[0;[\d;]+m", r"\x1b\[0m"


def test_in_the_terminal(tmp_path):
    program = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--ext=rds_iam_magic"],
        env={**os.environ, "IPYTHONDIR": str(tmp_path), "TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())},
        timeout=LONG,
        encoding="utf-8",
        dimensions=(40, 120),
    )

    def typed(word, style):
        """Type a cell that is not run, and wait for a word of its second line in that style."""
        program.send(f"%%rds_sql -q\r{word} 1")
        program.expect(f"{style}{word}")
        program.send("\x03")  # which empties the prompt

    def prompt(number):
        program.expect(rf"In \[\x1b\[[\d;]*m{number}\x1b")

    try:
        prompt(1)
        typed("SELECT", COLORED)
        program.send("%config RdsIamMagics.highlight = False\r")
        prompt(2)
        typed("UPDATE", PLAIN)
        program.send("%config RdsIamMagics.highlight = True\r")
        prompt(3)
        typed("DELETE", COLORED)
        program.send("%unload_ext rds_iam_magic\r")
        prompt(4)
        typed("INSERT", PLAIN)
    finally:
        program.close(force=True)
