"""One moment for all parts: while amounts move between rows, consistent parts add up to what there is."""

import threading

import pytest

import rds_iam_magic
from rds_iam_magic.parallel import snapshot
from rds_iam_magic.parallel.snapshot import Table, tables_of
from tests.support.events import interrupt_when, processes, wait_until

pytestmark = pytest.mark.slow  # servers and kernels

TOTAL = 1000 * 100


@pytest.fixture
def ledger(db):
    db.execute("CREATE OR REPLACE TABLE ledger (id INT PRIMARY KEY, amount INT NOT NULL)")
    db.execute("INSERT INTO ledger SELECT seq, 100 FROM seq_1_to_1000")
    return db


@pytest.fixture
def movers(ledger, scratch):  # noqa: ARG001 - what they write to
    """Writers that move amounts from the first rows to the last ones, and back."""
    over = threading.Event()
    moved = [0, 0]

    def move(number):
        with scratch.connect([]) as db:
            while not over.is_set():
                low, high = 1 + number, 999 + number
                db.execute(
                    f"START TRANSACTION; UPDATE ledger SET amount = amount - 1 WHERE id = {low}; "
                    f"UPDATE ledger SET amount = amount + 1 WHERE id = {high}; COMMIT"
                )
                moved[number] += 1

    threads = [threading.Thread(target=move, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(moved), "the first moves")
    yield moved
    over.set()
    for thread in threads:
        thread.join()


def totals(db, count, **options):
    return {int(db.query("SELECT * FROM ledger", parallel=4, **options)["amount"].sum()) for _ in range(count)}


def test_consistent_parts_are_of_one_moment(ledger, movers, notes):
    before = sum(movers)
    assert totals(ledger, 25, consistent=True) == {TOTAL}
    assert sum(movers) > before, "nobody wrote meanwhile"
    assert notes == []


@pytest.mark.usefixtures("movers")
def test_without_the_lock_they_are_not(ledger, monkeypatch):
    """What the test before would see if the lock did not hold the writers back."""
    monkeypatch.setattr(snapshot.TableLock, "work", lambda self, _: self.reach())
    seen = set()
    for _ in range(40):
        seen |= totals(ledger, 10, consistent=True)
        if seen != {TOTAL}:
            return
    pytest.fail("the movers never moved between two snapshots")


def test_a_transaction_that_has_begun_to_write_is_waited_for(ledger, scratch):
    with scratch.connect([]) as other:
        other.execute("START TRANSACTION; UPDATE ledger SET amount = amount - 1 WHERE id = 1")
        thread = threading.Thread(
            target=lambda: (
                wait_until(lambda: waits(scratch), "the lock's wait"),
                other.execute("UPDATE ledger SET amount = amount + 1 WHERE id = 999; COMMIT"),
            )
        )
        thread.start()
        try:
            assert totals(ledger, 1, consistent=True) == {TOTAL}
        finally:
            thread.join()


def waits(scratch):
    with scratch.connect([]) as db:
        return len(db.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%'"))


def test_a_lock_that_does_not_come_is_told(ledger, scratch, notes, monkeypatch):
    monkeypatch.setattr(snapshot, "LOCK_WAIT", 1)
    with scratch.connect([]) as other:
        other.execute("START TRANSACTION; UPDATE ledger SET amount = amount - 1 WHERE id = 1")
        totals(ledger, 1, consistent=True)
        other.execute("ROLLBACK")
    assert len(notes) == 1
    assert "could not be locked (Lock wait timeout exceeded" in notes[0]
    assert "ms apart at most" in notes[0]


@pytest.mark.usefixtures("inside")
def test_without_the_privilege_it_is_told(notes):
    with rds_iam_magic.connect("sandbox", user="reader", database="shop", notify=notes.append) as db:
        frame = db.query("SELECT * FROM orders", parallel=3, consistent=True)
        assert len(frame) == len(db.query("SELECT * FROM orders"))
    assert len(notes) == 1
    assert "could not be locked (Access denied" in notes[0]


def test_the_lock_is_released_however_it_ends(ledger, sandbox, scratch):
    slow = "SELECT n.id, (SELECT COUNT(*) FROM ledger a, ledger b, ledger c WHERE a.id > n.id) AS c FROM ledger n"
    begun = lambda: processes(sandbox.server, "INFO LIKE '%AS part WHERE%'")  # noqa: E731
    with pytest.raises(KeyboardInterrupt), interrupt_when(begun):
        ledger.query(slow, parallel=2, on="id", consistent=True)
    ledger.execute("UPDATE ledger SET amount = 100")
    with scratch.connect([]) as other:
        other.execute("START TRANSACTION; UPDATE ledger SET amount = 99 WHERE id = 1")
        with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: waits(scratch)):
            totals(ledger, 1, consistent=True)
        other.execute("UPDATE ledger SET amount = 98 WHERE id = 2; ROLLBACK")


def test_tables_without_snapshots_are_told(db, notes):
    db.execute("CREATE OR REPLACE TABLE old (id INT PRIMARY KEY) ENGINE = Aria; INSERT INTO old VALUES (1), (2), (3)")
    assert len(db.query("SELECT * FROM old", parallel=2, consistent=True)) == 3
    assert notes == ["table old (Aria) has no snapshots: parts may differ in its rows."]


def test_tables_and_views_of_a_query(ledger):
    ledger.execute("CREATE OR REPLACE VIEW seen AS SELECT id FROM ledger")
    ask = ledger._planner()._ask
    assert tables_of({"ledger", "seen", "id"}, "scratch", ask) == [
        Table("scratch", "ledger", "InnoDB"),
        Table("scratch", "seen", None),
    ]
    assert tables_of({"scratch", "ledger"}, None, ask) == [Table("scratch", "ledger", "InnoDB")]
    assert tables_of({"tables", "information_schema"}, None, ask) == []
    frame = ledger.query("SELECT * FROM seen", parallel=2, on="id", consistent=True)
    assert len(frame) == 1000
