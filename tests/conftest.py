"""The suite's ground: a sandbox for the whole run, connections into it, and a check that every test leaves nothing.

With pytest-xdist each worker has a sandbox of its own; `-n auto` takes as many as the machine bears. `--quick` leaves
out what needs a server or builds something: whatever uses one of the fixtures in `SLOW`, or is marked `slow`.

Another MySQL or MariaDB takes the place of the sandbox's server in the tests of `scratch` connections with
`--dsn mysql://USER:PASSWORD@HOST:PORT/SCHEMA?ca=PATH` or RDS_IAM_MAGIC_TEST_DSN; the schema is the suite's to fill.
"""

from __future__ import annotations

import gc
import inspect
import os
import re
import signal
import ssl
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests.support.events import LONG
from tests.support.watched import sessions, watch

# What fixtures need of the package they import themselves: pytest-xdist's first process runs no test, and starts the
# others a third of a second earlier without.
if TYPE_CHECKING:
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.mysql.login import Login

settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("suite"), max_examples=8)


LONGEST = (
    "test_package",
    "test_storm",
    "test_tools",
    "test_soak",
    "test_matrix",
    "test_secrets",
    "test_faults",
    "test_tunnel",
    "test_lab",
    "test_all_front_ends",
    "test_command",
    "test_parts",
    "test_notebooks_alone",
    "test_permissions",
    "test_users",
    "test_provisioning",
    "test_reader",
    "test_s3",
    "test_attacks",
    "test_dask",
)
MOST_IN_A_GROUP = 70

SLOW = frozenset({"sandbox", "scratch", "own_sandbox", "running", "wheel", "authority", "contexts"})
SLOW_FILE = re.compile(r"^pytestmark = \[?pytest\.mark\.slow\b", re.MULTILINE)

# jsonschema takes it where it is installed, and importing it takes over a second; nothing here needs it.
sys.modules.setdefault("rfc3987_syntax", None)

# A process that a script starts in the background ignores Ctrl-C, and so does what it starts in turn. Here and now, for
# workers and kernels take it over from this process.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--dsn", default=os.environ.get("RDS_IAM_MAGIC_TEST_DSN"), help="another server for the tests")
    parser.addoption("--quick", action="store_true", help="only what needs no server")


def pytest_configure(config):
    settings.load_profile("quick" if config.getoption("--quick") else "suite")
    config.addinivalue_line("markers", "slow: takes seconds, or starts servers without a fixture; not in --quick")


def pytest_ignore_collect(collection_path, config):
    """Files that are slow as a whole are not even imported: what they import takes a second of the quick tests'."""
    if config.getoption("--quick") and collection_path.suffix == ".py":
        return True if SLOW_FILE.search(collection_path.read_text("utf-8")) else None
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """The suite waits as much as it works; another server has one schema for all, so there is one worker."""
    return 0 if config.getoption("--dsn") else 2 * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """For `--dist loadgroup`: a file's tests stay together, up to so many; the files that take longest come first.

    Not by the mark `xdist_group`, which pytest-xdist 3.8 writes into an attribute that pytest 9.2 does not read.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def __init__(self, config, log):
            super().__init__(config, log)
            self._groups = {}
            self._counts = Counter()

        def _split_scope(self, nodeid):
            if nodeid not in self._groups:
                file = nodeid.partition("::")[0]
                self._groups[nodeid] = f"{file}-{self._counts[file] // MOST_IN_A_GROUP}"
                self._counts[file] += 1
            return self._groups[nodeid]

    config.option.loadscopereorder = False  # the order is ours
    return ByFile(config, log)


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    if config.getoption("--quick"):
        left_out = [item for item in items if SLOW & set(item.fixturenames) or item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=left_out)
        dropped = set(left_out)
        items[:] = [item for item in items if item not in dropped]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Each test runs within a generator, whose end restores the exception that is being handled: none.

    CPython 3.11 forgets to, where a trace function (tests/support/injector.py) raises while an exception is handled:
    that one would stay the context of all that come in this process.
    """
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        return None  # not ours to run

    def within():
        yield pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames})

    for value in within():
        if value is not None:
            pytest.fail(f"the test returned {value!r}: was a yield or an assert meant?")
    return True


def pytest_collection_finish():
    """What the imports made stays; collecting garbage around each test need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # less often than by default: it takes a tenth of the quick tests' time


@dataclass(frozen=True)
class ScratchServer:
    """A server with a schema that tests may fill: `login()` for connections, `admin` for what needs more rights."""

    login_of: object

    def login(self, **changes) -> Login:
        return self.login_of(**changes)

    def connect(self, notes: list[str], **changes) -> Connection:
        from rds_iam_magic.connection.connection import Connection

        return Connection(self.login(**changes), notify=notes.append)


@pytest.fixture
def notes():
    """What connections of `scratch` told their user during the test."""
    return []


@pytest.fixture(scope="session")
def sandbox():
    """One sandbox for the whole run; tests that break servers start their own."""
    from rds_iam_magic.sandbox import Sandbox

    with Sandbox() as running, watch(running.server):
        yield running


@pytest.fixture
def inside(sandbox, monkeypatch, tmp_path):
    """The sandbox's environment, an empty home, and nothing of the machine's own AWS configuration."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "RDS_IAM_MAGIC_")):
            monkeypatch.delenv(name)
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RDS_IAM_MAGIC_CACHE", str(tmp_path / "cache"))
    return sandbox


@pytest.fixture
def keys(monkeypatch, tmp_path):
    """Credentials of nobody, and nothing else of AWS's configuration; sets variables, for an AWS of the test's own."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "RDS_IAM_MAGIC_")):
            monkeypatch.delenv(name)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("HOME", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def own_configuration(monkeypatch, tmp_path):
    """No AWS configuration but what the test writes."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture(scope="session")
def scratch(request):
    """A server with a schema to fill: the sandbox's, or that of `--dsn`."""
    from tests.support.logins import create_tester, login_of_tester

    dsn = request.config.getoption("--dsn")
    if dsn:
        return ScratchServer(lambda **changes: _dsn_login(dsn, **changes))
    sandbox = request.getfixturevalue("sandbox")
    create_tester(sandbox.server)
    return ScratchServer(lambda **changes: login_of_tester(sandbox, **changes))


def _dsn_login(dsn: str, **changes) -> Login:
    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.aws.secret import Secret
    from rds_iam_magic.mysql.credential import Password
    from rds_iam_magic.mysql.login import Login
    from tests.support.logins import SCRATCH

    parts = urlsplit(dsn)
    ca = parse_qs(parts.query).get("ca", [None])[0]
    secret = Secret(unquote(parts.password or ""))
    options = {
        "endpoint": Endpoint(host=str(parts.hostname), port=parts.port or 3306, region="us-east-1"),
        "user": unquote(parts.username or ""),
        "credential": lambda: Password(secret),
        "context": ssl.create_default_context(cafile=ca),
        "trust_source": str(ca),
        "database": parts.path.strip("/") or SCRATCH,
    }
    return Login(**options | changes)


@pytest.fixture
def db(scratch, notes):
    """A connection to the scratch schema."""
    with scratch.connect(notes) as connection:
        yield connection


@pytest.fixture
def every(request):
    """How many places to go on by in a test that takes place after place: 1, some more in the quick tests."""
    return 7 if request.config.getoption("--quick") else 1


@pytest.fixture(autouse=True)
def nothing_is_left():
    """Threads, file descriptors, child processes and sessions on the servers after a test are those of before it."""
    before = _state()
    yield
    deadline, pause = time.monotonic() + LONG / 2, 0.001
    while (left := _left(before)) and time.monotonic() < deadline:
        if pause > _SOON:
            gc.collect()
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    assert not left, f"left behind: {left}"
    assert sys.exc_info()[1] is None, "an exception is still handled: it would be the context of all that come"


_SOON = 0.01
"""Seconds by which most have ended what they end elsewhere: a session on the server, or a thread."""


def _state():
    # Around each of thousands of tests: with the functions of os, not with paths.
    return (
        set(sys._current_frames()),  # those that were started without `threading` too
        {(name, _link(name)) for name in _names_in(OPEN_FILES)},
        Counter(_name(child) for child in _children()),  # by name: a server may be restarted
        sessions(),
    )


OPEN_FILES = "/proc/self/fd"
THREADS = "/proc/self/task"


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:  # not on this system
        return []


def _children() -> list[psutil.Process]:
    """All that this process has started; where it has none, there is no need to look at all there are."""
    threads = _names_in(THREADS)
    if threads and not any(map(_children_of, threads)):
        return []
    return psutil.Process().children(recursive=True)


def _children_of(thread: str) -> bytes:
    try:
        with open(f"{THREADS}/{thread}/children", "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError:  # the thread has ended
        return b""


def _name(child: psutil.Process) -> str:
    try:
        name = child.name()
        # How many processes a browser has for its pages is up to it, and when they end; all do with the browser.
        return "" if name.startswith("chrom") and "--type=" in " ".join(child.cmdline()) else name
    except psutil.Error:  # it has ended
        return ""


def _link(name: str) -> str:
    try:
        return os.readlink(f"{OPEN_FILES}/{name}")  # noqa: PTH115
    except OSError:
        return ""


def _left(before):
    threads, files, children, ours = _state()
    return [
        *[name for name in map(_thread_name, threads - before[0]) if not name.startswith("asyncio")],
        *[link for _, link in files - before[1] if link.startswith(("socket:", "/")) and not _kept(link)],
        *[f"process {name}" for name in children - before[2] if name],
        *(ours - before[3]),
    ]


def _thread_name(ident: int) -> str:
    return next((t.name for t in threading.enumerate() if t.ident == ident), f"thread {ident}")


def _kept(link: str) -> bool:
    """Files that a library opens once for the process, and this check's own listing."""
    return link.startswith(("/proc", "/dev")) or "site-packages" in link
