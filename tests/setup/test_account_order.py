"""Which account a server takes for a client: as the real MariaDB does, and as MySQL's documentation says."""

import ipaddress
import random

import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.setup.account_order import account_for, in_order, is_match
from rds_iam_magic.setup.accounts import Account

CLIENTS = ["127.0.0.1", "127.0.0.10", "127.1.2.200", "127.12.0.13"]


def taken(accounts, client="10.0.3.7", *, mariadb=False, names=False, user="ana"):
    accounts = [Account(*account.split("@")) for account in accounts.split()]
    account, certain = account_for(accounts, user, client, is_mariadb=mariadb, resolves_names=names)
    return (str(account) if account else None), certain


@pytest.mark.parametrize("mariadb", [False, True])
@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ("ana@%", "ana@%"),
        ("ana@% ana@10.%", "ana@10.%"),
        ("ana@10.0.3.% ana@10.0.3.7 ana@%", "ana@10.0.3.7"),
        ("ana@10.0.3.0/255.255.255.0 ana@10.%", "ana@10.0.3.0/255.255.255.0"),
        ("ana@10.0.0.0/255.0.0.0 ana@10.0.3.0/255.255.255.0", "ana@10.0.3.0/255.255.255.0"),
        ("ana@% @%", "ana@%"),
        ("ana@% @10.%", "@10.%"),
        ("ana@10.% @10.% @%", "ana@10.%"),
        ("ana@% @10.0.3.7", "@10.0.3.7"),
        ("ANA@% Ana@10.0.3.7", None),
        ("ana@10.1.% ben@%", None),
        ("ana@192.168.0.0/255.255.0.0", None),
        ("ana@10.0.3._", "ana@10.0.3._"),
        ("", None),
    ],
)
def test_the_first_that_matches(accounts, expected, mariadb):
    """An account without a name, for a more specific host, takes the place of the one with the name."""
    assert taken(accounts, mariadb=mariadb) == (expected, True)


def test_among_patterns():
    """MySQL goes by the place of the first wildcard, MariaDB by the length of the shortest match."""
    assert taken("ana@10.0._.7 ana@10.0.3.%") == ("ana@10.0.3.%", True)
    assert taken("ana@10.0._.7 ana@10.0.3.%", mariadb=True) == ("ana@10.0._.7", True)


def test_mysql_takes_networks_by_their_bits():
    assert taken("ana@10.0.3.0/24 ana@10.%") == ("ana@10.0.3.0/24", True)
    assert taken("ana@10.0.3.0/24 ana@10.%", mariadb=True) == ("ana@10.%", True)
    assert taken("ana@10.0.3.0/24 ana@10.0.0.0/8 ana@10.0.3.0/255.255.255.0") == ("ana@10.0.3.0/24", True)
    assert taken("ana@10.0.0.0/8 ana@10.0.3.0/255.255.255.0") == ("ana@10.0.0.0/8", True), "bits before masks"


@pytest.mark.parametrize(
    ("accounts", "client", "names", "expected"),
    [
        ("ana@db.example.com ana@%", "10.0.3.7", True, ("ana@%", False)),
        ("ana@db.example.com ana@%", "10.0.3.7", False, ("ana@%", True)),
        ("ana@%.example.com", "10.0.3.7", True, (None, False)),
        ("ana@%.EXAMPLE.com ana@%", "web.example.com", True, ("ana@%.EXAMPLE.com", True)),
        ("ana@10.0.3.7 ana@%", "web.example.com", True, ("ana@%", False)),
        ("ana@10.0.0.0/255.0.0.0 ana@%", "web.example.com", True, ("ana@%", False)),
        ("ana@other.example.com ana@%", "web.example.com", True, ("ana@%", True)),
        ("ana@%", "", True, ("ana@%", True)),
        ("ana@10.% ana@%", "", True, ("ana@%", False)),
        ("ana@10.%", "", False, (None, False)),
        ("ana@localhost ana@%", "127.0.0.1", False, ("ana@%", True)),
        ("ana@2001:db8::%", "2001:db8::1", True, ("ana@2001:db8::%", True)),
        ("ana@fe80::% ana@%", "10.0.3.7", True, ("ana@%", True)),
    ],
)
def test_what_is_not_certain(accounts, client, names, expected):
    assert taken(accounts, client, names=names) == expected


def test_roles_are_none():
    role = Account("ana", "%", is_role=True)
    assert account_for([role], "ana", "10.0.3.7", is_mariadb=True, resolves_names=False) == (None, True)


PATTERNS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.text("0123456789.%_", max_size=12),
    st.text(max_size=8),
    st.builds("{}/{}".format, st.ip_addresses(v=4), st.sampled_from(["8", "24", "33", "255.255.0.0", "x", ""])),
)
ACCOUNTS = st.lists(st.builds(Account, st.sampled_from(["ana", "", "Ana"]), PATTERNS), max_size=8)


@given(ACCOUNTS, st.one_of(st.ip_addresses().map(str), st.text(max_size=8)), st.booleans(), st.booleans())
def test_any_accounts(accounts, client, mariadb, names):
    """Whoever is taken matches, stands first of those that do, and does so in whatever order they are listed."""
    how = {"is_mariadb": mariadb, "resolves_names": names}
    account, certain = account_for(accounts, "ana", client, **how)
    order = in_order(accounts, "ana", is_mariadb=mariadb)
    assert sorted(map(str, order)) == sorted(str(a) for a in accounts if a.user != "Ana")
    assert account_for(accounts[::-1], "ana", client, **how) == (account, certain)
    matches = [is_match(each.host, client, **how) for each in order]
    if account is None:
        assert True not in matches
        assert certain == (None not in matches)
    else:
        first = matches.index(True)
        assert order[first] == account
        assert certain == (None not in matches[:first])


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_networks(address, bits):
    network = ipaddress.IPv4Network(f"{address}/{bits}", strict=False)
    how = {"is_mariadb": False, "resolves_names": True}
    assert is_match(str(network), str(address), **how)
    assert is_match(network.with_netmask, str(address), **how)
    other = str(address + 1 if int(address) < 2**32 - 1 else address - 1)
    assert is_match(network.with_netmask, other, **how) == (ipaddress.ip_address(other) in network)


def pattern(chance: random.Random) -> str:
    """A host pattern that one of the clients may match."""
    client = chance.choice(CLIENTS)
    kind = chance.random()
    if kind < 0.1:
        return client
    if kind < 0.3:
        bits = chance.choice([8, 10, 16, 24, 25, 28, 30, 32])
        return ipaddress.ip_network(f"{client}/{bits}", strict=False).with_netmask
    if kind < 0.35:
        return "127.0.0.0/24"  # which MariaDB takes for a name
    made, at = "", 0
    while at < len(client):
        kind = chance.random()
        made += "_" if kind < 0.12 else "%" if kind < 0.3 else client[at]
        at += chance.randint(0, 6) if 0.12 <= kind < 0.3 else 1
    return made


@pytest.mark.parametrize("seed", range(3))
def test_the_real_mariadb_takes_the_same(inside, seed):
    """One account after the other is dropped, the one that was taken, and the next one is looked at."""
    chance = random.Random(seed)
    accounts = {(chance.choice(["q", "q", ""]), pattern(chance)) for _ in range(30)}
    seen = 0
    with inside.server.root() as root:
        try:
            for user, host in accounts:
                root.execute(f"CREATE USER '{user}'@'{host}' IDENTIFIED BY 'x'")
            left = set(accounts)
            while left:
                client = chance.choice(CLIENTS)
                account, certain = account_for(
                    [Account(*each) for each in left], "q", client, is_mariadb=True, resolves_names=False
                )
                assert certain
                expected = (account.user, account.host) if account else None
                assert current_user(inside, client) == expected, f"of {left}, for {client}"
                seen += account is not None
                drop = expected or chance.choice(sorted(left))
                left.discard(drop)
                root.execute(f"DROP USER '{drop[0]}'@'{drop[1]}'")
        finally:
            for user, host in accounts:
                root.execute(f"DROP USER IF EXISTS '{user}'@'{host}'")
    assert seen > 10


def current_user(inside, client):
    how = {"user": "q", "password": "x", "ssl_ca": str(inside.bundle), "ssl_verify_identity": False}
    try:
        connection = pymysql.connect(host="127.0.0.1", port=inside.server.port, bind_address=client, **how)
    except pymysql.OperationalError as error:
        if error.args[0] != 1045:
            raise
        return None
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        return tuple(cursor.fetchone()[0].rsplit("@", 1))
