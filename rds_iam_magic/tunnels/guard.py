"""A small program of its own between this process and a tunnel's program: when this process ends, that one ends too.

It is run by its path, without the package, and imports what it needs only. Its standard input is a pipe from the
process that wants the tunnel: a byte, or the end of the pipe (which comes however that process died), ends the program
and all that it has started: `aws` starts the session-manager-plugin, and `ssh` what ProxyCommand says.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

PATIENCE = 1.5
"""Seconds that the program has for its own end, in which an SSM session is closed at AWS."""


def main(command: list[str]) -> None:
    """Run a command until it ends, or until standard input says so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an ignored one would be ignored by the program, too
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - no shell; the caller has checked it
    except OSError as error:  # such as a script whose interpreter is gone
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # this process is of the same group
    threading.Thread(target=_end_when_told, args=(program,), daemon=True).start()
    program.wait()
    _kill_all(program)


def _end_when_told(program: subprocess.Popen[bytes]) -> None:
    os.read(0, 1)
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGINT)  # as Ctrl-C, on which all of them tidy up; SIGTERM would not reach a plugin
        with suppress(subprocess.TimeoutExpired):
            program.wait(PATIENCE)
    _kill_all(program)


def _kill_all(program: subprocess.Popen[bytes]) -> None:
    """End what is left of the group, with this process."""
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    subprocess.run(["taskkill", "/T", "/F", "/PID", str(program.pid)], capture_output=True, check=False)  # noqa: S603, S607
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
