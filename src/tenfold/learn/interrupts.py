"""Ctrl-C, SIGTERM and a closed terminal while a network learns: the first lets it save, the second ends it at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tenfold.errors import on_terminal

_HANG_UP = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  # the terminal was closed; not on Windows
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *_HANG_UP)
_INTERRUPTED = 130
_SHOW_CURSOR = b"\x1b[?25h\n"  # a live bar hides it


@contextmanager
def held_back(said: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Hold signals back in this block; whoever is in it asks whether one came, saves, and raises `KeyboardInterrupt`.

    A thread sees signals the moment they come: Python itself would only after the compiled call that computes. Outside the main
    thread, where Python gives signals to nobody, nothing is held back.

    Args:
        said: is called, in that thread, when the first one comes.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    arriving, waking = socket.socketpair()
    waking.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in _taken()}
    woken_before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    watching = threading.Thread(target=_watch, args=(arriving, asked, said), daemon=True)
    watching.start()
    try:
        yield asked.is_set
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        waking.close()
        watching.join()
        arriving.close()


def _watch(arriving: socket.socket, asked: threading.Event, said: Callable[[], None]) -> None:
    while came := arriving.recv(1):
        if came[0] not in _SIGNALS:
            continue
        if asked.is_set():
            if on_terminal():
                os.write(2, _SHOW_CURSOR)
            os._exit(_INTERRUPTED)  # as after `kill -9`, what was saved before is whole
        asked.set()
        said()


@contextmanager
def alike() -> Iterator[None]:
    """Take them all for Ctrl-C; once one ended the block, the next one ends the process, whatever it still tidies up."""
    taken = _taken()
    before = {number: signal.signal(number, signal.default_int_handler) for number in taken if number != signal.SIGINT}
    try:
        yield
    except KeyboardInterrupt:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
        raise
    else:
        for number, handler in before.items():
            signal.signal(number, handler)


def _taken() -> list[signal.Signals]:
    """The signals to take: a closed terminal is nothing to whoever asked for that (`nohup`)."""
    return [n for n in _SIGNALS if n not in _HANG_UP or signal.getsignal(n) != signal.SIG_IGN]
