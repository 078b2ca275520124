"""`%rds_iam_access`: what it found, in a sentence or two above the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rds_iam_magic.notebook.showing import display
from rds_iam_magic.notebook.showing.whole import Style
from rds_iam_magic.setup.account_names import shown
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pandas as pd

STYLE = Style(index=False, null="")
_MOST_NAMES = 5


def show(found: pd.DataFrame, user: str | None) -> None:
    """Sum up what `who_may_connect` found.

    Args:
        found: Its rows.
        user: The database user that was asked for; None for all.
    """
    for sentence in _sentences(found, user):
        display.say(sentence)


def _sentences(found: pd.DataFrame, user: str | None) -> Iterator[str]:
    rows = list(found.itertuples(index=False))
    accounts = dict.fromkeys((row.User, row.Host) for row in rows if row.Host)
    if not accounts:
        named = f"No account named {shown(user)} logs" if user is not None else "No database user logs"
        yield f"{named} in with IAM here."
    else:
        unused = [f"{row.User}@{row.Host}" for row in rows if row.Host and not row.Principal and row.Connect == "no"]
        nobody = f" Administrators aside, nobody may connect as {_listed(unused)}." if unused else ""
        yield f"{count_of(len(accounts), 'account')} {'logs' if len(accounts) == 1 else 'log'} in with IAM.{nobody}"
    missing = list(dict.fromkeys(row.User for row in rows if not row.Host))
    if missing:
        yield f"Policies name users without an account for IAM: {_listed(missing)}."


def _listed(names: Iterable[str]) -> str:
    """Names in a sentence; of many, the first ones."""
    names = [shown(name) for name in names]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
