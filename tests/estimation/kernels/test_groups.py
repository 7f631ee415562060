"""Groups of arrays: what they refuse, and copies of them."""

import copy
import pickle

import numpy as np
import pytest

from semlang.estimation.kernels.layout import Adjoints


def group(A):
    return Adjoints(np.zeros(3), A, np.zeros(3), np.zeros(3))


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)).T, np.zeros((2, 3), dtype=int), np.zeros(3)])
def test_other_arrays_are_refused(wrong):
    with pytest.raises(TypeError, match=r"Adjoints\.A"):
        group(wrong)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_a_copy_points_to_its_own_table(again):
    first = group(np.arange(6.0).reshape(2, 3))
    second = again(first)
    assert second.pointer != first.pointer
    np.testing.assert_array_equal(second.A, first.A)
