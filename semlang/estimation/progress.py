"""What a fit says while it runs, and how many threads it takes."""

from __future__ import annotations

import os
from collections.abc import Callable

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.optimize import Iteration

__all__ = ["Narrator", "available_threads"]


def available_threads() -> int:
    """Return how many threads a fit takes: ``SEMLANG_THREADS``, else the processors that the process may use.

    Raises
    ------
    FitError
        Where the variable is no positive whole number.
    """
    asked = os.environ.get("SEMLANG_THREADS", "").strip()
    if asked:
        if asked.isascii() and asked.isdigit() and int(asked) > 0:
            return int(asked)
        raise FitError(
            [error("bad-option-value", f"SEMLANG_THREADS is '{asked}', and not a number of threads",
                   help="set it to 1, 2, ..., or leave it out: then all processors are used")]
        )  # fmt: skip
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


class Narrator:
    """Turns iterations into lines of text.

    Parameters
    ----------
    tell : callable, optional
        Takes a line.
    """

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self.tell = tell
        self.stage = 0
        self.log: list[Iteration] = []

    def say(self, text: str) -> None:
        """Hand on a line: a new stage begins, in which log-likelihoods may be those of other nodes."""
        self.stage += 1
        self.remark(text)

    def remark(self, text: str) -> None:
        """Hand on a line that says what is being done."""
        if self.tell is not None:
            self.tell(text)

    def iteration(self, line: Iteration) -> None:
        """Keep and hand on an iteration."""
        self.log.append(line)
        self.remark(
            f"iteration {len(self.log):3d}  {line.method:8s} loglik {line.loglik:.6f}"
            f"  gradient {line.gradient:.2e}  decrement {line.decrement:.2e}  step {line.step:.3g}"
        )
