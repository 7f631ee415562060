"""Interrupts at the wrong moment: Ctrl-C is sent to all processes of a terminal, and to a fit that is nearly done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Held", "blocked", "held"]


class Held:
    """Whether an interrupt came while it was held."""

    came = False


@contextmanager
def held() -> Iterator[Held]:
    """Note an interrupt that comes meanwhile in place of raising it, so that what is nearly there is not lost.

    A second one is raised: who asks twice wants out. Other threads than the main one get no interrupts.
    """
    found = Held()
    before = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    if not callable(before):
        yield found
        return

    def note(number: int, frame: FrameType | None) -> None:
        if found.came:
            before(number, frame)
        found.came = True

    signal.signal(signal.SIGINT, note)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def blocked() -> Iterator[None]:
    """Block interrupts in this thread: processes and threads that it starts do not get them.

    What comes meanwhile is delivered at the end, to the main thread.
    """
    if not hasattr(signal, "pthread_sigmask"):  # not on every system
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # whose start would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
