"""Ways into the sandbox: a real sshd, and programs that stand for SSM's."""

import os
import socket

import psutil
import pytest

from tests.support.events import wait_until
from tests.support.ssm import make_ssm

# What it needs is imported late: quick tests need no server.


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    """An sshd for the whole run."""
    from tests.support.sshd import start_sshd

    with socket.create_server(("127.0.0.1", 0)) as silent:
        sshd = start_sshd(tmp_path_factory.mktemp("sshd"), silent.getsockname()[1])
        yield sshd
        sshd.stop()


@pytest.fixture
def sshd(running, inside, monkeypatch):
    """The sshd, with its `ssh` first on the PATH, and the sandbox's endpoints behind it."""
    running.lead({f"{host}:3306": f"127.0.0.1:{inside.server.port}" for host in inside.hosts})
    (running.folder / "log").unlink(missing_ok=True)
    monkeypatch.setenv("PATH", f"{running.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("RDS_IAM_MAGIC_VIA")
    return running


@pytest.fixture
def ssm(inside, tmp_path, monkeypatch):
    """The stand-ins for SSM's programs, with the sandbox's endpoints behind them."""
    folder = tmp_path / "ssm"
    folder.mkdir()
    made = make_ssm(folder, {f"{host}:3306": ("127.0.0.1", inside.server.port) for host in inside.hosts})
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("RDS_IAM_MAGIC_VIA")
    return made


def of_tunnels() -> list[psutil.Process]:
    """The processes of this one's tunnels: guards, and what they have started."""
    guards = [child for child in psutil.Process().children() if _is_guard(child)]
    return [process for one in guards for process in (one, *one.children(recursive=True))]


def _is_guard(process: psutil.Process) -> bool:
    try:
        return any(word.endswith("guard.py") for word in process.cmdline())
    except psutil.Error:
        return False


def kill_tunnel(name: str) -> None:
    """Kill a tunnel's program as something else would: the one whose command line has a word that ends with `name`."""
    tunnels = of_tunnels()
    (victim,) = [p for p in tunnels if not _is_guard(p) and any(w.endswith(name) for w in p.cmdline()[:2])]
    victim.kill()
    wait_until(lambda: not any(map(works, tunnels)), "the end of the tunnel")  # there may be the next one by then


def works(process: psutil.Process) -> bool:
    """Whether it runs still."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
