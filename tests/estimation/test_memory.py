"""What a fit takes beside its data: bytes a row, of arrays, at the highest point."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation import memory

ROWS = 100_000


def rows(gaussian: bool) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(ROWS // 20), 20)
    x, u = rng.normal(size=ROWS), rng.normal(size=ROWS // 20)
    eta = 0.5 * x + u[g]
    y = eta + rng.normal(size=ROWS) if gaussian else (rng.random(ROWS) < 1 / (1 + np.exp(-eta))).astype(float)
    return pd.DataFrame({"g": g, "x": x, "y": y})


# 18 and 19.7 arrays of one number a row were measured; before they were counted it was 39.2 and 22.5
@pytest.mark.parametrize(("text", "arrays"), [("y :: binomial(logit)\ny ~ x + (1|g)", 21), ("y ~ x + (1|g)", 21)])
def test_a_fit_takes_few_arrays_beside_the_data(text: str, arrays: int) -> None:
    data = rows("binomial" not in text)
    model = sl.Model(text)
    model.fit(data.head(2000), threads=1)  # what is compiled and imported stays
    tracemalloc.start()
    try:
        fit = model.fit(data, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fit.converged
    assert peak / (8 * ROWS) < arrays


def test_memory_is_lent_once() -> None:
    memory.release()
    first = memory.empty(2, 5000)
    view = first[1, 10:].reshape(-1, 2)
    view[:] = 7.0
    address = first.ctypes.data
    del first
    second = memory.empty(10000)
    assert second.ctypes.data != address  # the view is still read
    del view
    assert memory.empty(9000).ctypes.data == address  # a smaller array has place there
    assert second.ctypes.data != address


def test_what_waits_is_bounded() -> None:
    memory.release()
    arrays = [memory.empty(memory.KEPT // 32) for _ in range(9)]  # a quarter of the bytes each
    arrays.clear()
    assert sum(m.nbytes for m in memory._free.values()) <= memory.KEPT
    memory.release()
    assert not memory._free
