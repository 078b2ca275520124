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
from enum import Enum
from urllib.parse import parse_qsl, quote

from rds_iam_magic.sandbox.policies import Document, Verdict, decide_within

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
        owner: `cluster/ID` or `instance/ID`, whose log and metrics have its refusals; "" for none.
    """

    region: str
    arn: str
    iam_enabled: bool = True
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """An access key: its secret, its principal, and the principal's policies.

    Attributes:
        secret: The secret access key.
        principal: An ARN, for the log.
        session_token: The session token of temporary credentials; "" for a user's own key.
        expires: When temporary credentials end.
        policies: Policy documents; one must allow, none may deny.
        limits: Further documents that must each allow as well: session policy, boundary, service control policies.
    """

    secret: str = field(repr=False)
    principal: str
    session_token: str = field(default="", repr=False)
    expires: dt.datetime | None = None
    policies: tuple[Document, ...] = ()
    limits: tuple[Document, ...] = ()


class Kind(Enum):
    """How RDS classes a refusal."""

    INVALID_TOKEN = "invalid token"  # noqa: S105 - a kind
    EXPIRED_TOKEN = "expired token"  # noqa: S105 - a kind
    NOT_AUTHORIZED = "not authorized"
    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    NOT_ASKED = "not asked"
    """IAM authentication is off: it has nothing to refuse."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a login is refused.

    Attributes:
        reason: A clause, for the sandbox's own log.
        kind: As RDS tells it.
        endpoint: Whose endpoint the token was signed for; None for none of this server's.
        principal: Who signed it, as far as that is known.
    """

    reason: str
    kind: Kind = Kind.INVALID_TOKEN
    endpoint: ServedEndpoint | None = None
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Decides on tokens.

    Attributes:
        find_endpoint: `host:port` → endpoint, as known to AWS at that moment; None for an unknown one.
        find_key: Access key id and partition → key; None for an unknown or inactive one.
    """

    find_endpoint: Callable[[str], ServedEndpoint | None]
    find_key: Callable[[str, str], Key | None]

    def refusal(self, user: str, token: str, now: dt.datetime) -> Refusal | None:
        """Why a login is refused; None when it is accepted.

        Args:
            user: The user name that the client sent.
            token: The password that the client sent.
            now: The current time, with a time zone.
        """
        if not token:
            return Refusal("no token came, or it came without TLS")
        host, _, query = token.partition("/?")
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20) if query else []
        fields = dict(pairs)
        if len(fields) != len(pairs) or {_encoded(*pair) for pair in pairs} != set(query.split("&")):
            return Refusal("the token is malformed")
        missing = [name for name in (*_FIELDS, "X-Amz-Signature") if name not in fields]
        if missing:
            return Refusal(f"the token has no {missing[0]}")
        endpoint = self.find_endpoint(host)
        if endpoint is None:
            return Refusal(f"the token was signed for {host[:120]}, which is none of this database's endpoints")
        if not endpoint.iam_enabled:
            return Refusal(f"IAM authentication is off at {host[:120]}", Kind.NOT_ASKED, endpoint)
        reason = _refuse_fields(fields, user, endpoint)
        if reason:
            return Refusal(reason, endpoint=endpoint)
        return _refuse_time(fields, now, endpoint) or self._refuse_key(host, fields, endpoint, now)

    def _refuse_key(
        self, host: str, fields: dict[str, str], endpoint: ServedEndpoint, now: dt.datetime
    ) -> Refusal | None:
        key_id = fields["X-Amz-Credential"].split("/")[0]
        key = self.find_key(key_id, endpoint.arn.split(":")[1])
        if key is None:
            return Refusal(f"the access key {key_id[:24]} is unknown or inactive", endpoint=endpoint)
        reason = _refuse_signature(key, host, fields, now)
        if reason:
            return Refusal(reason, endpoint=endpoint, principal=key.principal)
        reason = _refuse_policy(key, f"{endpoint.arn}/{fields['DBUser']}")
        return Refusal(reason, Kind.NOT_AUTHORIZED, endpoint, key.principal) if reason else None


def _refuse_signature(key: Key, host: str, fields: dict[str, str], now: dt.datetime) -> str:
    if key.expires is not None and key.expires < now:
        return f"the temporary credentials of {key.principal} have expired"
    if not hmac.compare_digest(fields.get("X-Amz-Security-Token", "").encode(), key.session_token.encode()):
        return f"the session token is not that of the access key {fields['X-Amz-Credential'][:24]}"
    if not hmac.compare_digest(_signature(host, fields, key.secret), fields["X-Amz-Signature"]):
        return f"the signature does not match, for {key.principal}"
    return ""


def _refuse_policy(key: Key, resource: str) -> str:
    verdict, within = decide_within(key.policies, key.limits, "rds-db:connect", resource)
    if verdict is Verdict.DENIED:
        return f"{key.principal} is explicitly denied rds-db:connect on {resource}"
    if Verdict.SILENT in within:
        return f"no policy allows {key.principal} rds-db:connect on {resource}, within its limits"
    if verdict is Verdict.SILENT:
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


def _refuse_time(fields: dict[str, str], now: dt.datetime, endpoint: ServedEndpoint) -> Refusal | None:
    try:
        signed = dt.datetime.strptime(fields["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.timezone.utc)
        lifetime = int(fields["X-Amz-Expires"])
    except ValueError:
        return Refusal("the token's date or lifetime is malformed", endpoint=endpoint)
    age = (now - signed).total_seconds()
    if not 0 < lifetime <= LIFETIME:
        return Refusal(f"the token's lifetime is {lifetime} s; at most {LIFETIME} are allowed", endpoint=endpoint)
    if age > lifetime:
        return Refusal(f"the token expired {age - lifetime:.0f} s ago", Kind.EXPIRED_TOKEN, endpoint)
    if age < -_AHEAD:
        return Refusal(f"the token was signed {-age:.0f} s in the future", endpoint=endpoint)
    return None


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
