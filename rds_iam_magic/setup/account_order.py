"""Which account a server takes for a client: the order in which it tries accounts, and what their host patterns match.

The first account that matches counts, whatever its password or plugin: that of the most specific host. An account
without a name is for all users: with a more specific host it takes the place of the one with the user's name.

https://dev.mysql.com/doc/refman/8.4/en/connection-access.html. MariaDB's order among patterns is that of its server,
tried on 10.11; its documentation says less.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rds_iam_magic.setup.accounts import Account

_PARTS = re.compile(r"\\.|%+|_|.", re.DOTALL)
_NO_WILDCARD = 10_000  # more than any pattern has characters
_LONGEST_OF_MYSQL = 127


def in_order(accounts: Iterable[Account], user: str, *, is_mariadb: bool) -> list[Account]:
    """The accounts that may stand for a user, those without a name included, in the order in which they are tried."""
    candidates = [account for account in accounts if not account.is_role and account.user in ("", user)]
    rank = _rank_on_mariadb if is_mariadb else _rank_on_mysql
    return sorted(candidates, key=lambda account: (*rank(account.host), account.user != "", account.host), reverse=True)


def account_for(
    accounts: Iterable[Account], user: str, client: str, *, is_mariadb: bool, resolves_names: bool
) -> tuple[Account | None, bool]:
    """The account that a server takes for a user who connects from somewhere.

    Args:
        accounts: The accounts of the server.
        user: The name; case-sensitive.
        client: The client's address, or its name, as the server says it; "" if it is not known.
        is_mariadb: Whether it is MariaDB.
        resolves_names: Whether the server looks up the names of addresses.

    Returns:
        The account, None if none matches, and whether that is certain.
    """
    certain = True
    for account in in_order(accounts, user, is_mariadb=is_mariadb):
        matches = is_match(account.host, client, is_mariadb=is_mariadb, resolves_names=resolves_names)
        if matches:
            return account, certain
        certain = certain and matches is not None
    return None, certain


def is_match(host: str, client: str, *, is_mariadb: bool, resolves_names: bool) -> bool | None:
    """Whether a host pattern matches a client; None if that is not known: it depends on a name or an address.

    Args:
        host: The pattern.
        client: As in `account_for`.
        is_mariadb: As there.
        resolves_names: As there.
    """
    if not host.strip("%"):
        return True
    if not client:
        return None
    address = _address(client)
    network = _network(host, is_mariadb=is_mariadb)
    if network is not None:
        return None if address is None else address in network
    if _pattern(host.lower()).fullmatch(client.lower()):
        return True
    is_of_names = ":" not in host and (re.search(r"[A-Za-z]", host) is not None or re.search(r"\d", host) is None)
    if address is None:  # the server has found its name, and tries its address, too
        return False if is_of_names else None
    return None if is_of_names and resolves_names else False


@lru_cache(maxsize=512)
def _pattern(host: str) -> re.Pattern[str]:
    """`%` is any text, `_` any character, and what follows a backslash itself."""
    of = {"%": ".*", "_": "."}
    return re.compile("".join(of.get(part[0], re.escape(part[-1])) for part in _PARTS.findall(host)), re.DOTALL)


def _address(client: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(client)
    except ValueError:
        return None


def _network(host: str, *, is_mariadb: bool) -> ipaddress.IPv4Network | None:
    """The network that a pattern stands for: with its mask, on MySQL with the number of its bits, too."""
    text, slash, mask = host.partition("/")
    if not slash or (is_mariadb and "." not in mask):
        return None
    try:
        return ipaddress.IPv4Network(f"{text}/{mask}")
    except ValueError:
        return None


def _rank_on_mysql(host: str) -> tuple[Any, ...]:
    """From 8.0.23: addresses, networks by bits, networks by mask, then by the place of the first wildcard."""
    network = _network(host, is_mariadb=False)
    if network is not None:
        return (2 if "." not in host.partition("/")[2] else 1, network.prefixlen, 0)
    if isinstance(_address(host), ipaddress.IPv4Address):
        return (3, 0, 0)
    position = next((at for at, part in _places(host) if part[0] in "%_"), None)
    if position is None:
        return (0, 0, _LONGEST_OF_MYSQL + 1 if host else 0)
    return (0, 0, min(position + 1, _LONGEST_OF_MYSQL))


def _rank_on_mariadb(host: str) -> tuple[Any, ...]:
    """By the length of the shortest match; then the fewest `%`, the most characters, and the first wildcard."""
    places = _places(host)
    wild = [at for at, part in places if part[0] in "%_"]
    if not wild:
        return (_NO_WILDCARD if host else -1, 0, 0, 0)
    many = sum(part[0] == "%" for _, part in places)
    one = sum(part[0] == "_" for _, part in places)
    characters = len(places) - many - one
    return (characters + one, -many, characters, -wild[0])


def _places(host: str) -> list[tuple[int, str]]:
    return [(match.start(), match[0]) for match in _PARTS.finditer(host)]
