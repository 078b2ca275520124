"""`BackgroundCall`: runs once, comes to its end through interrupts, and hands on what the function gave or raised."""

import _thread
import contextvars
import gc
import signal
import threading
import weakref

import pytest

from rds_iam_magic import background
from rds_iam_magic.background import BackgroundCall, in_background
from tests.support.events import LONG, interrupt, interrupt_when, wait_until


class Gate:
    """A function that says when it has begun, and ends when it is let."""

    def __init__(self, outcome="done"):
        self.outcome = outcome
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.calls = 0
        self.thread = 0

    def __call__(self):
        self.calls += 1
        self.thread = threading.get_ident()
        self.begun.set()
        assert self.may_end.wait(LONG)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture
def ctrl_c():
    """An interrupt raises KeyboardInterrupt on the main thread, whoever has set another handler."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_result():
    call = BackgroundCall(lambda: 7)
    call.start()
    assert call.wait(LONG)
    assert call.ended
    assert call.result() == 7


def test_none_is_a_result():
    call = BackgroundCall(lambda: None)
    call.start()
    assert call.wait(LONG)
    assert call.result() is None


def test_it_runs_on_a_thread_of_its_own():
    gate = Gate()
    gate.may_end.set()
    call = BackgroundCall(gate)
    call.start()
    assert call.wait(LONG)
    assert gate.thread != threading.get_ident()
    assert gate.calls == 1


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()], ids=repr)
def test_what_the_function_raises_is_raised_by_the_result(error):
    def fail():
        raise error

    call = BackgroundCall(fail)
    call.start()
    assert call.wait(LONG), "the end has come, though by an error"
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            call.result()
        assert caught.value is error


def test_cancelled_before_its_start_it_never_runs():
    gate = Gate()
    gate.may_end.set()
    call = BackgroundCall(gate)
    assert call.cancel()
    threads = _thread._count()
    call.start()
    wait_until(lambda: _thread._count() == threads, "the end of the thread that finds it cancelled")
    assert not call.wait(0)
    assert gate.calls == 0


def test_cancelling_twice_says_the_same():
    call = BackgroundCall(Gate())
    assert call.cancel()
    assert call.cancel()
    assert not call.ended


def test_what_has_begun_cannot_be_cancelled():
    gate = Gate()
    call = BackgroundCall(gate)
    call.start()
    assert gate.begun.wait(LONG)
    assert not call.cancel()
    assert not call.cancel()
    assert not call.ended
    gate.may_end.set()
    assert call.wait(LONG)
    assert call.result() == "done"
    assert not call.cancel(), "nor what has ended"


def test_a_cancelled_call_lets_go_of_its_function():
    gate = Gate()
    held = weakref.ref(gate)
    call = BackgroundCall(gate)
    del gate
    assert call.cancel()
    assert held() is None


def test_a_call_that_has_ended_lets_go_of_its_function():
    """A session's command holds the session, which holds the command."""
    gate = Gate()
    gate.may_end.set()
    held = weakref.ref(gate)
    call = BackgroundCall(gate)
    del gate
    call.start()
    assert call.wait(LONG)
    wait_until(lambda: held() is None)


def test_waiting_ends_at_its_timeout_and_can_go_on():
    gate = Gate()
    call = BackgroundCall(gate)
    call.start()
    assert gate.begun.wait(LONG)
    for timeout in (-1.0, 0.0, 0.01):
        assert not call.wait(timeout)
        assert not call.ended
    gate.may_end.set()
    assert call.wait(LONG)
    assert call.wait(0), "an end stays"


def test_waiting_lasts_longer_than_one_tick(monkeypatch):
    monkeypatch.setattr(background, "TICK", 0.001)
    gate = Gate()
    call = BackgroundCall(gate)
    call.start()
    assert not call.wait(0.02)
    gate.may_end.set()
    assert call.wait(LONG)


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_of_the_wait_leaves_the_call_running():
    gate = Gate()
    call = BackgroundCall(gate)
    call.start()
    with pytest.raises(KeyboardInterrupt), interrupt_when(gate.begun.is_set):
        call.wait(LONG)
    assert not call.ended
    assert not call.cancel(), "it has begun"
    gate.may_end.set()
    assert call.wait(LONG)
    assert call.result() == "done", "the interrupt was the waiting caller's, not the call's"
    assert gate.calls == 1


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_before_the_start_leaves_it_cancellable():
    gate = Gate()
    call = BackgroundCall(gate)

    def is_interrupted():
        interrupt()
        call.wait(LONG)

    with pytest.raises(KeyboardInterrupt):
        is_interrupted()
    assert call.cancel()
    assert gate.calls == 0


def test_the_result_of_a_call_that_goes_on_is_discarded_on_its_thread():
    gate, discarded = Gate(), []
    call = BackgroundCall(gate)
    call.start()
    assert gate.begun.wait(LONG)
    call.abandon(lambda result: discarded.append((result, threading.get_ident())))
    assert discarded == []
    gate.may_end.set()
    wait_until(lambda: discarded)
    assert discarded == [("done", gate.thread)]


def test_a_result_that_is_there_is_discarded_once_and_elsewhere():
    discarded = []
    call = BackgroundCall(lambda: 7)
    assert call.wait_for_result() == 7
    call.abandon(lambda result: discarded.append((result, threading.get_ident())))
    wait_until(lambda: discarded)
    ((result, thread),) = discarded
    assert result == 7
    assert thread != threading.get_ident(), "an interrupt does not strike there"


def test_what_is_abandoned_before_its_start_never_runs():
    gate = Gate()
    call = BackgroundCall(gate)
    call.abandon(lambda _: pytest.fail("there is no result"))
    threads = _thread._count()
    call.start()
    wait_until(lambda: _thread._count() == threads)
    assert gate.calls == 0


def test_an_error_of_an_abandoned_call_is_dropped():
    gate, discarded = Gate(ValueError("no")), []
    call = BackgroundCall(gate)
    threads = _thread._count()
    call.start()
    assert gate.begun.wait(LONG)
    call.abandon(discarded.append)
    gate.may_end.set()
    wait_until(lambda: _thread._count() == threads)
    call.abandon(discarded.append)
    assert discarded == []


def test_an_error_leaves_no_reference_cycle():
    """What its frames hold, such as a socket, goes at once."""

    class Held:
        pass

    def fail(held):
        raise ValueError(held)

    def called():
        held = Held()
        try:
            BackgroundCall(lambda: fail(held)).wait_for_result()
        except ValueError:
            return weakref.ref(held)

    threads = _thread._count()
    gc.disable()
    try:
        held = called()
        wait_until(lambda: _thread._count() == threads)
        assert held() is None
    finally:
        gc.enable()


def test_in_background_is_another_thread_in_the_same_context():
    variable = contextvars.ContextVar("variable", default="other")
    variable.set("own")
    assert in_background(lambda: variable.get()) == "own"
    assert in_background(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        in_background(lambda: 1 / 0)


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_ends_the_wait_for_what_runs_in_the_background():
    gate = Gate()
    threads = _thread._count()
    with pytest.raises(KeyboardInterrupt), interrupt_when(gate.begun.is_set):
        in_background(gate)
    gate.may_end.set()
    wait_until(lambda: _thread._count() == threads, "its end, though nobody waits for it")
    assert gate.calls == 1
