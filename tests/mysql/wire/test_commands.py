"""Commands as a server reads them."""

from rds_iam_magic.mysql.wire.commands import LAST_STATEMENT, bulk_payload, close_packet, execute_packet, packet


def test_a_packet_has_its_length_and_number():
    assert packet(257, b"abc") == b"\x03\0\0\x01abc"
    assert packet(0, memoryview(b"")) == b"\0\0\0\0"


def test_a_prepared_statement_is_run_once_without_a_cursor_and_closed():
    assert execute_packet(258) == b"\x0a\0\0\0\x17\x02\x01\0\0\0\x01\0\0\0"
    assert close_packet(LAST_STATEMENT) == b"\x05\0\0\0\x19\xff\xff\xff\xff"


def test_many_rows_come_with_their_types():
    assert bulk_payload(LAST_STATEMENT, b"rows") == b"\xff\xff\xff\xff\x80\0rows"
