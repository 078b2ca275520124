"""What MariaDB's handshake offers beyond MySQL's: four bytes that are zeros there.

Either side says that it has them by not setting CLIENT_LONG_PASSWORD, which every MySQL since 4.1 sets.
https://mariadb.com/kb/en/connection/
"""

from __future__ import annotations

BULK = 1 << 2
"""COM_STMT_BULK_EXECUTE: many rows for one prepared statement. (Bit 34 of all capabilities.)"""

_LONG_PASSWORD = 1
_CAPABILITIES, _EXTENSIONS = 13, 27  # where they are in a greeting, counted from behind the version
_OF_LOGIN = slice(28, 32)


def offered(greeting: bytes) -> int:
    """The extensions that a server's greeting offers; 0 from MySQL, and from a MariaDB before 10.2."""
    fields = greeting[greeting.find(b"\0", 1) + 1 :]
    if int.from_bytes(fields[_CAPABILITIES:][:1], "little") & _LONG_PASSWORD:
        return 0
    return int.from_bytes(fields[_EXTENSIONS:][:4], "little")


def chosen(login: bytes, extensions: int) -> bytes:
    """A TLS request or a handshake response that chooses extensions: of those offered, or none (0)."""
    if not extensions:
        return login
    flags = bytes([login[0] & ~_LONG_PASSWORD])
    return flags + login[1 : _OF_LOGIN.start] + extensions.to_bytes(4, "little") + login[_OF_LOGIN.stop :]
