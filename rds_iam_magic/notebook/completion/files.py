"""The files that a path on a magic's line may mean."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from rds_iam_magic.notebook.completion.suggestion import MOST, Suggestion

_PATH = re.compile(r"""[^\s='"]*\Z""")


def paths_at(line: str) -> list[Suggestion]:
    """What the folder has that the end of a line names; folders end with a slash, and hidden ones need their dot."""
    match = _PATH.search(line)
    written = match[0] if match else ""
    folder, _, name = written.rpartition("/")
    if "://" in written:
        return []
    found = []
    base = folder or ("/" if written[:1] == "/" else ".")
    with suppress(OSError, RuntimeError, ValueError), os.scandir(Path(base).expanduser()) as entries:
        for entry in entries:
            if entry.name.startswith(name) and (name or not entry.name.startswith(".")):
                path = f"{folder}/{entry.name}" if "/" in written else entry.name
                found.append(Suggestion(f"{path}/" if entry.is_dir() else path, "path"))
            if len(found) == MOST:
                break
    return sorted(found)
