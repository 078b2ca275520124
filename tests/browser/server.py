"""`Lab`: a Jupyter server of its own on a free port of loopback, with JupyterLab and Notebook 7."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.notebook.highlighting import CONFIG
from tests.support.events import LONG, wait_until

TOKEN = "of-a-lab-on-loopback"
EXTENSION = Path(__file__).parents[2] / "rds_iam_magic" / "notebook" / "highlighting"
"""Has our extension of JupyterLab in `labextensions/`, as Jupyter's data folders do. A wheel puts a copy into one of
those; here it is the tree's own, whatever is installed."""

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
    """JupyterLab and Notebook 7 until the end of the block, with nothing of the user's own settings.

    Args:
        environment: What it and its kernels have, whole: a sandbox's variables, PATH, …
        folder: An empty one, for its notebooks, settings and log.
        other: A folder with another JupyterLab and Notebook, as `pip install --target` fills it; else those that are
            installed.

    Attributes:
        notebooks: The folder of its notebooks.
        config: The folder of its user's configuration.
        environment: What it and its kernels have, whole.
        url: Where it answers.
    """

    def __init__(self, environment: dict[str, str], folder: Path, other: Path | None = None) -> None:
        self.notebooks = folder / "notebooks"
        self.config = folder / "config"
        self.url = ""
        self._log = folder / "lab.log"
        self._runtime = folder / "runtime"
        self._settings = self.config / "lab" / "user-settings" / "@jupyterlab"
        self.environment = {
            **environment,
            "HOME": str(folder),
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.config),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTER_TOKEN": TOKEN,
            "JUPYTER_PATH": str(EXTENSION),
        }
        if other is not None:
            data = other / "share" / "jupyter"
            self.environment |= {
                "JUPYTER_PATH": os.pathsep.join([str(EXTENSION), str(data)]),
                "JUPYTERLAB_DIR": str(data / "lab"),
                "PYTHONPATH": os.pathsep.join(filter(None, [str(other), environment.get("PYTHONPATH")])),
            }

    def __enter__(self) -> Lab:
        """Start it; it answers from now on."""
        self.notebooks.mkdir(parents=True)
        for name, setting in SETTINGS.items():
            path = self._settings / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(setting), "utf-8")
        (self.config / "jupyter_config.json").write_text(json.dumps(CONFIG), "utf-8")
        command = [sys.executable, "-c", PROGRAM, *OPTIONS, f"--notebook-dir={self.notebooks}"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
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

    def end_kernel(self, notebook: Path) -> None:
        """End a notebook's kernel as "Shut Down" does; return when it is gone."""
        for session in json.loads(self.ask("GET", "api/sessions")):
            if session["path"] == notebook.name:
                self.ask("DELETE", f"api/sessions/{session['id']}")

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """What it answers to a request, such as `GET` of `api/sessions`; the body is sent as JSON."""
        request = urllib.request.Request(
            f"{self.url}/{path}",
            method=method,
            headers={"Authorization": f"token {TOKEN}"},
            data=None if body is None else json.dumps(body).encode(),
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
