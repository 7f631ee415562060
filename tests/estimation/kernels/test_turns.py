"""Kernels of many batches in one call: the same as one by one, whoever begins a batch; a wrong array is named."""

import numpy as np
import pytest

from semlang.estimation.kernels.declaring import kernel
from semlang.estimation.kernels.groups import Group, Integers, Vector
from semlang.estimation.kernels.turns import Open, Turns


class Pair(Group):
    """Two vectors."""

    x: Vector
    y: Vector

    def __init__(self, x, y):
        self.__dict__.update(x=x, y=y)
        self.__post_init__()


@kernel(Pair, Vector, float)
def scale(pair: Pair, out: Vector, factor: float) -> None:
    """``out = factor x``."""
    for i in range(out.size):
        out[i] = factor * pair.x[i]


@kernel(Vector, Integers)
def count(out: Vector, calls: Integers) -> None:
    """Add 1 to both."""
    for i in range(out.size):
        out[i] += 1.0
    calls[0] += 1


@pytest.fixture
def batches():
    return [np.zeros(3) for _ in range(5)], [np.zeros(1, dtype=np.int64) for _ in range(5)]


def pair(*x):
    return Pair(np.array(x), np.zeros(1))


def test_each_batch_is_gone_through_once(batches):
    outs, calls = batches
    given = Open()
    turns = Turns([[(scale, (given, out, 2.0)), (count, (out, n))] for out, n in zip(*batches, strict=True)], [given])
    for most in (1, 2, 5, 100):
        turns.run([pair(1.0, 2.0, 3.0)], np.zeros(1, dtype=np.int64), most)
        np.testing.assert_array_equal(outs, [[3.0, 5.0, 7.0]] * 5)
    turns.run([pair(0.0, 0.0, 5.0)], np.zeros(1, dtype=np.int64), 100)
    np.testing.assert_array_equal(outs, [[1.0, 1.0, 11.0]] * 5)
    np.testing.assert_array_equal(calls, [[5]] * 5)


def test_batches_that_others_have_begun_are_theirs(batches):
    outs, _ = batches
    given = Open()
    turns = Turns([[(scale, (given, out, 1.0))] for out in outs], [given])
    begun = np.array([3])
    turns.run([pair(1.0, 1.0, 1.0)], begun, 2)
    assert [out[0] for out in outs] == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert begun[0] >= 5


def test_a_wrong_array_is_named(batches):
    outs, _ = batches
    given, floats = Open(), np.zeros(1)
    turns = Turns([[(scale, (given, out, 1.0)), (count, (out, floats))] for out in outs], [given])
    with pytest.raises(TypeError, match=r"count: no contiguous array of int64"):
        turns.run([pair(1.0, 1.0, 1.0)], np.zeros(1, dtype=np.int64), 100)
