"""Write docs/reference.md from the options and docstrings: `python -m tests.write_reference`, or `make docs`."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions, TargetOptions
from rds_iam_magic.connecting import connect
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.doctor.diagnosing import diagnose
from rds_iam_magic.doctor.findings import Diagnosis, Finding, Verdict
from rds_iam_magic.drivers.pymysql import pymysql_connect
from rds_iam_magic.drivers.sqlalchemy import sqlalchemy_engine
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.notebook.grammar import Grammar, Option
from rds_iam_magic.notebook.grammars import AUTOLIMIT, COMPLETION, FEEDBACK, GRAMMARS, HIGHLIGHT
from rds_iam_magic.notebook.held import connection as held
from rds_iam_magic.notebook.help.examples import shown
from rds_iam_magic.notebook.magics import RdsIamMagics
from rds_iam_magic.option import OptionInfo, options_of
from rds_iam_magic.results.formats import QUERY_ARGUMENTS
from rds_iam_magic.results.result import Changed, ResultSet
from tests.support.docstrings import read_docstring

ROOT = Path(__file__).parents[1]
PATH = ROOT / "docs" / "reference.md"

TEXT = """\
# Reference

Every magic and every part of the Python interface. `--help` of a magic and `help()` in Python say the same: this page
is generated from the options and docstrings (`make docs`).

## Magics

Options go before the SQL; `-` and `_` are interchangeable in their names.

{magics}

### Configuration

| `%config` | default | what it does |
|---|---|---|
{config}

`%config RdsIamMagics` shows them with their values. They are kept in IPython's configuration,
`c.RdsIamMagics.feedback = 1` in `ipython_config.py`, or for a project in its `pyproject.toml`: that of the working
directory, else the nearest one above it. `%load_ext` reads it, and names it when it takes something from it:

```toml
[tool.rds_iam_magic]
{project}
```

What you set yourself comes first. Such a file comes with a repository, so it sets these only: how and where to log in
is never a project's to say. Sections, `~/.config/rds_iam_magic/connections.ini`, are for that.

## Python

```python
import rds_iam_magic
```

{python}
"""


def text() -> str:
    """The whole page."""
    connection = _members(Connection)
    python = [
        _callable(connect, "### rds_iam_magic.connect", CONNECT_ARGUMENTS | _values()),
        _type(Connection, "### Connection"),
        *(_callable(method, f"#### Connection.{name}", QUERY_ARGUMENTS) for name, method in connection),
        _type(ResultSet, "### ResultSet"),
        *(_callable(method, f"#### ResultSet.{name}", QUERY_ARGUMENTS) for name, method in _members(ResultSet)),
        _type(Changed, "### Changed"),
        _callable(held, "### rds_iam_magic.connection", {}),
        _callable(diagnose, "### rds_iam_magic.diagnose", _own(diagnose)),
        _type(Diagnosis, "### Diagnosis"),
        *(_callable(method, f"#### Diagnosis.{name}", {}) for name, method in _members(Diagnosis)),
        _type(Verdict, "### Verdict"),
        _type(Finding, "### Finding"),
        _callable(sqlalchemy_engine, "### rds_iam_magic.sqlalchemy_engine", _own(sqlalchemy_engine)),
        _callable(pymysql_connect, "### rds_iam_magic.pymysql_connect", _own(pymysql_connect)),
    ]
    magics = "\n\n".join(map(_magic, GRAMMARS))
    return TEXT.format(magics=magics, project=_project(), config="\n".join(_config()), python="\n\n".join(python))


def _values() -> dict[str, OptionInfo]:
    return options_of(TargetOptions) | options_of(ConnectOptions) | options_of(SessionSettings)


def _own(function: Callable[..., Any]) -> dict[str, OptionInfo]:
    """The options that a function shares with `connect`; what differs is described by its docstring."""
    described = read_docstring(function).arguments
    infos = CONNECT_ARGUMENTS | _values()
    return {name: info for name, info in infos.items() if described.get(name) == info.argument_text()}


def _magic(grammar: Grammar) -> str:
    lines = [f"{grammar.magic} {usage}" for usage in grammar.usage]
    summary, *others = map(_markdown, grammar.paragraphs)
    table = ["| option | value | default | variable | what it does |", "|---|---|---|---|---|"]
    table += [_option_row(option) for option in grammar.all_options]
    return "\n\n".join(
        [f"### {grammar.magic}", summary, _block(shown(grammar.magic)), _block(lines), *others, "\n".join(table)]
    )


def _option_row(option: Option) -> str:
    info = option.info
    short = f"`-{option.short}`, " if option.short else ""
    names = [f"{short}`--{option.name}`", *(f"`--{alias}`" for alias in option.aliases)]
    return _row(", ".join(names), _code(option.metavar), info.default_shown, _code(info.variable), info.text)


def _markdown(paragraph: str) -> str:
    return re.sub(r"([<*])", r"\\\1", " ".join(paragraph.split()))


def _config() -> Iterator[str]:
    for name in RdsIamMagics.class_own_traits(config=True):
        own = {"feedback": FEEDBACK, "completion": COMPLETION, "autolimit": AUTOLIMIT, "highlight": HIGHLIGHT}
        info = (CONNECT_ARGUMENTS | own)[name]
        yield _row(f"`RdsIamMagics.{name}`", info.default_shown, info.text)


def _project() -> str:
    """The settings of a project with their defaults, as TOML."""
    traits = RdsIamMagics.class_own_traits(config=True, project=True)
    shown = {name: "4 GB" if trait.default() is None else trait.default() for name, trait in traits.items()}
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in shown.items())


def _members(kind: type[Any]) -> list[tuple[str, Callable[..., Any]]]:
    """The public methods, in the order of the source; those of base classes come last."""
    members = {name: item for each in kind.__mro__ for name, item in vars(each).items()}
    return [(name, item) for name, item in members.items() if name[0] != "_" and inspect.isfunction(item)]


def _type(kind: type[Any], heading: str) -> str:
    doc = read_docstring(kind)
    attributes = doc.sections.get("Attributes", {})
    properties = {
        name: " ".join(read_docstring(item).paragraphs)
        for name, item in vars(kind).items()
        if name[0] != "_" and isinstance(item, property)
    }
    rows = [_row(", ".join(map(_code, name.split(", "))), what) for name, what in (attributes | properties).items()]
    return "\n\n".join([heading, *doc.paragraphs, "\n".join(["| attribute | what it is |", "|---|---|", *rows])])


def _callable(function: Callable[..., Any], heading: str, infos: dict[str, OptionInfo]) -> str:
    doc = read_docstring(function)
    parts = [heading, _block([_signature(function)]), *doc.paragraphs]
    parameters = [item for name, item in inspect.signature(function).parameters.items() if name != "self"]
    if parameters:
        table = ["| argument | type | default | variable | what it does |", "|---|---|---|---|---|"]
        parts.append("\n".join([*table, *(_argument_row(item, infos, doc.arguments) for item in parameters)]))
    if raises := doc.sections.get("Raises"):
        parts.append("\n".join(["Raises:", "", *(f"- {_names(name)}: {why}" for name, why in raises.items())]))
    return "\n\n".join(parts)


def _argument_row(item: inspect.Parameter, infos: dict[str, OptionInfo], described: dict[str, str]) -> str:
    info = infos.get(item.name) or OptionInfo(described.get(item.name, ""))
    if item.kind is item.VAR_KEYWORD:
        return _row(_code(f"**{item.name}"), _code(item.annotation), "", "", info.text)
    default = "required" if item.default is item.empty else info.default_shown or _code(repr(item.default))
    return _row(_code(item.name), _code(item.annotation), default, _code(info.variable), info.effect_text())


def _signature(function: Callable[..., Any]) -> str:
    """The call without types and defaults, which stand in the table, and what it returns."""
    signature = inspect.signature(function)
    names, starred = [], False
    for item in signature.parameters.values():
        if item.kind is item.KEYWORD_ONLY and not starred:
            names.append("*")
            starred = True
        if item.kind is item.VAR_KEYWORD:
            names.append(f"**{item.name}")
        elif item.name != "self":
            names.append(item.name if item.default is item.empty else f"{item.name}=…")
    start, names_text = f"{function.__name__}(", ", ".join(names)
    end = f") -> {signature.return_annotation}"
    if len(start + names_text + end) > 120:
        names_text = "\n" + textwrap.indent(textwrap.fill(names_text, 116), "    ") + "\n"
    return start + names_text + end


def _names(names: str) -> str:
    return ", ".join(map(_code, names.split(", ")))


def _code(value: str) -> str:
    return f"`{value}`" if value else ""


def _block(lines: list[str]) -> str:
    return "\n".join(["```text", *lines, "```"])


def _row(*cells: str) -> str:
    return "| " + " | ".join(re.sub(r"\|", r"\\|", cell) for cell in cells) + " |"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
