"""Run a command beside four busy loops for each core: `busy.py COMMAND [ARGUMENT ...]`, with the command's exit code.

What holds there does not depend on how fast the machine is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

LOOPS_FOR_EACH_CORE = 4
_LOOP = "import os\nwhile os.getppid() == {parent}: sum(range(100_000))"  # none outlives this process


def main(command: list[str]) -> int:
    """Start the loops, run the command, end the loops."""
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGINT, signal.default_int_handler)
    loop = [sys.executable, "-S", "-c", _LOOP.format(parent=os.getpid())]
    with ExitStack() as running:
        for _ in range(LOOPS_FOR_EACH_CORE * (os.cpu_count() or 1)):
            process = subprocess.Popen(loop)
            running.callback(process.wait)
            running.callback(process.kill)
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
