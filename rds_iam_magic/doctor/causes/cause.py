"""`Cause`, and `Suspicion`: what the evidence says of a cause. What the server's answer leaves possible, and its log.

Each cause is judged alone. Evidence that is missing can make it possible, never certain and never ruled out: so a
verdict from less evidence names the same cause, or more of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from rds_iam_magic.aws.endpoint import Endpoint, Kind
from rds_iam_magic.connect_options import as_word
from rds_iam_magic.doctor.evidence import Answer, Evidence, LogClass, LogEntry, Problem, Target, known
from rds_iam_magic.doctor.findings import Fix
from rds_iam_magic.hints import Interface, Note


class Level(IntEnum):
    """How much speaks for a cause."""

    RULED_OUT = 0
    UNSEEN = 1  # nothing speaks against it, and nothing has failed yet that it would explain
    POSSIBLE = 2  # it would explain what has failed
    LIKELY = 3
    CERTAIN = 4


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What the evidence says of a cause.

    Attributes:
        level: How much speaks for it.
        sentence: The cause in words, with the names; "" below `LIKELY`.
        why: What that is concluded from; "".
        mend: What to do, as in `Finding`; a `Note` if interfaces spell it differently.
        fix: As in `Finding`.
    """

    level: Level
    sentence: str = ""
    why: str = ""
    mend: str = ""
    fix: Fix | None = None


RULED_OUT = Suspicion(Level.RULED_OUT)
UNSEEN = Suspicion(Level.UNSEEN)
POSSIBLE = Suspicion(Level.POSSIBLE)


def certain(sentence: str, why: str = "", mend: str = "", fix: Fix | None = None) -> Suspicion:
    """It is that."""
    return Suspicion(Level.CERTAIN, sentence, why, mend, fix)


def likely(sentence: str, why: str = "", mend: str = "", fix: Fix | None = None) -> Suspicion:
    """It may well be that."""
    return Suspicion(Level.LIKELY, sentence, why, mend, fix)


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that may keep a user from logging in.

    Attributes:
        numbers: Its numbers in the table of docs/troubleshooting.md.
        check: The check in which it shows, one of `findings.CHECKS`.
        title: The cause, as a noun phrase or clause that follows "one of: ".
        judge: What the evidence says of it.
        decides: What decides on it, if the login alone does not: permissions, or options. As in `HINTS`.
        mend: What to do about it, in general. As in `HINTS`.
    """

    numbers: tuple[int, ...]
    check: str
    title: str
    judge: Callable[[Evidence], Suspicion]
    decides: tuple[str, ...] = ()
    mend: str = ""


def listed(names: Iterable[object]) -> str:
    """Names with commas between them; of many, the first ones and how many others there are."""
    texts = [str(name) for name in names]
    others = len(texts) - _FEW
    if others <= 1:
        return ", ".join(texts)
    return f"{', '.join(texts[:_FEW])} and {others:,} others"


_FEW = 8


def to_run(who_does: str, statement: str) -> str:
    """A mend that is a statement or a command: what it is for, and on the next line what is to be pasted.

    A name with a line break or another character that no line shows would be another name when pasted: then it is
    not there to paste.
    """
    return f"{who_does}:\n{statement}" if statement.isprintable() else f"{who_does}."


def magic_to_run(name: str, **words: str) -> str:
    """The same for a command of `hints.py`, whose facts are words of a magic's line.

    Args:
        name: The command, such as `enable-iam`.
        words: Its facts, as they are.
    """
    note = Note(f"{{command:{name}}}", **{key: as_word(word) for key, word in words.items()})
    if all(word.isprintable() for word in words.values()):
        return note
    python, notebook = (f"{note.spelled(each).partition(':')[0]}." for each in (Interface.PYTHON, Interface.NOTEBOOK))
    return Note.of(python, notebook)


# What the server's answer leaves possible

_AFTER_LOGIN = (
    1044,
    1049,
)  # the user was let in, the schema was not given: https://dev.mysql.com/doc/mysql-errors/8.4/en/


def is_in(answer: Answer) -> bool:
    """Whether the user was authenticated."""
    return answer.accepted or answer.code in _AFTER_LOGIN


def of_token(evidence: Evidence) -> Suspicion:
    """What the answer says of a token that is refused, whatever is wrong with it or with what IAM allows."""
    answer = known(evidence.answer)
    if answer is None:
        return UNSEEN
    return POSSIBLE if answer.code == 1045 and answer.token_asked else RULED_OUT


def of_user(evidence: Evidence) -> Suspicion:
    """What the answer says of the database user.

    MySQL asks for a token only whom it knows to log in with one; MariaDB answers for an unknown user as for some
    account of its own.
    """
    answer = known(evidence.answer)
    if answer is None:
        return UNSEEN
    return POSSIBLE if answer.code == 1045 and (answer.is_mariadb or not answer.token_asked) else RULED_OUT


def endpoint_of(evidence: Evidence) -> Endpoint | None:
    """The endpoint, if it is known."""
    target = known(evidence.target)
    return target.endpoint if isinstance(target, Target) else None


def is_proxy(evidence: Evidence) -> bool | None:
    """Whether the endpoint is a proxy's; None if it is not known."""
    endpoint = endpoint_of(evidence)
    return None if endpoint is None else endpoint.kind is Kind.PROXY


def problem_in(fact: object) -> Problem | None:
    """The problem, if the fact is one."""
    return fact if isinstance(fact, Problem) else None


def is_let_in(evidence: Evidence) -> bool:
    """Whether the user is known to be let in: then nothing on the way to that is wrong."""
    answer = known(evidence.answer)
    return answer is not None and is_in(answer)


def refusal_logged(evidence: Evidence) -> LogEntry | None:
    """The log's entry about this very login: an earlier one may have been refused for another reason."""
    log = known(evidence.log)
    return log[0] if log and is_of_login(log[0], evidence) else None


def is_of_login(entry: LogEntry, evidence: Evidence) -> bool | None:
    """Whether an entry of the log is about this very login, or a later one; None if its time is not known."""
    answer, ahead = known(evidence.answer), known(evidence.clock)
    if answer is None or answer.at is None or ahead is None:
        return None
    return entry.at >= answer.at - dt.timedelta(seconds=ahead) - _TOLERANCE


_TOLERANCE = dt.timedelta(seconds=2)  # AWS's date has whole seconds


# What the database's log rules out


def unless_logged(evidence: Evidence, suspicion: Suspicion, of: LogClass) -> Suspicion:
    """Ruled out, if the database's log gives another reason for this refusal."""
    entry = refusal_logged(evidence)
    if suspicion is POSSIBLE and entry is not None and entry.of not in (None, of):
        return RULED_OUT
    return suspicion
