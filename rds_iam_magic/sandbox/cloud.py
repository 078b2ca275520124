"""The child process in place of AWS: a moto server, the verifier, the CA bundle's web server, and the guard.

It is a separate process because moto keeps its state in module globals: two sandboxes in one program would share it.

It reads JSON lines on standard input, and replies to the first and to each order with one on standard output. When its
standard input
ends, because the sandbox closed it or died, the guard ends the registered servers and removes the sandbox's folder.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
import signal
import socket
import socketserver
import struct
import sys
import threading
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rds_iam_magic.sandbox import iam, seed
from rds_iam_magic.sandbox.moto import denials, orders, proxies, rds, refusals, sts
from rds_iam_magic.sandbox.moto import iam as moto_iam
from rds_iam_magic.sandbox.verifier import Kind, Refusal, Verifier

LOG = "iam-db-auth-error.log"
BUNDLE_FOLDER = "web"
VERIFIER_SOCKET = "v.sock"


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sandbox handles Ctrl-C
    order = json.loads(sys.stdin.readline())
    folder = Path(order["folder"])
    url = _start_moto()
    from rds_iam_magic.sandbox.stacks import databases, steps  # late: they import moto

    databases.install(order["passwords"][seed.CLUSTER])
    steps.install()
    seeded = seed.seed(url, order["passwords"])
    (folder / BUNDLE_FOLDER).mkdir()
    web = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder / BUNDLE_FOLDER)))
    verifier = _VerifierServer(folder, Verifier(databases.find_endpoint, iam.find_key))
    for server in (web, verifier):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    answer = {"url": url, "web": f"http://127.0.0.1:{web.server_address[1]}", **seeded.told()}
    print(json.dumps(answer), flush=True)  # noqa: T201 - the answer to the sandbox
    try:
        _guard(folder, verifier)
    finally:
        verifier.server_close()
        web.server_close()
    os._exit(0)  # moto takes a second to stop, and Python one to free its objects


def _start_moto() -> str:
    # jsonschema takes it where it is installed, and importing it takes over a second; nothing here needs it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # None makes the import fail
    from moto.server import ThreadedMotoServer

    for service in (rds, proxies, moto_iam, sts, denials):
        service.amend()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def _guard(folder: Path, verifier: _VerifierServer) -> None:
    """Follow `{"started": pid}`, `{"stopped": pid}` and orders until the end; whatever still runs then is ended."""
    running: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        running.update([order["started"]] if "started" in order else [])
        running.discard(order.get("stopped"))
        if "order" in order:
            print(json.dumps(_carry_out(order, verifier)), flush=True)  # noqa: T201 - the answer to the sandbox
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _carry_out(order: dict[str, Any], verifier: _VerifierServer) -> dict[str, str]:
    """What an order came to: nothing, or its error."""
    try:
        if order["order"] == "refuse_next":
            verifier.refuse_next(**order["arguments"])
        else:
            orders.carry_out(order["order"], order["arguments"])
    except Exception as error:  # noqa: BLE001 - it is the sandbox's to raise, and nothing ends here
        return {"error": repr(error)}
    return {}


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: standard error is the user's terminal."""


class _VerifierServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, verifier: Verifier) -> None:
        self.verifier = verifier
        self.log = folder / LOG
        self._next: list[Kind] = []
        super().__init__(str(folder / VERIFIER_SOCKET), _Request)

    def accepts(self, user: str, token: str) -> bool:
        now = dt.datetime.now(dt.timezone.utc)
        refusal = self._ordered() or self.verifier.refusal(user, token, now)
        if refusal is None:
            return True
        self._write(f"{now:%Y-%m-%dT%H:%M:%SZ} user {user}: {refusal.reason}")
        refusals.tell(refusal, user, now, (seed.REGION, f"cluster/{seed.CLUSTER}"))
        return False

    def refuse_next(self, count: int, kind: str) -> None:
        """Refuse so many logins from now on, whatever their tokens are like."""
        self._next = [Kind(kind)] * count

    def _ordered(self) -> Refusal | None:
        try:
            kind = self._next.pop()
        except IndexError:
            return None
        return Refusal(f"as ordered: {kind.value}", kind)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's names
        """An exception in the verifier refuses the login too (no reply); only its class is logged."""
        self._write(f"the verifier failed: {sys.exc_info()[0]}")

    def _write(self, line: str) -> None:
        with self.log.open("a", encoding="utf-8") as file:
            file.write("".join(c if c.isprintable() else "?" for c in line) + "\n")


class _Request(socketserver.BaseRequestHandler):
    server: _VerifierServer
    request: socket.socket

    def handle(self) -> None:
        """Two fields in, one byte out; anything unexpected ends without acceptance."""
        self.request.settimeout(10)
        user, token = self._field(), self._field()
        self.request.sendall(b"1" if self.server.accepts(user, token) else b"0")

    def _field(self) -> str:
        (size,) = struct.unpack(">I", self._exactly(4))
        if size > 65536:
            raise ValueError("too long for a token")
        return self._exactly(size).decode("utf-8", errors="replace")

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.request.recv(count - len(data))
            if not part:
                raise ConnectionError("the plugin hung up")
            data += part
        return data
