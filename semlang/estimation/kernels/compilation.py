"""What this process has compiled."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Compilation", "compilation"]


class Compilation:
    """What this process has compiled, for a fit that says so while it waits and afterwards.

    Attributes
    ----------
    misses : int
        Kernels that were in no file.
    seconds : float
        Time that compiling them took.
    tell : callable or None
        Is told once, when the first of them is missing.
    """

    def __init__(self) -> None:
        self.misses = 0
        self.seconds = 0.0
        self.tell: Callable[[str], None] | None = None

    def missing(self) -> None:
        """Count a kernel, and announce that it is compiled."""
        self.misses += 1
        tell, self.tell = self.tell, None
        if tell is not None:
            tell("compiling kernels: about ten seconds, once for a kind of model; they are kept")


compilation = Compilation()
