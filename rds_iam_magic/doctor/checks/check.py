"""`Check`: a question, what it waits for, and the function that answers it; `Tools`: what it is answered with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rds_iam_magic.aws.session import HastySession
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.connecting import session_of

if TYPE_CHECKING:
    from rds_iam_magic.doctor.evidence import Evidence

LIMIT = 3.0
"""Seconds for a check, and for each of its calls."""


class Tools:
    """How AWS and the database are reached. All checks may use it at once.

    Args:
        options: The options of AWS and of the network.
        where: The options that name the database instead of the target.
        secret: The master user's secret, or None.
    """

    def __init__(self, options: ConnectOptions, where: TargetOptions, secret: str | None = None) -> None:
        self.options = options
        self.where = where
        self.secret = secret
        self._session: Any = None
        self._lock = threading.Lock()

    @property
    def session(self) -> Any:
        """The boto3 session, whose clients give up within seconds.

        Raises:
            CredentialsError: The profile does not exist.
            OptionError: An option cannot be understood.
        """
        with self._lock:
            if self._session is None:
                self._session = _SharedSession(session_of(self.options))
            return self._session


class _SharedSession(HastySession):
    """A session that many threads may use at once: boto3's makes one client at a time, and reads credentials once."""

    def __init__(self, session: Any) -> None:
        super().__init__(session)
        self._lock = threading.Lock()

    def client(self, service: str, **options: Any) -> Any:
        """As `HastySession` does."""
        with self._lock:
            return super().client(service, **options)

    def get_credentials(self) -> Any:
        """boto3's method."""
        with self._lock:
            return self._session.get_credentials()


@dataclass(frozen=True, slots=True)
class Check:
    """A question.

    Attributes:
        name: Its name, one of `findings.CHECKS`.
        fills: The fields of `Evidence` that it fills.
        look: Answers it: the evidence with those fields filled. What it raises makes them `Failed`, a denial by AWS
            `NotPermitted`.
        needs: The fields that must have a value; else this is skipped, and waits for the check that fills them.
        after: The fields that must have been looked at before, whatever came of it.
        limit: Seconds, after which the fields are `Failed`.
    """

    name: str
    fills: tuple[str, ...]
    look: Callable[[Tools, Evidence], Evidence]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    limit: float = LIMIT
