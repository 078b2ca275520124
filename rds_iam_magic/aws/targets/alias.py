"""A host name of the user's own → the RDS host name that it leads to, by the CNAMEs that the resolver follows.

`gethostbyname_ex` gives them: with glibc the name that was asked for, those on the way in order, and the last one.
Other systems may give the last one only: that can be an instance's where the name leads to its cluster's first, and
counts all the same. `getaddrinfo` gives the last one alone, everywhere.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

from rds_iam_magic.aws.endpoint import Kind, is_rds_name, parse_host_name, split_host_port
from rds_iam_magic.background import BackgroundCall

MOST = 8
"""CNAMEs that are followed."""

LIMIT = 5.0
"""Seconds for the look-up."""


def rds_name_behind(text: str) -> str | None:
    """The first RDS host name that a name leads to; None if there is none.

    Args:
        text: `HOST` or `HOST:PORT`.

    Raises:
        TargetError: It is not of that form.
    """
    host, _ = split_host_port(text.strip().lower())
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return None
    names = [name for name in chain_of(host) if is_rds_name(name)]
    # Where the order is not known: whatever leads to an instance comes before it.
    return min(names, key=lambda name: parse_host_name(name, region="any").kind is Kind.INSTANCE, default=None)


def chain_of(host: str) -> list[str]:
    """The names that a host name leads to, itself first; only itself if the resolver knows none, or is too slow."""
    call = BackgroundCall(lambda: socket.gethostbyname_ex(host))
    call.start()
    if not call.wait(LIMIT):
        return [host]
    try:
        last, others, _ = call.result()
    except (OSError, UnicodeError):  # not known, or not a name
        return [host]
    names = [name.lower().rstrip(".") for name in (host, *others, last)]
    return list(dict.fromkeys(names))[: MOST + 1]
