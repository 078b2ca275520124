"""The servers that the suite looks after: no test leaves a session on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WATCHED: list[Any] = []
"""Servers of fixtures that outlive a test: each test's sessions on them must end with it."""


@contextmanager
def watch(server) -> Iterator[None]:
    """Have each test end its sessions on a server."""
    WATCHED.append(server)
    try:
        yield
    finally:
        WATCHED.remove(server)


def sessions() -> Counter[str]:
    """How many sessions each user has on the watched servers; those of this look are root's."""
    found: Counter[str] = Counter()
    for server in WATCHED:
        if server.pid is not None:
            with server.root() as root:
                root.execute(
                    "SELECT USER FROM information_schema.PROCESSLIST WHERE USER NOT IN ('root', 'system user')"
                )
                found.update(f"session of {user} at port {server.port}" for (user,) in root.fetchall())
    return found
