"""`Ssh`: a tunnel by the user's own `ssh`, through a host that reaches the database.

ssh takes the keys, the agent and `~/.ssh/config` that its user has. It cannot ask anything here (`BatchMode`): what it
would ask is an error, and told. https://man.openbsd.org/ssh and https://man.openbsd.org/ssh_config
"""

from __future__ import annotations

import math
import os
import re
import shutil
import socket
from dataclasses import dataclass

from rds_iam_magic.aws.endpoint import Endpoint, is_login, login_refused, split_host_port
from rds_iam_magic.errors import OptionError, RdsIamError, TunnelError
from rds_iam_magic.tunnels.program import Start
from rds_iam_magic.tunnels.words import last_words, masking, said

# Neither may begin as an option does, nor hold what a shell or ssh's own expansion would act on.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\+-]*\$?")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9]+)?")
_OPEN = re.compile(r"^debug1: Entering interactive session", re.MULTILINE)
_CHATTER = re.compile(
    r"debug\d:|OpenSSH_|Authenticated to |Transferred: |Bytes per second: |Warning: Permanently added|@+$"
    r"|Pseudo-terminal|Killed by signal|Exit request|Connection to \S+ closed"
)

_ERRORS = (  # what ssh says, the cause, whether another attempt would be answered the same
    (re.compile("REMOTE HOST IDENTIFICATION HAS CHANGED"), "ssh-host-changed", True),
    (re.compile("Host key verification failed"), "ssh-host-unknown", True),
    (re.compile("Permission denied|Too many authentication failures|no such identity"), "ssh-denied", True),
    (
        re.compile("Bad configuration|Bad owner or permissions|bad .*option|line \\d+: ", re.IGNORECASE),
        "ssh-setup",
        True,
    ),
    (re.compile("cannot listen to port|Address already in use|Could not request local"), "tunnel-port-taken", False),
    (
        re.compile("Could not resolve|Connection refused|timed out|No route|Network is|closed by|reset by|not respond"),
        "ssh-unreachable",
        False,
    ),
)


@dataclass(frozen=True, slots=True)
class Ssh:
    """Where ssh logs in.

    Attributes:
        host: A host name, an address, or a name of `~/.ssh/config`.
        user: Default: what `~/.ssh/config` says.
        port: Default: likewise.
    """

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        return f"ssh {f'{self.user}@' if self.user else ''}{self.host}{f':{self.port}' if self.port else ''}"

    @property
    def _typed(self) -> str:
        """How one logs in there in a terminal."""
        return f"ssh {f'-p {self.port} ' if self.port else ''}{f'{self.user}@' if self.user else ''}{self.host}"

    def start(self, endpoint: Endpoint, timeout: float) -> Start:
        """How ssh is started for a tunnel to an endpoint.

        Raises:
            TunnelError: There is no ssh.
        """
        program = shutil.which("ssh")
        if program is None:
            raise TunnelError("There is no program ssh on the PATH.", cause="ssh-missing")
        port = _free_port()
        command = [
            program,
            *("-v", "-N", "-T", "-S", "none", "-o", "ControlMaster=no"),  # -v: it says when the tunnel is open
            *("-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", f"ConnectTimeout={math.ceil(timeout)}"),
            *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"),  # so that a dead network ends it
            *("-L", f"127.0.0.1:{port}:{endpoint.host}:{endpoint.port}"),
            *(("-p", str(self.port)) if self.port else ()),
            *(("-l", self.user) if self.user else ()),
            *("--", self.host),
        ]
        return Start(command, lambda output: port if _OPEN.search(output) else None, masking([]), os.environ)

    def error(self, output: str) -> RdsIamError:
        """The error for a tunnel that was not opened, with ssh's own words."""
        lines = said(output, _CHATTER)
        words, text = last_words(lines), "\n".join(lines)
        cause, lasting = next(
            ((cause, lasting) for pattern, cause, lasting in _ERRORS if pattern.search(text)), ("tunnel-failed", False)
        )
        return TunnelError(
            f"{self} failed: {words or 'it ended without a word'}.",
            cause=cause,
            facts={"ssh": self._typed},
            lasting=lasting,
        )

    def words(self, output: str) -> str:
        """What ssh has said last, such as that the database cannot be reached from its far end."""
        return last_words(said(output, _CHATTER), 1)


def read_ssh(text: str) -> Ssh:
    """`[USER@]HOST[:PORT]` → `Ssh`.

    Raises:
        OptionError: It is something else, or ssh would take it for an option.
    """
    text = text.strip()
    if is_login(text):
        raise login_refused()
    user, at, rest = text.rpartition("@")
    try:
        host, port = split_host_port(rest)
    except RdsIamError:
        host, port = "", None
    if (at and not _USER.fullmatch(user)) or not _HOST.fullmatch(host):
        raise OptionError(f"{text!r} is not a host that ssh could log in to.", cause="ssh-host-invalid")
    return Ssh(host, user or None, port)


def _free_port() -> int:
    """A port that is free now: ssh cannot choose one for -L. If it is taken meanwhile, ssh says so and ends."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
