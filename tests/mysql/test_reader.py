"""Reading answers from the TLS socket: of every size, however its records are cut, none waits for what is not due.

The first version hung for answers of many sizes: a buffered reader asked the socket again though it had bytes to give.
"""

import ssl
import time

import pytest
import trustme

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.driver import open_session
from rds_iam_magic.mysql.reader import ResponseReader
from rds_iam_magic.mysql.wire.events import ResultSetEnd, ResultSetStart, Rows
from tests.support.packets import TEXT, column, packets, result
from tests.support.wire_server import WireServer

HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"
WIRE_TIME = 20.0  # seconds; the longest answer takes one, and a hang takes forever


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def connect(authority):
    """A session with a server that gives `answer`."""
    opened = []

    def make(answer, *, seed=1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)
        server = WireServer(context, answer, seed=seed)
        opened.append(server.__enter__())
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(trust)
        session = open_session(
            dial.Address("127.0.0.1", server.port),
            host=parse_host_name(HOST).host,
            user="analyst",
            credential=Token(Secret("t0ken")),
            context=trust,
            database=None,
            timeout=10,
        )
        opened.append(session)
        return session

    yield make
    for session in opened[1::2]:
        session.close()
    for server in opened[::2]:
        server.__exit__()


def read(session, sql: bytes) -> list[bytes]:
    """The bytes of the rows of an answer."""
    answer = ResponseReader(session, sql, deadline=WIRE_TIME)
    rows = []
    try:
        for event in answer:
            if isinstance(event, Rows):
                data = event.data.tobytes()
                rows += [data[start:end] for start, end in zip(event.starts, event.ends, strict=True)]
    finally:
        answer.close()
    return rows


def text_rows(rows, columns=1):
    return packets(result([column("v", TEXT, length=1 << 30)] * columns, rows))


def letters(count: int) -> bytes:
    return (b"abcdefghijklmnopqrstuvwxyz" * (count // 26 + 1))[:count]


def as_one_value(sql: bytes) -> bytes:
    return text_rows([[letters(int(sql))]])


def as_rows(sql: bytes) -> bytes:
    """Rows of 100 bytes, and what is left."""
    size = int(sql)
    return text_rows([[letters(min(100, size - at))] for at in range(0, size, 100)])


SIZES = list(range(1, 400_000, 997))
POWERS = sorted({max(1, (1 << power) + more) for power in range(25) for more in (-9, -4, 0, 1)})


@pytest.mark.slow
@pytest.mark.parametrize("shape", [as_one_value, as_rows])
@pytest.mark.parametrize("sizes", [SIZES, POWERS], ids=["every 997 bytes", "around powers of two"])
def test_answers_of_every_size(connect, shape, sizes):
    session = connect(shape)
    for size in sizes:
        rows = read(session, b"%d" % size)
        bodies = b"".join(row[-100:] if shape is as_rows and len(row) > 100 else row for row in rows)
        if shape is as_one_value:
            assert rows[0].endswith(letters(size)), size
            assert len(rows) == 1
        else:
            assert len(rows) == -(-size // 100), size
            assert len(bodies) >= size


@pytest.mark.parametrize("seed", [None, 2, 3])
def test_a_row_of_4096_columns(connect, seed):
    session = connect(lambda _: text_rows([[b"x" * 30] * 4096] * 3, 4096), seed=seed)
    assert [len(row) for row in read(session, b"wide")] == [31 * 4096] * 3


def test_nothing_reads_ahead(connect):
    """The canary: a reader with a buffer of its own, wherever it is put between, takes more than it is asked for."""
    payload = packets([letters(96)])
    session = connect(lambda _: payload, seed=None)
    session.send(b"anything")
    space = memoryview(bytearray(1 << 20))
    assert session.read_into(space[:40]) == 40
    assert session._sock.pending() == 60, "what was not asked for is still with TLS"
    began = time.monotonic()
    assert session.read_into(space) == 60, "what has come is given, though there is space for more"
    assert time.monotonic() - began < WIRE_TIME


def test_an_answer_that_begins_with_its_columns_only(connect):
    session = connect(lambda _: text_rows([]), seed=5)
    answer = ResponseReader(session, b"none")
    head, end = list(answer)
    answer.close()
    assert (type(head), type(end)) == (ResultSetStart, ResultSetEnd)
