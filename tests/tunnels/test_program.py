"""`Program`: a program that is started, watched and stopped, by small programs of Python."""

import os
import sys
import time

import pytest

from rds_iam_magic.errors import RdsIamError, TunnelError
from rds_iam_magic.tunnels.program import Program, Start
from tests.support.events import LONG, wait_until
from tests.tunnels.conftest import of_tunnels

pytestmark = pytest.mark.slow  # starts processes


def start(code, port=lambda output: 7 if "open" in output else None, **environment):
    return Start(
        [sys.executable, "-c", code], port, lambda text: text.replace("s3cret", "…"), {**os.environ, **environment}
    )


def soon():
    return time.monotonic() + LONG


def test_open_and_stopped():
    program = Program(lambda: start("import os; print('open', os.environ['X'], flush=True); input()", X="s3cret"))
    program.wait_until_open(soon())  # it ends by itself: there is nothing on its standard input
    wait_until(lambda: not program.alive)
    assert program.output.startswith("open …")
    program.stop()


def test_it_runs_until_it_is_stopped():
    program = Program(lambda: start("import signal; print('open', flush=True); signal.pause()"))
    assert program.wait_until_open(soon()) == 7
    assert program.alive
    assert program.is_own
    program.stop()
    program.stop()
    wait_until(lambda: not program.alive)
    assert of_tunnels() == []


def test_it_ends_before_it_is_open():
    program = Program(lambda: start("import sys; sys.exit('no')"))
    assert program.wait_until_open(soon()) is None
    assert (program.output, program.alive) == ("no\n", False)
    assert not program.wait(soon())
    program.stop()


def test_time_is_up():
    program = Program(lambda: start("import signal; signal.pause()"))
    assert program.wait_until_open(time.monotonic() + 0.1) is None
    assert program.alive
    program.stop()
    wait_until(lambda: not of_tunnels())


def test_much_output_does_not_block_it():
    code = "print('x' * 1_000_000); print('open', flush=True)\nwhile True: print('y' * 100_000, flush=True)"
    program = Program(lambda: start(code))
    assert program.wait_until_open(soon()) == 7
    seen = program.output
    wait_until(lambda: program.output[-10:] != seen[-10:])
    assert len(program.output) <= 16_000
    program.stop()


@pytest.mark.parametrize("error", [TunnelError("There is no ssh."), OSError("no file s3cret"), KeyError("s3cret")])
def test_it_cannot_be_started(error):
    def fail():
        raise error

    program = Program(fail)
    with pytest.raises(RdsIamError) as caught:
        program.wait_until_open(soon())
    assert "s3cret" not in str(caught.value)
    program.stop()
