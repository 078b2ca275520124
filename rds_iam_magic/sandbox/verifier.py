"""Verifies tokens as RDS does: recomputes the signature, checks every field, and evaluates the policies. No I/O.

Signature Version 4 with a presigned URL:
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from rds_iam_magic.sandbox.policies import Verdict, decide

LIFETIME = 900
_AHEAD = 300  # seconds that the client's clock may be ahead
_EMPTY = hashlib.sha256(b"").hexdigest()
_FIELDS = (
    "Action",
    "DBUser",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
)


@dataclass(frozen=True, slots=True)
class ServedEndpoint:
    """An endpoint that this server answers for.

    Attributes:
        region: Its region.
        arn: The ARN prefix `…:dbuser:RESOURCE_ID`.
        iam_enabled: Whether IAM authentication is on.
    """

    region: str
    arn: str
    iam_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Key:
    """An access key: its secret, its principal, and the principal's policies.

    Attributes:
        secret: The secret access key.
        principal: An ARN, for the log.
        session_token: The session token of temporary credentials; "" for a user's own key.
        expires: When temporary credentials end.
        policies: Policy documents; one must allow, none may deny.
        limits: Further documents (session policies) that must each allow as well.
    """

    secret: str = field(repr=False)
    principal: str
    session_token: str = field(default="", repr=False)
    expires: dt.datetime | None = None
    policies: tuple[dict[str, Any], ...] = ()
    limits: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Verifier:
    """Decides on tokens.

    Attributes:
        find_endpoint: `host:port` → endpoint, as known to AWS at that moment; None for an unknown one.
        find_key: Access key id → key; None for an unknown or inactive one.
    """

    find_endpoint: Callable[[str], ServedEndpoint | None]
    find_key: Callable[[str], Key | None]

    def refusal(self, user: str, token: str, now: dt.datetime) -> str:
        """Why a login is refused; "" when it is accepted.

        Args:
            user: The user name that the client sent.
            token: The password that the client sent.
            now: The current time, with a time zone.
        """
        if not token:
            return "no token came, or it came without TLS"
        host, _, query = token.partition("/?")
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20) if query else []
        fields = dict(pairs)
        if len(fields) != len(pairs) or {_encoded(*pair) for pair in pairs} != set(query.split("&")):
            return "the token is malformed"
        missing = [name for name in (*_FIELDS, "X-Amz-Signature") if name not in fields]
        if missing:
            return f"the token has no {missing[0]}"
        endpoint = self.find_endpoint(host)
        if endpoint is None:
            return f"the token was signed for {host[:120]}, which is none of this database's endpoints"
        if not endpoint.iam_enabled:
            return f"IAM authentication is off at {host[:120]}"
        return (
            _refuse_fields(fields, user, endpoint)
            or _refuse_time(fields, now)
            or self._refuse_key(host, fields, endpoint, now)
        )

    def _refuse_key(self, host: str, fields: dict[str, str], endpoint: ServedEndpoint, now: dt.datetime) -> str:
        key_id = fields["X-Amz-Credential"].split("/")[0]
        key = self.find_key(key_id)
        if key is None:
            return f"the access key {key_id[:24]} is unknown or inactive"
        return _refuse_signature(key, host, fields, now) or _refuse_policy(key, f"{endpoint.arn}/{fields['DBUser']}")


def _refuse_signature(key: Key, host: str, fields: dict[str, str], now: dt.datetime) -> str:
    if key.expires is not None and key.expires < now:
        return f"the temporary credentials of {key.principal} have expired"
    if not hmac.compare_digest(fields.get("X-Amz-Security-Token", "").encode(), key.session_token.encode()):
        return f"the session token is not that of the access key {fields['X-Amz-Credential'][:24]}"
    if not hmac.compare_digest(_signature(host, fields, key.secret), fields["X-Amz-Signature"]):
        return f"the signature does not match, for {key.principal}"
    return ""


def _refuse_policy(key: Key, resource: str) -> str:
    verdicts = [decide(key.policies, "rds-db:connect", resource)]
    verdicts += [decide((limit,), "rds-db:connect", resource) for limit in key.limits]
    if Verdict.DENIED in verdicts:
        return f"{key.principal} is explicitly denied rds-db:connect on {resource}"
    if Verdict.SILENT in verdicts:
        return f"no policy allows {key.principal} rds-db:connect on {resource}"
    return ""


def _refuse_fields(fields: dict[str, str], user: str, endpoint: ServedEndpoint) -> str:
    scope = fields["X-Amz-Credential"].split("/")[1:]
    expected = [fields["X-Amz-Date"][:8], endpoint.region, "rds-db", "aws4_request"]
    if fields["Action"] != "connect":
        return "the token is not for the action connect"
    if fields["DBUser"] != user:
        return f"the token was signed for the user {fields['DBUser'][:80]}, not for {user}"
    if scope != expected:
        return f"the token's scope is {'/'.join(scope)[:120]} instead of {'/'.join(expected)}"
    if fields["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256" or fields["X-Amz-SignedHeaders"] != "host":
        return "the token is signed in another way than RDS asks for"
    return ""


def _refuse_time(fields: dict[str, str], now: dt.datetime) -> str:
    try:
        signed = dt.datetime.strptime(fields["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
        lifetime = int(fields["X-Amz-Expires"])
    except ValueError:
        return "the token's date or lifetime is malformed"
    age = (now - signed).total_seconds()
    if not 0 < lifetime <= LIFETIME:
        return f"the token's lifetime is {lifetime} s; at most {LIFETIME} are allowed"
    if age > lifetime:
        return f"the token expired {age - lifetime:.0f} s ago"
    if age < -_AHEAD:
        return f"the token was signed {-age:.0f} s in the future"
    return ""


def _signature(host: str, fields: dict[str, str], secret: str) -> str:
    query = "&".join(sorted(_encoded(*pair) for pair in fields.items() if pair[0] != "X-Amz-Signature"))
    request = "\n".join(("GET", "/", query, f"host:{host}", "", "host", _EMPTY))
    scope = fields["X-Amz-Credential"].partition("/")[2]
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join(("AWS4-HMAC-SHA256", fields["X-Amz-Date"], scope, digest))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _encoded(name: str, value: str) -> str:
    return f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
