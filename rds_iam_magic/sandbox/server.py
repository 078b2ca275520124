"""A private MariaDB server with its own folder, socket, free port and certificate; TLS is required, as on RDS.

The data folder is a copy of a template that is built once and cached: system tables, the sample data, the users. The
template's name is a hash of its inputs, so that a change of the server or of this package builds a new one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rds_iam_magic.sandbox import sampledata
from rds_iam_magic.sandbox.certificates import Certificates
from rds_iam_magic.sandbox.plugin import LIBRARY, SOURCE, SandboxError, Tools, compile_plugin

START_TIMEOUT = 30.0
VERIFIER_VARIABLE = "RDS_IAM_SANDBOX_VERIFIER"

# As mariadb-install-db does it; the user tables need `mysql` as the current database.
_BOOTSTRAP = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql",
              "maria_add_gis_sp_bootstrap.sql", "mysql_test_data_timezone.sql")  # fmt: skip
_MASTER_RIGHTS = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, "
    "CREATE USER, EVENT, TRIGGER"
)
_USERS = f"""
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
FLUSH PRIVILEGES;
CREATE USER 'admin'@'%' IDENTIFIED BY 'replaced at each start' ACCOUNT LOCK;
GRANT {_MASTER_RIGHTS} ON *.* TO 'admin'@'%' WITH GRANT OPTION;
CREATE USER 'reader'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;
GRANT SELECT ON shop.* TO 'reader'@'%'
"""  # noqa: S608 - a constant


class Server:
    """One server process over one data folder; it can be stopped, killed and started again on the same port.

    Args:
        tools: The programs.
        template: As `template` gives it.
        folder: Empty; the server's own.
        certificates: Of its host names.
        verifier: The verifier's Unix socket.
        watch: Called with the id of each process when it starts (True) and ends (False).
    """

    def __init__(
        self,
        tools: Tools,
        template: Path,
        folder: Path,
        certificates: Certificates,
        verifier: Path,
        *,
        watch: Callable[[int, bool], None],
    ) -> None:
        self.folder = folder
        self.socket = folder / "s.sock"
        self.port = _free_port()
        self._tools, self._template, self._certificates, self._verifier = tools, template, certificates, verifier
        self._watch = watch
        self._process: subprocess.Popen[bytes] | None = None
        self._was_up = False
        shutil.copytree(template / "data", folder / "data")

    @property
    def pid(self) -> int | None:
        """The server's process id; None when it is not running."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start and wait until it answers.

        A free port may be taken before the server binds to it, by any process's outgoing connection. Until the server
        has been up once, nobody knows its port, and another one does as well.

        Raises:
            SandboxError: It did not start.
        """
        for attempt in range(1, _BIND_ATTEMPTS + 1):
            try:
                self._start()
                self._was_up = True
                return
            except SandboxError as error:
                if _PORT_TAKEN not in error.detail or attempt == _BIND_ATTEMPTS:
                    raise
            self._end(lambda process: process.kill())
            (self.folder / "server.log").unlink()
            if self._was_up:
                time.sleep(0.2)
            else:
                self.port = _free_port()

    def _start(self) -> None:
        options = [
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--require-secure-transport=ON",
            "--tls-version=TLSv1.2,TLSv1.3",
            f"--ssl-ca={self._certificates.bundle}",
            f"--ssl-cert={self._certificates.chain}",
            f"--ssl-key={self._certificates.key}",
        ]
        self._process = _spawn(self._tools, self._template, self.folder, options, self._verifier)
        self._watch(self._process.pid, True)
        _wait_until_up(self._process, self.folder)

    def stop(self) -> None:
        """Shut the server down cleanly; does nothing when it is not running."""
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL)."""
        self._end(lambda process: process.kill())

    @contextmanager
    def root(self) -> Iterator[Any]:
        """A PyMySQL cursor of the root user, over the server's own socket."""
        with _root(self.folder) as cursor:
            yield cursor

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        how(process)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._watch(process.pid, False)


def template(tools: Tools, cache: Path) -> Path:
    """The folder with the compiled plugin and the template of the data folder; built when `cache` has none.

    Raises:
        SandboxError: The plugin cannot be compiled, or the server not started.
    """
    target = cache / f"template-{_fingerprint(tools)}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(cache):
        if not target.is_dir():  # another process may have built it in the meantime
            _build(tools, target)
    return target


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    """A file lock: processes that find no template wait for the first one to build it; it ends with the process."""
    import fcntl

    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(tools: Tools, target: Path) -> None:
    building = Path(tempfile.mkdtemp(prefix="rds-iam-"))  # short, for the Unix socket's path
    try:
        compile_plugin(tools, building / LIBRARY)
        _bootstrap(tools, building)
        _fill(tools, building)
        staged = Path(tempfile.mkdtemp(prefix=".template-", dir=target.parent))
        for name in (LIBRARY, "data"):
            shutil.move(building / name, staged / name)
        staged.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _fingerprint(tools: Tools) -> str:
    version = subprocess.run([tools.mariadbd, "--version"], capture_output=True, check=True)  # noqa: S603 - no shell
    sources = (SOURCE, Path(__file__), Path(sampledata.__file__))
    return hashlib.sha256(version.stdout + b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def _bootstrap(tools: Tools, folder: Path) -> None:
    """Create the system tables."""
    data = folder / "data"
    data.mkdir()
    scripts = b"".join((tools.scripts / name).read_bytes() for name in _BOOTSTRAP if (tools.scripts / name).is_file())
    command = [*_command(tools, data), "--bootstrap", "--skip-networking"]
    sql = b"CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n" + scripts
    done = subprocess.run(command, input=sql, capture_output=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise _not_up("create its system tables", done.stderr.decode(errors="replace"))


def _fill(tools: Tools, folder: Path) -> None:
    """Load the sample data and create the users, on a server that is reachable only through its socket."""
    process = _spawn(tools, folder, folder, ["--skip-networking"], folder / "none")
    try:
        _wait_until_up(process, folder)
        with _root(folder) as cursor:
            for statement in sampledata.DDL.split(";\n"):
                cursor.execute(statement)
            for name, rows in sampledata.tables():
                file = folder / f"{name}.tsv"
                sampledata.write_tsv(rows, file)
                cursor.execute(f"LOAD DATA INFILE '{file}' INTO TABLE shop.{name} CHARACTER SET utf8mb4")
                # Of all columns: without statistics a join may be planned as if the tables were empty.
                cursor.execute(f"ANALYZE TABLE shop.{name} PERSISTENT FOR ALL")
            for statement in _USERS.strip().split(";\n"):
                cursor.execute(statement)
    finally:
        process.terminate()
        process.wait(30)


def _command(tools: Tools, data: Path) -> list[str]:
    # A folder of its own: a server that starts deletes the temporary tables it finds, another running one's too.
    temporary = data.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    command = [str(tools.mariadbd), "--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}"]
    command.append("--innodb-log-file-size=32M")
    # 2: a commit survives the server's being killed, though not the machine's; nobody waits for the disk.
    command += ["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=256M", "--skip-name-resolve"]
    command += ["--character-set-server=utf8mb4", "--max-allowed-packet=1G", "--max-connections=151"]
    return [*command, "--user=root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else command


def _spawn(tools: Tools, built: Path, folder: Path, options: list[str], verifier: Path) -> subprocess.Popen[bytes]:
    command = [
        *_command(tools, folder / "data"),
        f"--socket={folder / 's.sock'}",
        f"--pid-file={folder / 'pid'}",
        f"--plugin-dir={built}",
        f"--plugin-load-add={LIBRARY}",
        *options,
    ]
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in a terminal is for the sandbox, which stops the server in order
            env={**os.environ, VERIFIER_VARIABLE: str(verifier)},
        )


@contextmanager
def _root(folder: Path) -> Iterator[Any]:
    connection = _connect_root(folder)
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def _connect_root(folder: Path) -> Any:
    """A connection of the root user; it waits for the one place that a full server keeps free for it.

    That place is taken until the server has seen the end of root's last session, which nobody here waits for.
    """
    import pymysql

    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            # No TLS over a Unix socket: to read the system's authorities for nothing takes longer than all the rest.
            return pymysql.connect(
                unix_socket=str(folder / "s.sock"), user="root", charset="utf8mb4", autocommit=True, ssl_disabled=True
            )
        except pymysql.err.OperationalError as error:
            if error.args[0] != _TOO_MANY_CONNECTIONS or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


_TOO_MANY_CONNECTIONS = 1040
_PORT_TAKEN = "Can't start server: Bind on TCP/IP port"
_BIND_ATTEMPTS = 10


def _wait_until_up(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(folder / "s.sock")) == 0:
                return
        time.sleep(0.05)
    if process.poll() is None:
        process.kill()
        process.wait()
    raise _not_up("start", (folder / "server.log").read_text(errors="replace"))


def _not_up(what: str, log: str) -> SandboxError:
    errors = [line for line in log.splitlines() if "ERROR" in line] or log.splitlines()
    return SandboxError(f"MariaDB did not {what}: {(errors or ['it said nothing'])[0][:300]}", detail=log[-4000:])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
