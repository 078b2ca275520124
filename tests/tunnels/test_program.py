"""`Program`: a program that is started, watched and stopped, by small programs of Python."""

import gc
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from rds_iam_magic import tunnels
from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.errors import RdsIamError, TunnelError
from rds_iam_magic.tunnels.program import Program, Start
from rds_iam_magic.tunnels.tunnel import Tunnel
from tests.support.events import LONG, wait_until
from tests.support.injector import Injector
from tests.tunnels.conftest import of_tunnels

pytestmark = pytest.mark.slow  # starts processes

ENDPOINT = Endpoint("sales.abc.us-east-1.rds.amazonaws.com", "us-east-1")
ROOM = str(Path(tunnels.__file__).parent)


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
    code = "print('x' * 1_000_000); print('open', flush=True); n = 0\n"
    program = Program(lambda: start(code + "while n := n + 1: print(f'{n:010}' * 10_000, flush=True)"))
    assert program.wait_until_open(soon()) == 7
    seen = program.output
    wait_until(lambda: program.output[-10:] != seen[-10:])
    assert len(program.output) <= 16_000
    program.stop()


def test_a_flood_costs_little():
    code = "print('open', flush=True)\nwhile True: print('y' * 1_000_000, flush=True)"
    flooding, looks = start(code), []
    program = Program(lambda: replace(flooding, mask=lambda text: looks.append(time.monotonic()) or text))
    assert program.wait_until_open(soon()) == 7
    wait_until(lambda: len(looks) > 40)
    program.stop()
    assert looks[40] - looks[0] > 0.5, "it is read in large pieces, with pauses"


@pytest.mark.parametrize("error", [TunnelError("There is no ssh."), OSError("no file s3cret"), KeyError("s3cret")])
def test_it_cannot_be_started(error):
    def fail():
        raise error

    program = Program(fail)
    with pytest.raises(RdsIamError) as caught:
        program.wait_until_open(soon())
    assert "s3cret" not in str(caught.value)
    program.stop()


class Sleeping:
    """A way of a program that opens at once, and sleeps."""

    def start(self, endpoint, timeout):  # noqa: ARG002 - as `Ssh.start`
        return Start(["/bin/sh", "-c", "echo open; exec sleep 600"], lambda text: 7 if text else None, str, os.environ)

    def error(self, output):
        return TunnelError(output)

    def words(self, output):
        return output


def used(tunnel, at):
    """Opened, found dead, opened again, doubted, released; with an interrupt at the given line.

    A generator: its end restores the exception that is being handled, as in the suite's `pytest_pyfunc_call`.
    """
    with suppress(KeyboardInterrupt), Injector(at, KeyboardInterrupt, within=(ROOM,)) as injector:
        tunnel.hold(injector)
        tunnel.address(LONG)
        tunnel._program.stop()
        wait_until(lambda: not tunnel.alive)
        tunnel.address(LONG)
        tunnel.failed()
        tunnel.release(injector)
    yield injector


def test_an_interrupt_at_any_line_leaves_nothing():
    at, reached = 1, True
    while reached:
        tunnel = Tunnel(Sleeping(), ENDPOINT)
        (injector,) = used(tunnel, at)
        reached = injector.injected
        tunnel.release(injector)
        assert tunnel.address(LONG) == ("127.0.0.1", 7), f"it can be used again after {injector.where}"
        del tunnel
        gc.collect()
        wait_until(lambda: not of_tunnels(), f"the end of all that was started before {injector.where}")
        at += 11  # each takes as long as starting three programs
    assert at > 40
