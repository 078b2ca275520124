"""The rooms of docs/architecture.md: who imports whom, how large they are, and that each module has its twin in tests/.

All imports count, those within functions and those for type checkers only too: what a module knows is what it names.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = "rds_iam_magic"

ORDER = (
    "notebook",
    "doctor",
    "setup",
    "drivers",
    "connecting",
    "sections",
    "tunnels",
    "connection",
    "charts",
    "ingest",
    "parallel",
    "schema",
    "mysql",
    "results",
    "aws",
    "sql",
)
"""Each room imports only what stands behind it; a module beside the rooms counts as one."""

LEAVES = frozenset(
    {"errors", "hints", "option", "connect_options", "timeouts", "wording", "background"},
)
"""All may import these, and they import only each other."""

APART = "sandbox"
"""Imports whom it needs; tests, benchmarks and the demo import it, no room does."""

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Imports against the direction, each with its reason."""

CIRCLES_OF_TYPES = {
    ("doctor.findings", "doctor.masking", "doctor.report"): "what shows a Diagnosis names its type",
    ("mysql.login", "mysql.login_errors"): "an error about a Login names its type",
    ("mysql.wire.column", "mysql.wire.events", "mysql.wire.packets"): "ResultSetStart names Column's type",
}
"""Circles that close only for type checkers, each with its reason; none leaves its room."""

WITHOUT_TWIN = {
    "": "what is exported: test_package",
    "connection.connection": "connection/test_streams and connection/test_between_statements",
    "connection.frames.own_statements": "what a load runs: connection/frames/test_loader and reliability/test_loads",
    "connection.frames.writes": "connection/frames/test_loader",
    "connection.executor": "connection/test_between_statements, and the faults and interrupts of reliability/",
    "connection.lifetime.beginning": "what is set again after a real loss: reliability/test_faults",
    "connection.part_reads": "how the parts are read: parallel/test_reading",
    "connection.part_session": "the session of a part that is read beside others: parallel/test_reading",
    "connection.stream_reads": "connection/test_streams",
    "connection.planner": "what can be divided, and how: parallel/test_key, test_ranges, test_reading",
    "connection.reconnecting": "a lost session, by real faults: reliability/",
    "connection.running": "the order of a statement's steps, by real faults and interrupts: reliability/",
    "doctor.causes.cause": "what all causes have in common: doctor/test_verdict, with a world for each cause",
    "doctor.causes.credentials": "a world for each cause: doctor/test_verdict; made real: doctor/test_matrix",
    "doctor.causes.iam": "a world for each cause: doctor/test_verdict; made real: doctor/test_matrix",
    "doctor.causes.rds": "a world for each cause: doctor/test_verdict; made real: doctor/test_matrix",
    "doctor.causes.reach": "a world for each cause: doctor/test_verdict; made real: doctor/test_matrix",
    "doctor.causes.users": "a world for each cause: doctor/test_verdict; made real: doctor/test_matrix",
    "doctor.evidence": "data, which doctor/checks/ fills and doctor/test_verdict judges",
    "doctor.seen": "the findings without a cause: doctor/test_verdict",
    "hints": "the other half of errors: test_errors",
    "mysql.wire.events": "what the parser gives, as data: mysql/wire/test_response",
    "notebook.decorator": "what every magic has around it: notebook/test_magics and test_errors",
    "notebook.grammars": "a table: test_option and test_reference",
    "schema.asking": "what is needed of a connection, as types",
    "schema.reads": "the methods of Connection: the other tests of schema/",
    "sandbox.__main__": "the command: sandbox/test_command",
    "sandbox.certificates": "every test that starts a sandbox",
    "sandbox.cloud": "every test that starts a sandbox",
    "sandbox.iam": "every test that starts a sandbox, and sandbox/test_verifier",
    "sandbox.moto.changes": "what is changed with it: the others of sandbox/moto",
    "sandbox.moto.orders": "from where they are given: sandbox/test_account",
    "sandbox.seed": "every test that starts a sandbox",
}
"""Modules with logic and no file of tests of their own, each with where it is tested instead."""

MOST_FILES = 14
LARGEST_SHARE = 0.3


@cache
def modules() -> dict[str, Path]:
    """Each module by its name within the package; the package itself is ``, a room `aws`."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return {name_of(path.relative_to(ROOT / PACKAGE)): path for path in files}


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def statements(node: ast.AST, *, types: bool = True) -> Iterator[ast.AST]:
    """The statements within, those of functions and classes too; without `types`, not what is for type checkers only.

    Expressions hold no statements and are most of a tree.
    """
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        if name == "body" and not types and isinstance(node, ast.If) and _is_for_types(node):
            continue
        for child in getattr(node, name, ()):
            yield child
            yield from statements(child, types=types)


def _is_for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(
    tree: ast.Module, module: str, known: frozenset[str], *, is_package: bool = False, types: bool = True
) -> set[str]:
    """The modules of `known` that a module imports anywhere, by their names within the package."""
    names = {name for node in statements(tree, types=types) for name in _names(node, module, is_package=is_package)}
    within = {name.removeprefix(PACKAGE).removeprefix(".") for name in names if f"{name}.".startswith(f"{PACKAGE}.")}
    return {_module_of(name, known) for name in within} - {module}


def _names(node: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """The full names that one import statement brings in."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            path = [PACKAGE, *filter(None, module.split("."))]
            up = path[: len(path) - node.level + is_package]
            base = ".".join([*up, *filter(None, [node.module])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _module_of(name: str, known: frozenset[str]) -> str:
    """`aws.border` for `aws.border.aws_call`; a name that the package itself gives is the package's."""
    while name not in known:
        name = name.rpartition(".")[0]
    return name


@cache
def imports(*, types: bool = True) -> dict[str, set[str]]:
    """What each module imports; without `types`, only what is imported when it runs."""
    known = frozenset(modules())
    return {
        name: imported(tree_of(path), name, known, is_package=path.name == "__init__.py", types=types)
        for name, path in modules().items()
    }


def room_of(module: str) -> str:
    room = module.partition(".")[0]
    return "" if room == "__main__" else room  # the command is part of the public surface


def is_allowed(module: str, target: str) -> bool:
    """Whether the direction lets `module` import `target`."""
    here, there = room_of(module), room_of(target)
    if here == there:
        return True
    if here in LEAVES:
        return there in LEAVES
    if there == "":  # the public surface: what is within stands on its own
        return False
    if here in ("", APART):
        return there != APART
    return there in LEAVES or (there in ORDER and ORDER.index(there) > ORDER.index(here))


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or by others."""
    reach = {name: set(targets) for name, targets in edges.items()}
    for middle in reach:
        for targets in reach.values():
            if middle in targets:
                targets |= reach[middle]
    groups = {frozenset(m for m in reach[n] if n in reach[m]) for n in reach if n in reach[n]}
    return sorted(sorted(group) for group in groups)


def test_every_room_is_in_the_order():
    rooms = {room_of(module) for module in modules()} - {""}
    assert rooms == {*ORDER, *LEAVES, APART}


def test_the_order_is_that_of_the_page():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    line = next(line for line in page.splitlines() if line.strip().startswith("`notebook →"))
    rooms = line.partition("`")[2].partition("`")[0].replace(",", " →").split(" → ")
    assert tuple(rooms) == ORDER
    leaves = page.partition("may import the leaves: ")[2].partition(".\n")[0]
    assert {leaf.strip("`") for leaf in leaves.replace(",", " ").split()} == LEAVES


def test_imports_have_one_direction():
    against = {(m, t) for m, targets in imports().items() for t in targets if not is_allowed(m, t)}
    assert against == set(EXCEPTIONS), "an exception that is none any more has to go, too"


def test_no_circles():
    assert circles(imports(types=False)) == []
    assert circles(imports()) == sorted(map(list, CIRCLES_OF_TYPES))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import rds_iam_magic.aws.border", {"aws.border"}),
        ("from rds_iam_magic.aws import border", {"aws.border"}),
        ("from rds_iam_magic.aws.border import aws_call as call", {"aws.border"}),
        ("from rds_iam_magic import Connection", {""}),
        ("from . import events", {"mysql.wire.events"}),
        ("from .events import Rows", {"mysql.wire.events"}),
        ("from .. import dial\nfrom ...aws.border import aws_call", {"mysql.dial", "aws.border"}),
        ("def f():\n    from rds_iam_magic.errors import RdsIamError", {"errors"}),
        ("if TYPE_CHECKING:\n    from rds_iam_magic.errors import RdsIamError", {"errors"}),
        ("import rds_iam_magic_tools, ssl", set()),
    ],
)
def test_every_way_to_import_is_seen(source, expected):
    known = frozenset({"", "aws", "aws.border", "errors", "mysql", "mysql.dial", "mysql.wire", "mysql.wire.events"})
    assert imported(ast.parse(source), "mysql.wire.packets", known) == expected


@pytest.mark.parametrize(
    ("module", "target", "allowed"),
    [
        ("notebook.magics", "connecting", True),
        ("notebook.magics", "sql.lexer", True),
        ("connecting", "notebook.magics", False),
        ("connection.executor", "connecting", False),
        ("results.result", "mysql.wire.column", False),
        ("results.destination", "aws.s3", True),
        ("aws.s3", "results.export", False),
        ("sql.lexer", "errors", True),
        ("errors", "hints", True),
        ("errors", "sql.quoting", False),
        ("sandbox.seed", "mysql.dial", True),
        ("connecting", "sandbox", False),
        ("", "notebook.magics", True),
        ("", "sandbox", False),
        ("mysql.login", "", False),
    ],
)
def test_the_direction(module, target, allowed):
    assert is_allowed(module, target) == allowed


def test_circles_are_seen():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert circles(edges) == [["a", "b", "c"], ["d", "e"]]


def test_no_level_has_too_many_files():
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in modules().values())
    assert {level: count for level, count in counts.items() if count > MOST_FILES} == {}


def test_no_room_has_too_much_of_the_code():
    lines = {path: path.read_text("utf-8").count("\n") for path in modules().values()}
    sizes: Counter[Path] = Counter()
    for path, count in lines.items():
        for folder in path.relative_to(ROOT / PACKAGE).parents[:-1]:
            sizes[folder] += count
    whole = sum(lines.values())
    assert {str(folder): size / whole for folder, size in sizes.items() if size / whole > LARGEST_SHARE} == {}


def has_logic(path: Path) -> bool:
    """Whether a module does anything: tables and plain dataclasses have no functions."""
    return any(isinstance(node, ast.FunctionDef) for node in statements(tree_of(path)))


def twin_of(module: str) -> Path:
    *rooms, name = module.split(".")
    return ROOT.joinpath("tests", *rooms, f"test_{name}.py")


def test_every_module_with_logic_has_its_twin():
    without = {name for name, path in modules().items() if has_logic(path) and not twin_of(name).exists()}
    assert without == set(WITHOUT_TWIN), "an exception that is none any more has to go, too"
