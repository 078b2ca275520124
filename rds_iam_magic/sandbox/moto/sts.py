"""STS looks at whoever asks it, as AWS does, also when moto asks nobody for permissions.

It knows the keys of its own partition only. Refusals in AWS's words: a key that is unknown or inactive, or a session
token of another key, a session that has expired, a clock that is wrong, a signature that does not match.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from rds_iam_magic.sandbox.moto.changes import after

_LATE = dt.timedelta(minutes=15)
_EARLY = dt.timedelta(minutes=5)
_FORMAT = "%Y%m%dT%H%M%SZ"


def amend() -> None:
    """Change moto's STS, and what other services do with expired sessions once they ask for permissions."""
    from moto.iam import access_control
    from moto.sts.responses import TokenResponse

    of: Any = access_control  # what is changed is not what mypy knows
    after(of.AssumedRoleAccessKey, "__init__", _refuse_expired)
    after(of.IAMUserAccessKey, "__init__", _refuse_inactive)
    is_principal = of.IAMPolicyStatement._check_principal  # noqa: SLF001 - moto's own
    of.IAMPolicyStatement._check_principal = lambda statement, principal: (  # noqa: SLF001 - moto's own
        is_principal(statement, principal) or _names_account(statement, principal)
    )
    authorize = TokenResponse._authenticate_and_authorize_normal_action  # noqa: SLF001 - moto's own

    def looking(response: Any, resource: str = "*") -> None:
        _look_at(response)
        authorize(response, resource)

    setattr(TokenResponse, authorize.__name__, looking)


def _look_at(response: Any) -> None:
    """Refuse who may not ask: moto raises what becomes the answer. A web identity signs nothing."""
    from moto.core.exceptions import SignatureDoesNotMatchError
    from moto.iam.access_control import IAMRequest

    if not response.headers.get("Authorization"):
        return
    request = IAMRequest(
        account_id=response.current_account,
        method=response.method,
        path=response.raw_path,
        data=response.data,
        body=response.raw_body,
        headers=response.headers,
        action=response._get_action(),  # noqa: SLF001 - moto's own
    )
    why = _clock_is_off(response.headers.get("X-Amz-Date", ""), dt.datetime.now(dt.timezone.utc))
    if why:
        raise _refusal(SignatureDoesNotMatchError, why)
    request.check_signature()


def _clock_is_off(sent: str, now: dt.datetime) -> str:
    """AWS's words for a request that is too old or not yet of today; "" if it is neither.

    As STS has been seen to answer: https://github.com/aws/aws-cli/issues/6676. The other direction is as other
    services word it.
    """
    try:
        signed = dt.datetime.strptime(sent, _FORMAT).replace(tzinfo=dt.timezone.utc)
    except ValueError:
        return f"Date must be in ISO-8601 'basic format'. Got '{sent}'."
    if signed < now - _LATE:
        return f"Signature expired: {sent} is now earlier than {now - _LATE:{_FORMAT}} ({now:{_FORMAT}} - 15 min.)"
    if signed > now + _EARLY:
        return (
            f"Signature not yet current: {sent} is still later than {now + _EARLY:{_FORMAT}} ({now:{_FORMAT}} + 5 min.)"
        )
    return ""


def _refuse_expired(key: Any) -> None:
    from moto.core.exceptions import InvalidClientTokenIdError
    from moto.sts.models import sts_backends

    backend = sts_backends[key.account_id][key.partition]
    role = backend.get_assumed_role_from_access_key(key._access_key_id)  # noqa: SLF001 - moto's own
    if role is not None and role.expiration.replace(tzinfo=dt.timezone.utc) < dt.datetime.now(dt.timezone.utc):
        raise _refusal(
            InvalidClientTokenIdError, "The security token included in the request is expired", "ExpiredToken"
        )


def _refuse_inactive(key: Any) -> None:
    from moto.core.exceptions import InvalidClientTokenIdError

    own = key._access_key_id  # noqa: SLF001 - moto's own
    keys = (each for user in key.backend.users.values() for each in user.access_keys if each.access_key_id == own)
    if any(each.status != "Active" for each in keys):
        raise InvalidClientTokenIdError


def _refusal(kind: Any, message: str, code: str = "") -> Any:
    """A refusal of moto's with other words."""
    from moto.core.exceptions import _RESTError

    error = _RESTError(code or kind().error_type, message)
    error.code = kind.code
    return error


def _names_account(statement: Any, principal: str) -> bool:
    """Whether a trust policy names the principal's whole account, which moto does not look at."""
    named = (statement._statement.get("Principal") or {}).get("AWS") or []  # noqa: SLF001 - moto's own
    account = f"{':'.join(principal.split(':')[:5]).replace(':sts:', ':iam:')}:root"
    return account in ([named] if isinstance(named, str) else named)
