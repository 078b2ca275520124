"""What can break, and the world in which it does: a connection through a proxy to a real server."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import boto3
import pymysql

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.connection import reconnecting as held
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectError
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql import reader as answer
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.sandbox import Sandbox
from rds_iam_magic.sandbox.server import Server
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
class World:
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
        """The id of the held session, found by the way that it takes: nothing is sent over it."""
        ((number,),) = self.root(
            f"SELECT ID FROM information_schema.PROCESSLIST WHERE HOST LIKE '%:{self.proxy.server_side_port}'"
        )
        return int(number)

    def root(self, sql: str) -> Any:
        with self.server.root() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def rows(self) -> int:
        return self.root("SELECT COUNT(*) FROM scratch.ledger")[0][0]

    def kill_connection(self) -> None:
        self.root(f"KILL CONNECTION {self.connection_id}")

    def wait_until_cut(self) -> None:
        """What has been struck is seen to be dead from here."""
        wait_until(lambda: self.proxy.connections == 0, "the end of the connection")

    def change(self, module: ModuleType, name: str, value: float) -> None:
        """Change one of the product's own time limits until all is mended."""
        self.undo.callback(setattr, module, name, getattr(module, name))
        setattr(module, name, value)

    def rest(self) -> None:
        """As after a long while without a statement: the next one has the connection asked whether it lives."""
        self.change(held, "PING_AFTER", 0.0)

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


def _kill_server(world: World) -> None:
    world.server.kill()
    world.server.start()


def _nobody_listens(world: World) -> None:
    world.proxy.refuse()
    world.undo.callback(world.proxy.refuse, False)
    world.proxy.cut()


def _says_nothing(world: World) -> None:
    world.proxy.be_silent()
    world.undo.callback(world.proxy.be_silent, False)
    world.proxy.cut()


def _no_free_connection(world: World) -> None:
    (limit,) = world.root("SELECT @@max_connections")[0]
    world.root("SET GLOBAL max_connections = 10")  # the least that MariaDB takes
    world.undo.callback(world.root, f"SET GLOBAL max_connections = {limit}")
    world.proxy.refuse()  # the way in opens when all places are taken
    world.kill_connection()  # at the server too, or its place would become free later
    world.proxy.cut()
    with suppress(ConnectError):
        while True:
            world.undo.enter_context(Connection(login_of_tester(world.sandbox)))
    world.proxy.refuse(False)


def _name_is_not_found(world: World) -> None:
    known, mended = dial.socket.getaddrinfo, threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        mended.wait(10)
        return known(*arguments, **options)

    def mend() -> None:
        dial.socket.getaddrinfo = known
        mended.set()

    dial.socket.getaddrinfo = slow  # the one thing that cannot be had for real here
    world.undo.callback(mend)
    world.proxy.cut()


def _expire_token(world: World) -> None:
    world.principal.expire_next()
    world.proxy.cut()


def _rotate(world: World) -> None:
    world.principal.rotate()
    world.proxy.cut()


def _revoke(world: World) -> None:
    world.principal.revoke()
    world.undo.callback(world.principal.permit)
    world.proxy.cut()


def _fail_over(world: World) -> None:
    """The other server has what was committed so far; the name leads to it from now on."""
    rows = world.root("SELECT a FROM scratch.ledger")
    with world.second.root() as root:
        root.execute("TRUNCATE scratch.ledger")
        root.executemany("INSERT INTO scratch.ledger VALUES (%s)", rows)
    world.proxy.upstream, world.server = world.second.port, world.second
    world.proxy.cut()


def _become_read_only(world: World) -> None:
    world.kill_connection()  # first: the switch waits for statements that write, and for locks
    world.open_gate()
    world.root("SET GLOBAL read_only = 1")
    world.undo.callback(world.root, "SET GLOBAL read_only = 0")


def _idle_too_long(world: World) -> None:
    # As the server's own setting would be: no statement of the user's, who would be told that what was SET is gone.
    world.db._session.current.command("SET SESSION wait_timeout = 1", timeout=LONG)
    world.wait_until_cut()


def _go_silent(world: World) -> None:
    """What is waited for never comes here, so that short limits find out what long ones would."""
    world.change(answer, "SILENCE", 1.0)
    world.change(held, "PING_TIMEOUT", 1.0)
    world.proxy.freeze()


def _slow_down(world: World) -> None:
    world.proxy.delay = 0.2
    world.undo.callback(setattr, world.proxy, "delay", 0.0)


@dataclass(frozen=True)
class Fault:
    """Something that breaks.

    Attributes:
        name: What breaks, for people.
        strike: Brings it about; what it must not leave behind goes onto `world.undo`.
        comes_back: Whether a new session can be opened while it lasts.
        loses: Whether the session is lost.
        writable: Whether the server takes writes while it lasts.
        seen: Whether a session that is lost is seen to be dead without asking.
        moments: The moments at which it can come about; empty for all.
    """

    name: str
    strike: Callable[[World], None]
    comes_back: bool = True
    loses: bool = True
    writable: bool = True
    seen: bool = True
    moments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


IDLE, REQUEST, ANSWER = "while idle", "as it is sent", "its answer is lost"
WORKING, ROWS = "while the server works", "in the middle of the rows"

TRUNCATES = Fault("an answer is truncated", lambda world: world.proxy.cut_after(30), moments=(ANSWER, ROWS))

FAULTS = (
    Fault("the server is killed (SIGKILL) and started again", _kill_server),
    Fault("the connection is killed (`KILL CONNECTION`)", World.kill_connection),
    Fault("the server ends an idle session (`wait_timeout`)", _idle_too_long, moments=(IDLE,)),
    Fault("the network closes the connection", lambda world: world.proxy.cut()),
    Fault("the network resets the connection", lambda world: world.proxy.reset()),
    Fault("the network goes silent (half-open)", _go_silent, seen=False),
    TRUNCATES,
    Fault("the network is slow", _slow_down, loses=False),
    Fault("a failover to another server with the same data", _fail_over),
    Fault("a loss, and the server is read-only since", _become_read_only, writable=False),
    Fault("a loss, and the next token expires while connecting", _expire_token),
    Fault("a loss, and the credentials have been rotated", _rotate),
    Fault("a loss, and access has been revoked", _revoke, comes_back=False),
    Fault("a loss, and no connection is free (`max_connections`)", _no_free_connection, comes_back=False),
    Fault("a loss, and the name server does not answer", _name_is_not_found, comes_back=False),
    Fault("a loss, and the server accepts and says nothing", _says_nothing, comes_back=False),
    Fault("a loss, and nobody listens any more", _nobody_listens, comes_back=False),
)
