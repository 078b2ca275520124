"""The guard: what it starts ends when it is told, when its owner is gone, and together with what that has started."""

import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from rds_iam_magic.tunnels import guard
from tests.support.events import LONG

pytestmark = pytest.mark.slow  # starts processes

# Starts a child, and says that both are there; `stubborn` ones do not end at Ctrl-C.
PROGRAM = """
import signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
else:
    signal.signal(signal.SIGINT, lambda *_: (print("tidied", flush=True), sys.exit()))
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(2, signal.SIG_IGN); signal.pause()"])
print("there", flush=True)
while True:
    signal.pause()
"""


@contextmanager
def guarded(*arguments):
    """A running guard, and all processes below it."""
    command = [sys.executable, "-I", "-S", guard.__file__, sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == b"there\n"
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) == 2
        yield process, below
        gone, alive = psutil.wait_procs(below, LONG)
        assert (len(gone), alive) == (2, [])
        process.wait(LONG)


@pytest.mark.parametrize("how", ["a byte", "the end of the pipe"])
def test_it_is_told(how):
    with guarded() as (process, _):
        if how == "a byte":
            process.stdin.write(b"\n")
            process.stdin.flush()
        process.stdin.close()
        assert process.stdout.read() == b"tidied\n"


def test_what_does_not_end_is_killed():
    with guarded("stubborn") as (process, _):
        process.stdin.close()
        assert process.stdout.read() == b""


def test_the_program_ends_by_itself():
    with guarded() as (process, below):
        below[0].kill()
        assert process.stdout.read() == b"", "the pipe is closed by all"


def test_a_program_that_cannot_be_started(tmp_path):
    program = tmp_path / "aws"
    program.write_text("#!/nothing/python\n")
    program.chmod(0o755)
    run = subprocess.run(
        [sys.executable, "-I", "-S", guard.__file__, str(program)],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=LONG,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("", f"{program} cannot be started: No such file or directory\n")
