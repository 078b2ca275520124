"""One JupyterLab in the sandbox and one Chromium, for all tests of this folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

# Playwright is imported by the fixtures: the quick tests read this file, and run none that needs it.
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.notebook import Browser, Notebook
    from tests.browser.server import Lab


@pytest.fixture(scope="package")
def lab(sandbox, tmp_path_factory) -> Iterator[Lab]:
    from tests.browser.server import Lab

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RDS_IAM_MAGIC_"))}
    folder = tmp_path_factory.mktemp("lab")
    cache = {"RDS_IAM_MAGIC_CACHE": str(folder / "cache")}
    with Lab({**kept, **sandbox.environment, **cache}, folder) as running:
        yield running


@pytest.fixture(scope="package")
def browser(tmp_path_factory) -> Iterator[Browser]:
    """Ends with the package's last test: what runs after it may need an event loop."""
    from tests.browser.notebook import Browser

    with Browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="package")
def shop(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    """A notebook that is connected to the shop; the tests add their cells to it, one test after the other."""
    from tests.browser.notebook import CONNECT

    with browser.notebook(lab) as notebook:
        notebook.run(CONNECT).shows("Connected. sandbox: reader@sandbox.cluster-")
        yield notebook


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(browser: Browser) -> Iterator[None]:
    """Whatever a test does, its pages ask nobody but loopback, and raise nothing."""
    yield
    assert browser.hosts <= {"127.0.0.1"}
    assert browser.errors == []
