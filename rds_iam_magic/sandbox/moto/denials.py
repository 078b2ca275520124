"""How CloudWatch denies a call: in JSON, as its services answer, and by its permissions' names; moto does neither."""

from __future__ import annotations

from typing import Any

_NAMES = {"logs": "logs", "monitoring": "cloudwatch"}
"""By the name that its requests are signed for, what its permissions begin with."""


def amend() -> None:
    """Change what moto checks requests by; once for the process."""
    from moto.iam import access_control

    request: Any = access_control.IAMRequest
    make, deny = request.__init__, request._raise_access_denied  # noqa: SLF001 - moto's

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        service, _, action = self._action.partition(":")
        self._action = f"{_NAMES.get(service, service)}:{action}"

    def denied(self: Any) -> None:
        from moto.core.exceptions import JsonRESTError

        if self._service not in _NAMES or "X-Amz-Target" not in self._headers:  # older versions of boto3 ask by a form
            deny(self)
        words = f"User: {self._access_key.arn} is not authorized to perform: {self._action}"
        raise JsonRESTError("AccessDeniedException", words)

    request.__init__, request._raise_access_denied = made, denied  # noqa: SLF001
