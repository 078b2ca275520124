"""When an idle session is ended, and that the thread behind it ends; the session itself is a function here."""

import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest

from rds_iam_magic.connection.exclusive_use import ExclusiveUse
from rds_iam_magic.connection.lifetime.idle import IdleClosing
from tests.support.events import LONG, wait_until

SOON = 0.0001  # minutes: 6 ms


class Session:
    """Counts how often it was to end, and holds what it is told to."""

    def __init__(self, *holds):
        self.holds = holds
        self.ended = 0

    def end(self):
        self.ended += 1
        return self.holds


class Use(ExclusiveUse):
    """Turns that count who asked whether one is free."""

    looks = 0

    def if_free(self):
        self.looks += 1
        return super().if_free()


def idle_for(use, minutes):
    use.used_at = time.monotonic() - 60 * minutes


def test_it_is_ended_when_its_time_has_come():
    use, session = ExclusiveUse(), Session()
    closing = IdleClosing(use, 10, session.end)
    idle_for(use, 9)
    assert closing.look() == pytest.approx(60, abs=5), "seconds until the next look"
    assert session.ended == 0
    idle_for(use, 10)
    assert closing.look() == 600
    assert session.ended == 1


def test_a_turn_makes_the_time_begin_again():
    use, session = ExclusiveUse(), Session()
    closing = IdleClosing(use, 10, session.end)
    idle_for(use, 11)
    with use.exclusive():
        pass
    assert closing.look() == pytest.approx(600, abs=5)
    assert session.ended == 0


def test_a_look_is_no_turn():
    use, session = ExclusiveUse(), Session("user variables")
    closing = IdleClosing(use, 10, session.end)
    idle_for(use, 11)
    closing.look()
    closing.look()
    assert session.ended == 2


def test_who_has_the_turn_is_not_idle():
    use, session = ExclusiveUse(), Session()
    closing = IdleClosing(use, 10, session.end)
    with use.exclusive():
        idle_for(use, 60)
        assert closing.look() == 600
    assert session.ended == 0


def test_what_keeps_it_open_is_told_once():
    use, session = ExclusiveUse(), Session("user variables", "locks")
    closing = IdleClosing(use, 10, session.end)
    told = []
    for _ in range(3):
        idle_for(use, 11)
        closing.look()
        told += closing.take_notes()
    assert told == ["the session was idle for 10 min but stays open: closing it would lose locks and user variables."]
    session.holds = ("the open transaction",)
    closing.look()
    assert "lose the open transaction" in closing.take_notes()[0]


def test_the_thread_looks_by_itself_and_again():
    session = Session()
    closing = IdleClosing(ExclusiveUse(), SOON, session.end)
    closing.begin()
    wait_until(lambda: session.ended > 2)
    closing.stop()


def test_there_is_one_thread():
    before = set(sys._current_frames())
    closing = IdleClosing(ExclusiveUse(), 60, Session().end)
    closing.begin()
    wait_until(lambda: closing._threads)
    closing.begin()
    closing.begin()
    assert len(set(sys._current_frames()) - before) == 1
    closing.stop()
    closing.stop()
    wait_until(lambda: set(sys._current_frames()) <= before, "the end of the thread, long before its time")


def test_none_begins_after_the_end():
    before = set(sys._current_frames())
    closing = IdleClosing(ExclusiveUse(), SOON, Session().end)
    closing.stop()
    closing.begin()
    assert set(sys._current_frames()) <= before


def test_a_thread_that_begins_after_the_end_ends_at_once():
    closing = IdleClosing(ExclusiveUse(), 60, Session().end)
    closing.begin()
    closing.stop()  # perhaps before the thread has noted where it waits


def test_it_does_not_keep_what_nobody_uses():
    session = Session()
    closing = IdleClosing(ExclusiveUse(), 60, session.end)
    closing.begin()
    threads = closing._threads
    wait_until(lambda: threads)
    gone = weakref.ref(closing)
    del closing
    gc.collect()
    assert gone() is None  # and the thread's end is looked for after each test


def test_nothing_is_ended_in_a_turn_of_another_thread():
    use, session = Use(), Session()
    closing = IdleClosing(use, SOON, session.end)
    with use.exclusive():
        closing.begin()
        wait_until(lambda: use.looks > 2)
        assert session.ended == 0
    wait_until(lambda: session.ended)
    closing.stop()


def test_the_end_waits_for_what_has_begun():
    begun, may_end, over = threading.Event(), threading.Event(), []

    def end():
        begun.set()
        assert may_end.wait(LONG)
        over.append("session")
        return ()

    closing = IdleClosing(ExclusiveUse(), SOON, end)
    closing.begin()
    assert begun.wait(LONG)
    stopping = threading.Thread(target=lambda: (closing.stop(), over.append("stop")))
    stopping.start()
    wait_until(lambda: closing._stopped)
    assert over == []
    may_end.set()
    stopping.join()
    assert over == ["session", "stop"]


WAITS = """
from rds_iam_magic.connection.exclusive_use import ExclusiveUse
from rds_iam_magic.connection.lifetime.idle import IdleClosing
closing = IdleClosing(ExclusiveUse(), 60, set)
closing.begin()
while not closing._threads:
    pass
"""


@pytest.mark.slow  # another Python
def test_python_does_not_wait_for_it():
    ended = subprocess.run([sys.executable, "-c", WAITS], capture_output=True, text=True, timeout=LONG, check=True)
    assert ended.stderr == ""
