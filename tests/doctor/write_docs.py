"""Write docs/troubleshooting.md from the causes and the matrix: `python -m tests.doctor.write_docs`, or `make docs`."""

from __future__ import annotations

from pathlib import Path

from rds_iam_magic.doctor.causes.table import CAUSES
from tests.doctor.matrix import LEVELS, PAIRS, ROWS, certain_numbers

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"

TEXT = """\
# When a login does not work

`1045 Access denied for user 'analyst'@'10.0.3.7' (using password: YES)` is all that RDS says, for more than thirty
causes. `%rds_iam_doctor` tells them apart:

```
%rds_iam_doctor my-cluster -u analyst
```

It takes what `%rds_iam_connect` takes; without a target it is about the connection that failed last, else about the
current one. In Python it is `rds_iam_magic.diagnose("my-cluster", user="analyst")`, in a shell
`python -m rds_iam_magic doctor my-cluster -u analyst` (exit code 0: the login works, 1: a verdict, 2: undecided, 64:
the line cannot be understood); `--json` is for programs.

It only looks: at the AWS credentials, who they are, the clock, the target, the database as RDS describes it, the
network, TLS, the server's answer to a token, what IAM allows, the database user and the log. What may not be looked at
is *unknown*, with the permission that it takes; it is never taken for a problem. `--secret ID`, the master user's
secret, shows the accounts, too. `--share` masks account ids, host names, addresses and user names, to show it to
others; `--fix N` does what finding N proposes, and diagnoses again.

[notebooks/denied.ipynb](../notebooks/denied.ipynb) breaks, diagnoses and mends the five commonest in the sandbox.

## The causes

Of several, the first one on the way is the verdict.

{causes}

## What can be told with which permissions

Each row is broken for real in the test suite (`tests/doctor/matrix.py`), one at a time, and diagnosed three times; the
verdicts are checked, and where the mend is a command or a statement (*printed*), it is run as it is printed, and the
login works. Another {pairs} pairs of them are broken at once: the first one on the way is named, then the second.

- **P0**: no permission but `sts:GetCallerIdentity`, which nobody can be denied.
- **P1**: {p1}.
- **P2**: also {p2}, and `--secret`.

*certain*: it is that cause. *likely*: it may well be. *one of*: it is among those that are named, with what would
decide between them. No cause is called certain for another. Certain are {p0_count} of the causes with P0, {p1_count}
with P1, {p2_count} with P2.

{matrix}

A policy with the id of a database from before a restore is told from a policy that is missing only where its document
may be read; the mend is the same.

MySQL and RDS Proxy are not among the sandbox's servers: what they say is played by a stand-in, as their documentation
has it.
"""


def text() -> str:
    """The whole page."""
    p1, p2 = (LEVELS[level] for level in ("P1", "P2"))
    return TEXT.format(
        causes=_causes(),
        matrix=_matrix(),
        pairs=len(PAIRS),
        p1=_listed(p1),
        p2=_listed([action for action in p2 if action not in p1]),
        **{f"{level.lower()}_count": len(certain_numbers(level)) for level in LEVELS},
    )


def _listed(actions: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{action}`" for action in actions)


def _causes() -> str:
    rows = ["| # | check | cause | what decides | mend |", "|---|---|---|---|---|"]
    for cause in CAUSES.values():
        numbers = ", ".join(map(str, cause.numbers))
        decides = ", ".join(cause.decides) or "the login itself"
        rows.append(
            f"| {numbers} | {cause.check} | {cause.title} | {decides} | {cause.mend.replace('|', chr(92) + '|')} |"
        )
    return "\n".join(rows)


def _matrix() -> str:
    rows = ["| # | what is broken | P0 | P1 | P2 | mend |", "|---|---|---|---|---|---|"]
    for row in sorted(ROWS, key=lambda row: [int(number) for number in row.numbers.split(", ")]):
        mend = "printed" if row.printed else "by hand"
        rows.append(f"| {row.numbers} | {row.what} | {' | '.join(row.expected)} | {mend} |")
    return "\n".join(rows)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
