"""`Ground`: a database user, an IAM user who may connect as it, and the ways in which that is broken, each undone."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from rds_iam_magic.sandbox import seed
from rds_iam_magic.sandbox.iam import ACCOUNT
from tests.support.clock import stop
from tests.support.loopback import LoopbackServer
from tests.support.packets import greeting
from tests.support.permissions import only
from tests.support.stand_in import Answer, StandIn

USER = "patient"


class Ground:
    """What a diagnosis stands on: all of it works until one of the methods breaks it, for as long as it is entered.

    Args:
        sandbox: The sandbox; the environment leads to it.
        folder: For files.
        monkeypatch: pytest's.
    """

    def __init__(self, sandbox: Any, folder: Path, monkeypatch: Any) -> None:
        self.sandbox = sandbox
        self.user = USER
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._iam = sandbox.client("iam")
        self._iam_of_caller = self._iam
        self._rds = sandbox.client("rds")
        cluster = self._rds.describe_db_clusters(DBClusterIdentifier=seed.CLUSTER)["DBClusters"][0]
        member = self._rds.describe_db_instances(DBInstanceIdentifier=f"{seed.CLUSTER}-1")["DBInstances"][0]
        proxy = self._rds.describe_db_proxies(DBProxyName=seed.PROXY)["DBProxies"][0]
        self.host: str = cluster["Endpoint"]
        self.proxy_host: str = proxy["Endpoint"]
        self.resource_id: str = cluster["DbClusterResourceId"]
        self.instance_id: str = member["DbiResourceId"]
        self.arn = f"arn:aws:rds-db:{seed.REGION}:{ACCOUNT}:dbuser:{self.resource_id}/{USER}"
        self.other_ca = folder / "other-ca.pem"
        self._authority = trustme.CA()
        client = sandbox.client("secretsmanager")
        master = json.loads(client.get_secret_value(SecretId="sandbox/master")["SecretString"])
        client.close()
        self._secrets = [master["password"], *(secret for _, secret in sandbox.keys.values())]
        self._authority.cert_pem.write_to_path(str(self.other_ca))

    def make(self) -> Iterator[Ground]:
        """Both users, for as long as the ground is needed."""
        self._iam.create_user(UserName=USER)
        key = self._iam.create_access_key(UserName=USER)["AccessKey"]
        anybody = self.allow(self.arn.replace(f"/{USER}", f"/{USER.capitalize()}"))
        self._put([self.allow(self.arn), anybody])
        self.run(
            f"CREATE USER '{USER}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
            f"GRANT SELECT ON shop.* TO '{USER}'@'%'",
        )
        keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        try:
            with self.variables(**keys):
                yield self
        finally:
            self._forget()
            self._iam.close()
            self._rds.close()

    def _forget(self) -> None:
        self._drop_users()
        for name in self._iam.list_user_policies(UserName=USER)["PolicyNames"]:
            self._iam.delete_user_policy(UserName=USER, PolicyName=name)
        for key in self._iam.list_access_keys(UserName=USER)["AccessKeyMetadata"]:
            self._iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
        self._iam.delete_user(UserName=USER)

    def _drop_users(self) -> None:
        with self.sandbox.server.root() as root:
            root.execute("SELECT user, host FROM mysql.user WHERE user = %s", (USER,))
            for user, host in root.fetchall():
                root.execute("DROP USER %s@%s", (user, host))

    def run(self, *statements: str) -> None:
        """Run statements as the server's administrator."""
        with self.sandbox.server.root() as root:
            for statement in statements:
                root.execute(statement.replace("%", "%%"), ())

    def put_policy(self, resource: str) -> None:
        """Let the IAM user connect as others, for the rest of the test."""
        self._put([self.allow(resource)])

    @contextmanager
    def permitted(self, *actions: str) -> Iterator[None]:
        """AWS asks for permissions; the caller has these, in whose account it may be."""
        with only(self.sandbox, *actions, of=f"user/{USER}", iam=self._iam_of_caller):
            yield

    def secrets(self) -> list[str]:
        """What nobody may see: secret keys, session tokens, the master user's password; what is in every token."""
        names = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        own = [value for name in names if (value := os.environ.get(name))]
        return [*own, *self._secrets, "X-Amz-Signature", "X-Amz-Credential", "Action=connect"]

    # The machine

    @contextmanager
    def variables(self, **variables: str | None) -> Iterator[None]:
        """Environment variables; None for one that is not set."""
        before = {name: os.environ.get(name) for name in variables}
        self._set(variables)
        try:
            yield
        finally:
            self._set(before)

    def _set(self, variables: dict[str, str | None]) -> None:
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    @contextmanager
    def configuration(self, text: str) -> Iterator[None]:
        """An AWS configuration file."""
        path = self._folder / "config"
        path.write_text(text)
        with self.variables(AWS_CONFIG_FILE=str(path), AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None):
            yield

    @contextmanager
    def clock(self, ahead: dt.timedelta) -> Iterator[None]:
        """Another time on this machine's clock: that of what signs, and of what compares."""
        moment = dt.datetime.now(dt.timezone.utc) + ahead
        with self._monkeypatch.context() as patched:
            stop(patched, moment)
            patched.setattr("rds_iam_magic.aws.identity.datetime", _clock_at(moment))
            yield

    # IAM

    def allow(self, resource: str, *, effect: str = "Allow", action: str = "rds-db:connect") -> dict[str, Any]:
        """A statement."""
        return {"Effect": effect, "Action": action, "Resource": resource}

    @contextmanager
    def policy(self, *statements: dict[str, Any]) -> Iterator[None]:
        """Another policy instead of the one that lets the user connect; none without statements."""
        before = self._iam.get_user_policy(UserName=USER, PolicyName="connect")["PolicyDocument"]["Statement"]
        self._put(list(statements))
        try:
            yield
        finally:
            self._put(before)

    def _put(self, statements: list[dict[str, Any]]) -> None:
        if not statements:
            self._iam.delete_user_policy(UserName=USER, PolicyName="connect")
            return
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self._iam.put_user_policy(UserName=USER, PolicyName="connect", PolicyDocument=document)

    @contextmanager
    def boundary(self, *statements: dict[str, Any]) -> Iterator[None]:
        """A permissions boundary."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        arn = self._iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
        self._iam.put_user_permissions_boundary(UserName=USER, PermissionsBoundary=arn)
        try:
            yield
        finally:
            self._iam.delete_user_permissions_boundary(UserName=USER)
            self._iam.delete_policy(PolicyArn=arn)

    @contextmanager
    def other_account(self) -> Iterator[dict[str, str]]:
        """Credentials of a user in another account."""
        import boto3

        url = self.sandbox.environment["AWS_ENDPOINT_URL"]
        key, secret = self.sandbox.keys["administrator"]
        session = boto3.Session(key, secret, region_name=seed.REGION)
        sts = session.client("sts", endpoint_url=url)
        role = "arn:aws:iam::999999999999:role/there"
        given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        sts.close()
        there = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], seed.REGION)
        iam = there.client("iam", endpoint_url=url)
        iam.create_user(UserName=USER)
        key = iam.create_access_key(UserName=USER)["AccessKey"]
        self._iam_of_caller = iam
        try:
            yield {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        finally:
            self._iam_of_caller = self._iam
            iam.delete_access_key(UserName=USER, AccessKeyId=key["AccessKeyId"])
            iam.delete_user(UserName=USER)
            iam.close()

    # RDS

    @contextmanager
    def without_iam(self) -> Iterator[None]:
        """IAM authentication is off."""
        self._modify(EnableIAMDatabaseAuthentication=False)
        try:
            yield
        finally:
            self._modify(EnableIAMDatabaseAuthentication=True)

    def _modify(self, **options: Any) -> None:
        self._rds.modify_db_cluster(DBClusterIdentifier=seed.CLUSTER, ApplyImmediately=True, **options)

    @contextmanager
    def pausing(self) -> Iterator[str]:
        """The host name of a database of its own, whose minimum capacity is 0 ACU."""
        made = self._rds.create_db_cluster(
            DBClusterIdentifier="pausing",
            Engine="aurora-mysql",
            MasterUsername="admin",
            MasterUserPassword="not-used-here",
            EnableIAMDatabaseAuthentication=True,
            ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 4},
        )["DBCluster"]
        try:
            yield str(made["Endpoint"])
        finally:
            self._rds.delete_db_cluster(DBClusterIdentifier="pausing", SkipFinalSnapshot=True)

    @contextmanager
    def old_database(self) -> Iterator[str]:
        """The host name of a database of a version without IAM authentication."""
        made = self._rds.create_db_instance(
            DBInstanceIdentifier="old",
            Engine="mysql",
            EngineVersion="5.5.62",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="admin",
            MasterUserPassword="not-used-here",
        )["DBInstance"]
        try:
            yield str(made["Endpoint"]["Address"])
        finally:
            self._rds.delete_db_instance(DBInstanceIdentifier="old", SkipFinalSnapshot=True)

    @contextmanager
    def failed_over(self) -> Iterator[tuple[str, str]]:
        """The global database's host name, and the region that its writer was in before."""
        before, after = seed.GLOBAL_MEMBERS.items()
        self._switch(*after)
        try:
            yield self.sandbox.global_endpoint, before[1]
        finally:
            self._switch(*before)

    def _switch(self, name: str, region: str) -> None:
        arn = f"arn:aws:rds:{region}:{ACCOUNT}:cluster:{name}"
        self._rds.switchover_global_cluster(GlobalClusterIdentifier=seed.GLOBAL, TargetDbClusterIdentifier=arn)

    @contextmanager
    def at_proxy(self, user: str, iam: str = "REQUIRED") -> Iterator[None]:
        """The proxy's logins: one secret, of that user."""
        before = self._rds.describe_db_proxies(DBProxyName=seed.PROXY)["DBProxies"][0]["Auth"]
        entry = {**before[0], "UserName": user, "IAMAuth": iam}
        self._rds.modify_db_proxy(DBProxyName=seed.PROXY, Auth=[entry])
        try:
            yield
        finally:
            self._rds.modify_db_proxy(DBProxyName=seed.PROXY, Auth=before)

    # The server

    @contextmanager
    def sql(self, *statements: str) -> Iterator[None]:
        """Statements about the database user, which is made anew afterwards."""
        self.run(*statements)
        try:
            yield
        finally:
            self._drop_users()
            self.run(
                f"CREATE USER '{USER}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
                f"GRANT SELECT ON shop.* TO '{USER}'@'%'",
            )

    @contextmanager
    def stands_in(self, answer: Answer) -> Iterator[str]:
        """Something that answers so is dialled instead of the server: its address."""
        with StandIn(self.sandbox.server_context(), answer) as server:
            yield f"127.0.0.1:{server.port}"

    @contextmanager
    def closed_port(self) -> Iterator[str]:
        """An address where nothing listens."""
        with socket.socket() as held:  # bound, and not listening: nobody else gets the port meanwhile
            held.bind(("127.0.0.1", 0))
            yield f"127.0.0.1:{held.getsockname()[1]}"

    @contextmanager
    def hangs_up(self) -> Iterator[str]:
        """An address where connections are closed at once."""
        with _HangsUp() as server:
            yield f"127.0.0.1:{server.port}"

    @contextmanager
    def without_tls(self) -> Iterator[str]:
        """A MySQL server that offers no TLS."""
        with _Plain() as server:
            yield f"127.0.0.1:{server.port}"

    @contextmanager
    def expired(self) -> Iterator[tuple[str, Path]]:
        """A server whose certificate has expired, and the CA that has signed it."""
        past = dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)
        leaf = self._authority.issue_cert(self.host, not_before=past - dt.timedelta(days=9), not_after=past)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        with StandIn(context, Answer(1045, "never said")) as server:
            yield f"127.0.0.1:{server.port}", self.other_ca


class _HangsUp(LoopbackServer):
    TIMEOUT = 10

    def _talk(self, connection: socket.socket) -> None:
        """Say nothing."""


class _Plain(LoopbackServer):
    TIMEOUT = 10

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(greeting(tls=False))
        connection.recv(1)


def _clock_at(moment: dt.datetime) -> type[dt.datetime]:
    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return moment if tz is not None else moment.replace(tzinfo=None)

    return Clock
