"""Kernels of many batches, called one after the other without Python in between.

A call from Python takes microseconds, during which other threads wait for Python's lock; a batch by Laplace takes
eighty in all. Here the slots of all calls are filled once (see `declaring`), and one kernel goes through them; threads
share a counter of the batches that are begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.kernels.declaring import Kernel, intrinsic, kernel
from semlang.estimation.kernels.groups import Group, IntegerMatrix, Integers

__all__ = ["Open", "Turns"]

Call = tuple[Kernel, tuple[Any, ...]]


class Open:
    """Stands for a group that is given later, see `Turns.run`."""

    pointer = 0


class Turns:
    """Calls of kernels, a sequence of them for each batch.

    Parameters
    ----------
    sequences : sequence of sequences of (kernel, arguments)
        The same kernels in each. Arguments are kept alive.
    opens : sequence of Open
        Those that stand among the arguments.
    """

    def __init__(self, sequences: Sequence[Sequence[Call]], opens: Sequence[Open]) -> None:
        self._sequences, self._opens = sequences, opens
        self._length = len(sequences[0])
        calls = [call for sequence in sequences for call in sequence]
        slots = [of.packed(arguments) for of, arguments in calls]
        self._table = np.zeros((len(calls), 1 + max(map(len, slots))), dtype=np.int64)
        for line, (of, _), filled in zip(self._table, calls, slots, strict=True):
            line[0] = of.address()
            line[1 : 1 + len(filled)] = filled
        first = 1 + Kernel.SLOTS_BEFORE
        places = [
            [(i, first + k) for i, (_, arguments) in enumerate(calls) for k, a in enumerate(arguments) if a is given]
            for given in opens
        ]
        self._places = [tuple(np.array(of_one, dtype=np.int64).reshape(-1, 2).T) for of_one in places]

    def run(self, groups: Sequence[Group], begun: NDArray[np.int64], most: int) -> None:
        """Go through batches until all are begun.

        Parameters
        ----------
        groups : sequence of Group
            In the place of each `Open`.
        begun : (1,) ints
            Number of batches that some thread has begun.
        most : int
            Batches until Python is asked whether somebody wants to stop.
        """
        for places, group in zip(self._places, groups, strict=True):
            self._table[places] = group.pointer  # type: ignore[attr-defined]
        done = most
        while done == most:
            done = call_in_turn(self._table, self._length, begun, most)
            if done < 0:
                self._refuse(groups)

    def _refuse(self, groups: Sequence[Group]) -> None:
        """Call the kernels from Python: the one that was given a wrong array says so."""
        given = dict(zip(self._opens, groups, strict=True))
        for of, arguments in (call for sequence in self._sequences for call in sequence):
            of(*(given[a] if isinstance(a, Open) else a for a in arguments))
        raise TypeError("a kernel refused an array that it takes from Python")


@intrinsic
def _call(context: Any, address: Any, slots: Any) -> Any:
    """Call the function at an address with that of its slots."""
    from llvmlite import ir
    from numba import types

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer = ir.IntType(64)
        pointer = integer.as_pointer()
        function = builder.inttoptr(arguments[0], ir.FunctionType(integer, [pointer]).as_pointer())
        return builder.call(function, [builder.inttoptr(arguments[1], pointer)])

    return types.int64(types.int64, types.int64), build


@intrinsic
def _take(context: Any, address: Any) -> Any:
    """Return the number at an address and add one to it, before any other thread does."""
    from llvmlite import ir
    from numba import types

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer = ir.IntType(64)
        counter = builder.inttoptr(arguments[0], integer.as_pointer())
        return builder.atomic_rmw("add", counter, integer(1), "seq_cst")

    return types.int64(types.int64), build


@kernel(IntegerMatrix, int, Integers, int)
def call_in_turn(table: Any, length: int, begun: Any, most: int) -> int:
    """Call ``length`` kernels for each of at most ``most`` batches; return their number, or -1 where one refused.

    A line of the table is the address of a kernel and its slots.
    """
    batches = table.shape[0] // length
    width = table.shape[1]
    done = 0
    while done < most:
        batch = _take(begun.ctypes.data)
        if batch >= batches:
            return done
        for line in range(batch * length, (batch + 1) * length):
            if _call(table[line, 0], table.ctypes.data + 8 * (line * width + 1)) != 0:
                return -1
        done += 1
    return done
