"""`Sandbox`: a local RDS emulation, whose parts are started and stopped together."""

from __future__ import annotations

import json
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from rds_iam_magic.aws.session import boto3_session
from rds_iam_magic.aws.truststore import cache_folder
from rds_iam_magic.sandbox import certificates, cloud, seed
from rds_iam_magic.sandbox.account import Account
from rds_iam_magic.sandbox.iam import ACCOUNT
from rds_iam_magic.sandbox.plugin import SandboxError, Tools, find_tools
from rds_iam_magic.sandbox.server import Server, template


@dataclass(frozen=True, slots=True)
class _Cloud:
    """The child process of `cloud.py`, and what it reported."""

    process: subprocess.Popen[str]
    url: str
    web: str
    hosts: list[str]
    keys: dict[str, tuple[str, str]]
    global_endpoint: str
    lock: Lock = field(default_factory=Lock)

    def order(self, name: str, /, **arguments: Any) -> None:
        """Have it carried out, and wait for that."""
        with self.lock:
            self.tell(order=name, arguments=arguments)
            answer = json.loads(self.process.stdout.readline() if self.process.stdout else "null")
        if answer:
            raise SandboxError(f"The sandbox cannot {name}: {answer['error']}")

    def tell(self, **order: Any) -> None:
        if self.process.stdin is not None and not self.process.stdin.closed:
            with suppress(BrokenPipeError):
                self.process.stdin.write(json.dumps(order) + "\n")
                self.process.stdin.flush()


class Sandbox:
    """A MariaDB server that accepts only real IAM tokens, AWS APIs, and an account with databases and principals.

    A context manager; several may run side by side.

    Attributes:
        folder: Contains all of its files; removed at the end.
        server: The database server.
        hosts: The AWS host names that it serves: cluster, reader, the cluster's instance, the standalone instance, the
            cluster's custom endpoint, its proxy, and the clusters of the global database, the writer first.
        global_endpoint: The host name of the global database itself, which leads to its writer.
        keys: Access key id and secret of each IAM user, by name.
        account: What can be ordered of the account that no API of AWS does.

    Raises:
        SandboxError: From `__enter__`: a part is missing on this machine, or did not start.
    """

    def __init__(self) -> None:
        self.folder = Path()
        self.hosts: list[str] = []
        self.keys: dict[str, tuple[str, str]] = {}
        self.global_endpoint = ""
        self.account: Account
        self.server: Server
        self._tools: Tools
        self._template: Path
        self._certificates: certificates.Certificates
        self._password: str
        self._cloud: _Cloud
        self._parts = ExitStack()

    def __enter__(self) -> Sandbox:
        self._tools = find_tools()
        self._template = template(self._tools, cache_folder() / "sandbox")
        with ExitStack() as parts:
            self.folder = Path(tempfile.mkdtemp(prefix="rds-iam-"))
            parts.callback(shutil.rmtree, self.folder, ignore_errors=True)
            # One server stands for both databases.
            passwords = dict.fromkeys((seed.CLUSTER, seed.STANDALONE), secrets.token_urlsafe(24))
            self._cloud = _start_cloud(self.folder, passwords)
            parts.callback(_stop_cloud, self._cloud)
            self.hosts, self.keys = self._cloud.hosts, self._cloud.keys
            self.global_endpoint, self.account = self._cloud.global_endpoint, Account(self._cloud.order)
            # Each with a wildcard for the databases that will be made later.
            later = {f"*.{host.partition('.')[2]}" for host in (*self.hosts, self.global_endpoint)}
            self._certificates = certificates.issue(self.folder, [*self.hosts, *sorted(later)])
            shutil.copy(self._certificates.bundle, self.folder / cloud.BUNDLE_FOLDER / "bundle.pem")
            self._password = passwords[seed.CLUSTER]
            self._parts = parts.pop_all()
        try:
            self.server = self.add_server()
            self._write_profiles()
        except BaseException:
            self._parts.close()
            raise
        return self

    def add_server(self) -> Server:
        """Start another server with the same names, users and data, as the target of a failover.

        Raises:
            SandboxError: It did not start.
        """
        folder = Path(tempfile.mkdtemp(prefix="db-", dir=self.folder))
        verifier = self.folder / cloud.VERIFIER_SOCKET
        server = Server(self._tools, self._template, folder, self._certificates, verifier, watch=self._watch)
        self._parts.callback(server.stop)
        server.start()
        with server.root() as root:
            root.execute("SET PASSWORD FOR 'admin'@'%%' = PASSWORD(%s)", (self._password,))
            root.execute("ALTER USER 'admin'@'%' ACCOUNT UNLOCK")
        return server

    def __exit__(self, *exception: object) -> None:
        self._parts.close()

    @property
    def endpoint(self) -> str:
        """The cluster's writer endpoint."""
        return self.hosts[0]

    @property
    def bundle(self) -> Path:
        """The CA bundle."""
        return self.folder / "bundle.pem"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that direct AWS's tools and rds_iam_magic to this sandbox instead of AWS."""
        key, secret = self.keys["administrator"]
        return {
            "AWS_ENDPOINT_URL": self._cloud.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": seed.REGION,
            "AWS_DEFAULT_REGION": seed.REGION,
            "AWS_CONFIG_FILE": str(self.folder / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "aws-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "RDS_IAM_MAGIC_VIA": f"127.0.0.1:{self.server.port}",
            "RDS_IAM_MAGIC_CA_URL": f"{self._cloud.web}/bundle.pem",
            "RDS_IAM_MAGIC_CACHE": str(self.folder / "cache"),
        }

    def refusals(self) -> list[str]:
        """The verifier's log, with the reason for refusal: one line per login."""
        log = self.folder / cloud.LOG
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def client(self, service: str, region: str = seed.REGION) -> Any:
        """A boto3 client of the sandbox's administrator; in a region of another partition, of an account there."""
        key, secret = self.keys["administrator"]
        session = boto3_session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)
        return session.client(service, endpoint_url=self._cloud.url)

    def server_context(self) -> ssl.SSLContext:
        """TLS of a server with a certificate of the sandbox's authority for whatever host name a client asks for."""
        return self._certificates.context_of_any()

    def _watch(self, pid: int, started: bool) -> None:
        self._cloud.tell(**{"started" if started else "stopped": pid})

    def _write_profiles(self) -> None:
        """A profile for each IAM user, and `analytics`, which assumes the role of that name."""
        credentials = self.folder / "aws-credentials"
        credentials.touch(0o600)
        lines = [
            f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
            for name, (key, secret) in self.keys.items()
        ]
        credentials.write_text("\n".join(lines))
        role = f"arn:aws:iam::{ACCOUNT}:role/analytics"
        profiles = [f"[profile {name}]\nregion = {seed.REGION}\n" for name in self.keys]
        profiles.append(f"[profile analytics]\nregion = {seed.REGION}\nrole_arn = {role}\nsource_profile = stranger\n")
        (self.folder / "aws-config").write_text("\n".join(profiles))


def _start_cloud(folder: Path, passwords: dict[str, str]) -> _Cloud:
    process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
        [sys.executable, "-W", "ignore", "-c", f"import {cloud.__name__} as cloud; cloud.main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - as asked for; for mypy
    process.stdin.write(json.dumps({"folder": str(folder), "passwords": passwords}) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        process.communicate()
        raise SandboxError(
            "The sandbox's AWS side did not start.",
            "Install what it needs: pip install 'rds-iam-magic[sandbox]'. Its own words are above.",
        )
    return _Cloud(process, **json.loads(answer))


def _stop_cloud(running: _Cloud) -> None:
    process = running.process
    if process.stdin is not None:
        process.stdin.close()
    if process.stdout is not None:
        process.stdout.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
