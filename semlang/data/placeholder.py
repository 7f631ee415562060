"""A frame for a model that has no data yet: rows, clusters, covariates, and responses that will be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import error
from semlang.errors import DataError
from semlang.model.table import ROWS, ParameterTable, Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["placeholder", "sizes_of", "with_responses"]


def sizes_of(n: int | str | Sequence[int]) -> tuple[int, ...]:
    """Return sizes, the outermost level first: ``200``, ``"50x20"`` (50 clusters of 20 rows) or ``(50, 20)``.

    Raises
    ------
    DataError
        ``bad-size``.

    Examples
    --------
    >>> sizes_of(200), sizes_of("50x20"), sizes_of((10, 5, 4))
    ((200,), (50, 20), (10, 5, 4))
    """
    try:
        parts = n.lower().split("x") if isinstance(n, str) else [n] if isinstance(n, int | np.integer) else list(n)
        out = tuple(int(p) for p in parts)
    except (TypeError, ValueError):
        out = ()
    if not out or min(out) < 1:
        raise DataError(
            [error("bad-size", f"{n!r} is no size", help="write a number of rows, 200, or clusters x rows, 50x20")]
        )
    return out


def placeholder(table: ParameterTable, sizes: Sequence[int], rng: np.random.Generator) -> pd.DataFrame:
    """Return a balanced frame; covariates are standard normal, those of clusters by cluster.

    Parameters
    ----------
    table : ParameterTable
    sizes : sequence of int
        Units of each level in each unit above it, the outermost first.
    rng : numpy Generator

    Raises
    ------
    DataError
        ``bad-size`` where the sizes are not those of the model's levels, ``missing-column`` where a covariate is no
        number that could be drawn.
    """
    import pandas as pd

    levels = (*reversed(table.clusters), ROWS)
    if len(sizes) != len(levels):
        words = " x ".join(levels)
        raise DataError(
            [error("bad-size", f"{len(sizes)} sizes are given, and the model has {len(levels)} levels",
                   help=f"give {words}, for example {'x'.join(['20'] * len(levels))}")]
        )  # fmt: skip
    n = int(np.prod(sizes))
    columns: dict[str, object] = {}
    unit: dict[str, NDArray[np.int64]] = {}
    for k, level in enumerate(levels):
        unit[level] = np.arange(n) // int(np.prod(sizes[k + 1 :]))
        if level != ROWS:
            columns[level] = unit[level] + 1
    if table.group_column:
        top = unit[levels[0]]
        columns[table.group_column] = np.array(table.groups, dtype=object)[top % len(table.groups)]
    responses = {v.name for v in table.responses}
    height = {level: k for k, level in enumerate(table.levels)}
    where: dict[str, int] = {}
    for row in table.rows:
        for c in row.via:
            if c.column in responses:
                continue
            if c.function in ("level", "factor"):
                raise DataError(
                    [error("missing-column", f"'{c.column}' has categories, which can't be drawn", table.source,
                           row.span, help=f"give data with the column '{c.column}'")]
                )  # fmt: skip
            level = table.variables[row.target].level if row.target in table.variables else ROWS
            where[c.column] = max(where.get(c.column, 0), height[level])
    for column, k in where.items():
        code = unit[table.levels[k]]
        columns[column] = rng.standard_normal(int(code.max()) + 1)[code]
    for v in table.responses:
        for name in ("trials", "exposure"):
            if isinstance(v.arguments.get(name), str):
                raise DataError(
                    [error("missing-column", f"the {name} of '{v.name}' can't be drawn", table.source, v.span,
                           help=f"give data with the column '{v.arguments[name]}'")]
                )  # fmt: skip
        for column in v.limit_columns:
            raise DataError(
                [error("missing-column", f"the limits of '{v.name}' can't be drawn", table.source, v.span,
                       help=f"give data with the column '{column}'")]
            )  # fmt: skip
    for column in (*table.frequency.values(), *table.weights.values()):
        columns[column] = np.ones(n)
    for v in table.responses:
        for name, value in (("event", 1), ("entry", 0.0)):
            if isinstance(v.arguments.get(name), str):
                columns[v.arguments[name]] = np.full(n, value)
    return with_responses(table, pd.DataFrame(columns, index=range(n)))


def with_responses(table: ParameterTable, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with values of all responses that can be bound; they mean nothing."""
    n = len(frame)
    out = frame.copy()
    for v in table.responses:
        out[v.name] = _values(table, v, n)
        if v.level != ROWS and v.level in out.columns:
            out[v.name] = out.groupby(v.level)[v.name].transform("first")
    return out


def _values(table: ParameterTable, v: Variable, n: int) -> NDArray[np.float64] | NDArray[np.object_]:
    if v.kind.thresholds:
        count = max((r.threshold for r in table.rows if r.op == "|" and r.target == v.key), default=0)
        if not count:
            raise DataError(
                [error("no-value", f"the thresholds of '{v.name}' have no values", table.source, v.span,
                       help=f"write them with values: {v.name} | start(-1)*t1 + start(1)*t2")]
            )  # fmt: skip
        return np.asarray(np.arange(n) % (count + 1) + 1.0)
    if v.kind.name == "binomial":
        success = v.arguments.get("success")
        codes = np.arange(n) % 2
        if success is not None:
            return np.array(["not " + str(success), str(success)], dtype=object)[codes]
        return codes.astype(np.float64)
    if v.kind.name in ("poisson", "negbinomial"):
        return np.asarray(np.arange(n) % 3 + 0.0)
    fraction = (np.arange(n) * 0.618034) % 1.0
    return np.asarray(0.1 + fraction * (0.8 if v.kind.name == "beta" else 1.0))
