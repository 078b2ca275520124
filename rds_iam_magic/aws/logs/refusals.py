"""`read_refusals`: what RDS has written of a user's refused logins into the log `iam-db-auth-error`.

RDS writes that log where IAM authentication refuses, and exports it to CloudWatch if it is told to. A login that the
server refuses for another reason, such as an unknown user, is not in it.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.session import client_of, part_of

EXPORT = "iam-db-auth-error"
PERMISSION = "logs:FilterLogEvents"
MOST = 20
"""How many refusals are told."""

RefusalClass = Literal["token", "permission", "throttling", "server"]


@dataclass(frozen=True, slots=True)
class Source:
    """The cluster or instance whose logins are asked for; an RDS Proxy has neither that log nor those metrics.

    Attributes:
        kind: `cluster` or `instance`.
        name: Its identifier.
        region: Its region.
    """

    kind: Literal["cluster", "instance"]
    name: str
    region: str

    @property
    def group(self) -> str:
        """The name of the log group."""
        return f"/aws/rds/{self.kind}/{self.name}/{EXPORT}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of the log.

    Attributes:
        at: When; with a time zone.
        of: Its class, as RDS counts refusals; None if its words are not known.
        words: RDS's words.
    """

    at: dt.datetime
    of: RefusalClass | None
    words: str


_WINDOWS = (dt.timedelta(minutes=1), dt.timedelta(minutes=10))  # a busy log is read from its end
_PAGES = 5  # for each; a page is up to 1 MB


def read_refusals(session: Any, source: Source, user: str, now: dt.datetime) -> list[Refusal] | None:
    """The refusals of a user in the last minutes, the latest first.

    Args:
        session: A boto3 session.
        source: The cluster or instance.
        user: The database user; case-sensitive.
        now: By AWS's clock, with a time zone.

    Returns:
        At most `MOST`; none if there were none, None if there is no such log.

    Raises:
        AwsError: It may not be read (`aws-denied`), or CloudWatch cannot be reached.
    """
    with aws_call(f"reading the log {source.group}"):
        return _read(session, source, user, now)


def _read(session: Any, source: Source, user: str, now: dt.datetime) -> list[Refusal] | None:
    from botocore.exceptions import ClientError

    client = client_of(session, "logs", region_name=source.region)
    is_of_user = _pattern(user)
    found: list[Refusal] = []
    try:
        for window in _WINDOWS:
            events = _events(client, source.group, now - window)
            found = [refusal_of(*event) for event in events if is_of_user.search(event[1])]
            if found:
                break
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return None
    return sorted(found, key=lambda refusal: refusal.at, reverse=True)[:MOST]


def _events(client: Any, group: str, since: dt.datetime) -> Iterator[tuple[int, str]]:
    """The lines since then, each with its time in milliseconds."""
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=int(since.timestamp() * 1000)
    )
    for page, _ in zip(pages, range(_PAGES), strict=False):
        for event in part_of(page, "events"):
            yield int(part_of(event, "timestamp")), str(part_of(event, "message"))


def _pattern(user: str) -> re.Pattern[str]:
    """What finds the lines about a user, and not those about one whose name begins or ends like it."""
    return re.compile(rf"\bfor user\s+(['\"`]?){re.escape(user)}\1(?=[,.;:)]?(?:\s|$))")


_CODE = re.compile(r"Error Code:\s*(\w+)")
_BY_CODE: dict[str, RefusalClass] = {
    "InvalidToken": "token",
    "ExpiredToken": "token",
    "NotAuthorized": "permission",
    "ThrottlingException": "throttling",
    "InternalError": "server",
}
_BY_WORDS: tuple[tuple[str, RefusalClass], ...] = (
    ("token is malformed or otherwise invalid", "token"),
    ("token age is longer than 15 minutes", "token"),
    ("is not authorized to perform", "permission"),
    ("due to IAM DB authentication throttling", "throttling"),
)
_OF_A_TOKEN = re.compile(r"X-Amz-[\w-]+=[^\s&]*", re.IGNORECASE)


def refusal_of(milliseconds: int, message: str) -> Refusal:
    """A line → its class and its words; of a class only if RDS's documentation has its code, or else its words.

    Args:
        milliseconds: When, since 1970.
        message: The line.
    """
    text = " ".join(message.split())
    code = _CODE.search(text)
    of = _BY_CODE.get(code[1]) if code is not None else next((of for words, of in _BY_WORDS if words in text), None)
    words = "".join(each if each.isprintable() else "?" for each in _OF_A_TOKEN.sub("X-Amz-…", text))
    return Refusal(dt.datetime.fromtimestamp(milliseconds / 1000, dt.timezone.utc), of, words[:500])
