"""Everything that this package raises, under one base.

An error has a *message*, one line that says what happened; a *cause*, an identifier that stays the same while wordings
change; and a *hint*, one line that says what to do next. None ever holds a secret, so all may be shown, logged and
stored. The hints are in `hints.py`, by cause; docs/errors.md lists the causes.

```
RdsIamError
├── OptionError              a magic line or an argument that cannot be understood
├── AwsError                 an AWS call failed, or is not permitted
│   ├── CredentialsError     none, expired, an unknown profile, an SSO session that has ended
│   ├── RegionError          no region is known
│   └── TargetError          the target names nothing, or nothing that can be used here
├── TrustStoreError          no usable CA bundle
├── ConnectError             no connection could be opened
│   ├── UnreachableError     nothing answers at the address
│   ├── TlsError             no verified TLS session: untrusted, another name, expired, or none offered
│   └── AccessDeniedError    the server refused the user
├── NotConnectedError        no connection is held, or none of that alias
├── ConnectionLostError      the held connection broke
├── StatementError           the server refused a statement
├── ProtocolError            the server sent something that the MySQL protocol does not allow
├── ResultError              a result cannot be given back as asked
│   └── DecodeError          a value that came cannot be read; the session stays
└── UserSetupError           a database user cannot be set up as asked
```
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rds_iam_magic.hints import HINTS, Interface, spell

if TYPE_CHECKING:
    from types import FrameType


class RdsIamError(Exception):
    """Base of all errors of this package.

    IPython shows one in a line or two, whether a magic or a cell's own Python raised it; `%tb` has the traceback.

    Args:
        message: What happened; one line.
        hint: What to do next, where it depends on more than the cause; in no interface's spelling.
        detail: The technical rest (a code, a library's own words) for `%tb`; never a secret.
        cause: Which of the table's, if not the class's own.
        facts: Values for the placeholders of the cause's hint.

    Attributes:
        message, detail: As above.
        cause: A stable identifier, such as `iam-denied`.
        facts: As above.
        interface: How the hint spells options: as in Python, unless a magic says otherwise.
        holds_input: Whether the frames hold a secret that the user typed, so that `%tb` does not show them.
    """

    cause = "unexpected"
    interface = Interface.PYTHON
    holds_input = False

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        detail: str = "",
        cause: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.message = message
        self.detail = detail
        self.cause = cause or type(self).cause
        self.facts = dict(facts or {})
        self._sentences: list[str] = []  # in front of the hint
        self._hint = hint or None

    @property
    def hint(self) -> str:
        """What to do next, in the interface's spelling; one line, or empty."""
        text = spell(HINTS.get(self.cause, ""), self.interface, self.facts) if self._hint is None else self._hint
        return " ".join(filter(None, [*self._sentences, text]))

    @hint.setter
    def hint(self, text: str) -> None:
        self._sentences, self._hint = [], text

    def put_before_hint(self, *sentences: str) -> None:
        """Put sentences in front of the hint; empty ones are left out."""
        self._sentences[:0] = filter(None, sentences)

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """IPython asks an exception that has this method how to show itself; plain Python does not."""
        return short_traceback(self)


def short_traceback(error: BaseException) -> list[str]:
    """An error as IPython is to show it: its message alone, and the traceback too when `%tb` asks for it."""
    lines = [f"{type(error).__name__}: {error}".rstrip(": ")]
    shell = _shell_of_tb()
    if shell is None:
        return lines
    if getattr(error, "holds_input", False):
        return [*lines, "The traceback is withheld: it quotes the input."]
    lines = list(shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__, tb_offset=1))
    detail = getattr(error, "detail", "")
    return [*lines, f"Detail: {detail}"] if detail else lines


def _shell_of_tb() -> Any:
    """The shell whose `%tb` is on the call stack, or None: nothing else tells it from the first showing of an error."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the stack is only looked at
    while frame is not None:
        if frame.f_code.co_name == "tb" and frame.f_globals.get("__name__", "").startswith("IPython.core.magics"):
            return frame.f_locals["self"].shell
        frame = frame.f_back
    return None


class RdsIamWarning(UserWarning):
    """A note about a result or a connection that works."""


def warn(text: str) -> None:
    """Issue an `RdsIamWarning` that points at the nearest caller outside this package."""
    frame, level = sys._getframe(), 1  # noqa: SLF001 - the stack is only looked at
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("rds_iam_magic."):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, RdsIamWarning, stacklevel=level)


class OptionError(RdsIamError):
    """A magic line or an argument that cannot be understood."""

    cause = "invalid-option"


class AwsError(RdsIamError):
    """An AWS call failed, or is not permitted."""

    cause = "aws-failed"


class CredentialsError(AwsError):
    """No AWS credentials, expired ones, an unknown profile, or an SSO session that has ended."""

    cause = "credentials-unusable"


class RegionError(AwsError):
    """No region is known."""

    cause = "region-missing"


class TargetError(AwsError):
    """The target names nothing, or nothing that can be used here."""

    cause = "target-unusable"


class TrustStoreError(RdsIamError):
    """No usable CA bundle."""

    cause = "ca-bundle-unusable"


class ConnectError(RdsIamError):
    """No connection could be opened."""

    cause = "connect-failed"


class UnreachableError(ConnectError):
    """Nothing answers at the address."""

    cause = "address-unreachable"


class TlsError(ConnectError):
    """No verified TLS session; no secret was sent."""

    cause = "tls-failed"


class AccessDeniedError(ConnectError):
    """The server refused the user."""

    cause = "access-denied"


class NotConnectedError(RdsIamError):
    """No connection is held, or none of that alias."""

    cause = "not-connected"


class ConnectionLostError(RdsIamError):
    """The held connection broke."""

    cause = "connection-lost"


class StatementError(RdsIamError):
    """The server refused a statement.

    Attributes:
        code: The server's error number, such as 1064.
        sqlstate: The five characters of SQLSTATE, such as `42000`; empty if the server sent none.
        server_message: The server's own words.
        position: Which statement of the text failed, counted from 1.
    """

    cause = "server-error"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        code: int = 0,
        sqlstate: str = "",
        server_message: str = "",
        position: int = 1,
        cause: str = "",
    ) -> None:
        super().__init__(message, hint, cause=cause)
        self.code = code
        self.sqlstate = sqlstate
        self.server_message = server_message
        self.position = position


class ProtocolError(RdsIamError):
    """The server sent something that the MySQL protocol does not allow; the connection is of no more use."""

    cause = "protocol-error"


class ResultError(RdsIamError):
    """A result cannot be given back as asked."""

    cause = "result-unavailable"


class DecodeError(ResultError):
    """A value that the server sent cannot be read as its column's type; the answer is at its end, the session stays.

    Attributes:
        column: The column's name; empty if it is not known.
        row: Which row of the result set it is, counted from 1; 0 if it is not known.
    """

    cause = "value-unreadable"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        column: str = "",
        row: int = 0,
        detail: str = "",
        cause: str = "",
    ) -> None:
        super().__init__(message, hint, detail=detail, cause=cause)
        self.column = column
        self.row = row


class UserSetupError(RdsIamError):
    """A database user cannot be set up as asked."""

    cause = "user-setup-failed"
