"""What a tool is given and what it gives: the server's address and users, and the function that runs a query."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Run = Callable[[str], Any]


@dataclass(frozen=True)
class Server:
    """Where the server is and who may log in: for us the IAM user, for the others a password user."""

    host: str
    port: int
    ca: str
    user: str
    password: str

    @classmethod
    def of_environment(cls) -> Server:
        """As the parent process left it."""
        names = ("HOST", "PORT", "CA", "USER", "PASSWORD")
        host, port, ca, user, password = (os.environ[f"BENCH_{name}"] for name in names)
        return cls(host, int(port), ca, user, password)


class UnavailableError(Exception):
    """This version of rds_iam_magic lacks what a tool needs."""
