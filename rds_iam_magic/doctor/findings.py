"""`Diagnosis`: the verdict, and what was found on the way to it, in the order of the way. Data only.

What can be done about a finding without anybody's help is in it as a `Fix`, for `--fix`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

State = Literal["ok", "problem", "unknown", "skipped"]

CHECKS = (
    "credentials",
    "identity",
    "clock",
    "region",
    "target",
    "database",
    "network",
    "TLS",
    "server",
    "proxy",
    "IAM policy",
    "database user",
    "privileges",
    "log",
)
"""The names of the checks, in the order of the way from the credentials to the grants."""


@dataclass(frozen=True, slots=True)
class AttachPolicy:
    """Let a role or user connect, by an inline policy.

    Attributes:
        principal: The ARN of the role or user.
        arn: The ARN of the database user.
    """

    principal: str
    arn: str


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Create the database user, as the master user.

    Attributes:
        user: Its name.
    """

    user: str


@dataclass(frozen=True, slots=True)
class EnableIam:
    """Switch IAM authentication on, at once.

    Attributes:
        name: The database's identifier.
        arn: Its ARN.
    """

    name: str
    arn: str


Fix = Union[AttachPolicy, CreateUser, EnableIam]  # noqa: UP007 - as the other unions here


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found.

    Attributes:
        number: Its number, from 1, as `--fix` takes it.
        check: The check, one of `CHECKS`.
        state: `ok`; `problem`; `unknown`: it could not be looked at; `skipped`: it waits for another one.
        sentence: What was found.
        evidence: What that is concluded from, such as the server's own words; "" if the sentence says it.
        mend: What to do about it, with the real names filled in; commands and statements on lines of their own. "" if
            there is nothing to do.
        fix: How this package does it itself; None if it cannot, or should not.
    """

    number: int
    check: str
    state: State
    sentence: str
    evidence: str = ""
    mend: str = ""
    fix: Fix | None = None


Certainty = Literal["healthy", "certain", "likely", "one of", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What keeps the user from logging in.

    Attributes:
        certainty: `healthy`: nothing does; `certain`; `likely`; `one of` the causes; `unknown`.
        causes: The keys of `CAUSES` that it may be, the likeliest first; empty if healthy or unknown.
        sentence: The cause in words.
        why: Why it is that, and not another.
        decides: What would decide between several causes: permissions, options; empty if nothing is to be decided.
        others: The causes that it may be (for `likely`: may be instead), a line for each part: `the database user: …`.
    """

    certainty: Certainty
    causes: tuple[str, ...]
    sentence: str
    why: str = ""
    decides: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict and the findings.

    Attributes:
        verdict: The verdict.
        findings: One for each check, in the order of the way.
        line: The target and the options, as on a magic's line.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    line: str = ""
