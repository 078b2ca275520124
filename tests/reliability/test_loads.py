"""A load that ends at any moment, in any way: the table has all rows or those of before, and nothing else is left."""

import multiprocessing
import os
import signal
from contextlib import suppress

import pandas as pd
import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.connection.frames.loader import OF_OURS
from rds_iam_magic.connection.frames.own_statements import OwnStatements
from rds_iam_magic.errors import ConnectionLostError, RdsIamError
from tests.support.events import LONG, interrupt_when, wait_until
from tests.support.injector import Injector, spread
from tests.support.logins import login_of_tester

pytestmark = pytest.mark.slow  # servers and kernels

BEFORE, NEW = [1, 2], [5, 6, 7, 8, 9]
FRAME = pd.DataFrame({"a": NEW, "b": ["x" * 30] * 5})
HOW = {"fail": NEW, "replace": NEW, "append": BEFORE + NEW}
"""What the table has at the end, by what is done."""


@pytest.fixture(autouse=True)
def small_statements(monkeypatch):
    monkeypatch.setattr("rds_iam_magic.ingest.rows.SIZE", 80)  # two rows each


def begin(rig, how):
    """The table of before; none if a new one is made."""
    rig.root("DROP TABLE IF EXISTS scratch.loaded")
    if how != "fail":
        rig.root("CREATE TABLE scratch.loaded (a BIGINT, b VARCHAR(40)) ENGINE=InnoDB")
        rig.root("INSERT INTO scratch.loaded VALUES (1, ''), (2, '')")


def values(rig):
    """What the table has; None if there is none."""
    if not rig.root("SHOW TABLES FROM scratch LIKE 'loaded'"):
        return None
    return sorted(row[0] for row in rig.root("SELECT a FROM scratch.loaded"))


def of_ours(rig):
    return [row[0] for row in rig.root("SHOW TABLES FROM scratch") if row[0].startswith(OF_OURS)]


def act_at(monkeypatch, number, act):
    """Act before the load's n-th statement; gives the list of the statements so far."""
    seen = []
    plain = OwnStatements._execution

    def counting(own, sql):
        seen.append(sql)
        if len(seen) == number:
            act()
        return plain(own, sql)

    monkeypatch.setattr(OwnStatements, "_execution", counting)
    return seen


def statements_of(rig, how):
    """How many statements a load takes."""
    begin(rig, how)
    with pytest.MonkeyPatch.context() as patch:
        seen = act_at(patch, 0, lambda: None)
        rig.db.load(FRAME, "loaded", if_exists=how)
    assert values(rig) == HOW[how]
    return len(seen)


def kill(rig):
    rig.kill_connection()
    rig.wait_until_cut()


def lose_answer(rig):
    rig.proxy.lose_next_request(answer_only=True)


def stop(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("fault", [kill, lose_answer, stop])
def test_at_every_statement(rig, how, fault):
    before = None if how == "fail" else BEFORE
    for number in range(1, statements_of(rig, how) + 1):
        begin(rig, how)
        failed = ""
        with pytest.MonkeyPatch.context() as patch:
            seen = act_at(patch, number, lambda: fault(rig))
            try:
                rig.db.load(FRAME, "loaded", if_exists=how)
            except (RdsIamError, KeyboardInterrupt) as error:
                failed = f"{type(error).__name__}: {error}"
        where = f"before {seen[number - 1][:60]}: {failed}"
        found = values(rig)
        assert found in (before, HOW[how]), where
        if not failed:
            assert found == HOW[how], where
        assert of_ours(rig) == [], where
        assert rig.db.query("SELECT 1 AS a")["a"].tolist() == [1], where
        assert rig.db.transaction_since is None, where
        assert rig.db.query("SELECT @@sql_mode = @@GLOBAL.sql_mode AS same")["same"].tolist() == [1], where
        assert rig.db._session.state.left == frozenset(), where
    rig.root("DROP TABLE IF EXISTS scratch.loaded")


@pytest.mark.parametrize(("how", "statement"), [("fail", "CREATE TABLE"), ("fail", "RENAME"), ("replace", "RENAME")])
def test_what_a_lost_session_had_yet_to_do_is_not_done(rig, monkeypatch, how, statement):
    """Its last statement comes to the server after all has been undone: it would make a table again, or rename one."""
    begin(rig, how)
    plain = OwnStatements._execution

    def delaying(own, sql):
        if sql.startswith(statement):
            rig.proxy.delay_next_request()
        return plain(own, sql)

    monkeypatch.setattr(OwnStatements, "_execution", delaying)
    with pytest.raises(ConnectionLostError):
        rig.db.load(FRAME, "loaded", if_exists=how)
    rig.proxy.deliver()
    assert of_ours(rig) == []
    assert values(rig) == (None if how == "fail" else BEFORE)
    rig.root("DROP TABLE IF EXISTS scratch.loaded")


@pytest.mark.parametrize("how", HOW)
def test_stop_at_any_line(rig, how):
    """The interrupt may come while what an error left is undone; then the session's end undoes the rest."""
    begin(rig, how)
    before = None if how == "fail" else BEFORE
    for at in spread(lambda: rig.db.load(FRAME, "loaded", if_exists=how), 25):
        begin(rig, how)
        with Injector(at, KeyboardInterrupt) as injector, suppress(KeyboardInterrupt):
            rig.db.load(FRAME, "loaded", if_exists=how)
        assert values(rig) in (before, HOW[how]), injector.where
        for name in of_ours(rig):  # Stop came between making it and knowing of it
            rig.root(f"DROP TABLE scratch.{name}")
        with suppress(RdsIamError):
            rig.db.query("SELECT 1")
        assert rig.db.query("SELECT 1 AS a")["a"].tolist() == [1], injector.where
        rig.db.execute("ROLLBACK")
    rig.root("DROP TABLE IF EXISTS scratch.loaded")


@pytest.mark.parametrize("how", ["replace", "append"])
def test_stop_while_the_server_waits(rig, how):
    """Another session has the table locked: the rows, or the new table, wait for it."""
    begin(rig, how)
    with rig.server.root() as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM scratch.loaded" if how == "replace" else "SELECT * FROM scratch.loaded FOR UPDATE")
        number = rig.connection_id
        word = "RENAME" if how == "replace" else "INSERT INTO `scratch`.`loaded`"
        with interrupt_when(lambda: is_running(rig, number, word)), pytest.raises(KeyboardInterrupt):
            rig.db.load(FRAME, "loaded", if_exists=how)
        other.execute("ROLLBACK")
    assert values(rig) == BEFORE
    assert of_ours(rig) == []
    assert rig.connection_id == number, "the session is kept"
    assert rig.db.load(FRAME, "loaded", if_exists=how) == 5
    rig.root("DROP TABLE scratch.loaded")


def is_running(rig, number, word):
    return rig.root(
        f"SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {number} AND INFO LIKE '{word}%' AND TIME_MS > 100"
    )


@pytest.mark.parametrize("how", HOW)
def test_the_process_is_killed(rig, own_sandbox, how):
    before = None if how == "fail" else BEFORE
    count = statements_of(rig, how)
    for number in range(3, count + 1, 2):
        begin(rig, how)
        child = multiprocessing.get_context("fork").Process(target=load_and_die, args=(own_sandbox, how, number))
        child.start()
        child.join(LONG)
        assert child.exitcode == -signal.SIGKILL
        wait_until(lambda: not others(rig), "the end of its session")
        assert values(rig) in (before, HOW[how])
        left = of_ours(rig)
        assert len(left) <= 1
        for name in left:
            rig.root(f"DROP TABLE scratch.{name}")
    rig.root("DROP TABLE IF EXISTS scratch.loaded")


def others(rig):
    rows = rig.root("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'tester'")
    return [row for row in rows if row[0] != rig.connection_id]


def load_and_die(sandbox, how, number):
    patch = pytest.MonkeyPatch()
    act_at(patch, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
    with Connection(login_of_tester(sandbox), notify=lambda _: None) as db:
        db.load(FRAME, "loaded", if_exists=how)
