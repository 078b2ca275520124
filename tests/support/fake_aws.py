"""A web server in place of AWS: it answers by itself, or hands on to the sandbox's and changes what comes back."""

from __future__ import annotations

import io
import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]
Handle = Callable[[str, bytes], Answer]
"""The request's action, such as `DescribeDBClusters`, and its body → status and body."""


class _Server(ThreadingHTTPServer):
    def __init__(self, handle: Handle, ahead: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.handle = handle
        self.ahead = ahead


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        action = target or dict(pair.split("=", 1) for pair in body.decode().split("&")).get("Action", "")
        status, answer = self.server.handle(action, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.server.ahead)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def answering(handle: Handle, *, ahead: float = 0.0) -> Iterator[str]:
    """A server whose answers are those of `handle`; its URL. Its clock is so many seconds ahead."""
    with _Server(handle, ahead) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def refusing(code: str, message: str) -> Handle:
    """Answers as AWS's JSON services do when they refuse; those that are asked by a form, in XML."""

    def handle(_: str, body: bytes) -> Answer:
        if body.startswith(b"Action="):
            return 400, f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()
        return 400, json.dumps({"__type": code, "message": message}).encode()

    return handle


class Changed:
    """Hands on to the sandbox's AWS, in the sandbox's region, and has each answer changed.

    Args:
        sandbox: The sandbox.
        change: An action and its answer → the answer to give.
        service: Whose calls they are; moto reads it from the signature.

    Attributes:
        actions: The actions that were asked for, in order.
    """

    def __init__(self, sandbox: Any, change: Callable[[str, str], str], service: str = "rds") -> None:
        self._service = service
        self._url = sandbox.environment["AWS_ENDPOINT_URL"]
        self._change = change
        self.actions: list[str] = []

    def __call__(self, action: str, body: bytes) -> Answer:
        self.actions.append(action)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/{self._service}/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        return status, self._change(action, text).encode()


def with_least_capacity(least: str | None) -> Callable[[str, str], str]:
    """A change by which clusters are Aurora Serverless with that minimum capacity in ACU; None: with no capacities."""
    inner = "" if least is None else f"<MinCapacity>{least}</MinCapacity><MaxCapacity>2.0</MaxCapacity>"
    added = f"<ServerlessV2ScalingConfiguration>{inner}</ServerlessV2ScalingConfiguration></DBCluster>"

    def change(action: str, text: str) -> str:
        return text.replace("</DBCluster>", added) if action == "DescribeDBClusters" else text

    return change


def by_region(session: Any, service: str, answers: Callable[[str], Answer]) -> list[str]:
    """Answer a session's calls to a service, by the region that each is signed for; those regions, in order."""
    from botocore.awsrequest import AWSResponse

    asked: list[str] = []

    def answer(request: Any, **_: object) -> Any:
        signed = request.headers["Authorization"]
        scope = re.search("Credential=[^/]+/[0-9]+/([^/]+)/", signed if isinstance(signed, str) else signed.decode())
        assert scope is not None
        asked.append(scope[1])
        status, body = answers(scope[1])
        return AWSResponse(request.url, status, {}, _Raw(body))

    session.events.register(f"before-send.{service}", answer)
    return asked


class _Raw(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()
