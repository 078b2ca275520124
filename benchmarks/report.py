"""The Markdown tables of a run, and the pages that hold them between markers."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.shapes import SHAPES
from benchmarks.turns import Entry

Run = dict[str, Any]
"""A run: `machine`, `rounds`, `scale`, and its `entries`."""

_RIVALS = ("duckdb", "connectorx", "mysqlclient", "pymysql", "sqlalchemy", "jupysql")


def machine(server_version: str) -> str:
    """What the figures depend on, as a sentence."""
    cpuinfo = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*: (.*)", cpuinfo.read_text() if cpuinfo.exists() else "")
    ours = " ".join(f"{name} {_version(name)}," for name in ("pandas", "numpy", "pyarrow"))
    rivals = ", ".join(f"{name} {_version(name)}" for name in _RIVALS if _version(name))
    processor = f"{os.cpu_count()} cores ({models[0] if models else platform.processor()})"
    return f"{processor}, Python {platform.python_version()}, {ours} {server_version} on loopback; {rivals}"


def ratios(run: Run) -> str:
    """For each shape: our time divided by others'. Below 1, we are faster."""
    pairs = (
        ("ours / floor", "ours", "floor", "seconds"),
        ("ours / floor-binary", "ours", "floor-binary", "seconds"),
        ("ours / ours-text", "ours", "ours-text", "seconds"),
        ("ours / duckdb", "ours", "duckdb", "seconds"),
        ("… client CPU", "ours", "duckdb", "client_cpu"),
        ("ours / connectorx", "ours", "connectorx", "seconds"),
        ("ours-arrow / duckdb-arrow", "ours-arrow", "duckdb-arrow", "seconds"),
    )
    rows = []
    for shape, by_tool in _by_shape(run, "read").items():
        cells = [_ratio(by_tool.get(a), by_tool.get(b), field) for _, a, b, field in pairs]
        ours = by_tool.get("ours", {})
        rows.append([_what(shape), *cells, _divided(ours.get("peak_bytes"), ours.get("frame_bytes"))])
    return _table(["", *(title for title, *_ in pairs), "peak / frame"], rows)


def read(run: Run) -> str:
    """Every shape and tool."""
    titles = ["tool", "seconds", "rows/s", "client CPU", "server CPU", "peak MB", "frame MB"]
    tables = []
    for shape, by_tool in _by_shape(run, "read").items():
        rows = [[*_cells(entry, floors=by_tool), _values(entry)] for entry in by_tool.values()]
        table = _table([*titles, "/ floor", "/ floor-binary", "values"], rows)
        tables.append(f"**{_what(shape)}**\n\n{table}")
    return "\n\n".join(tables)


def small(run: Run) -> str:
    """Latency."""
    rows = []
    for shape, by_tool in _by_shape(run, "small").items():
        bare = by_tool.get("pymysql-tuples", {}).get("seconds")
        for tool, entry in by_tool.items():
            more = f"{(entry['seconds'] - bare) * 1000:+.2f}" if bare and "seconds" in entry else ""
            against = [_ratio(entry, by_tool.get(other), "seconds") for other in ("read_sql", "pymysql")]
            times = [_shown(entry, field, "{:.2f}", 1e-3) for field in ("seconds", "client_cpu")]
            rows.append([f"`{shape}`", tool, *times, more, *against, _values(entry)])
    return _table(["", "tool", "ms", "client CPU ms", "to pymysql-tuples", "/ read_sql", "/ pymysql", "values"], rows)


def slow(run: Run) -> str:
    """The slow link."""
    return _against(run, "slow", "ours-off")


def parallel(run: Run) -> str:
    """Parts at once."""
    return _against(run, "parallel", "parallel-1")


def load(run: Run) -> str:
    """Frames into tables."""
    return _against(run, "load", "ours")


def other(run: Run) -> str:
    """`%load_ext` and files."""
    entries = [entry for entry in run["entries"] if entry["section"] == "other"]
    rows = [[f"`{e['shape']}`", _seconds(e), _shown(e, "peak_bytes", "{:,.0f}", 1e6)] for e in entries]
    return _table(["", "seconds", "peak MB"], rows)


def summary(run: Run) -> str:
    """Three lines for analysts."""
    big = _by_shape(run, "read").get("mixed", {})
    few = _by_shape(run, "small").get("orders LIMIT 10", {})
    link = _by_shape(run, "slow").get("mixed", {})
    rows_read = f"{next(iter(big.values()), {}).get('rows', 0):,}"
    rows_slow = f"{next(iter(link.values()), {}).get('rows', 0):,}"
    rows = [
        [f"{rows_read} rows × 10 mixed columns", *(_time(big, t) for t in ("ours", "duckdb", "read_sql"))],
        ["`SELECT * FROM orders LIMIT 10`", *(_time(few, t) for t in ("ours", "duckdb", "read_sql"))],
        [
            f"{rows_slow} mixed rows over 50 Mbit/s, 20 ms",
            *(_time(link, t) for t in ("ours-zlib", "duckdb-zlib", "read_sql")),
        ],
    ]
    return _table(["", "this project", "DuckDB", "`pandas.read_sql`"], rows)


TABLES: dict[str, Callable[[Run], str]] = {
    f.__name__: f for f in (summary, ratios, read, small, slow, parallel, load, other)
}


def text(run: Run) -> str:
    """All tables of the sections that ran."""
    ran = _tables_of(run)
    return "\n\n".join([_head(run), *(TABLES[name](run) for name in TABLES if name in ran)])


def write(run: Run, paths: Iterable[Path]) -> None:
    """Replace what stands between `<!-- benchmark NAME -->` and `<!-- end -->` in these pages by the table NAME.

    A table whose section did not run stays as it is.
    """
    blocks = {"machine": _head, **TABLES}
    ran = _tables_of(run) | {"machine"}
    for path in paths:

        def block(match: re.Match[str]) -> str:
            if match[2] not in ran:
                return match[0]
            return f"{match[1]}\n{blocks[match[2]](run)}\n{match[3]}"

        page = path.read_text(encoding="utf-8")
        path.write_text(re.sub(_BLOCK, block, page, flags=re.DOTALL), encoding="utf-8")


def _tables_of(run: Run) -> set[str]:
    ran = {entry["section"] for entry in run["entries"]}
    return ran | ({"ratios"} if "read" in ran else set()) | ({"summary"} if {"read", "small", "slow"} <= ran else set())


_BLOCK = r"(<!-- benchmark (\w+) -->)\n.*?(<!-- end -->)"


def _head(run: Run) -> str:
    scale = "" if run["scale"] == 1 else f"; rows at scale {run['scale']:g}: figures not to quote"
    return f"{run['machine']}; {run['rounds']} round{'s' if run['rounds'] > 1 else ''}{scale}."


def _against(run: Run, section: str, base: str) -> str:
    rows = []
    for by_tool in _by_shape(run, section).values():
        for tool, entry in by_tool.items():
            cpu = [_shown(entry, f"{side}_cpu", "{:.2f}") for side in ("client", "server")]
            rows.append([tool, _seconds(entry), *cpu, _ratio(by_tool.get(base), entry, "seconds"), _values(entry)])
    return _table(["tool", "seconds", "client CPU", "server CPU", f"times faster than {base}", "values"], rows)


def _cells(entry: Entry, floors: dict[str, Entry]) -> list[str]:
    rate = _divided(entry.get("rows"), entry.get("seconds"), "{:,.0f}")
    return [
        entry["tool"],
        _seconds(entry),
        rate,
        *(_shown(entry, f"{side}_cpu", "{:.2f}") for side in ("client", "server")),
        *("" if entry["tool"].startswith("floor") else _shown(entry, key, "{:,.0f}", 1e6) for key in _MEMORY),
        *(_ratio(entry, floors.get(name), "seconds") for name in ("floor", "floor-binary")),
    ]


_MEMORY = ("peak_bytes", "frame_bytes")


def _values(entry: Entry) -> str:
    if "error" in entry:
        return str(entry["error"]).replace("|", "\\|")
    names = entry.get("differs")
    return "" if names is None else f"differ: {', '.join(names)}" if names else "same"


def _by_shape(run: Run, section: str) -> dict[str, dict[str, Entry]]:
    shapes: dict[str, dict[str, Entry]] = {}
    for entry in run["entries"]:
        if entry["section"] == section:
            shapes.setdefault(entry["shape"], {})[entry["tool"]] = entry
    return shapes


def _what(shape: str) -> str:
    return f"{shape}: {SHAPES[shape].what}"


def _ratio(entry: Entry | None, base: Entry | None, field: str) -> str:
    return _divided((entry or {}).get(field), (base or {}).get(field))


def _divided(value: float | None, by: float | None, form: str = "{:.2f}") -> str:
    return form.format(value / by) if value and by else ""


def _shown(entry: Entry, field: str, form: str, unit: float = 1) -> str:
    return "" if entry.get(field) is None else form.format(entry[field] / unit)


def _seconds(entry: Entry) -> str:
    return _shown(entry, "seconds", "{:.3f}" if entry.get("seconds", 1) < 0.1 else "{:.2f}")


def _time(entries: dict[str, Entry], tool: str) -> str:
    seconds = entries.get(tool, {}).get("seconds")
    if seconds is None:
        return ""
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def _table(titles: list[str], rows: list[list[str]]) -> str:
    line = "|".join("---" if title in ("", "tool", "values") else "---:" for title in titles)
    return "\n".join([f"| {' | '.join(titles)} |", f"|{line}|", *(f"| {' | '.join(row)} |" for row in rows)])


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
