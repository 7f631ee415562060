"""Processes that an interrupt passes by: Ctrl-C is sent to all processes of a terminal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["blocked"]


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
