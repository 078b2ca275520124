"""Tunnels by a real ssh through a real sshd, and by programs that stand for SSM's: opened, shared, killed, ended."""

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import psutil
import pytest

import rds_iam_magic
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.connecting import connect_as_master
from rds_iam_magic.errors import ConnectionLostError, CredentialsError, TunnelError, UnreachableError
from rds_iam_magic.hints import Interface
from tests.support.events import LONG, connection_id, interrupt_when, wait_until, when, works_on
from tests.support.ssm import make_ssm
from tests.tunnels.conftest import kill_tunnel, of_tunnels, works

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("running", "inside")]  # servers and kernels

BY = pytest.mark.parametrize("by", ["ssh", "ssm"])


@pytest.fixture
def way(by, request):
    """The option for a tunnel, the words that end its program's command line, and how often it was started so far."""
    if by == "ssh":
        sshd = request.getfixturevalue("sshd")
        return {"ssh": "bastion"}, "ssh", lambda: len(sshd.commands)
    ssm = request.getfixturevalue("ssm")
    return {"ssm": "i-0123456789abcdef0"}, "/aws", lambda: len(ssm.started)


def connect(target="sandbox", user="reader", database="shop", **options):
    return rds_iam_magic.connect(target, user=user, database=database, **{"connect_timeout": LONG, **options})


def one(db):
    return db.query("SELECT 1 AS a")["a"].tolist() == [1]


@contextmanager
def gate(server):
    """Statements that use the table `gate` wait, until the function that this gives is called, or the end."""
    with server.root() as lock:
        lock.execute("CREATE OR REPLACE TABLE scratch.gate (a INT)")
        lock.execute("INSERT INTO scratch.gate VALUES (1)")
        lock.execute("CREATE OR REPLACE TABLE scratch.kept (a INT)")
        lock.execute("LOCK TABLES scratch.gate WRITE")
        yield lambda: lock.execute("UNLOCK TABLES")
        lock.execute("UNLOCK TABLES")
        lock.execute("DROP TABLE scratch.gate, scratch.kept")


@BY
def test_it_is_opened_and_ended_with_the_connection(way, inside):
    options, _, started = way
    with connect(**options) as db:
        assert db.query("SELECT COUNT(*) AS n FROM orders").loc[0, "n"] == 50000
        assert db.login.endpoint.host == inside.hosts[0], "TLS and the token are for the endpoint"
        assert of_tunnels()
        assert db.login.tunnel.near_end == db.login.tunnel.address(LONG)
    assert db.login.tunnel.near_end is None
    assert of_tunnels() == []
    assert started() == 1


@BY
def test_all_sessions_of_a_connection_share_it(way, inside):
    """The parts that are read at once, and the session that ends a query."""
    options, _, started = way
    with connect(**options) as db:
        assert len(db.query("SELECT id FROM orders", parallel=3)) == 50000
        number = connection_id(db)
        with interrupt_when(lambda: works_on(inside.server, number)), pytest.raises(KeyboardInterrupt):
            db.query("SELECT SLEEP(600)")
        assert connection_id(db) == number
        assert started() == 1
        sessions = db.partitions("SELECT id FROM orders", n=2)
    tasks = pickle.loads(pickle.dumps(sessions))
    assert sum(task.read_arrow().num_rows for task in tasks) == 50000
    assert started() == 3, "a task opens its own"
    assert of_tunnels() == []


@BY
def test_killed_during_a_query(way, scratch, inside, notes):
    """What only reads runs again, through a new tunnel."""
    assert scratch
    options, program, started = way
    with connect(user="tester", database="scratch", notify=notes.append, **options) as db, gate(inside.server) as free:
        number = connection_id(db)

        def strike():
            kill_tunnel(program)
            free()

        with when(lambda: works_on(inside.server, number), strike):
            assert db.query("SELECT COUNT(*) AS n FROM gate").loc[0, "n"] == 1
        assert started() == 2
        assert any("runs again" in note for note in notes)


@BY
@pytest.mark.parametrize("before", ["DO 1", "BEGIN"])
def test_killed_while_it_writes(way, before, scratch, inside, notes):
    """Nothing that may write runs twice; it is told as any lost connection, and the next statement comes back."""
    assert scratch
    options, program, started = way
    with connect(user="tester", database="scratch", notify=notes.append, **options) as db, gate(inside.server) as free:
        db.execute(before)
        number = db.connection_id
        with when(lambda: works_on(inside.server, number), lambda: kill_tunnel(program)):
            with pytest.raises(ConnectionLostError) as caught:
                db.execute("INSERT INTO kept SELECT a FROM gate")
        assert caught.value.cause == ("transaction-lost" if before == "BEGIN" else "may-have-run")
        free()
        assert one(db)
        assert started() == 2
        assert db.query("SELECT COUNT(*) AS n FROM kept").loc[0, "n"] <= (0 if before == "BEGIN" else 1)


@BY
def test_killed_while_idle(way, notes):
    options, program, started = way
    with connect(notify=notes.append, **options) as db:
        for times in (2, 3):
            kill_tunnel(program)
            assert one(db)
            assert started() == times
    assert of_tunnels() == []


def test_the_far_end_goes_away(sshd, notes):
    """What sshd has started for this login: the host that was logged in to is restarted, say."""
    with connect(ssh="bastion", notify=notes.append) as db:
        old = of_tunnels()
        for process in psutil.Process(sshd.process.pid).children(recursive=True):
            process.kill()
        wait_until(lambda: not any(map(works, old)), "the end of ssh")
        assert one(db)
        assert len(sshd.commands) == 2


def test_a_plugin_that_dies_alone(ssm, notes):
    with connect(ssm="i-0123456789abcdef0", notify=notes.append) as db:
        kill_tunnel("session-manager-plugin")
        assert one(db)
        assert len(ssm.started) == 2


def test_a_tunnel_that_hangs_is_replaced(ssm, notes):
    """As after a laptop's sleep: the programs are there, and nothing comes through."""
    with connect(ssm="i-0123456789abcdef0", connect_timeout=6, notify=notes.append) as db:
        (plugin,) = [p for p in of_tunnels() if p.cmdline()[1].endswith("session-manager-plugin")]
        plugin.suspend()
        db._session.current.abort()
        with pytest.raises(UnreachableError, match="does not answer"):
            db.query("SELECT 1")
        assert one(db)
        assert len(ssm.started) == 2


@BY
def test_a_database_that_cannot_be_reached_from_the_far_end(way, by, inside, request, tmp_path):
    nowhere = "127.0.0.1:1"
    if by == "ssh":
        request.getfixturevalue("sshd").lead({f"{host}:3306": nowhere for host in inside.hosts})
    else:
        make_ssm(tmp_path / "ssm", {})
    options, _, _ = way
    with pytest.raises(TunnelError) as caught:
        connect(**options)
    words = {"ssh": "Connection refused", "ssm": "Connection to destination port failed, check SSM Agent logs"}[by]
    assert f"{inside.hosts[0]}:3306 does not answer through it: " in caught.value.message
    assert words in caught.value.message
    assert "security group" in caught.value.hint
    assert of_tunnels() == []


# What ssh and SSM refuse


@pytest.mark.parametrize(
    ("host", "words", "cause"),
    [
        ("stranger", r"Permission denied \(publickey\)", "ssh-denied"),
        ("unknown-key", "Host key verification failed", "ssh-host-unknown"),
        ("changed-key", "Host key verification failed", "ssh-host-changed"),
        ("no-such-host.invalid", "Could not resolve hostname", "ssh-unreachable"),
        ("127.0.0.1:1", "Connection refused", "ssh-unreachable"),
    ],
)
def test_what_ssh_refuses(sshd, host, words, cause):
    assert sshd
    with pytest.raises(TunnelError, match=f"^ssh .*{host} failed: .*{words}") as caught:
        connect(ssh=host)
    assert caught.value.cause == cause
    assert len(str(caught.value).splitlines()) == 2
    assert "debug1" not in str(caught.value)
    assert of_tunnels() == []


@pytest.mark.parametrize(
    ("instance", "kind", "words", "cause"),
    [
        ("i-off", TunnelError, "TargetNotConnected: i-off is not connected", "ssm-not-connected"),
        ("i-denied", TunnelError, "AccessDeniedException: .*ssm:StartSession", "ssm-denied"),
        ("i-expired", CredentialsError, "ExpiredTokenException", "credentials-expired"),
        ("i-plugin", TunnelError, "SessionManagerPlugin is not found", "session-manager-plugin-missing"),
        ("i-mute", TunnelError, "it ended without a word", "tunnel-failed"),
    ],
)
def test_what_ssm_refuses(ssm, instance, kind, words, cause):
    with pytest.raises(kind, match=f"^ssm {instance} failed: {words}") as caught:
        connect(ssm=instance)
    assert caught.value.cause == cause
    assert len(str(caught.value).splitlines()) == 2
    assert len(ssm.started) == 1, "what AWS refuses is not asked again"
    assert of_tunnels() == []


def test_no_secret_is_told_or_on_a_command_line(ssm, inside):
    key, secret = inside.keys["administrator"]
    with pytest.raises(TunnelError) as caught:
        connect(ssm="i-leak")
    assert "…" in caught.value.message
    assert secret not in str(caught.value)
    assert "AAEAAcmFuZG9t" not in str(caught.value)
    with connect(ssm="i-0123456789abcdef0"):
        lines = [" ".join(process.cmdline()) for process in of_tunnels()]
        assert lines
        assert not any(word in line for line in lines for word in (key, secret))
    for words, variables in ssm.started:
        assert secret not in str(words)
        assert (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]) == (key, secret)
        assert words[2:6] == ["--region", "us-east-1", "--target", words[5]]


def test_ssm_has_the_credentials_of_the_connection(ssm, inside):
    """A profile's, and a role's, which are others than the environment's."""
    with connect(ssm="i-0123456789abcdef0", profile="tokens" if "tokens" in inside.keys else "administrator"):
        pass
    with pytest.raises(TunnelError):
        connect(ssm="i-off", profile="stranger")
    variables = ssm.started[-1][1]
    assert variables["AWS_ACCESS_KEY_ID"] == inside.keys["stranger"][0]
    assert variables["AWS_PROFILE"] == "stranger"
    with pytest.raises(TunnelError):
        connect(ssm="i-off", role_arn="arn:aws:iam::123456789012:role/any")
    variables = ssm.started[-1][1]
    assert variables["AWS_ACCESS_KEY_ID"] not in {key for key, _ in inside.keys.values()}
    assert variables["AWS_SESSION_TOKEN"]


@pytest.mark.parametrize(
    ("missing", "options", "cause"),
    [
        ("ssh", {"ssh": "bastion"}, "ssh-missing"),
        ("aws", {"ssm": "i-1"}, "aws-cli-missing"),
        ("session-manager-plugin", {"ssm": "i-1"}, "session-manager-plugin-missing"),
    ],
)
def test_a_program_that_is_missing(ssm, monkeypatch, missing, options, cause):
    (ssm.bin / missing).unlink(missing_ok=True)
    monkeypatch.setenv("PATH", str(ssm.bin))
    with pytest.raises(TunnelError, match=f"There is no program {missing} on the PATH") as caught:
        connect(**options)
    assert caught.value.cause == cause
    assert "Install" in caught.value.hint


def test_one_that_does_not_open_in_time(ssm):
    with pytest.raises(TunnelError, match=r"ssm i-slow was not open within 5 s") as caught:
        connect(ssm="i-slow", connect_timeout=5)
    assert caught.value.cause == "tunnel-slow"
    assert "connect_timeout=" in caught.value.hint
    assert of_tunnels() == []
    assert ssm.started


def test_an_ssh_host_that_says_nothing(sshd):
    assert sshd
    with pytest.raises(TunnelError, match=r"ssh silent (was not open within|failed: .*timed out)"):
        connect(ssh="silent", connect_timeout=1)


def test_stop_while_it_opens(ssm):
    with interrupt_when(lambda: ssm.started), pytest.raises(KeyboardInterrupt):
        connect(ssm="i-slow", connect_timeout=LONG)
    wait_until(lambda: not of_tunnels(), "the end of the tunnel")


# How it ends


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@BY
def test_a_connection_that_is_forgotten(way):
    options, _, _ = way
    db = connect(**options)
    assert of_tunnels()
    del db
    gc.collect()
    assert of_tunnels() == []


@BY
def test_it_ends_with_a_process_that_is_killed(way):
    """A kernel that is restarted, or that the system has killed: nothing runs then that could tidy up."""
    options, _, _ = way
    script = f"""
        import sys, rds_iam_magic
        db = rds_iam_magic.connect("sandbox", user="reader", **{options!r})
        print("open", flush=True)
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"open\n"
        left = psutil.Process(process.pid).children(recursive=True)
        assert len(left) >= 2
        process.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(left, LONG)
    assert (len(gone), alive) == (len(left), [])


def test_it_ends_at_the_end_of_a_script(ssm):
    script = "import rds_iam_magic; db = rds_iam_magic.connect('sandbox', user='reader', ssm='i-1')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=LONG, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert ssm.started


def _in_child(db, answers):
    db.notify = [].append
    try:
        answers.put((one(db), len(of_tunnels())))
        db.close()
        answers.put(len(of_tunnels()))
    except BaseException as error:  # noqa: BLE001 - told by the test
        answers.put(repr(error))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_tunnel_of_its_own(ssm):
    context = multiprocessing.get_context("fork")
    with connect(ssm="i-1") as db:
        number = connection_id(db)
        answers = context.SimpleQueue()
        child = context.Process(target=_in_child, args=[db, answers])
        child.start()
        assert answers.get() == (True, 3), "a guard, aws and the plugin"
        assert answers.get() == 0
        child.join(LONG)
        assert child.exitcode == 0
        assert connection_id(db) == number, "the parent's is untouched"
        assert len(ssm.started) == 2
        answers.close()
        child.close()


@BY
def test_plain_connections(way):
    options, _, started = way
    plain = rds_iam_magic.pymysql_connect("sandbox", user="reader", database="shop", **options)
    with plain, plain.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM orders")
        assert cursor.fetchone() == (50000,)
    assert of_tunnels() == []
    with connect(**options) as db:
        other = rds_iam_magic.pymysql_connect(db)
        assert started() == 2, "it shares the tunnel of the connection that it was made from"
    assert of_tunnels(), "and keeps it open"
    other.ping(reconnect=False)
    other.close()
    assert of_tunnels() == []


def test_the_pool_of_an_engine(ssm):
    engine = rds_iam_magic.sqlalchemy_engine("sandbox", user="reader", database="shop", ssm="i-1")
    with engine.connect() as first, engine.connect() as second:
        assert first.exec_driver_sql("SELECT 1").scalar() == second.exec_driver_sql("SELECT 1").scalar()
    kill_tunnel("/aws")
    with engine.connect() as third:
        assert third.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()
    assert of_tunnels() == []
    assert len(ssm.started) == 2


def test_the_master_user_comes_through_it_too(ssm):
    with connect_as_master("sandbox/master", ConnectOptions(ssm="i-1")) as master:
        assert one(master)
    assert of_tunnels() == []
    assert ssm.started


def test_the_variable_for_an_address_yields(ssm, monkeypatch, notes):
    monkeypatch.setenv("RDS_IAM_MAGIC_VIA", "127.0.0.1:1")
    with connect(ssm="i-1", notify=notes.append) as db:
        assert one(db)
    (note,) = notes
    assert note == 'RDS_IAM_MAGIC_VIA is set; it has no effect beside ssm="INSTANCE_ID".'
    assert "--ssm" in note.spelled(Interface.NOTEBOOK)
    assert os.environ["RDS_IAM_MAGIC_VIA"]
    assert ssm.started


@pytest.mark.usefixtures("ssm")
def test_a_target_that_moves_is_told(notes):
    with rds_iam_magic.connect("worldwide", user="reader", ssm="i-1", notify=notes.append) as db:
        host = db.login.endpoint.host
    assert f"the tunnel leads to {host}:3306; when the target moves, as by a failover, connect again." in notes
    notes.clear()
    with rds_iam_magic.connect("sandbox", user="reader", ssm="i-1", notify=notes.append):
        pass
    assert notes == []
