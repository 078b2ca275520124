"""`python -m rds_iam_magic.sandbox`: the command, its end, and that nothing of it is left."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

COMMAND = [sys.executable, "-m", "rds_iam_magic.sandbox"]


@pytest.fixture
def running():
    """The command in the foreground, ready."""
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed = ""
    while "Ctrl-C stops it" not in printed:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        printed += line
    process.printed = printed
    yield process
    process.kill()
    process.communicate()


def parts_of(process):
    """Its server, its AWS side, its port and its folder."""
    children = psutil.Process(process.pid).children(recursive=True)
    port = int(re.search(r"RDS_IAM_MAGIC_VIA=127.0.0.1:(\d+)", process.printed)[1])
    folder = Path(re.search(r"AWS_CONFIG_FILE=(\S+)", process.printed)[1]).parent
    assert len(children) == 2
    assert folder.is_dir()
    return children, port, folder


def assert_gone(children, port, folder):
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive
    assert not folder.exists()
    assert not any(c.laddr.port == port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_in_order(running, number, code):
    parts = parts_of(running)
    running.send_signal(number)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == code
    assert errors == ""
    assert_gone(*parts)


def test_killed_it_leaves_nothing_either(running):
    parts = parts_of(running)
    running.kill()
    running.wait()
    deadline = time.monotonic() + 15
    while parts[2].exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert_gone(*parts)


def test_the_printed_environment_is_enough(running, tmp_path):
    """A shell that sources what is printed reaches the database."""
    script = f'{running.printed}\n{sys.executable} -c "{SCRIPT}"'
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(["sh", "-c", script], env=clean, capture_output=True, text=True, check=False)
    assert done.stdout == "50000\n", done.stderr


SCRIPT = (
    "import rds_iam_magic as r; db = r.connect('sandbox', user='reader', database='shop'); "
    "print(db.query('SELECT COUNT(*) FROM orders').iloc[0, 0]); db.close()"
)


@pytest.mark.slow
def test_a_command_runs_inside_and_its_exit_code_is_ours():
    inside = "import os, sys; print(os.environ['RDS_IAM_MAGIC_VIA']); sys.exit(7)"
    done = subprocess.run([*COMMAND, "--", sys.executable, "-c", inside], capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert done.stdout.startswith("127.0.0.1:")
    assert done.stderr == ""


@pytest.mark.slow
def test_a_command_that_is_not_there():
    done = subprocess.run([*COMMAND, "--", "no-such-command"], capture_output=True, text=True, check=False)
    assert done.returncode == 127
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["serve"], ["--"], ["--port", "1"]])
def test_wrong_usage(arguments):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")
