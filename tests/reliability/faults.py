"""What can break, and the rig that it breaks: a connection through a proxy to a real server."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
import pymysql

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectError
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.sandbox import Sandbox
from rds_iam_magic.sandbox.server import Server
from rds_iam_magic.timeouts import DEFAULT, Timeouts
from tests.support.events import LONG, wait_until
from tests.support.logins import login_of_tester
from tests.support.proxy import Proxy

_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Principal:
    """An IAM user whose keys rotate and whose rights come and go; `token` signs with what it has now."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.name = name
        self._iam = sandbox.client("iam")
        self._endpoint = parse_host_name(sandbox.endpoint)
        self._expired = 0
        self._iam.create_user(UserName=name)
        self.permit()
        self.rotate()

    def permit(self) -> None:
        self._iam.put_user_policy(UserName=self.name, PolicyName="all", PolicyDocument=json.dumps(_EVERYTHING))

    def revoke(self) -> None:
        self._iam.delete_user_policy(UserName=self.name, PolicyName="all")

    def rotate(self) -> None:
        old = self._iam.list_access_keys(UserName=self.name)["AccessKeyMetadata"]
        for key in old:
            self._iam.delete_access_key(UserName=self.name, AccessKeyId=key["AccessKeyId"])
        key = self._iam.create_access_key(UserName=self.name)["AccessKey"]
        self._session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=self._endpoint.region)

    def expire_next(self) -> None:
        """The next token is refused for its age."""
        self._expired = 1

    def token(self) -> Token:
        token = Token(sign_token(self._session, self._endpoint, "tester"))
        if not self._expired:
            return token
        self._expired = 0
        return Token(Secret(token.secret.reveal().decode().replace("X-Amz-Date=2", "X-Amz-Date=1")))


@dataclass
class Rig:
    """A connection through a proxy to a server.

    Attributes:
        undo: What mends the faults again; closed at the end.
    """

    sandbox: Sandbox
    server: Server
    proxy: Proxy
    db: Connection
    notes: list[str]
    principal: Principal | None = None
    second: Server | None = None
    undo: ExitStack = field(default_factory=ExitStack)
    _lock: Any = None

    @property
    def connection_id(self) -> int:
        """The server's id of the session; nothing is sent over it."""
        return self.db.connection_id

    def root(self, sql: str) -> Any:
        with self.server.root() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def rows(self) -> int:
        return self.root("SELECT COUNT(*) FROM scratch.ledger")[0][0]

    def kill_connection(self) -> None:
        self.root(f"KILL CONNECTION {self.connection_id}")

    def lose(self) -> None:
        """Cut the connection."""
        self.proxy.cut()
        self.wait_until_cut()

    def wait_until_cut(self) -> None:
        """Return when the loss can be seen from here."""
        wait_until(lambda: self.proxy.connections == 0, "the end of the connection")

    def reconnect_within(self, seconds: float) -> None:
        """What `--connect-timeout` does, from now on and until all is mended; the first connection had time."""
        own = self.db._session
        self.undo.callback(setattr, own, "login", own.login)
        own.login = dataclasses.replace(own.login, timeout=seconds)

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Statements that use the table `gate` wait on this server, until `open_gate` or the end."""
        with self.server.root() as lock:
            lock.execute("LOCK TABLES scratch.gate WRITE")
            self._lock = lock  # its session stays till the end: its place would be free for others
            yield

    def open_gate(self) -> None:
        """What waits may go on; nothing, if there is no gate."""
        lock, self._lock = self._lock, None
        if lock is not None:
            with suppress(pymysql.MySQLError):  # the fault may have been that the server was killed
                lock.execute("UNLOCK TABLES")


def end_session(server: Server, number: int) -> None:
    """End a session from the server's side, if it is still there."""
    with suppress(pymysql.MySQLError), server.root() as root:
        root.execute(f"KILL CONNECTION {number}")


def _kill_server(rig: Rig) -> None:
    rig.server.kill()
    rig.server.start()


def _nobody_listens(rig: Rig) -> None:
    rig.proxy.refuse()
    rig.undo.callback(rig.proxy.refuse, False)
    rig.proxy.cut()


def _says_nothing(rig: Rig) -> None:
    rig.proxy.be_silent()
    rig.undo.callback(rig.proxy.be_silent, False)
    rig.proxy.cut()


def _no_free_connection(rig: Rig) -> None:
    (limit,) = rig.root("SELECT @@max_connections")[0]
    rig.root("SET GLOBAL max_connections = 10")  # the least that MariaDB takes
    rig.undo.callback(rig.root, f"SET GLOBAL max_connections = {limit}")
    rig.proxy.refuse()  # the way in opens when all places are taken
    rig.kill_connection()  # at the server too, or its place would become free later
    rig.proxy.cut()
    with suppress(ConnectError):
        while True:
            rig.undo.enter_context(Connection(login_of_tester(rig.sandbox)))
    rig.proxy.refuse(False)


def _name_is_not_found(rig: Rig) -> None:
    known, mended = dial.socket.getaddrinfo, threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        mended.wait(10)
        return known(*arguments, **options)

    def mend() -> None:
        dial.socket.getaddrinfo = known
        mended.set()

    dial.socket.getaddrinfo = slow  # the one thing that cannot be had for real here
    rig.undo.callback(mend)
    rig.proxy.cut()


def _expire_token(rig: Rig) -> None:
    rig.principal.expire_next()
    rig.proxy.cut()


def _rotate(rig: Rig) -> None:
    rig.principal.rotate()
    rig.proxy.cut()


def _revoke(rig: Rig) -> None:
    rig.principal.revoke()
    rig.undo.callback(rig.principal.permit)
    rig.proxy.cut()


def _fail_over(rig: Rig) -> None:
    """The other server has what was committed so far; the name leads to it from now on."""
    rows = rig.root("SELECT a FROM scratch.ledger")
    with rig.second.root() as root:
        root.execute("TRUNCATE scratch.ledger")
        root.executemany("INSERT INTO scratch.ledger VALUES (%s)", rows)
    rig.proxy.upstream, rig.server = rig.second.port, rig.second
    rig.proxy.cut()


def _become_read_only(rig: Rig) -> None:
    rig.kill_connection()  # first: the switch waits for statements that write, and for locks
    rig.open_gate()
    rig.root("SET GLOBAL read_only = 1")
    rig.undo.callback(rig.root, "SET GLOBAL read_only = 0")


def _idle_too_long(rig: Rig) -> None:
    # As the server's own setting would be: no statement of the user's, who would be told that what was SET is gone.
    rig.db._session.current.command("SET SESSION wait_timeout = 1", timeout=LONG)
    rig.wait_until_cut()


def _go_silent(rig: Rig) -> None:
    rig.proxy.freeze()


def _slow_down(rig: Rig) -> None:
    rig.proxy.delay = 0.2
    rig.undo.callback(setattr, rig.proxy, "delay", 0.0)


@dataclass(frozen=True)
class Fault:
    """Something that breaks.

    Attributes:
        name: What breaks, for people.
        inject: Brings it about; what it must not leave behind goes onto `rig.undo`.
        reconnectable: Whether a new session can be opened while it lasts.
        drops_session: Whether the session is lost.
        writable: Whether the server takes writes while it lasts.
        seen: Whether a session that is lost is seen to be dead without asking.
        moments: The moments at which it can come about; empty for all.
        timeouts: Of the rig's connection; where an answer never comes, short ones show what long ones would.
    """

    name: str
    inject: Callable[[Rig], None]
    reconnectable: bool = True
    drops_session: bool = True
    writable: bool = True
    seen: bool = True
    moments: tuple[str, ...] = ()
    timeouts: Timeouts = DEFAULT

    def __str__(self) -> str:
        return self.name


IDLE, REQUEST, ANSWER = "while idle", "as it is sent", "its answer is lost"
WORKING, ROWS = "while the server works", "in the middle of the rows"

TRUNCATES = Fault("an answer is truncated", lambda rig: rig.proxy.cut_after(30), moments=(ANSWER, ROWS))

FAULTS = (
    Fault("the server is killed (SIGKILL) and started again", _kill_server),
    Fault("the connection is killed (`KILL CONNECTION`)", Rig.kill_connection),
    Fault("the server ends an idle session (`wait_timeout`)", _idle_too_long, moments=(IDLE,)),
    Fault("the network closes the connection", lambda rig: rig.proxy.cut()),
    Fault("the network resets the connection", lambda rig: rig.proxy.reset()),
    Fault("the network goes silent (half-open)", _go_silent, seen=False, timeouts=Timeouts(no_data=1.0, check=1.0)),
    TRUNCATES,
    Fault("the network is slow", _slow_down, drops_session=False),
    Fault("a failover to another server with the same data", _fail_over),
    Fault("a loss, and the server is read-only since", _become_read_only, writable=False),
    Fault("a loss, and the next token expires while connecting", _expire_token),
    Fault("a loss, and the credentials have been rotated", _rotate),
    Fault("a loss, and access has been revoked", _revoke, reconnectable=False),
    Fault("a loss, and no connection is free (`max_connections`)", _no_free_connection, reconnectable=False),
    Fault("a loss, and the name server does not answer", _name_is_not_found, reconnectable=False),
    Fault("a loss, and the server accepts and says nothing", _says_nothing, reconnectable=False),
    Fault("a loss, and nobody listens any more", _nobody_listens, reconnectable=False),
)
