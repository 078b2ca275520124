"""A diagnosis as text, HTML, dictionaries and JSON: the verdict first, then the findings in the order of the way."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any

from rds_iam_magic.hints import spell

if TYPE_CHECKING:
    from rds_iam_magic.doctor.findings import Diagnosis, Finding, Fix, Verdict

WIDTH = 100
"""The most columns of a line of text; commands, which are to be pasted, are not broken."""

_HEADLINES = {
    "healthy": "HEALTHY",
    "certain": "CERTAIN",
    "likely": "LIKELY",
    "one of": "ONE OF SEVERAL",
    "unknown": "UNKNOWN",
}
_MARKS = {"ok": "ok", "problem": "PROBLEM", "unknown": "unknown", "skipped": "skipped"}
_PROSE = re.compile(r"[A-Z].*[.:?]", re.DOTALL)


def as_text(diagnosis: Diagnosis) -> str:
    """The diagnosis as lines of plain text."""
    lines = [*_verdict_lines(diagnosis.verdict), ""]
    for finding in diagnosis.findings:
        lines += _finding_lines(finding, diagnosis)
    return "\n".join(lines).rstrip()


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    yield from _wrapped(f"{_HEADLINES[verdict.certainty]}: {verdict.sentence}", "", "    ")
    for text in _reasons(verdict):
        yield from _wrapped(text, "    ", "    ")
    if verdict.others:
        yield f"    {_others(verdict)}"
    for text in verdict.others:
        yield from _wrapped(text, "      - ", "        ")


def _reasons(verdict: Verdict) -> list[str]:
    """What stands below the verdict's sentence."""
    labelled = (("Why", verdict.why), ("What would decide", "; ".join(verdict.decides)))
    return [f"{label}: {text}" for label, text in labelled if text]


def _others(verdict: Verdict) -> str:
    return "It may be:" if verdict.certainty == "one of" else "It may also be:"


def _finding_lines(finding: Finding, diagnosis: Diagnosis) -> Iterator[str]:
    digits = len(str(max(each.number for each in diagnosis.findings)))
    check = max(len(each.check) for each in diagnosis.findings)
    head = f"{finding.number:>{digits}}  {_MARKS[finding.state]:<7}  {finding.check:<{check}}  "
    yield from _wrapped(finding.sentence, head, " " * len(head))
    below = " " * (digits + 2 + 7 + 2)
    for label, text, is_to_paste in _details(finding, diagnosis):
        first = f"{below}{label}: "
        if len(text.splitlines()) == 1 and not (is_to_paste and _is_command(text)):
            yield from _wrapped(text, first, " " * len(first))
            continue
        yield first.rstrip()
        for line in text.splitlines():
            is_whole = is_to_paste and _is_command(line)
            whole = f"{below}  {_shown(line)}".rstrip()
            yield from [whole] if is_whole else _wrapped(line, f"{below}  ", f"{below}  ")


def _details(finding: Finding, diagnosis: Diagnosis) -> list[tuple[str, str, bool]]:
    """What stands below the finding's sentence: a label, the text, and whether there may be commands in it."""
    fix = ""
    if finding.fix is not None:
        facts = {"line": diagnosis.line, "number": finding.number}
        fix = spell("{command:fix}", diagnosis.interface, facts)
    labelled = (("Evidence", finding.evidence, False), ("Mend", finding.mend, True), ("Done for you by", fix, True))
    return [each for each in labelled if each[1]]


def _is_command(line: str) -> bool:
    """Whether a line is a command or a statement, whose lines stay as they are; else it is a sentence."""
    return _PROSE.fullmatch(line) is None


def _shown(line: str) -> str:
    """A line, in which a name or a server's words neither control a terminal nor turn the text around."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in line)


def _wrapped(text: str, first: str, others: str) -> list[str]:
    """A text in lines of at most `WIDTH` columns; only a word that is longer itself has a longer one."""
    lines: list[str] = []
    for part in text.splitlines() or [""]:
        lines += textwrap.wrap(
            _shown(part),
            WIDTH,
            initial_indent=others if lines else first,
            subsequent_indent=others,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [(others if lines else first).rstrip()]
    return lines


def as_html(diagnosis: Diagnosis) -> str:
    """The diagnosis as a paragraph and a table, without styles that a front end could strip and be unreadable.

    What is ok is folded up below the rest, so that the mend is not far from the verdict.
    """
    verdict = diagnosis.verdict
    said = [f"<strong>{_escaped(_HEADLINES[verdict.certainty])}: {_escaped(verdict.sentence)}</strong>"]
    said += [_escaped(text) for text in _reasons(verdict)]
    said += [_escaped(_others(verdict))] if verdict.others else []
    said += [f"- {_escaped(text)}" for text in verdict.others]
    fine = [finding for finding in diagnosis.findings if finding.state == "ok"]
    others = [finding for finding in diagnosis.findings if finding.state != "ok"]
    parts = [f'<p class="{_NO_MATH}">{"<br>".join(said)}</p>']
    if others:
        parts += _html_table(others, diagnosis)
    if fine:
        summary = f"Ok: {', '.join(finding.check for finding in fine)}"
        parts += [f'<details class="{_NO_MATH}"><summary>{_escaped(summary)}</summary>']
        parts += [*_html_table(fine, diagnosis), "</details>"]
    return "\n".join(parts)


_NO_MATH = "tex2jax_ignore mathjax_ignore"
"""The classes that keep `$…$` from being rendered as math."""


def _html_table(findings: list[Finding], diagnosis: Diagnosis) -> list[str]:
    head = "".join(f'<th style="text-align: left">{name}</th>' for name in ("", "State", "Check", "Finding"))
    return [
        f'<table border="1" class="dataframe {_NO_MATH}">',
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
        *(_html_row(finding, diagnosis) for finding in findings),
        "</tbody>",
        "</table>",
    ]


def _html_row(finding: Finding, diagnosis: Diagnosis) -> str:
    mark = _escaped(_MARKS[finding.state])
    mark = f"<strong>{mark}</strong>" if finding.state == "problem" else mark
    short = "".join(_html_cell(text, "; white-space: nowrap") for text in (mark, _escaped(finding.check)))
    said = [_escaped(finding.sentence), *(_html_detail(*detail) for detail in _details(finding, diagnosis))]
    return f"<tr>{_html_cell(str(finding.number))}{short}{_html_cell(''.join(said), '; min-width: 20em')}</tr>"


def _html_cell(html: str, style: str = "") -> str:
    return f'<td style="text-align: left; vertical-align: top{style}">{html}</td>'


def _html_detail(label: str, text: str, is_to_paste: bool) -> str:
    """A detail on lines of its own: prose runs on; commands keep their lines, in letters of one width."""
    first, *others = [
        f'<pre style="{_PRE}">{_escaped(line)}</pre>' if is_to_paste and _is_command(line) else _escaped(line)
        for line in text.splitlines()
    ]
    if first.startswith("<pre"):
        return f"<div>{_escaped(label)}:</div>{_html_lines([first, *others])}"
    return f"<div>{_escaped(label)}: {first}</div>{_html_lines(others)}"


def _html_lines(lines: list[str]) -> str:
    return "".join(line if line.startswith("<pre") else f"<div>{line}</div>" for line in lines)


_PRE = "margin: 0; padding: 0; text-align: left; white-space: pre-wrap; overflow-wrap: anywhere; font-family: monospace"


def _escaped(text: str) -> str:
    return escape("\n".join(map(_shown, text.split("\n"))))


def as_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as dictionaries, lists, strings, numbers and None."""
    verdict = diagnosis.verdict
    return {
        "verdict": {
            "certainty": verdict.certainty,
            "causes": list(verdict.causes),
            "sentence": verdict.sentence,
            "why": verdict.why,
            "decides": list(verdict.decides),
            "others": list(verdict.others),
        },
        "findings": [
            {
                "number": finding.number,
                "check": finding.check,
                "state": finding.state,
                "sentence": finding.sentence,
                "evidence": finding.evidence,
                "mend": finding.mend,
                "fix": _fix_dict(finding.fix),
            }
            for finding in diagnosis.findings
        ],
        "line": diagnosis.line,
    }


def _fix_dict(fix: Fix | None) -> dict[str, str] | None:
    """What `--fix` would do: `do` is `AttachPolicy`, `CreateUser` or `EnableIam`; the rest is what it takes."""
    if fix is None:
        return None
    return {"do": type(fix).__name__, **{item.name: getattr(fix, item.name) for item in fields(fix)}}


def as_json(diagnosis: Diagnosis) -> str:
    """The diagnosis as indented JSON."""
    return json.dumps(as_dict(diagnosis), indent=2, ensure_ascii=False)
