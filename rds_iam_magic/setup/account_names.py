"""What a user's name and host pattern may be: those that the server would take for others are refused."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from rds_iam_magic.aws.session import require_text
from rds_iam_magic.connect_options import MAX_USER_NAME
from rds_iam_magic.errors import OptionError

_MAX_HOST = 255
_WITH_HOST = re.compile(r"(?s)(?P<user>.+)@(?P<host>[\w.:/-]*%[\w.%:/-]*|localhost|[\d.]+|[\d.]+/[\d.]+)")
_PORT = re.compile(r"[\w.%-]+:\d+")
_CIDR = re.compile(r"(?P<address>[\d.]+)/(?P<bits>\d{1,2})")


def check_user(name: str) -> None:
    """Check the name of an account.

    Raises:
        OptionError: It is empty or no valid text, too long, has its host attached, or the server would change it.
    """
    if not name or len(name) > MAX_USER_NAME:
        raise OptionError(f"A user name has 1 to {MAX_USER_NAME} characters.", cause="user-name-invalid")
    require_text(name, "The user's name")
    _check_characters(name, "user's name")
    if name.rstrip(" ") != name:
        raise OptionError("The user's name ends with a space, which the server drops.", cause="user-name-invalid")
    match = _WITH_HOST.fullmatch(name)
    if match is not None:
        raise OptionError(
            f"The name {name!r} holds a host pattern, too.",
            cause="user-with-host",
            facts={"user": match["user"], "host": match["host"]},
        )


def check_host(host: str, *, is_mariadb: bool = False) -> None:
    """Check a host pattern.

    Args:
        host: The pattern.
        is_mariadb: Whether it is for MariaDB, which takes a network with its mask only.

    Raises:
        OptionError: It is empty or no valid text, too long, or matches no client.
    """
    require_text(host, "The host pattern")
    _check_characters(host, "host pattern")
    if len(host) > _MAX_HOST:
        raise OptionError(f"A host pattern has 1 to {_MAX_HOST} characters.", cause="host-pattern-invalid")
    network = _CIDR.fullmatch(host)
    mask = None if network is None else _with_mask(host)
    if network is not None and (mask is None or is_mariadb):
        instead = f" Write {mask}." if mask else ""
        raise OptionError(
            f"No client matches the host pattern {host!r}.",
            f"MariaDB takes a network with its mask.{instead}" if is_mariadb else "",
            cause="host-pattern-invalid",
        )
    if re.search(r"[\s*@,]|://", host) or _PORT.fullmatch(host):
        raise OptionError(f"No client matches the host pattern {host!r}.", cause="host-pattern-invalid")


def host_notes(host: str, *, resolves_names: bool) -> Iterator[str]:
    """What to know about a valid host pattern."""
    if host.lower() in ("localhost", "127.0.0.1", "::1"):
        yield f"nobody connects to RDS from {host}: clients come from their addresses, or a tunnel's end."
    elif not resolves_names and re.search(r"[A-Za-z]", host) and ":" not in host:
        yield f"the server looks no names up (skip_name_resolve), so that nobody connects from {host}: give an address."


def shown(name: str) -> str:
    """A name for a message of one line: what is not printable is escaped."""
    return name if name.isprintable() else repr(name)[1:-1]


def _with_mask(network: str) -> str | None:
    """A network in CIDR notation with its mask instead; None if it is none."""
    try:
        return ipaddress.IPv4Network(network).with_netmask
    except ValueError:
        return None


def _check_characters(text: str, what: str) -> None:
    """Refuse NUL, which no statement may contain, and what is beyond utf8mb3: the server keeps a `?` instead."""
    for character in text:
        if character == "\0" or character > "\uffff":
            raise OptionError(
                f"The {what} contains {character!r}, which the server cannot keep.", cause="user-name-invalid"
            )
