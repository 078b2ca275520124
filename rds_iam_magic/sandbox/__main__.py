"""`python -m rds_iam_magic.sandbox` runs in the foreground; `… -- COMMAND` runs COMMAND inside, with its exit code."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from types import FrameType
from typing import NoReturn

from rds_iam_magic.sandbox import Sandbox, SandboxError

USAGE = "usage: python -m rds_iam_magic.sandbox [-- COMMAND [ARGUMENT ...]]"


def main(arguments: list[str]) -> int:
    """Run the sandbox; return the exit code."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(f"{__doc__}\n\n{USAGE}")
        return 0
    if arguments and (arguments[0] != "--" or len(arguments) == 1):
        print(USAGE, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    try:
        with Sandbox() as sandbox:
            if arguments:
                return _run(arguments[1:], {**os.environ, **sandbox.environment})
            _show(sandbox)
            while True:
                signal.pause()
    except SandboxError as error:
        print(f"rds_iam_magic.sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command to its end; it shares the terminal, so Ctrl-C reaches it by itself."""
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - the user's own command
    except OSError as error:
        print(f"rds_iam_magic.sandbox: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    while True:
        try:
            code = process.wait()
            return code if code >= 0 else 128 - code
        except KeyboardInterrupt:
            continue  # the command handles Ctrl-C itself
        except SystemExit:
            process.terminate()


def _show(sandbox: Sandbox) -> None:
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in sandbox.environment.items())
    print(
        f"{exports}\n\n{_WELCOME}\n# Profiles: {', '.join([*sandbox.keys, 'analytics'])}.\n# Ctrl-C stops it.",
        flush=True,
    )


_WELCOME = """\
# The sandbox runs. With these variables, in a notebook or in IPython:
#   %load_ext rds_iam_magic
#   %rds_iam_connect sandbox -u reader -d shop
#   %rds_sql SELECT * FROM orders LIMIT 5"""


def _stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a signal handler's signature
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
