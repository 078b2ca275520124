"""A real sshd on loopback, of the user's own, and an `ssh` on the PATH that knows it and nothing of this machine."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.events import wait_until

SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
"""

CLIENT = """\
# With what others have in their configuration, and a tunnel must not stumble over.
Host bastion
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user
  LogLevel QUIET
  RequestTTY force
  ControlMaster auto
  ControlPath {folder}/shared-%C
  ControlPersist yes
  ExitOnForwardFailure no
Host stranger
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/other
Host unknown-key
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user
  UserKnownHostsFile {folder}/nothing
Host changed-key
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user
  UserKnownHostsFile {folder}/changed
Host silent
  HostName 127.0.0.1
  Port {silent}
Host *
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {folder}/known
"""

# The endpoints' names are AWS's. What a database's network would resolve for the host that ssh logs in to, this does.
WRAPPER = """\
#!{python}
import os, sys
places = {places!r}
arguments = [
    ":".join([*word.split(":")[:2], places[word.split(":", 2)[2]]]) if before == "-L" else word
    for before, word in zip(["", *sys.argv[1:]], sys.argv[1:])
]
with open({log!r}, "a") as log:
    log.write(repr(sys.argv[1:]) + "\\n")
os.execv({ssh!r}, [{ssh!r}, "-F", {config!r}, *arguments])
"""


@dataclass
class Sshd:
    """A running sshd.

    Attributes:
        folder: Its keys and configuration, and in `bin` the `ssh` that is to be found first.
        port: Where it listens.
        ssh: The real `ssh`.
    """

    folder: Path
    port: int
    ssh: str
    process: subprocess.Popen[bytes]

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def commands(self) -> list[str]:
        """The command lines with which ssh was started."""
        log = self.folder / "log"
        return log.read_text("utf-8").splitlines() if log.exists() else []

    def lead(self, places: dict[str, str]) -> None:
        """Say where the endpoints (`HOST:PORT`) are in reality."""
        path = self.bin / "ssh"
        self.bin.mkdir(exist_ok=True)
        path.write_text(
            WRAPPER.format(
                python=sys.executable,
                places=places,
                log=str(self.folder / "log"),
                ssh=self.ssh,
                config=str(self.folder / "config"),
            ),
            "utf-8",
        )
        path.chmod(0o755)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def start_sshd(folder: Path, silent: int) -> Sshd:
    """Start an sshd with keys of its own; `silent` is a port where somebody listens and says nothing."""
    for name in ("host", "user", "other"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True, capture_output=True
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where root's sshd locks itself in
    known = f"[127.0.0.1]:{port} "
    (folder / "known").write_text(known + (folder / "host.pub").read_text("utf-8"), "utf-8")
    (folder / "changed").write_text(known + (folder / "other.pub").read_text("utf-8"), "utf-8")
    facts = {"port": port, "folder": folder, "user": getpass.getuser(), "silent": silent}
    (folder / "sshd_config").write_text(SERVER.format(**facts), "utf-8")
    (folder / "config").write_text(CLIENT.format(**facts), "utf-8")
    process = subprocess.Popen(
        [_real("sshd"), "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "sshd.log")],
        stdin=subprocess.DEVNULL,
    )
    sshd = Sshd(folder, port, _real("ssh"), process)
    wait_until(lambda: process.poll() is not None or _listens(port), "sshd")
    assert process.poll() is None, (folder / "sshd.log").read_text("utf-8")
    return sshd


def _real(name: str) -> str:
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    assert path is not None, f"{name} is missing: make sshd"
    return path


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
