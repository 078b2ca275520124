"""One Chromium for all tests of this folder, and Jupyter's servers in the sandbox: the newest and the oldest.

`shop` is a notebook in the newest JupyterLab; `front_end` is one in each of JupyterLab and Notebook 7, newest and
oldest. Both are connected, and stay for all tests that take them: a test adds its cells below those of the others.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.environments import install_into

# Playwright is imported by the fixtures: the quick tests read this file, and run none that needs it.
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.notebook import Browser, Notebook
    from tests.browser.server import Lab


OLDEST = Path(__file__).with_name("oldest.txt")


@pytest.fixture(scope="package")
def start_lab(sandbox, tmp_path_factory) -> Callable[[Path | None], Lab]:
    """A server in the sandbox, to be started: the newest, or the one in a folder."""
    from tests.browser.server import Lab

    def make(other: Path | None) -> Lab:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RDS_IAM_MAGIC_"))}
        folder = tmp_path_factory.mktemp("lab")
        cache = {"RDS_IAM_MAGIC_CACHE": str(folder / "cache")}
        return Lab({**kept, **sandbox.environment, **cache}, folder, other)

    return make


@pytest.fixture(scope="package")
def lab(start_lab) -> Iterator[Lab]:
    with start_lab(None) as running:
        yield running


@pytest.fixture(scope="package")
def oldest_lab(start_lab, request) -> Iterator[Lab]:
    """Its packages are installed once (3 s, 40 MB), and kept in pytest's cache."""
    key = hashlib.sha256(OLDEST.read_bytes()).hexdigest()[:12]
    folder = Path(request.config.cache.mkdir(f"oldest-lab-{key}"))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be installing them
        if not (folder / "ready").exists():
            install_into(folder / "packages", "-r", OLDEST)
            (folder / "ready").touch()
    with start_lab(folder / "packages") as running:
        yield running


@pytest.fixture(scope="package")
def browser(tmp_path_factory) -> Iterator[Browser]:
    """Ends with the package's last test: what runs after it may need an event loop."""
    from tests.browser.notebook import Browser

    with Browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="package")
def shop(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    """A notebook that is connected to the shop; the tests add their cells to it, one test after the other.

    It begins with the cells of `CELLS`, which are looked at only.
    """
    from tests.browser.cells import CELLS
    from tests.browser.notebook import CONNECT

    with browser.notebook(lab, CELLS) as notebook:
        notebook.run(CONNECT).shows("Connected. sandbox: reader@sandbox.cluster-")
        yield notebook


@pytest.fixture(scope="package", params=["lab", "notebook", "oldest-lab", "oldest-notebook"])
def front_end(request, browser: Browser) -> Iterator[Notebook]:
    """The same in each front end: JupyterLab (which is `shop`) and Notebook 7, the newest and the oldest."""
    from tests.browser.cells import CELLS
    from tests.browser.notebook import CONNECT, LAB, NOTEBOOK

    if request.param == "lab":
        yield request.getfixturevalue("shop")
        return
    server = request.getfixturevalue("oldest_lab" if "oldest" in request.param else "lab")
    with browser.notebook(server, CELLS, front_end=NOTEBOOK if "notebook" in request.param else LAB) as notebook:
        notebook.run(CONNECT).shows("Connected. sandbox: reader@sandbox.cluster-")
        yield notebook


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(browser: Browser) -> Iterator[None]:
    """Whatever a test does, its pages ask nobody but loopback, and raise nothing."""
    yield
    assert browser.hosts <= {"127.0.0.1"}
    assert browser.errors == []
