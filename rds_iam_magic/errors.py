"""The errors that this package raises, under one base.

An error has a *message*, one line that says what happened; a *cause*, an identifier that stays stable when wordings
change; and a *hint*, one line that says what to do next. None ever contains a secret, so all may be shown, logged and
stored. The hints are in `hints.py`, by cause; docs/errors.md lists the causes.

```
RdsIamError
├── OptionError              a magic line or an argument that cannot be understood
├── AwsError                 an AWS call failed or was denied
│   ├── CredentialsError     none, expired, an unknown profile, an SSO session that has ended
│   ├── RegionError          no region is known
│   └── TargetError          the target does not exist or is not supported
├── TrustStoreError          no usable CA bundle
├── ConnectError             no connection could be opened
│   ├── UnreachableError     nothing answers at the address
│   ├── TunnelError          a tunnel to the database could not be opened
│   ├── TlsError             TLS failed: untrusted, expired or for another host, or not offered
│   └── AccessDeniedError    the server refused the user
├── NotConnectedError        there is no connection, or none with that alias
├── ConnectionLostError      the connection was lost
├── StatementError           the server refused a statement
├── ProtocolError            the server violated the MySQL protocol
├── ResultError              a result cannot be returned as requested
│   └── DecodeError          a value cannot be decoded; the session stays open
├── UserSetupError           a database user cannot be set up as requested
└── ProvisionError           a database cannot be provisioned, or deleted, as requested
```
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rds_iam_magic.hints import HINTS, Interface, Note, spell, spelled

if TYPE_CHECKING:
    from types import FrameType


class RdsIamError(Exception):
    """Base of all errors of this package.

    IPython shows it in one or two lines, whether a magic or a cell's own Python raised it; `%tb` shows the traceback.

    Args:
        message: What happened; one line.
        hint: What to do next, if that depends on more than the cause; without options, whose spelling differs between
            the interfaces.
        detail: Technical details (a code, a library's message) for `%tb`; never a secret.
        cause: A key of `HINTS`; default: the class's own cause.
        facts: Values for the placeholders of the cause's hint.

    Attributes:
        message, detail: As above.
        cause: A stable identifier, such as `iam-denied`.
        facts: As above.
        interface: The interface whose spelling of options the hint uses; Python unless a magic changes it.
        holds_input: Whether the frames may contain a secret that the user typed, so that `%tb` does not show them.
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
        self._ending = ""
        self._hint = hint or None

    @property
    def hint(self) -> str:
        """What to do next, as the interface spells it; one line, or empty."""
        return self._hint_in(self.interface)

    @hint.setter
    def hint(self, text: str) -> None:
        self._sentences, self._hint = [], text

    @property
    def hint_note(self) -> Note:
        """The hint, for whoever shows it to spell."""
        return Note.of(self._hint_in(Interface.PYTHON), self._hint_in(Interface.NOTEBOOK))

    def _hint_in(self, interface: Interface) -> str:
        text = spell(HINTS.get(self.cause, ""), interface, self.facts) if self._hint is None else self._hint
        sentences = [*self._sentences, text, self._ending]
        return " ".join(filter(None, [spelled(sentence, interface) for sentence in sentences]))

    def put_before_hint(self, *sentences: str) -> None:
        """Put sentences in front of the hint; empty ones are left out. A `Note` is spelled for the interface."""
        self._sentences[:0] = filter(None, sentences)

    def put_behind_hint(self, sentence: str) -> None:
        """Let the hint end with a sentence, whatever else it comes to say; in the place of the one of before."""
        self._ending = sentence

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """IPython calls this method to render an exception; plain Python ignores it."""
        return short_traceback(self)


def short_traceback(error: BaseException) -> list[str]:
    """The lines that IPython shows for an error: its message, and with `%tb` the traceback too."""
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
    """The shell whose `%tb` is on the call stack, or None: IPython offers no other way to detect `%tb`."""
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
    """An AWS call failed or was denied."""

    cause = "aws-failed"


class CredentialsError(AwsError):
    """No AWS credentials, expired ones, an unknown profile, or an SSO session that has ended."""

    cause = "credentials-unusable"


class RegionError(AwsError):
    """No region is known."""

    cause = "region-missing"


class TargetError(AwsError):
    """The target does not exist or is not supported."""

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


class TunnelError(ConnectError):
    """A tunnel to the database could not be opened, or does not reach it.

    Attributes:
        lasting: Whether another attempt would fail in the same way.
    """

    cause = "tunnel-failed"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        cause: str = "",
        facts: Mapping[str, object] | None = None,
        lasting: bool = True,
    ) -> None:
        super().__init__(message, hint, cause=cause, facts=facts)
        self.lasting = lasting


class TlsError(ConnectError):
    """TLS could not be established or verified; no secret was sent."""

    cause = "tls-failed"


class AccessDeniedError(ConnectError):
    """The server refused the user."""

    cause = "access-denied"


class NotConnectedError(RdsIamError):
    """There is no connection, or none with that alias."""

    cause = "not-connected"


class ConnectionLostError(RdsIamError):
    """The connection was lost, and the statement was not run again."""

    cause = "connection-lost"


class StatementError(RdsIamError):
    """The server refused a statement.

    Attributes:
        code: The server's error number, such as 1064.
        sqlstate: The five characters of SQLSTATE, such as `42000`; empty if the server sent none.
        server_message: The server's own message.
        position: The number of the failed statement in the text, from 1.
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
    """The server violated the MySQL protocol; the session is discarded."""

    cause = "protocol-error"


class ResultError(RdsIamError):
    """A result cannot be returned as requested."""

    cause = "result-unavailable"


class DecodeError(ResultError):
    """A value cannot be decoded as its column's type; the session stays open.

    Attributes:
        column: The column's name; empty if unknown.
        row: The number of the row in the result set, from 1; 0 if unknown.
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
    """A database user cannot be set up as requested."""

    cause = "user-setup-failed"


class ProvisionError(RdsIamError):
    """A database cannot be provisioned, changed or deleted as requested."""

    cause = "provision-failed"
