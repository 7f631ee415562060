"""Numbers of values beside numpy's sorted ones."""

from __future__ import annotations

import numpy as np
import pytest

from semlang.data.numbering import first_of_each, numbered
from semlang.estimation.grid.row_types import distinct_keys

rng = np.random.default_rng(7)
COLUMNS = {
    "small whole": rng.integers(-3, 5, 400).astype(float),
    "integers": rng.integers(0, 40, 400),
    "bytes": rng.integers(0, 200, 400).astype(np.uint8),
    "flags": rng.random(400) < 0.3,
    "missing": np.where(rng.random(400) < 0.2, np.nan, rng.integers(0, 3, 400)),
    "all missing": np.full(400, np.nan),
    "halves": rng.integers(0, 9, 400) / 2.0,
    "large": rng.integers(0, 4, 400) * 2.0**40,
    "wraps": rng.integers(0, 2, 400) * 65536,
    "infinite": np.where(rng.random(400) < 0.2, np.inf, 1.0),
    "a wide range": rng.integers(0, 30_000, 400),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_numbers_are_those_of_sorted_values(name: str) -> None:
    values = COLUMNS[name]
    levels, number = numbered(values)
    assert number.min() >= 0
    assert number.max() < levels
    expected = np.unique(values, return_inverse=True)[1]
    assert np.array_equal(np.unique(number, return_inverse=True)[1], expected)
    first = np.unique(values, return_index=True)[1]
    assert first_of_each(values).tolist() == first.tolist()


@pytest.mark.parametrize("names", [["integers"], ["small whole", "flags"], ["integers", "halves"], ["a wide range"]])
def test_rows_are_numbered_in_the_order_in_which_they_come(names: list[str]) -> None:
    """One column or two; more combinations than rows are found by hash."""
    columns = [np.ascontiguousarray(COLUMNS[n], dtype=np.float64) for n in names]
    number, first = distinct_keys(columns)
    rows = list(zip(*(c.tolist() for c in columns), strict=True))
    seen = list(dict.fromkeys(rows))
    assert number.tolist() == [seen.index(r) for r in rows]
    assert first.tolist() == [rows.index(r) for r in seen]
