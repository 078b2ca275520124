"""A DNS server on loopback, and glibc's resolver made to ask it: real packets, and the system's own reading of them."""

from __future__ import annotations

import ctypes
import platform
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

_CNAME, _A, _IN = 5, 1, 1


def glibc_asks_dns() -> bool:
    """Whether names are looked up by glibc, over DNS."""
    if platform.libc_ver()[0] != "glibc" or struct.calcsize("P") != 8:
        return False
    try:
        lines = Path("/etc/nsswitch.conf").read_text("utf-8").splitlines()
    except OSError:
        return False
    return any(line.startswith("hosts:") and "dns" in line.split() for line in lines)


@contextmanager
def resolving(monkeypatch, chains: dict[str, list[str]]) -> Iterator[list[str]]:
    """Within it, `gethostbyname_ex` asks a server that answers each name with its chain of CNAMEs and 127.0.0.1.

    A name without a chain is not known; an empty chain gets no answer at all. Gives the names that were asked for.
    """
    asked: list[str] = []
    original = socket.gethostbyname_ex
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(server, chains, asked))
        thread.start()

        def over_loopback(name):
            _ask(port)  # the resolver's state is each thread's own
            return original(name)

        monkeypatch.setattr(socket, "gethostbyname_ex", over_loopback)
        try:
            yield asked
        finally:
            monkeypatch.setattr(socket, "gethostbyname_ex", original)
            server.sendto(b"", ("127.0.0.1", port))
            thread.join()


def _ask(port: int) -> None:
    """Point this thread's resolver at a port of 127.0.0.1: `struct __res_state` in glibc's <resolv.h>."""
    libc = ctypes.CDLL(None)
    libc.__res_state.restype = ctypes.c_void_p
    libc.__res_init()
    state = libc.__res_state()
    address = struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + bytes(8)
    ctypes.c_int.from_address(state + 16).value = 1  # nscount
    ctypes.memmove(state + 20, address, len(address))  # nsaddr_list[0]


def _serve(server: socket.socket, chains: dict[str, list[str]], asked: list[str]) -> None:
    while True:
        query, client = server.recvfrom(4096)
        if not query:
            return
        name, end = _read_name(query)
        asked.append(name)
        chain = chains.get(name.lower())
        if chain == []:
            continue
        answers = b"" if chain is None else _records([name, *chain])
        flags, count = (0x8183, 0) if chain is None else (0x8180, len(chain) + 1)
        header = query[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0)
        server.sendto(header + query[12 : end + 4] + answers, client)


def _records(names: list[str]) -> bytes:
    records = b""
    for name, target in pairwise(names):
        data = _name(target)
        records += _name(name) + struct.pack(">HHIH", _CNAME, _IN, 60, len(data)) + data
    return records + _name(names[-1]) + struct.pack(">HHIH", _A, _IN, 60, 4) + socket.inet_aton("127.0.0.1")


def _name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _read_name(query: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), at + 1
