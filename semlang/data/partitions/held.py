"""Values that stay where they were computed, one for each partition of the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

__all__ = ["Held", "InProcess"]


class Held(Protocol):
    """Values, one a partition.

    A value is a function of its partition alone, so that it can be computed again wherever it was lost; functions and
    arguments travel, values do not.
    """

    @property
    def size(self) -> int:
        """Number of partitions."""

    def map(self, function: Callable[..., Any], /, *arguments: Any, keep: int | None = None) -> Held:
        """Return the values ``function(value, *arguments)``.

        Parameters
        ----------
        keep : int, optional
            So many of the first ones may stay in memory, the others are computed when they are asked for; default: none
            in this process, all on workers, which have memory of their own.
        """

    def ask(self, function: Callable[..., Any], /, *arguments: Any) -> list[Any]:
        """Return ``function(value, *arguments)`` of every value, in the order of the partitions."""


class InProcess:
    """Values of this process.

    Parameters
    ----------
    size : int
    value : callable
        Computes the value of a partition.
    keep : int
        So many of the first values stay.

    Examples
    --------
    >>> held = InProcess.of([[1, 2], [3]]).map(sum)
    >>> held.ask(lambda value, factor: value * factor, 10)
    [30, 30]
    """

    def __init__(self, size: int, value: Callable[[int], Any], keep: int = 0) -> None:
        self.size, self._compute, self._keep = size, value, keep
        self._kept: dict[int, Any] = {}

    @classmethod
    def of(cls, values: Sequence[Any]) -> InProcess:
        """Return values that are there."""
        return cls(len(values), values.__getitem__)

    def map(self, function: Callable[..., Any], /, *arguments: Any, keep: int | None = None) -> InProcess:
        """Return the values of a function of these."""
        return InProcess(self.size, lambda k: function(self._value(k), *arguments), keep or 0)

    def ask(self, function: Callable[..., Any], /, *arguments: Any) -> list[Any]:
        """Return the answers of a function, in the order of the partitions."""
        return [function(self._value(k), *arguments) for k in range(self.size)]

    def _value(self, k: int) -> Any:
        if k in self._kept:
            return self._kept[k]
        value = self._compute(k)
        if k < self._keep:
            self._kept[k] = value
        return value
