"""The canary: every internal of PyMySQL that `mysql/driver.py` relies on, by name.

It runs on the oldest and the newest PyMySQL that are supported; what it misses, the guard's and the matrix's tests see.
"""

import inspect

import pymysql
import pytest
from pymysql.connections import Connection
from pymysql.constants import CLIENT, COMMAND

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.mysql import driver


@pytest.mark.parametrize(
    "name",
    [
        "connect",
        "close",
        "open",
        "write_packet",
        "_read_packet",
        "_execute_command",
        "_force_close",
        "_request_authentication",
        "_write_bytes",
    ],
)
def test_methods(name):
    assert hasattr(Connection, name)


@pytest.mark.parametrize(
    "name",
    ["defer_connect", "auth_plugin_map", "ssl", "autocommit", "client_flag", "program_name", "charset", "database"],
)
def test_arguments(name):
    assert name in inspect.signature(Connection.__init__).parameters


def test_connect_takes_a_socket():
    assert "sock" in inspect.signature(Connection.connect).parameters


def test_there_is_no_socket_before_connecting():
    assert Connection(defer_connect=True)._sock is None


def test_the_handler_is_asked_for_the_plugin_by_name():
    source = inspect.getsource(Connection._process_auth)
    assert "handler.authenticate" in source
    assert hasattr(Connection, "_get_auth_plugin_handler")


def test_the_password_is_read_from_the_attribute_that_is_guarded():
    """Were it copied elsewhere, the guard could be gone around."""
    raw = driver.GuardedConnection(driver.Password(Secret("t0p-secret")), deadline=0)
    assert raw.password == b""
    assert "t0p-secret" not in repr(vars(raw))


def test_constants():
    assert CLIENT.SSL == 0x800
    assert COMMAND.COM_QUERY == 3
    assert issubclass(pymysql.err.OperationalError, pymysql.err.Error)


def test_pymysql_assigns_its_reader_to_the_attribute_that_is_replaced():
    """And only there; what it reads comes through that reader, and the socket can be taken from it afterwards."""
    source = inspect.getsource(Connection)
    assert "self._rfile = sock.makefile" in source
    assert "self._rfile = self._sock.makefile" in source
    assert source.count("makefile") == 2
    assert isinstance(inspect.getattr_static(driver.GuardedConnection, "_rfile"), property)
    assert "self._sock" in inspect.getsource(Connection._write_bytes)
    assert "self.ctx.wrap_socket(" in inspect.getsource(Connection._request_authentication)


def test_nothing_of_pymysql_is_kept_after_the_handshake(db):
    session = db.login.open()
    try:
        kept = [name for name, value in vars(session).items() if type(value).__module__.startswith("pymysql")]
    finally:
        session.close()
    assert kept == []


def test_the_capabilities_are_those_of_the_attribute():
    """Both in the TLS request and in the handshake response; compression is one of them."""
    source = inspect.getsource(Connection._request_authentication)
    assert source.count("self.client_flag") >= 2
    assert source.count("data_init = ") == 1
    assert "self.write_packet(data_init)" in source
    assert "data = data_init + " in source


def test_the_greeting_is_the_first_packet_that_is_read():
    """And the capabilities are followed by zeros, where MariaDB's extensions are chosen."""
    assert "packet = self._read_packet()" in inspect.getsource(Connection._get_server_information)
    assert "_get_server_information()" in inspect.getsource(Connection.connect)
    assert '"<iIB23s"' in inspect.getsource(Connection._request_authentication)


def test_the_handshake_response_ends_with_the_attributes():
    """What follows them, the level of zstd, is put behind by `write_packet`, at the first packet within TLS."""
    source = inspect.getsource(Connection._request_authentication)
    before, after = source.split("data += _lenenc_int(len(connect_attrs)) + connect_attrs\n")
    assert after.lstrip().startswith("self.write_packet(data)")
    assert before.count("write_packet") == 1, "the TLS request"


def test_commands_are_sent_by_the_method_that_compresses():
    assert "sendall" not in inspect.getsource(Connection).replace(inspect.getsource(Connection._write_bytes), "")
    assert "self._write_bytes(packet)" in inspect.getsource(Connection._execute_command)
    connect = inspect.getsource(Connection.connect)
    assert connect.index("self._request_authentication()") < connect.index("self.set_character_set(")
