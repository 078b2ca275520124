"""`Current`: the endpoint of what moves, as it is for the next session: a global database's writer, a CNAME's end."""

from __future__ import annotations

from collections.abc import Callable

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.errors import AwsError, TargetError


class Current:
    """The endpoint for each session; found anew for all but the first, for which it has just been found.

    Args:
        endpoint: As it has just been found.
        again: Finds it once more.
        notify: Called when it has become another one.
    """

    def __init__(self, endpoint: Endpoint, again: Callable[[], Endpoint], notify: Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._again = again
        self._notify = notify
        self._is_fresh = True

    def endpoint(self) -> Endpoint:
        """The endpoint now; the last one known, if AWS does not tell, or nothing writes at the moment.

        Raises:
            TargetError: It is not there any more.
        """
        if self._is_fresh:
            self._is_fresh = False
            return self._endpoint
        try:
            now = self._again()
        except AwsError as error:
            if isinstance(error, TargetError) and error.cause not in _PASSING:
                raise
            return self._endpoint
        if now != self._endpoint:
            before, self._endpoint = self._endpoint, now
            self._notify(f"the endpoint is {now.host} now, no longer {before.host}.")
        return now


_PASSING = frozenset({"endpoint-not-ready", "global-without-writer"})
