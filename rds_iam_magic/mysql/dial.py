"""The TCP connection: host name → addresses → socket, within a deadline."""

from __future__ import annotations

import errno
import ipaddress
import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.errors import UnreachableError


@dataclass(frozen=True, slots=True)
class Address:
    """Where to dial: the endpoint itself, or the near end of a tunnel to it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Abort:
    """Ends what another thread does with a socket: connecting to an address, the handshake.

    No locks: `abort` is for a thread that an interrupt may strike. Either it finds the socket, or `watch` the abort.
    """

    def __init__(self) -> None:
        self._sock: socket.socket | None = None
        self._is_aborted = False

    def watch(self, sock: socket.socket | None) -> None:
        """From now on it is this socket that is used; None before it is closed or handed over.

        Raises:
            ConnectionAbortedError: Nobody wants it any more.
        """
        self._sock = sock
        if self._is_aborted and sock is not None:
            raise ConnectionAbortedError

    def abort(self) -> None:
        """Have what waits for the network fail; closing the socket is up to its owner."""
        self._is_aborted = True
        sock = self._sock
        if sock is not None:
            with suppress(OSError):  # it is not connected, or not open any more
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def dial(address: Address, deadline: float, abort: Abort | None = None) -> socket.socket:
    """Connect to the first address that answers.

    Args:
        address: Resolved anew at each call: after a failover the name resolves to another server.
        deadline: A `time.monotonic` value, for DNS look-up and connecting together.
        abort: Watches the socket.

    Raises:
        UnreachableError: The name does not resolve, the port refuses, or nothing answers in time.
    """
    abort = abort or Abort()
    addresses = _look_up(address, deadline)
    problem: OSError = OSError("the name has no address")
    for remaining, (family, kind, protocol, _, sockaddr) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        sock: socket.socket | None = None
        try:
            sock = socket.socket(family, kind, protocol)
            abort.watch(sock)
            # Each address gets a share of the time: the first of several may be dead.
            sock.settimeout(max(0.05, (deadline - time.monotonic()) / remaining))
            sock.connect(sockaddr)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _keep_alive(sock)
            return sock
        except BaseException as error:
            if sock is not None:
                abort.watch(None)
                sock.close()
            if not isinstance(error, OSError) or not is_of_the_socket(error):
                raise
            problem = error
    raise _unreachable(address, problem)


def is_of_the_socket(error: BaseException, modules: frozenset[str] = frozenset()) -> bool:
    """Whether the socket raised an error, rather than a signal handler that ran while it waited.

    A handler may raise any class (`TimeoutError` from SIGALRM is an OSError too), so the traceback decides: a handler's
    frame belongs to another module.

    Args:
        error: The error as caught, with its traceback.
        modules: Further modules (or top-level packages) whose frames are not a handler's.
    """
    known = _TRANSPORT | modules
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name not in known and name.partition(".")[0] not in known:
            return False
        trace = trace.tb_next
    return not isinstance(error, KeyboardInterrupt)


_TRANSPORT = frozenset({__name__, "contextlib", "socket", "ssl"})


def _keep_alive(sock: socket.socket) -> None:
    """Have the kernel detect a dead network: within a minute while waiting, and when something is sent.

    It also keeps firewalls and load balancers from dropping the idle connection.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        option = getattr(socket, name, None)  # not every platform has all of them
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


_KEEP_ALIVE = (
    ("TCP_KEEPIDLE", 30),  # seconds; Linux, Windows
    ("TCP_KEEPALIVE", 30),  # the same on a Mac
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 60_000),  # milliseconds
)


def _look_up(address: Address, deadline: float) -> list[Any]:
    """`getaddrinfo` with a deadline: it has none of its own, and a slow DNS server takes half a minute."""
    with suppress(ValueError):
        ipaddress.ip_address(address.host)  # needs no DNS
        return socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    answer: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, daemon=True, name="rds_iam_magic look-up").start()
    try:
        addresses = answer.get(timeout=max(0.05, deadline - time.monotonic()))
    except queue.Empty:
        raise UnreachableError(
            f"Resolving the host name {address.host} timed out.", cause="name-lookup-timeout"
        ) from None
    if isinstance(addresses, OSError):
        raise _unreachable(address, addresses)
    return addresses


def _unreachable(address: Address, problem: OSError) -> UnreachableError:
    if isinstance(problem, socket.gaierror):
        return UnreachableError(
            f"The host name {address.host} does not resolve ({problem.strerror or problem}).",
            cause="name-unknown",
        )
    if isinstance(problem, TimeoutError):
        return UnreachableError(
            f"{address} does not answer.",
            cause="address-silent",
        )
    return UnreachableError(
        f"{address} cannot be reached: {problem.strerror or problem}.",
        detail=errno.errorcode.get(problem.errno or 0, ""),
    )
