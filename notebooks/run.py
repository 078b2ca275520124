"""Run a notebook from top to bottom and print what its reader would see: `run.py NOTEBOOK FOLDER`.

The executed notebook and its HTML go into FOLDER. A failing cell ends the run with its error and exit code 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def main(notebook: Path, folder: Path) -> int:
    """Run, print, save; returns the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    document: Any = nbformat.read(notebook, as_version=4)
    client = NotebookClient(document, timeout=120, resources={"metadata": {"path": str(notebook.parent)}})
    failed = False
    try:
        client.execute()
    except CellExecutionError:
        failed = True
    show(document)
    target = folder / notebook.name
    nbformat.write(document, target)
    html, _ = HTMLExporter().from_notebook_node(document)
    target.with_suffix(".html").write_text(html, encoding="utf-8")
    print(f"\nThe executed notebook: {target}\nIts HTML: {target.with_suffix('.html')}")
    return 1 if failed else 0


def show(document: Any) -> None:
    """Print a notebook's cells and outputs as text."""
    for cell in document.cells:
        if cell.cell_type == "markdown":
            print(f"\n{cell.source}")
        elif cell.cell_type == "code":
            print("\n" + "\n".join(f">>> {line}" for line in cell.source.splitlines()))
            for output in cell.outputs:
                print(text_of(output))


def text_of(output: Any) -> str:
    """An output as text; pictures by name."""
    if output.output_type == "stream":
        return str(output.text).rstrip()
    if output.output_type == "error":
        return _ANSI.sub("", "\n".join(output.traceback))
    data = output.get("data", {})
    if "image/png" in data:
        return f"[a picture: {data.get('text/plain', 'PNG')}]"
    return str(data.get("text/plain", ""))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
