"""`open_with_retries`: a session instead of a lost one, from a server that may be failing over or starting."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rds_iam_magic.errors import AccessDeniedError, ConnectError, ConnectionLostError, TlsError, TunnelError

if TYPE_CHECKING:
    from rds_iam_magic.mysql.login import Login


def open_with_retries(
    open_session: Callable[[float], None], login: Login, failed: Callable[[], None] = lambda: None
) -> None:
    """Open a session, retrying with pauses within the login's timeout.

    Args:
        open_session: Opens one within so many seconds.
        login: Has the times.
        failed: Called after each attempt that another one follows.

    Raises:
        ConnectError, ConnectionLostError: The last attempt's, or one that a retry would not help.
    """
    deadline = time.monotonic() + login.timeout
    pause, denied = login.timeouts.first_pause, False
    while True:
        try:
            return open_session(max(0.5, deadline - time.monotonic()))
        except TlsError:
            raise  # a retry would not help
        except AccessDeniedError:
            if denied:
                raise
            denied = True  # the token may have expired or its key been rotated: retry once with a fresh token
        except (ConnectError, ConnectionLostError) as error:
            if isinstance(error, TunnelError) and error.lasting:
                raise
            wait = pause * (0.5 + random.random() / 2)  # noqa: S311 - jitter, so that not all come back at once
            if time.monotonic() + wait >= deadline:
                raise
            time.sleep(wait)
            pause = min(2 * pause, login.timeouts.longest_pause)
        failed()
