"""An environment with the tools that take an engine or a connection, on top of the one that the tests run in."""

import fcntl
import hashlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.environments import make_environment

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("tools.txt")


@pytest.fixture(scope="session")
def tools(request):
    """Runs a script in that environment; it is made once (15 s) and kept in pytest's cache."""
    ours = sysconfig.get_path("purelib")
    key = hashlib.sha256(f"{sys.version} {ours} {REQUIREMENTS.read_text('utf-8')}".encode()).hexdigest()[:12]
    folder = Path(request.config.cache.mkdir(f"tools-{key}"))
    python = folder / "venv" / "bin" / "python"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be making it
        if not (folder / "venv" / "ready").exists():
            make_environment(folder / "venv", "-r", REQUIREMENTS, beside=ours)
            (folder / "venv" / "ready").touch()

    def run(script: Path, *arguments: str) -> str:
        """Run a script and return what it printed; it fails as the script fails."""
        # jupysql and what it stands on would report home.
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PLOOMBER_STATS_ENABLED": "false"}
        done = subprocess.run(
            [python, script, *arguments],
            env=environment,
            cwd=script.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
