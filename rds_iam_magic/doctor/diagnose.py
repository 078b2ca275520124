"""`gather`: runs the checks, those that do not depend on each other at once; `diagnose_with`: evidence → diagnosis.

Each check runs on a thread of its own, where no interrupt comes; the caller's thread only waits. One that takes longer
than its limit is given up: its thread ends when its own calls do, which have limits, too; what it says then is lost.
"""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rds_iam_magic.aws.failures import is_denial
from rds_iam_magic.background import TICK, BackgroundCall
from rds_iam_magic.doctor.checks.check import LIMIT, Check, Tools
from rds_iam_magic.doctor.evidence import Asked, Evidence, Failed, NotLooked, NotPermitted, Problem, Unknown, is_known
from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.wording import limit_text

if TYPE_CHECKING:
    from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
    from rds_iam_magic.doctor.findings import Diagnosis

WHOLE = 9.5
"""Seconds for all checks together."""

PATIENT = 25.0
"""The same where a tunnel is to be opened or the accounts are to be read: both take several steps."""

QUIET = 1.0
"""Seconds without news after which the user is told what is waited for."""

_DENIED = frozenset(
    {
        "aws-denied",
        "aws-lookup-denied",
        "cluster-lookup-denied",
        "master-lookup-denied",
        "permission-missing",
        "policy-lookup-denied",
    }
)
_PERMISSION = re.compile(r"\b[a-z][a-z0-9-]{1,39}:[A-Z][A-Za-z0-9]{1,79}\b")
_UNNAMED = "a permission that AWS does not name"


def diagnose_with(
    asked: Asked,
    options: ConnectOptions,
    where: TargetOptions,
    secret: str | None,
    notify: Callable[[str], None],
) -> Diagnosis:
    """Look at everything on the way to a login, and say what keeps it from working.

    Args:
        asked: What was asked for.
        options: How AWS and the database are reached.
        where: The options that name the database instead of the target.
        secret: The master user's secret, with which the accounts are read; None to leave them.
        notify: Called with what is waited for, one line of text.
    """
    from rds_iam_magic.doctor.checks.all import ALL
    from rds_iam_magic.doctor.verdict import diagnosis_of

    tools = Tools(options, where, secret)
    is_long = secret is not None or options.ssm is not None or options.ssh is not None
    _import_boto3(tools)
    whole = tools.patience * (PATIENT if is_long else WHOLE)
    return diagnosis_of(gather(asked, tools, ALL, notify=notify, whole=whole))


def _import_boto3(tools: Tools) -> None:
    """Importing boto3 takes longer than many a check, whose time it is not."""

    def load() -> None:
        with suppress(RdsIamError):  # the checks find it, too
            tools.session  # noqa: B018 - made once, for all

    call = BackgroundCall(load)
    call.start()
    call.wait(LIMIT)


def gather(
    asked: Asked,
    tools: Tools,
    checks: Sequence[Check],
    *,
    notify: Callable[[str], None],
    whole: float = WHOLE,
) -> Evidence:
    """The evidence that the checks give.

    Args:
        asked: What was asked for.
        tools: What the checks look with.
        checks: In any order.
        notify: Called with what is waited for, if that takes longer than a second.
        whole: Seconds for all of them; what has not ended by then has failed.

    Raises:
        KeyboardInterrupt: At once; what runs ends by itself, within its limits.
    """
    return _Gathering(Evidence(asked), tools, checks, notify).run(time.monotonic() + whole, whole)


@dataclass(frozen=True, slots=True)
class _Running:
    check: Check
    call: BackgroundCall[Evidence | Unknown]
    deadline: float


class _Gathering:
    """One run of the checks. Only the caller's thread uses it; those of the checks put their numbers into a queue."""

    def __init__(
        self, evidence: Evidence, tools: Tools, checks: Sequence[Check], notify: Callable[[str], None]
    ) -> None:
        self._evidence = evidence
        self._tools = tools
        self._notify = notify
        self._waiting = dict(enumerate(checks))
        self._running: dict[int, _Running] = {}
        self._filled_by = {field: check.name for check in checks for field in check.fills}
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()

    def run(self, end: float, whole: float) -> Evidence:
        news, told = time.monotonic(), ""
        while True:
            self._begin()
            if not self._running:
                break
            now = time.monotonic()
            if now >= end:
                self._give_up(whole)
                break
            names = ", ".join(dict.fromkeys(running.check.name for running in self._running.values()))
            if now >= news + QUIET and names != told:
                told = names
                self._notify(f"waiting for: {names}")
            if self._wait(min(end, *(running.deadline for running in self._running.values()))):
                news = time.monotonic()
        for check in self._waiting.values():  # there was no time left, or they wait for each other
            fields = [field for field in check.needs + check.after if field in self._filled_by]
            before = next((field for field in fields if not _has_value(self._evidence, field)), "".join(fields[:1]))
            self._fill(check, NotLooked(waits_for=self._filled_by.get(before, "")))
        return self._evidence

    def _begin(self) -> None:
        """Begin, or skip, each check that need not wait any more; a skipped one may let others begin."""
        changed = True
        while changed:
            changed = False
            open_fields = {field for check in self._open() for field in check.fills}
            for number, check in list(self._waiting.items()):
                if open_fields.intersection(check.needs + check.after):
                    continue
                del self._waiting[number]
                missing = next((need for need in check.needs if not _has_value(self._evidence, need)), None)
                if missing is None:
                    self._start(number, check)
                else:
                    self._fill(check, NotLooked(waits_for=self._filled_by.get(missing, "")))
                    changed = True

    def _open(self) -> list[Check]:
        return [*self._waiting.values(), *(running.check for running in self._running.values())]

    def _limit(self, check: Check) -> float:
        return check.limit * self._tools.patience

    def _start(self, number: int, check: Check) -> None:
        evidence, tools, ended = self._evidence, self._tools, self._ended

        def look() -> Evidence | Unknown:
            try:
                found = check.look(tools, evidence)
                return (
                    found
                    if isinstance(found, Evidence)
                    else Failed(f"The check gave no evidence: {type(found).__name__}.")
                )
            except BaseException as error:  # noqa: BLE001 - on this thread no interrupt comes; whatever it is, it is told
                return _why(error)
            finally:
                ended.put(number)

        call = BackgroundCall(look)
        self._running[number] = _Running(check, call, time.monotonic() + self._limit(check))
        call.start()

    def _wait(self, until: float) -> bool:
        """Wait for the end of a check, at most until one is late; whether anything has changed."""
        number: int | None = None
        with suppress(queue.Empty):
            number = self._ended.get(timeout=max(0.0, min(TICK, until - time.monotonic())))
        running = None if number is None else self._running.pop(number, None)  # None: it was given up before
        if running is not None:
            running.call.wait(LIMIT)  # its last step
            self._fill(running.check, running.call.result())
            return True
        now = time.monotonic()
        late = [number for number, running in self._running.items() if now >= running.deadline]
        for each in late:
            check = self._running.pop(each).check
            self._fill(check, Failed(f"No answer came within {limit_text(self._limit(check))}."))
        return bool(late)

    def _give_up(self, whole: float) -> None:
        for running in self._running.values():
            self._fill(running.check, Failed(f"No answer came within {limit_text(whole)}."))
        self._running.clear()

    def _fill(self, check: Check, found: Evidence | Unknown) -> None:
        """Take over what a check is there for, and nothing else of what it gives."""
        values: dict[str, Any] = (
            {field: getattr(found, field) for field in check.fills}
            if isinstance(found, Evidence)
            else dict.fromkeys(check.fills, found)
        )
        self._evidence = replace(self._evidence, **values)


def _has_value(evidence: Evidence, field: str) -> bool:
    value = getattr(evidence, field)
    return is_known(value) and not isinstance(value, Problem)


def _why(error: BaseException) -> Unknown:
    """Why a check has raised; the error itself is dropped, for its frames may hold anything."""
    if isinstance(error, RdsIamError):
        if error.cause in _DENIED:
            named = str(error.facts.get("permission", ""))
            return NotPermitted(named or _permission(f"{error.message} {error.detail}"))
        return Failed(" ".join(error.message.split()))
    if is_denial(error):
        return NotPermitted(_permission(str(error)))
    return Failed(f"The check failed: {type(error).__name__}.")


def _permission(text: str) -> str:
    """The permission that a denial names."""
    match = _PERMISSION.search(text)
    return match[0] if match else _UNNAMED
