"""Virtual environments of a test's own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

# What is installed is not compiled, which takes twice as long as all else: what is imported is, and that is less.
_INSTALL = ("install", "--quiet", "--disable-pip-version-check", "--no-compile")


def make_environment(folder: Path, *requirements: str | Path, beside: str = "") -> Path:
    """Install requirements, as pip takes them, into a new environment; return its Python.

    What is in the folder `beside` is there, too.
    """
    venv.create(folder, clear=True)
    if beside:
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "beside.pth").write_text(beside)
    python = folder / "bin" / "python"
    pip("--python", python, *_INSTALL, *requirements)
    return python


def install_into(folder: Path, *requirements: str | Path) -> None:
    """Install requirements into a folder for PYTHONPATH, without what they depend on."""
    pip(*_INSTALL, "--no-deps", "--upgrade", "--target", folder, *requirements)


def pip(*arguments: str | Path) -> None:
    """Run the pip of this environment."""
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
