"""A notebook of JupyterLab or Notebook 7 in a headless Chromium, as an analyst has it: cells are typed, run, looked at.

```python
with Lab(environment, folder) as lab, Browser(profile) as browser, browser.notebook(lab) as notebook:
    cell = notebook.run("%rds_sql SELECT 1")
    cell.shows("1")
    notebook.screenshot(path)
```

Everything ends with its block: kernels, pages, the browser and its driver. Playwright's event loop counts as running
until the end of `Browser`, so nothing else of asyncio can run in this thread meanwhile.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import BrowserContext, Locator, Page, Route, WebError, expect, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong

from tests.browser.server import TOKEN, Lab
from tests.support.events import LONG

COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CONNECT = "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader -d shop"
"""The first cell of a notebook on the sandbox's shop."""

LAB, NOTEBOOK = "lab/tree", "notebooks"
"""Where a server has a notebook: in JupyterLab, in Notebook 7."""

NOTEBOOKS_OWN = (
    "Cannot read properties of undefined (reading 'schema')",  # 7.6.5
    "Command 'filebrowser:open-path' not registered.",  # 7.6.5, where JupyterLab has kept a layout
    "Cannot read properties of undefined (reading 'last_modified')",  # 7.0.0
)
"""What Notebook 7 raises at its start, with no extension at all."""

CELL_TOOLBARS_OWN = "._cellToolbarOverlapsContents "
"""Where JupyterLab's toolbar of a cell (4.0.0) looks at a cell that is gone meanwhile; seen on a busy machine."""

PATIENCE = LONG * 1000
"""Milliseconds after which a page is taken to hang."""

IDLE = """() => {
    const indicator = document.querySelector('.jp-Notebook-ExecutionIndicator');
    const kernel = document.querySelector('.jp-Toolbar-kernelName');
    const idle = indicator && indicator.dataset.status === 'idle' && kernel && /Python/.test(kernel.textContent);
    window.idleLooks = idle ? (window.idleLooks || 0) + 1 : 0;
    return window.idleLooks >= 10;
}"""
"""Whether the kernel has been idle for ten looks: it is called so before its socket is connected, and a cell that is
run then is dropped; it is called so before there is a kernel at all, too."""

DRAWN = """() => [...document.querySelectorAll('.jp-RenderedVegaCommon5')].every(
    chart => chart.querySelector('svg.marks, canvas.marks'))"""
"""Whether all charts of a page are drawn."""

EMPTY = re.compile(r"^\s*\[ \]:\s*$")
"""A cell's prompt before it is run."""

DONE = re.compile(r"^\s*\[\d+\]:\s*$")
"""A cell's prompt after it has run; `[*]:` while it does."""


def chromium() -> str:
    """The browser's command.

    Raises:
        FileNotFoundError: There is none; the message says what to install.
    """
    found = next(filter(None, map(shutil.which, COMMANDS)), None)
    if found is None:
        raise FileNotFoundError(
            "Chromium is missing. `make test` and `make screenshots` install it where they can; "
            "by hand: apt-get install chromium, or brew install --cask google-chrome."
        )
    return found


class Browser:
    """A headless Chromium with an empty profile, until the end of the block.

    Attributes:
        hosts: All hosts that pages have asked for anything.
        errors: What was raised in pages and not caught, but for what Jupyter raises by itself.
    """

    def __init__(self, profile: Path, *, width: int = 1280, scale: int = 1) -> None:
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        self._profile = profile
        self._width = width
        self._scale = scale  # pixels of a picture for one of CSS; each costs time
        self._numbers = count(1)

    def __enter__(self) -> Browser:
        """Start it."""
        command = chromium()
        self._playwright = sync_playwright().start()
        try:
            self._context: BrowserContext = self._playwright.chromium.launch_persistent_context(
                self._profile,
                executable_path=command,
                headless=True,
                args=ARGUMENTS,
                env={**os.environ, "HOME": str(self._profile)},
                viewport={"width": self._width, "height": 2000},  # the cells of a short notebook, without scrolling
                device_scale_factor=self._scale,
                color_scheme="light",
                locale="en-US",
                timeout=PATIENCE,
            )
        except BaseException:
            self._playwright.stop()
            raise
        self._context.set_default_timeout(PATIENCE)
        self._context.on("request", lambda request: self._asked(request.url))
        self._context.on("weberror", self._raised)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """End the browser and its driver."""
        try:
            self._context.close()
        finally:
            self._playwright.stop()

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.hostname or parts.scheme)

    @contextmanager
    def changed(self, file: str, old: str, new: str) -> Iterator[None]:
        """Meanwhile, pages get a file of the server's with another text in it."""

        def change(route: Route) -> None:
            answer = route.fetch()
            text = answer.text()
            assert old in text
            route.fulfill(response=answer, body=text.replace(old, new))

        self._context.route(f"**/{file}*", change)
        try:
            yield
        finally:
            self._context.unroute(f"**/{file}*")

    @contextmanager
    def page(self, url: str) -> Iterator[Page]:
        """Any page of a server's."""
        page = self._context.new_page()
        try:
            page.goto(url)
            yield page
        finally:
            page.close(run_before_unload=False)

    def _raised(self, error: WebError) -> None:
        message, stack = str(error.error), getattr(error.error, "stack", "") or ""
        is_notebooks = error.page and f"/{NOTEBOOK}/" in error.page.url and message in NOTEBOOKS_OWN
        if not is_notebooks and CELL_TOOLBARS_OWN not in stack:
            self.errors.append(f"{message}\n{stack}")

    @contextmanager
    def notebook(
        self, lab: Lab, cells: Sequence[Any] = (), *, front_end: str = LAB, runs: bool = True
    ) -> Iterator[Notebook]:
        """A fresh notebook with a kernel of its own, ready for the first cell, which goes below those that it has.

        One that is looked at only (`runs` is False) need not wait for its kernel.
        """
        path = lab.notebooks / f"notebook-{next(self._numbers)}.ipynb"
        document: Any = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell()])
        document.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(document, path)
        page = self._context.new_page()
        page.on("websocket", lambda websocket: self._asked(websocket.url))
        try:
            page.goto(f"{lab.url}/{front_end}/{path.name}?token={TOKEN}&reset")
            if runs:
                page.wait_for_function(IDLE, polling=100)
            yield Notebook(page, lab, path, front_end=front_end, had=len(cells))
        finally:
            lab.end_kernel(path)  # which the page sees, and says so: it is of no use any more
            page.close(run_before_unload=False)


class Notebook:
    """The notebook that a page shows: of which server, in which front end, and how many cells it had."""

    def __init__(self, page: Page, lab: Lab, path: Path, *, front_end: str, had: int) -> None:
        self.page = page
        self.lab = lab
        self.front_end = front_end
        self.path = path
        self._cells = page.locator(".jp-Notebook .jp-Cell")
        self._run = had

    def cell(self, number: int) -> Cell:
        """The cell with that number, from 0, whoever wrote it."""
        return Cell(self, number, self._cells.nth(number))

    def start(self, source: str) -> Cell:
        """Type a cell and press Shift+Enter."""
        self.typed(source)
        return self.run_typed()

    def typed(self, source: str, *, back: int = 0) -> Cell:
        """Type a cell, and put the cursor so many characters before its end."""
        cell = self.cell(self._run)
        try:
            cell.at.locator(".cm-content").click()
        except TookTooLong as error:
            dialogs = self.page.locator(".jp-Dialog").all_inner_texts()
            raise AssertionError(f"a dialog is in the way: {dialogs}") from error
        self.page.keyboard.insert_text(source)
        for _ in range(back):
            self.page.keyboard.press("ArrowLeft")
        return cell

    def run_typed(self) -> Cell:
        """Press Shift+Enter in the cell that was typed."""
        cell = self.cell(self._run)
        self.page.keyboard.press("Shift+Enter")
        for _ in range(12):
            if cell.is_taken():
                break
            # Dropped: on a busy machine the kernel's socket may come later than IDLE takes it to. JupyterLab may have
            # asked which kernel to use.
            self.page.keyboard.press("Escape")
            expect(self.page.locator(".jp-Dialog")).to_have_count(0, timeout=PATIENCE)
            cell.at.locator(".cm-content").click()
            self.page.keyboard.press("Shift+Enter")
        self._run += 1
        return cell

    def run(self, source: str) -> Cell:
        """Type a cell, run it, and wait for its end."""
        cell = self.start(source)
        cell.wait()
        return cell

    def stop(self) -> None:
        """Press the toolbar's Stop, which interrupts the kernel."""
        self.page.locator(
            '.jp-NotebookPanel-toolbar .jp-ToolbarButtonComponent:has([data-icon="ui-components:stop"])'
        ).click()

    def saved(self) -> Any:
        """Save as Ctrl+S does, and read the file."""
        with self.page.expect_response(lambda answer: answer.request.method == "PUT" and self.path.name in answer.url):
            self.page.keyboard.press("Control+s")
        return nbformat.read(self.path, as_version=4)

    def screenshot(self, path: Path, cells: list[Cell] | None = None) -> None:
        """A picture of the cells that were run, or of the given ones, which follow each other."""
        places = [cell.at for cell in cells] if cells else self._cells.all()[: self._run]
        boxes = [place.bounding_box() for place in places]
        shown = [box for box in boxes if box is not None]
        top, left = min(box["y"] for box in shown), min(box["x"] for box in shown)
        right, bottom = max(box["x"] + box["width"] for box in shown), max(box["y"] + box["height"] for box in shown)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, clip={"x": left, "y": top, "width": right - left, "height": bottom - top})


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: which one, and its place in the page."""

    notebook: Notebook
    number: int
    at: Locator

    def is_taken(self) -> bool:
        """Whether Lab runs it or has run it: its prompt says so at once."""
        try:
            expect(self.at.locator(".jp-InputPrompt")).not_to_have_text(EMPTY, timeout=5_000)
        except AssertionError:
            return False
        return True

    def wait(self) -> None:
        """Wait until it has run, whatever came of it."""
        expect(self.at.locator(".jp-InputPrompt")).to_have_text(DONE, timeout=PATIENCE)

    def reads(self, text: str) -> None:
        """Wait until a text stands in the cell itself."""
        expect(self.at.locator(".cm-content")).to_contain_text(text, timeout=PATIENCE)

    @property
    def language(self) -> str | None:
        """The language that its editor takes it for; `rds_sql` is ours."""
        return self.at.locator(".jp-InputArea-editor .cm-content").get_attribute("data-language")

    @property
    def colored(self) -> dict[str, str]:
        """The color of each part of its text that has one of its own, as CSS computes it."""
        spans = self.at.locator(".jp-InputArea-editor .cm-line span")
        return dict(spans.evaluate_all("spans => spans.map(s => [s.textContent, getComputedStyle(s).color])"))

    @property
    def outputs(self) -> Locator:
        """What stands below the cell, one after the other."""
        return self.at.locator(".jp-OutputArea-output")

    @property
    def text(self) -> str:
        """All that stands below the cell, as it is read."""
        return "\n".join(self.outputs.all_inner_texts())

    @property
    def table(self) -> list[list[str]]:
        """The texts of the rows of its only table, those of the heading too."""
        rows = self.at.locator(".jp-OutputArea-output table tr").all()
        return [row.locator("th, td").all_inner_texts() for row in rows]

    @property
    def red(self) -> str:
        """What stands there on red: an error, or what was written to stderr."""
        return "\n".join(self.at.locator('[data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts())

    def shows(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text stands below the cell."""
        expect(self.at.locator(".jp-Cell-outputArea")).to_contain_text(text, timeout=PATIENCE)

    def settle(self) -> None:
        """Wait until its last output and its pictures are drawn."""
        expect(self.outputs.last).to_be_visible(timeout=PATIENCE)
        self.notebook.page.wait_for_function("() => [...document.images].every((image) => image.complete)")
        self.notebook.page.wait_for_function(DRAWN)

    def saved(self) -> Any:
        """The cell as it is in the file, after saving."""
        return self.notebook.saved().cells[self.number]
