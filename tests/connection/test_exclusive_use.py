"""One thread at a time, whatever an interrupt leaves."""

import threading

import pytest

from rds_iam_magic.connection.exclusive_use import ExclusiveUse
from rds_iam_magic.errors import ResultError


def test_a_thread_waits_for_the_other_one():
    use, order, begun = ExclusiveUse(), [], threading.Event()

    def other():
        begun.set()
        with use.exclusive():
            order.append("other")

    thread = threading.Thread(target=other)
    with use.exclusive():
        thread.start()
        begun.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_a_thread_does_not_wait_for_itself():
    use = ExclusiveUse()
    with use.exclusive(), pytest.raises(ResultError, match="still streaming"), use.exclusive():
        pass
    with use.exclusive():
        pass


def test_what_is_raised_gives_the_turn_back():
    use = ExclusiveUse()
    with pytest.raises(KeyError), use.exclusive():
        raise KeyError
    with use.exclusive():
        pass


@pytest.mark.slow  # waits for the holder, in vain
def test_a_lock_that_an_interrupt_left_is_taken_over():
    use = ExclusiveUse()
    use._lock.acquire()  # as an interrupt between the two lines of taking a turn leaves it
    with use.exclusive():
        pass
