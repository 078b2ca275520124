"""`Diagnosis`: the verdict, and what was found on the way to it, in the order of the way. Data only.

What can be done about a finding without anybody's help is in it as a `Fix`, for `--fix`. How a diagnosis is shown is in
`report.py`, what is masked in it in `masking.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Union

from rds_iam_magic.hints import Interface

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
        mend: What to do about it, with the real names filled in; commands and statements on lines of their own, which
            are never wrapped. A line of prose begins with a capital and ends with a full stop or a colon. "" if there
            is nothing to do.
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
    """What keeps a database user from logging in, and what was found about it.

    `print()` shows it as text, a notebook as a table.

    Attributes:
        verdict: The verdict.
        findings: One for each check, in the order of the way.
        line: The target and the options, as on a magic's line.
        names: What `masked` masks, each with its kind (`masking.names_in`).
        interface: Where it was asked, whose spelling of options it uses.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    line: str = ""
    names: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)
    interface: Interface = field(default=Interface.PYTHON, repr=False, compare=False)

    def __str__(self) -> str:
        """The verdict, then the findings as an aligned list."""
        from rds_iam_magic.doctor.report import as_text

        return as_text(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        printer.text(str(self))

    def _repr_html_(self) -> str:
        from rds_iam_magic.doctor.report import as_html

        return as_html(self)

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as dictionaries, lists, strings, numbers and None; its keys stay as they are."""
        from rds_iam_magic.doctor.report import as_dict

        return as_dict(self)

    def to_json(self) -> str:
        """The same as JSON, indented."""
        from rds_iam_magic.doctor.report import as_json

        return as_json(self)

    def masked(self) -> Diagnosis:
        """The same without the names that tell whose it is, to show it to others.

        Account ids, host names, addresses, the names of users, roles and secrets, resource ids and access key ids are
        each replaced by a mask such as `account-1`: the same one wherever the same name stands.
        """
        from rds_iam_magic.doctor.masking import masked

        return masked(self)
