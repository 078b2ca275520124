"""The commands that a session sends: their numbers, and the packets of the short ones.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
"""

from __future__ import annotations

COM_QUIT, COM_QUERY, COM_STATISTICS, COM_SET_OPTION = 0x01, 0x03, 0x09, 0x1B
COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_CLOSE = 0x16, 0x17, 0x19
COM_STMT_BULK_EXECUTE = 0xFA  # MariaDB's: https://mariadb.com/kb/en/com_stmt_bulk_execute/

LAST_STATEMENT = 0xFFFFFFFF
"""The number that stands for the statement prepared last, on MariaDB."""

_NO_CURSOR = b"\0" + b"\1\0\0\0"  # and one iteration
_SEND_TYPES = 128


def packet(sequence: int, payload: bytes | memoryview) -> bytes:
    """A packet with its header; the payload is shorter than 16 MiB."""
    return len(payload).to_bytes(3, "little") + bytes([sequence & 0xFF]) + payload


def execute_packet(statement_id: int, parameters: bytes = b"") -> bytes:
    """COM_STMT_EXECUTE, with the parameters as `values.py` writes them; they are shorter than 16 MiB."""
    return packet(0, bytes([COM_STMT_EXECUTE]) + statement_id.to_bytes(4, "little") + _NO_CURSOR + parameters)


def bulk_payload(statement_id: int, rows: bytes) -> bytes:
    """What follows the number of COM_STMT_BULK_EXECUTE; `rows` are the parameters' types and the rows."""
    return statement_id.to_bytes(4, "little") + _SEND_TYPES.to_bytes(2, "little") + rows


def close_packet(statement_id: int) -> bytes:
    """COM_STMT_CLOSE, which has no response."""
    return packet(0, bytes([COM_STMT_CLOSE]) + statement_id.to_bytes(4, "little"))
