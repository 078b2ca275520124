"""`aws_call`: the only border to boto3, botocore and urllib3; it keeps their secrets in.

Those libraries expose secrets: in the locals of their frames (credentials, signed requests, responses), in their
errors' messages and attributes (a `credential_process`' output, malformed JSON, an invalid header) and in their DEBUG
logs (canonical requests, signatures, responses with the master password). So every use of them runs inside a border,
which lets only three things out:

- results;
- errors of this package, worded by `failures.py` from tables, never with a library's own message;
- exceptions for the user's program: interrupts, exits, and what a user's signal handler raised.

No error keeps the libraries' frames or errors (`__traceback__`, `__cause__`, `__context__`). The body of a border
should be one call: the call's frames are dropped too, but the locals of the function that has the `with` stay.

No log record made inside a border reaches a handler. The filter sits on the loggers, where records are created, since
handlers and levels belong to the user; it checks the thread, so that the user's own use of boto3 logs as usual.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from types import CodeType, FrameType, TracebackType
from typing import TypeVar

from rds_iam_magic.aws.failures import chain, translate
from rds_iam_magic.background import in_background
from rds_iam_magic.errors import RdsIamError

Result = TypeVar("Result")

_LIBRARIES = ("botocore", "boto3", "urllib3", "s3transfer", "awscrt", "bcdocs")
_MODULES = ("boto3.session", "botocore.client", "botocore.httpsession", "botocore.signers", "botocore.tokens")


def aws_call(doing: str) -> AbstractContextManager[None]:
    """A border around calls to AWS's libraries; `doing` names the step, as in "looking up sandbox".

    Raises:
        RdsIamError: From the `with`: any of the libraries' errors, as one of this package.
    """
    return _Border(doing)


def aws_in_background(function: Callable[[], Result]) -> Result:
    """`in_background`, inside of a border: nothing that is logged on that thread reaches a handler, either."""

    def silently() -> Result:
        frame = id(sys._getframe())  # noqa: SLF001 - as in the border
        _inside.frames.add(frame)
        try:
            return function()
        finally:
            _inside.frames.discard(frame)

    return in_background(silently)


class _Border(AbstractContextManager[None]):
    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._frame = 0
        self._handled: BaseException | None = None

    def __enter__(self) -> None:
        _silence()
        self._handled = sys.exc_info()[1]
        self._frame = id(sys._getframe(1))  # noqa: SLF001 - of the function with the border; only its identity
        _inside.frames.add(self._frame)

    def __exit__(self, _: object, error: BaseException | None, traceback: TracebackType | None) -> None:
        _inside.frames.discard(self._frame)
        if error is None:
            return
        # This frame is in the new error's traceback, so that none of its locals may keep the old one.
        del _, traceback
        _cut(error, self._handled)
        self._handled = None
        try:
            outcome = _outcome(error, self._doing)
        except BaseException as late:  # noqa: BLE001 - an interrupt in these very lines; the error goes with it
            outcome = late
        del error
        _strip(outcome)
        try:
            raise outcome
        except BaseException:  # Python has just set the context
            outcome.__context__ = None
            raise
        finally:
            del outcome


def _outcome(error: BaseException, doing: str) -> BaseException:
    """The error to raise instead, or the same error; in either case without frames."""
    own = from_a_signal_handler(error)
    if own is not None:
        return own
    if isinstance(error, RdsIamError) or not isinstance(error, Exception):
        return error
    return translate(error, doing)


def _cut(error: BaseException, handled: BaseException | None) -> None:
    """Remove the exception that the calling code was handling; it is unrelated to this error."""
    for link in chain(error):
        if link.__context__ is handled:
            link.__context__ = None


def _strip(error: BaseException) -> None:
    error.__cause__ = error.__context__ = error.__traceback__ = None


def from_a_signal_handler(error: BaseException) -> BaseException | None:
    """The exception that a signal handler raised during the call, recognised by its traceback; a library may wrap it.

    Its class does not matter: a `TimeoutError` from the user's alarm says nothing about AWS.
    """
    handlers = {code for number in signal.valid_signals() if (code := _code(signal.getsignal(number))) is not None}
    for link in chain(error):
        traceback = link.__traceback__
        is_own = _FROM_HANDLER in vars(link)  # an inner border has removed its frames
        while traceback is not None and not is_own:
            is_own = traceback.tb_frame.f_code in handlers
            traceback = traceback.tb_next
        if is_own:
            vars(link)[_FROM_HANDLER] = True
            return link
    return None


_FROM_HANDLER = "_rds_iam_from_a_signal_handler"


def _code(handler: object) -> CodeType | None:
    """The code of a signal handler that is written in Python: a function, a method, a partial, a callable object."""
    handler = getattr(handler, "func", handler)
    if not callable(handler):  # SIG_IGN and such
        return None
    code = getattr(handler, "__code__", None) or getattr(type(handler).__call__, "__code__", None)
    return code if isinstance(code, CodeType) else None


class _Inside(threading.local):
    """The functions of this thread that are inside a border."""

    def __init__(self) -> None:
        self.frames: set[int] = set()


_inside = _Inside()


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the base class's signature
        # Looked for on the stack: where an interrupt kept a border from its end, its function is not there any more.
        frame: FrameType | None = sys._getframe() if _inside.frames else None  # noqa: SLF001 - as above
        while frame is not None and id(frame) not in _inside.frames:
            frame = frame.f_back
        return frame is None


_filter = _Silence()


def _silence() -> None:
    """Put the filter on every logger of the libraries; loggers do not inherit filters.

    Their modules are imported first, so that none makes its logger inside of the border.
    """
    for module in _MODULES:
        import_module(module)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _LIBRARIES and isinstance(logger, logging.Logger):
            logger.addFilter(_filter)
