"""The parent's side: a child process for each tool; they take turns, so that noise hits all alike."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from contextlib import suppress
from typing import Any

from benchmarks.values import differences

Entry = dict[str, Any]


class Children:
    """One child process for each tool; a context manager."""

    def __init__(self, tools: list[str], environment: dict[str, str]) -> None:
        self._environment = environment
        self._children = {tool: self._start(tool) for tool in tools}
        self._set_up = {tool: _answer(child) for tool, child in self._children.items()}

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *exception: object) -> None:
        for child in self._children.values():
            child.communicate()  # closes its stdin, which ends it

    def measure(self, sql: str, *, rounds: int, repeat: int = 1, warm: bool = False) -> list[Entry]:
        """Let each tool run the query in each round; return one entry for each tool.

        Args:
            sql: The query.
            rounds: How often each tool has its turn; another one begins each round.
            repeat: How often it runs the query in a turn.
            warm: Have one more turn first, which does not count.
        """
        tools = list(self._children)
        answers: dict[str, list[Entry]] = {tool: [] for tool in tools}
        errors = {tool: self._set_up[tool]["error"] for tool in tools if "error" in self._set_up[tool]}
        for number in range(-int(warm), rounds):
            first = number % len(tools)
            for tool in [*tools[first:], *tools[:first]]:
                if tool in errors:
                    continue
                answer = self._ask(tool, sql=sql, repeat=repeat, look=number == 0)
                if "error" in answer:
                    errors[tool] = answer["error"]
                    self._replace(tool)  # nobody knows the state that it is in
                elif number >= 0:
                    answers[tool].append(answer)
        return _compared(
            [
                {"tool": tool} | ({"error": errors[tool]} if tool in errors else _medians(answers[tool]))
                for tool in tools
            ]
        )

    def _start(self, tool: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.child", tool],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what a tool says on the way; its errors come as answers
            text=True,
        )

    def _replace(self, tool: str) -> None:
        self._children[tool].kill()
        self._children[tool].communicate()
        self._children[tool] = self._start(tool)
        self._set_up[tool] = _answer(self._children[tool])

    def _ask(self, tool: str, **order: Any) -> Entry:
        child = self._children[tool]
        assert child.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, as its answer will tell
            child.stdin.write(json.dumps(order) + "\n")
            child.stdin.flush()
        return _answer(child)


def _answer(child: subprocess.Popen[str]) -> Entry:
    assert child.stdout is not None
    line = child.stdout.readline()
    answer: Entry = json.loads(line) if line else {"error": f"its process ended with {child.wait()}"}
    return answer


def _medians(answers: list[Entry]) -> Entry:
    first = answers[0]
    return {
        "seconds": statistics.median(seconds for answer in answers for seconds in answer["seconds"]),
        "client_cpu": statistics.median(answer["client_cpu"] for answer in answers),
        "server_cpu": statistics.median(answer["server_cpu"] for answer in answers),
        **{key: first.get(key) for key in ("peak_bytes", "frame_bytes", "rows", "values")},
    }


def _compared(entries: list[Entry]) -> list[Entry]:
    """Replace each tool's values by the columns in which they differ from the first tool's."""
    values = {entry["tool"]: entry["values"] for entry in entries if entry.get("values")}
    found = differences(values)
    for entry in entries:
        entry.pop("values", None)
        entry["differs"] = found.get(entry["tool"])
    return entries
