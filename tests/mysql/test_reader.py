"""Reading answers from the TLS socket: of every size, however its records are cut, none waits for what is not due.

The first version hung for answers of many sizes: a buffered reader asked the socket again though it had bytes to give.
"""

import ssl
import struct
import time

import pytest
import trustme

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.errors import ConnectionLostError
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.driver import open_session
from rds_iam_magic.mysql.reader import ResponseReader
from rds_iam_magic.mysql.wire.events import ResultSetEnd, ResultSetStart, Rows, ServerError
from rds_iam_magic.mysql.wire.packets import MAX_PACKET
from tests.support import binary
from tests.support.packets import TEXT, column, err, packets, result
from tests.support.wire_server import Cut, WireServer

pytestmark = pytest.mark.slow  # servers and kernels

HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"
WIRE_TIME = 20.0  # seconds; the longest answer takes one, and a hang takes forever


@pytest.fixture(scope="module")
def contexts():
    """TLS of the server and of the client."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert(HOST).configure_cert(server)
    authority.configure_trust(client)
    return server, client


@pytest.fixture
def connect(contexts):
    """A session with a server that gives `answer`; `about`: more of `WireServer`."""
    opened = []

    def make(answer, *, seed=1, **about):
        server = WireServer(contexts[0], answer, seed=seed, **about)
        opened.append(server.__enter__())
        session = open_session(
            dial.Address("127.0.0.1", server.port),
            host=parse_host_name(HOST).host,
            user="analyst",
            credential=Token(Secret("t0ken")),
            context=contexts[1],
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


def read(session, sql: bytes, **how) -> list[bytes]:
    """The bytes of the rows of an answer."""
    answer = ResponseReader(session, sql, deadline=WIRE_TIME, **how)
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


# ── Prepared statements ───────────────────────────────────────────────────────────────────────────────────────────

NUMBERS = [column("v")]
BINARY_ROW, TEXT_ROW = binary.row(NUMBERS, [7]), b"\x017"
PREPARED, EXECUTED = packets(binary.prepared(NUMBERS, statement_id=258)), packets(binary.result(NUMBERS, [[7]]))
LAST = b"\xff" * 4
NUMBER = struct.pack("<I", 258)
NAMES = {3: "query", 0x16: "prepare", 0x17: "execute", 0x19: "close"}
NOT_LAST = packets([err(1243, b"Unknown prepared statement handler")])


class Server:
    """Says to COM_STMT_PREPARE and COM_STMT_EXECUTE what it is told to, and keeps what it was sent."""

    def __init__(self, connect, *, mariadb, prepare=PREPARED, execute=EXECUTED, text=None):
        self.says = {0x16: prepare, 0x17: execute, 0x19: b""}
        self.sent = []
        self.text = packets(result(NUMBERS, [[b"7"]])) if text is None else text
        self.before = list  # what happens when a command has come
        self.session = connect(self.query, prepared=self.answer, mariadb=mariadb)

    def query(self, sql):
        self.sent.append(("query", sql))
        return self.text

    def answer(self, command):
        self.before()
        self.sent.append((NAMES[command[0]], command[1:]))
        return self.says[command[0]]

    @property
    def commands(self):
        return [name for name, _ in self.sent]

    def left_open(self):
        """Statements that were prepared and not closed."""
        prepared = self.says[0x16][4:5] == b"\0" and self.commands.count("prepare")
        return prepared - self.commands.count("close")


def reader(server, sql=b"SELECT 7 AS v", **how):
    return ResponseReader(server.session, sql, deadline=WIRE_TIME, binary=True, **how)


def settled(server):
    """The session goes on: the next command is answered with its own answer."""
    assert server.session.synchronised
    queries = server.commands.count("query")
    assert read(server.session, b"next") == [TEXT_ROW]
    assert server.sent[-1] == ("query", b"next")
    assert server.commands.count("query") == queries + 1
    return True


def test_mariadb_gets_all_at_once(connect):
    server = Server(connect, mariadb=True)
    assert read(server.session, b"SELECT 7 AS v", binary=True) == [BINARY_ROW]
    assert settled(server)
    flags = b"\0\1\0\0\0"
    assert server.sent[:3] == [("prepare", b"SELECT 7 AS v"), ("execute", LAST + flags), ("close", LAST)]


def test_mariadb_is_not_waited_for(connect):
    """The answer to PREPARE comes only when EXECUTE and CLOSE are there."""
    server = Server(connect, mariadb=True, prepare=b"", execute=b"")
    server.says[0x19] = PREPARED + EXECUTED
    assert read(server.session, b"SELECT 7 AS v", binary=True) == [BINARY_ROW]


def test_mysql_is_told_the_number(connect):
    server = Server(connect, mariadb=False)
    assert read(server.session, b"SELECT 7 AS v", binary=True) == [BINARY_ROW]
    assert settled(server)
    assert server.sent[:3] == [
        ("prepare", b"SELECT 7 AS v"),
        ("execute", NUMBER + b"\0\1\0\0\0"),
        ("close", NUMBER),
    ]


@pytest.mark.parametrize("mariadb", [True, False])
@pytest.mark.parametrize("code", [1295, 1461, 1054])
def test_what_cannot_be_prepared_is_sent_as_text(connect, mariadb, code):
    server = Server(connect, mariadb=mariadb, prepare=packets([err(code)]), execute=NOT_LAST)
    answer = reader(server)
    events = list(answer)
    answer.close()
    assert [type(event) for event in events] == [ResultSetStart, Rows, ResultSetEnd], "nothing of preparing"
    assert not events[0].binary
    assert answer.sent
    assert settled(server)
    assert server.commands.count("query") == 2
    assert server.commands.count("execute") == mariadb


@pytest.mark.parametrize("mariadb", [True, False])
@pytest.mark.parametrize("code", [1317, 1969, 3024, 1205, 1213])
def test_what_ended_while_it_was_prepared_is_not_tried_again(connect, mariadb, code):
    server = Server(connect, mariadb=mariadb, prepare=packets([err(code)]), execute=NOT_LAST)
    answer = reader(server, only_reads=True)
    (error,) = list(answer)
    answer.close()
    assert (error.code, answer.killed, answer.finished) == (code, code == 1317, True)
    assert "query" not in server.commands
    assert settled(server)


@pytest.mark.parametrize("mariadb", [True, False])
@pytest.mark.parametrize("code", [1615, 1243])
def test_what_was_not_executed_is_sent_as_text(connect, mariadb, code):
    server = Server(connect, mariadb=mariadb, execute=packets([err(code)]))
    assert read(server.session, b"SELECT 7 AS v", binary=True, only_reads=True) == [TEXT_ROW]
    assert settled(server)
    assert server.left_open() == 0


@pytest.mark.parametrize("mariadb", [True, False])
@pytest.mark.parametrize("code", [1615, 1243, 1644])
def test_what_may_have_written_is_not_sent_twice(connect, mariadb, code):
    """A stored function may say by SIGNAL, after a write, that the statement was not executed."""
    server = Server(connect, mariadb=mariadb, execute=packets([err(code)]))
    answer = reader(server)
    (error,) = list(answer)
    answer.close()
    assert error.code == code
    assert answer.sent
    assert "query" not in server.commands
    assert settled(server)


@pytest.mark.parametrize("mariadb", [True, False])
def test_warnings_of_preparing_are_not_lost(connect, mariadb):
    """The execution does not repeat them, so the server is made to hold them once more."""
    prepared = packets(binary.prepared(NUMBERS, statement_id=258, warnings=1))
    server = Server(connect, mariadb=mariadb, prepare=prepared)
    answer = reader(server)
    *_, end = list(answer)
    answer.close()
    assert (end.warnings, answer.warnings) == (1, 1)
    assert settled(server)
    assert server.commands[:5] == ["prepare", "execute", "close", "prepare", "close"]


def test_an_error_behind_the_columns_is_the_statements_own(connect):
    server = Server(connect, mariadb=True, execute=packets(binary.result(NUMBERS, [[7]], err(1615))))
    answer = reader(server, only_reads=True)
    events = list(answer)
    answer.close()
    assert [type(event) for event in events] == [ResultSetStart, Rows, ServerError]
    assert "query" not in server.commands


@pytest.mark.parametrize("mariadb", [True, False])
def test_parameters_that_nobody_gave(connect, mariadb):
    """The server's own error comes of the text."""
    server = Server(
        connect,
        mariadb=mariadb,
        prepare=packets(binary.prepared(NUMBERS, 2, statement_id=258)),
        execute=packets([err(1210)]),
        text=packets([err(1064)]),
    )
    answer = reader(server, b"SELECT ? + ?")
    (error,) = list(answer)
    answer.close()
    assert error.code == 1064
    server.text = packets(result(NUMBERS, [[b"7"]]))
    assert settled(server)
    assert server.left_open() == 0
    assert server.commands.count("execute") == mariadb


@pytest.mark.parametrize("mariadb", [True, False])
@pytest.mark.parametrize("size", [(1 << 24) - 3, (1 << 24) - 2, (1 << 24) - 1, 1 << 24])
def test_a_statement_of_several_packets(connect, mariadb, size):
    """The sequence numbers of the answer go on behind those of the packets."""
    server = Server(connect, mariadb=mariadb)
    packets_sent = (size + 1) // MAX_PACKET + 1
    server.says[0x16] = packets(binary.prepared(NUMBERS, statement_id=258), sequence=packets_sent)
    sql = b"SELECT 7 AS v -- ".ljust(size, b"x")
    assert read(server.session, sql, binary=True) == [BINARY_ROW]
    assert server.sent[0][1] == sql
    assert settled(server)


@pytest.mark.parametrize("mariadb", [True, False])
def test_prepared_answers_of_many_sizes(connect, mariadb):
    columns = [column("v", TEXT, length=1 << 30), column("n")]
    server = Server(connect, mariadb=mariadb, prepare=packets(binary.prepared(columns)))
    for size in (0, 1, 250, 251, 4_000, 16_370, 16_384, 70_000):
        rows = [[letters(size), n] for n in range(20)]
        server.says[0x17] = packets(binary.result(columns, rows))
        assert read(server.session, b"SELECT v, n", binary=True) == [binary.row(columns, row) for row in rows]
        assert server.session.synchronised


@pytest.mark.parametrize("mariadb", [True, False])
def test_a_limit_cuts_binary_rows(connect, mariadb):
    server = Server(connect, mariadb=mariadb, execute=packets(binary.result(NUMBERS, [[n] for n in range(500)])))
    answer = reader(server)
    answer.limit = 3
    rows = sum(len(event) for event in answer if isinstance(event, Rows))
    assert answer.cut
    assert rows > 3
    assert answer.drain(WIRE_TIME)
    answer.close()
    assert settled(server)


NOT_PREPARED = packets([err(1295)])
CUTS = {
    "before the answer to PREPARE": (Cut(), b""),
    "within the answer to PREPARE": (Cut(PREPARED[:9]), b""),
    "before the answer to EXECUTE": (PREPARED, Cut()),
    "within the columns": (PREPARED, Cut(EXECUTED[:20])),
    "within the rows": (PREPARED, Cut(EXECUTED[:-12])),
}


@pytest.mark.parametrize("mariadb", [True, False])
@pytest.mark.parametrize("cut", CUTS)
def test_a_connection_that_is_cut(connect, mariadb, cut):
    """`sent` says whether the statement may have run, and nothing is sent again here."""
    prepare, execute = CUTS[cut]
    server = Server(connect, mariadb=mariadb, prepare=prepare, execute=execute)
    if mariadb:  # all has come before it answers
        server.says = {0x16: b"", 0x17: b"", 0x19: Cut(prepare + execute)}
    answer = reader(server, only_reads=True)
    with pytest.raises(ConnectionLostError):
        list(answer)
    answer.close()
    assert answer.sent == (mariadb or "PREPARE" not in cut)
    assert not answer.finished
    assert "query" not in server.commands


@pytest.mark.parametrize("mariadb", [True, False])
@pytest.mark.parametrize("prepare", [NOT_PREPARED, PREPARED], ids=["not prepared", "not executed"])
def test_a_connection_that_is_cut_while_it_is_asked_as_text(connect, mariadb, prepare):
    server = Server(connect, mariadb=mariadb, prepare=prepare, execute=NOT_LAST, text=Cut())
    answer = reader(server, only_reads=True)
    with pytest.raises(ConnectionLostError):
        list(answer)
    answer.close()
    assert answer.sent
    assert server.commands.count("query") == 1


@pytest.mark.parametrize("execute", [EXECUTED, NOT_LAST], ids=["rows", "error"])
def test_what_was_called_off_while_it_was_prepared_does_not_begin(connect, execute):
    """On MySQL, which executes by a command of its own: neither that is sent, nor the text."""
    server = Server(connect, mariadb=False, execute=execute)
    answers = []
    server.before = lambda: [answer.drain(0.0) for answer in answers]
    answers.append(reader(server, only_reads=True))
    assert list(answers[0]) == []
    answers.pop().close()
    assert settled(server)
    assert server.commands == ["prepare", "close", "query"]
