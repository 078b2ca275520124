"""Write docs/errors.md from the errors and the table of hints: `python -m tests.write_errors`, or `make docs`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rds_iam_magic import errors
from rds_iam_magic.aws import causes
from rds_iam_magic.hints import HINTS, Interface, spell
from rds_iam_magic.mysql import login_errors, server_errors
from rds_iam_magic.sql import shell
from rds_iam_magic.tunnels import ssh, ssm

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rds_iam_magic"

TEXT = """\
# Errors and their causes

Every error of this package has a `message` (what happened), a `hint` (what to do next) and a `cause`: an identifier
that stays the same when wordings change, so that a script can act on it.

```python
try:
    db = rds_iam_magic.connect("my-cluster", user="analyst")
except rds_iam_magic.AccessDeniedError as error:
    if error.cause == "iam-denied":
        ...
```

A hint is spelled for where the error came up: as Python's arguments, or as the options of a magic. This page is
generated from the code. `…` stands for a value; a cause without a hint here has one that depends on the case, or none.
The tree of the classes is in [python.md](python.md#exceptions).
"""


class Site(NamedTuple):
    """A class, a cause, and the message that comes with them."""

    kind: str
    cause: str
    message: str


@cache
def modules() -> list[tuple[str, ast.Module]]:
    """Each module of the package but the sandbox's: its path within the package, and its source as a tree."""
    names = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    return [
        (name, ast.parse(path.read_text(encoding="utf-8")))
        for name, path in names.items()
        if not name.startswith("sandbox/")
    ]


def kinds() -> list[type[errors.RdsIamError]]:
    """The classes, in the order of errors.py."""
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RdsIamError)]


@cache
def sites() -> list[Site]:
    """Where errors are made: calls in the sources, and rows of tables."""
    return [*_calls(), *_rows()]


def _calls() -> Iterator[Site]:
    defaults = {kind.__name__: kind.cause for kind in kinds()}
    for _, module in modules():
        for node in ast.walk(module):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            kind = {"kind": "OptionError"}.get(node.func.id, node.func.id)  # the parameter of login_refused
            given = next((keyword.value for keyword in node.keywords if keyword.arg == "cause"), None)
            if kind in defaults and node.args:
                for cause in [defaults[kind]] if given is None else _texts(given):
                    yield Site(kind, cause, _template(node.args[0]))


def _texts(node: ast.expr) -> list[str]:
    """The texts that an expression may be: one, or one of two; none for a value of a table."""
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) else []


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "…"


def _rows() -> Iterator[Site]:
    entries = [value for value in vars(causes).values() if isinstance(value, tuple) and len(value) == 3]
    entries += [*causes.BY_CLASS.values(), *(entry for _, entry in causes.BY_CODE)]
    for kind, cause, message in entries:
        yield Site(kind.__name__, cause, re.sub(r"\{\w+\}", "…", message))
    for cause, message in login_errors._BY_CODE.values():
        yield Site("ConnectError", cause, re.sub(r"\{\w+\}", "…", message))
    for code, cause in server_errors._CAUSES.items():
        yield Site("StatementError", cause, f"The statement failed: … ({code}).")
    for cause in (*server_errors._OPTIONS.values(), "server-option-forbids", "server-error"):
        yield Site("StatementError", cause, "The statement failed: … (1290)." if cause != "server-error" else "")
    for cause in (*shell._CAUSES.values(), "shell-command"):
        yield Site("OptionError", cause, "… is a command of the mysql shell, not SQL; nothing was run.")
    for cause in (*(row[1] for row in ssh._ERRORS), *(row[1] for row in ssm._OTHERS), "tunnel-failed"):
        yield Site("TunnelError", cause, "… failed: ….")
    for cause, _ in ssm._BY_CODE.values():
        yield Site("TunnelError", cause, "… failed: ….")
    for cause in ssm._CREDENTIAL_CAUSES.values():
        yield Site("CredentialsError", cause, "… failed: ….")


def text() -> str:
    """The whole page."""
    parts = [TEXT]
    for kind in kinds():
        causes_of_kind = sorted({kind.cause, *(site.cause for site in sites() if site.kind == kind.__name__)})
        summary = " ".join(str(kind.__doc__).partition("\n\n")[0].split())
        parts.append(
            f"\n## {kind.__name__}\n\n{summary}\n\n| cause | what happened | what to do next |\n|---|---|---|\n"
        )
        parts += [_row(kind.__name__, cause) for cause in causes_of_kind]
    return "".join(parts)


def _row(kind: str, cause: str) -> str:
    messages = {site.message for site in sites() if (site.kind, site.cause) == (kind, cause)} - {"", "…"}
    python, notebook = (spell(HINTS[cause], interface, {}) for interface in Interface)
    hint = python if python == notebook else f"{python}<br>*In a notebook:* {notebook}"
    cells = [f"`{cause}`", "<br>".join(sorted(messages)), hint]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


if __name__ == "__main__":
    (ROOT / "docs" / "errors.md").write_text(text(), encoding="utf-8")
