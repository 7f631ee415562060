"""The levels of a column: its distinct values as text, in order, and the code of every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.sums import count_by

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]

_SMALL = 1024
"""Integers in a range shorter than this are counted instead of sorted."""


def number_text(value: float) -> str:
    """Return a number as text; whole numbers have no decimal point.

    Examples
    --------
    >>> number_text(1.0), number_text(0.1 + 0.2), number_text(-3)
    ('1', '0.3', '-3')
    """
    value = float(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}"


def level_text(value: Any) -> str:
    """Return one value of a column as the text of its level.

    Examples
    --------
    >>> level_text(True), level_text(2.0), level_text("low")
    ('True', '2', 'low')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.integer | np.floating):
        return number_text(float(value))
    return str(value)


def levels(column: pd.Series[Any]) -> tuple[tuple[str, ...], Ints]:
    """Return the levels of a column and the code of every row, -1 where it is missing.

    Numbers are sorted by value (also numbers held as text), text is sorted, a Categorical keeps its own order; levels
    that no row has are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> names, codes = levels(pd.Series([10.0, 2.0, None, 10.0]))
    >>> names, codes.tolist()
    (('2', '10'), [1, 0, -1, 1])
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        names = [level_text(c) for c in column.cat.categories]
        return _used(names, column.cat.codes.to_numpy().astype(np.int64))
    if column.dtype == object:
        column = column.infer_objects()
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return number_levels(column.to_numpy(dtype=np.float64, na_value=np.nan))
    codes, values = pd.factorize(column, sort=False)
    return text_levels([level_text(v) for v in values], codes.astype(np.int64))


def listed(column: pd.Series[Any]) -> tuple[str, ...]:
    """Return the categories of a Categorical as text, those too that no row has; empty for other columns."""
    import pandas as pd

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return ()
    return tuple(level_text(c) for c in column.cat.categories)


def number_levels(values: NDArray[np.float64]) -> tuple[tuple[str, ...], Ints]:
    """Return the levels of numbers, sorted by value, and the code of every row, -1 where it is NaN."""
    present = ~np.isnan(values)
    codes = np.full(values.size, -1, dtype=np.int64)
    kept = values if present.all() else values[present]
    if not kept.size:
        return (), codes
    low, high = kept.min(), kept.max()
    if np.isfinite([low, high]).all() and high - low < _SMALL:
        whole = kept.astype(np.int64)
        if (whole == kept).all():
            whole -= int(low)
            found = count_by(whole) > 0
            codes[present] = (np.cumsum(found) - 1)[whole]
            return tuple(number_text(low + k) for k in np.flatnonzero(found)), codes
    distinct, inverse = np.unique(kept, return_inverse=True)
    codes[present] = inverse
    return tuple(number_text(v) for v in distinct), codes


def appearance(column: pd.Series[Any]) -> tuple[str, ...]:
    """Return the levels in order of appearance.

    Examples
    --------
    >>> import pandas as pd
    >>> appearance(pd.Series(["b", "a", None, "b"]))
    ('b', 'a')
    """
    return tuple(dict.fromkeys(level_text(v) for v in column.dropna().unique()))


def _used(names: list[str], codes: Ints) -> tuple[tuple[str, ...], Ints]:
    """Leave out the levels that no row has; merge levels of one text."""
    count = count_by(codes[codes >= 0], len(names))
    kept = list(dict.fromkeys(n for n, c in zip(names, count, strict=True) if c))
    place = {n: k for k, n in enumerate(kept)}
    new = np.array([place.get(n, -1) for n in names] + [-1], dtype=np.int64)
    return tuple(kept), new[codes]


def text_levels(names: list[str], codes: Ints) -> tuple[tuple[str, ...], Ints]:
    """Sort levels, as numbers where all of them are numbers."""
    try:
        keys = {n: (float(n), n) for n in names}
    except ValueError:
        keys = {n: (0.0, n) for n in names}
    kept = sorted(keys, key=keys.__getitem__)
    place = {n: k for k, n in enumerate(kept)}
    new = np.array([place[n] for n in names] + [-1], dtype=np.int64)
    return tuple(kept), new[codes]
