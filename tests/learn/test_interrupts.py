import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tenfold.learn import interrupts

pytestmark = pytest.mark.one_backend


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    """A closed terminal ends processes here too, though these tests may have been started by `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_told_and_held_back(number: int) -> None:
    told = threading.Event()
    before = signal.getsignal(number)
    with interrupts.held_back(told.set) as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert told.wait(60)
        assert asked()
    assert signal.getsignal(number) is before


def test_other_signals_are_nobodys_business() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with interrupts.held_back(lambda: None) as asked:
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not asked()


def test_the_second_ends_the_process_at_once_whatever_it_computes() -> None:
    code = """
import os, signal, threading, time
from tenfold.learn import interrupts
def send():
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
with interrupts.held_back(lambda: print("told", flush=True)):
    threading.Thread(target=send, daemon=True).start()
    threading.Event().wait(60)
print("still here")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "told\n", "")


def test_a_closed_terminal_is_nothing_to_whoever_asked_for_that() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.held_back(lambda: None) as asked, interrupts.alike():
            os.kill(os.getpid(), signal.SIGHUP)
        assert not asked()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_held_back() -> None:
    def work() -> None:
        with interrupts.held_back(lambda: None) as asked:
            seen.append(asked())

    seen: list[bool] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_others_are_taken_for_an_interrupt_and_another_one_ends_the_process(number: int) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with interrupts.alike():
            pass
        assert signal.getsignal(number) is before[number]
        with pytest.raises(KeyboardInterrupt), interrupts.alike():
            os.kill(os.getpid(), number)
        assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
