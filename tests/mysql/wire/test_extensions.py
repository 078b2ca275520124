"""What only MariaDB offers: believed of its greeting, and chosen in both packets of a login."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.mysql.wire.extensions import BULK, chosen, offered
from tests.support.packets import greeting

MARIADB = bytes.fromhex(  # of 10.11.19, as captured
    "0a352e352e352d31302e31312e31392d4d6172696144422d302b6465623132753100"
    "0c0000004b4b742b717d3e5d00feff2d0200ff81150000000000001d000000"
    "3c505e676a61273d3c55787b006d7973716c5f6e61746976655f70617373776f726400"
)


def test_mariadb_offers_it():
    assert offered(MARIADB) == 0x1D
    assert offered(MARIADB) & BULK


@pytest.mark.parametrize("mariadb", [True, False])
def test_others_do_not(mariadb):
    """MySQL, whose zeros mean nothing, and a MariaDB or a proxy that has zeros there."""
    assert offered(greeting(tls=True, mariadb=mariadb)[4:]) == 0


def test_zeros_of_mysql_are_not_read():
    with_long_password = bytearray(MARIADB)
    with_long_password[MARIADB.index(0, 1) + 14] |= 1
    assert offered(bytes(with_long_password)) == 0


@given(st.integers(0, len(MARIADB) - 1))
def test_a_greeting_that_is_cut(size):
    assert offered(MARIADB[:size]) in (0, 0x1D)


def test_a_login_that_chooses():
    login = struct.pack("<IIB23s", 0x81BEA205, 1 << 24, 45, b"") + b"user\0"
    assert chosen(login, 0) == login
    changed = chosen(login, BULK)
    assert changed[:4] == struct.pack("<I", 0x81BEA204)
    assert changed[4:28] == login[4:28]
    assert changed[28:] == b"\x04\0\0\0user\0"
