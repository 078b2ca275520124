"""Errors of boto3, botocore and the libraries below → errors of this package, looked up in `causes.py`.

A message consists of fixed text and a few names: a profile, a path, a region, an operation, an error code. A library's
own message is never used: it may quote a `credential_process`, a header, a line of a file or (as AWS does when a
signature does not match) the whole request with its session token.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from rds_iam_magic.aws.causes import (
    ANY,
    BAD_ENDPOINT,
    BY_CLASS,
    BY_CODE,
    EXPIRED,
    LOOKUP_DENIED,
    NOT_AWS,
    NOT_SENDABLE,
    PROCESS_FAILED,
    PROCESS_NO_JSON,
    PROCESS_NOT_RUN,
    SOURCE_UNREADABLE,
    Entry,
)
from rds_iam_magic.errors import RdsIamError


def error_code(error: BaseException) -> str:
    """The code of a `ClientError`, such as `AccessDenied`; empty for other errors and malformed codes."""
    response = getattr(error, "response", None)
    error_part = response.get("Error") if isinstance(response, dict) else None
    code = str(error_part.get("Code", "")) if isinstance(error_part, dict) else ""
    return code if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:]{0,79}", code) else ""


def is_denial(error: BaseException) -> bool:
    """Whether AWS denied a call for want of a permission; the error of this package has that in its facts."""
    code = error_code(error)
    return not _is_of_the_web(error, code) and _by_code(code)[1] == "aws-denied"


def translate(error: BaseException, doing: str) -> RdsIamError:
    """The error of this package for an error of AWS's libraries or the libraries below them."""
    code = error_code(error)
    if code or _is(error, "ClientError"):
        return _refusal(error, code, doing)
    kind, cause, message = _entry(error)
    return kind(message.format_map(_Values(error, doing)), cause=cause, detail=_where(error))


def _refusal(error: BaseException, code: str, doing: str) -> RdsIamError:
    kind, cause, message = NOT_AWS if _is_of_the_web(error, code) else _by_code(code)
    if cause == "aws-denied" and doing.startswith("looking up"):
        kind, cause, message = LOOKUP_DENIED
    permission = _permission(error)
    values = _Values(error, doing, code=": ".join(filter(None, (code or "no code", permission))))
    facts = {"permission": permission or _of_operation(error)} if is_denial(error) else None
    return kind(message.format_map(values), cause=cause, detail=_detail(error, code), facts=facts)


def _is_of_the_web(error: BaseException, code: str) -> bool:
    """Whether a refusal has no code of AWS's, such as a proxy's page; botocore may take the HTTP status for one.

    Answers to HEAD have no body, so that the status is all that S3 says. 5xx are AWS's load balancers, too.
    """
    if not code:
        return True
    return bool(re.fullmatch("[34][0-9]{2}", code)) and not str(getattr(error, "operation_name", "")).startswith("Head")


def _by_code(code: str) -> Entry:
    return next(entry for pattern, entry in BY_CODE if re.match(pattern, code))


def _words(error: BaseException) -> str:
    """AWS's message; only what a pattern of ours finds in it may be shown."""
    return str(getattr(error, "response", {}).get("Error", {}).get("Message", ""))[:4000]


def _permission(error: BaseException) -> str:
    """The permission that is missing, such as `rds:DescribeDBClusters`, where AWS's message says so."""
    match = re.search(r"is not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z0-9]{1,80})\b", _words(error))
    return match[1] if match else ""


def _of_operation(error: BaseException) -> str:
    """The permission for the operation that was denied; its name alone where the service is not known."""
    operation = _line(getattr(error, "operation_name", ""))
    service = next((service for service, pattern in _SERVICES if re.match(pattern, operation)), "")
    return f"{service}:{operation}" if service else operation


_SERVICES = (  # by the names of their operations, which errors do not tell the service of
    ("cloudformation", "DescribeStack|ListStack"),
    ("secretsmanager", "GetSecretValue|DescribeSecret"),
    ("sts", "AssumeRole|GetCallerIdentity"),
    ("iam", "(Get|List)(Role|User|Group|Policy|Account|Attached|Entities)|Simulate"),
    ("logs", "FilterLogEvents|DescribeLog"),
    ("cloudwatch", "GetMetric"),
    ("rds", "Describe(DB|Global|Orderable|Events)|Modify(DB|Global)"),
)


def _detail(error: BaseException, code: str) -> str:
    """The operation, the code and, from AWS's message, only who may not do what."""
    operation = _line(getattr(error, "operation_name", ""))
    match = _NOT_AUTHORIZED.search(_words(error))
    return ": ".join(part for part in (operation, code, _line(match[0]) if match else "") if part)


_NOT_AUTHORIZED = re.compile(
    r"(User|Principal): arn:[\w-]+:(iam|sts):[\w-]*:\d*:[\w+=,.@/-]{1,200} is not authorized to perform: "
    r"[\w-]+:\w+( on resource: arn:[\w-]+(:[\w*+=,.@/-]{0,200}){4,6})?"
    r"( because no [\w-]+ policy allows the [\w-]+:\w+ action| with an explicit deny in an? [\w -]+ policy)?"
)


def _entry(error: BaseException) -> Entry:
    if _ran(error, "botocore.credentials", "_retrieve_credentials_using") or (
        _kwargs(error).get("provider") == "custom-process"
    ):
        return _process_entry(error)
    if type(error) is RuntimeError and _ran(error, "botocore.credentials"):
        return EXPIRED  # botocore's error for expired credentials that cannot be refreshed
    if _ran(error, "botocore.endpoint", "create_endpoint"):
        return BAD_ENDPOINT
    if _is(error, "HTTPClientError") and (entry := _http_entry(error)) is not None:
        return entry
    if _ran(error, "botocore.parsers") and isinstance(error, (AttributeError, LookupError, TypeError, ValueError)):
        return NOT_AWS  # XML or JSON, but without what AWS puts into it
    if _is_of_a_source(error):
        return SOURCE_UNREADABLE
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in BY_CLASS:
            return BY_CLASS[ancestor.__name__]
    return ANY


def _http_entry(error: BaseException) -> Entry | None:
    """The entry for a request that could not even be sent."""
    if any(_is(link, "LocationValueError", "InvalidURL") or type(link) is UnicodeError for link in chain(error)):
        return BAD_ENDPOINT
    if any(isinstance(link, ValueError) for link in chain(error)):
        return NOT_SENDABLE  # http.client refuses a header
    return None


def _is_of_a_source(error: BaseException) -> bool:
    """Whether it is a source of credentials that returned something unreadable."""
    from_source = _ran(error, "botocore.credentials") or _ran(error, "botocore.tokens")
    return from_source and not isinstance(error, (OSError, MemoryError)) and not _is(error, "BotoCoreError")


def _process_entry(error: BaseException) -> Entry:
    if isinstance(error, OSError):
        return PROCESS_NOT_RUN
    return PROCESS_FAILED if _is(error, "CredentialRetrievalError") else PROCESS_NO_JSON


class _Values(dict[str, str]):
    """The values for messages: names that are not secret, each on one line."""

    def __init__(self, error: BaseException, doing: str, *, code: str = "") -> None:
        arguments = _kwargs(error)
        names = ("profile", "path", "provider", "cred_var", "region_name", "source_profile")
        values = {name: _line(arguments[name]) for name in names if arguments.get(name)}
        region = values.get("region_name")
        super().__init__(
            values,
            doing=_line(doing),
            code=code,
            endpoint=_host(arguments.get("endpoint_url") or arguments.get("proxy_url")),
            reason=_reason(error),
            in_region=f" ({region})" if region else "",
        )
        self["class"] = type(error).__name__

    def __missing__(self, name: str) -> str:
        return "unknown"


def _reason(error: BaseException) -> str:
    """The reason given by the OS, OpenSSL or a parser: from their error numbers, never from a message with values."""
    for link in chain(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            return _line(link.verify_message)
        if isinstance(link, ssl.SSLError):
            return _line(link.reason or "TLS failed").lower()
        if isinstance(link, socket.gaierror):
            return "its name is not known"
        if isinstance(link, TimeoutError):
            return "it timed out"
        if isinstance(link, OSError) and link.errno:
            named = f"{_line(link.filename)}: " if isinstance(link.filename, str) else ""
            return f"{named}{os.strerror(link.errno)}"
        if isinstance(link, UnicodeError):
            return "it is not UTF-8"
        if (line := _line_number(link)) is not None:
            return f"line {line} is not of the form NAME = VALUE"
    return "no connection" if _is(error, "HTTPClientError", "ConnectionError", "HTTPError") else type(error).__name__


def _line_number(error: BaseException) -> int | None:
    """The line of an INI file that cannot be parsed."""
    line = getattr(error, "lineno", None)
    if isinstance(error, json.JSONDecodeError):
        return None
    wrong = getattr(error, "errors", None)
    if not isinstance(line, int) and isinstance(wrong, list) and wrong and isinstance(wrong[0], tuple):
        line = wrong[0][0]
    return line if isinstance(line, int) else None


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and the errors that led to it: causes, contexts, and those in botocore's and urllib3's attributes."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [*_kwargs(link).values(), *link.args, getattr(link, "reason", None)]
        waiting += [link.__cause__, link.__context__]


def _kwargs(error: BaseException) -> dict[str, Any]:
    kwargs = getattr(error, "kwargs", None)
    return kwargs if isinstance(kwargs, dict) else {}


def _is(error: BaseException, *names: str) -> bool:
    return any(ancestor.__name__ in names for ancestor in type(error).__mro__)


def _frames(error: BaseException) -> Iterator[tuple[str, str, int]]:
    """Module, function and line of each frame in an error's traceback."""
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        yield str(frame.f_globals.get("__name__", "")), frame.f_code.co_name, traceback.tb_lineno
        traceback = traceback.tb_next


def _ran(error: BaseException, module: str, function: str = "") -> bool:
    return any(m == module and function in ("", f) for m, f, _ in _frames(error))


def _where(error: BaseException) -> str:
    """For `%tb`, in place of the frames: the class and the location in the code."""
    *_, (module, function, line) = [("", "", 0), *_frames(error)]
    return f"{type(error).__name__} in {module}.{function}, line {line}" if module else type(error).__name__


def _host(url: object) -> str:
    """Host and port of a URL, whose path and user info may contain credentials."""
    try:
        parts = urlsplit(str(url or ""))
        port = f":{parts.port}" if parts.port else ""
        return _line(f"{parts.hostname}{port}") if parts.hostname else "its endpoint"
    except ValueError:
        return "its endpoint"


def _line(value: object) -> str:
    """A value on one line."""
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:300])
    return text if len(text) < 300 else f"{text[:297]}…"
