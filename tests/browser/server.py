"""`Lab`: a JupyterLab server of its own on a free port of loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.events import LONG, wait_until

TOKEN = "of-a-lab-on-loopback"

SETTINGS: dict[str, dict[str, Any]] = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are in the page, too
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}
# It ends with this process, however that ends: then it has another parent. (A pipe to it was once found closed while
# this process ran on.)
PROGRAM = """
import os, signal, threading, time
from jupyterlab.labapp import main
parent = os.getppid()
def until_the_end():
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=until_the_end, daemon=True).start()
main()
"""
OPTIONS = (
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--no-browser",
    "--allow-root",
    "--LabApp.news_url=",
    "--LabApp.extension_manager=readonly",
)


class Lab:
    """JupyterLab until the end of the block, with nothing of the user's own settings.

    Args:
        environment: What it and its kernels have, whole: a sandbox's variables, PATH, …
        folder: An empty one, for its notebooks, settings and log.
    """

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.notebooks = folder / "notebooks"
        self.url = ""
        self._log = folder / "lab.log"
        self._runtime = folder / "runtime"
        self._settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab"
        self._environment = {
            **environment,
            "HOME": str(folder),
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTER_TOKEN": TOKEN,
        }

    def __enter__(self) -> Lab:
        """Start it; it answers from now on."""
        self.notebooks.mkdir(parents=True)
        for name, setting in SETTINGS.items():
            path = self._settings / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(setting), "utf-8")
        command = [sys.executable, "-c", PROGRAM, *OPTIONS, f"--notebook-dir={self.notebooks}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until(self._is_up, "JupyterLab")
        except BaseException:
            self._end()
            raise
        return self

    def _is_up(self) -> bool:
        assert self._process.poll() is None, f"JupyterLab ended: {self._log.read_text('utf-8')[-2000:]}"
        with suppress(OSError, ValueError):  # there is no file yet, or half of one
            told = self._runtime / f"jpserver-{self._process.pid}.json"
            self.url = json.loads(told.read_text("utf-8"))["url"].rstrip("/")
        return bool(self.url)

    def end_kernels(self) -> None:
        """End all kernels as "Shut Down" does; return when they are gone."""
        for session in json.loads(self._ask("GET", "sessions")):
            self._ask("DELETE", f"sessions/{session['id']}")

    def _ask(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=LONG) as answer:
            return bytes(answer.read())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """End the server and its kernels."""
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(LONG)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
