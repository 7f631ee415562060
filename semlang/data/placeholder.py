"""A frame for a model that has no data yet: rows, clusters, covariates, and responses that will be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.data.levels import level_text
from semlang.diagnostics import error
from semlang.errors import DataError
from semlang.model.table import ROWS, ParameterTable, Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALTERNATIVES", "placeholder", "sizes_of", "with_responses"]

ALTERNATIVES = 4
"""Alternatives of each set."""


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


def placeholder(
    table: ParameterTable, sizes: Sequence[int], rng: np.random.Generator, generic: bool = False
) -> pd.DataFrame:
    """Return a balanced frame; covariates are standard normal, those of clusters by cluster.

    Parameters
    ----------
    table : ParameterTable
    sizes : sequence of int
        Units of each level in each unit above it, the outermost first.
    rng : numpy Generator
    generic : bool
        Whether what only the user could say takes any values: levels of factors, trials, exposures, limits, sets of
        alternatives, what is known of latent variables.

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
                if generic:
                    columns[c.column] = rng.choice(_levels(table, c.column), n)
                    continue
                raise DataError(
                    [error("missing-column", f"'{c.column}' has categories, which can't be drawn", table.source,
                           row.span, help=f"give data with the column '{c.column}'")]
                )  # fmt: skip
            level = table.variables[row.target].level if row.target in table.variables else ROWS
            where[c.column] = max(where.get(c.column, 0), height[level])
    for column, k in where.items():
        if column in columns:
            continue
        code = unit[table.levels[k]]
        columns[column] = rng.standard_normal(int(code.max()) + 1)[code]
    if generic:
        columns |= _whatever(table, n, rng)
    for v in table.responses if not generic else ():
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


def _levels(table: ParameterTable, column: str) -> list[str]:
    """Return the levels of a factor that the rows name and one more; three where they name none."""
    named = {str(c.argument) for row in table.rows for c in row.via if c.column == column and c.function == "level"}
    return ["(other)", *sorted(named)] if named else ["1", "2", "3"]


def _whatever(table: ParameterTable, n: int, rng: np.random.Generator) -> dict[str, object]:
    """Return values of the columns that arguments of declarations name."""
    out: dict[str, object] = {}
    index = np.arange(n)
    for v in table.variables.values():
        for name, values in (
            ("trials", np.full(n, 5.0)), ("exposure", rng.uniform(0.5, 2.0, n)), ("set", 1.0 * (index // ALTERNATIVES)),
            ("weight", rng.dirichlet(np.ones(ALTERNATIVES), -(-n // ALTERNATIVES)).ravel()[:n]),
        ):  # fmt: skip
            if isinstance(column := v.arguments.get(name), str):
                out[column] = values
        low = np.floor(rng.normal(size=n))
        out |= {column: low + k for k, column in enumerate(v.limit_columns)}
        if isinstance(column := v.arguments.get("observed"), str):
            states = int(v.arguments.get("classes", 0))
            values = index % states + 1.0 if states else rng.normal(size=n)
            out[column] = np.where(rng.random(n) < 0.5, values, np.nan)
    return out


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
    if v.kind.composite:
        return np.asarray(np.arange(n) // ALTERNATIVES % 2 + 0.0)
    if v.kind.name == "ranking":
        return np.asarray(np.arange(n) % ALTERNATIVES + 1.0, dtype=np.float64)
    if v.kind.name == "multinomial":
        named = sorted({r.category for r in table.rows if r.target == v.key and r.category})
        base = level_text(v.arguments.get("base", "(base)"))
        names = np.array([base, *(c for c in named if c != base)], dtype=object)
        return np.asarray(names[np.arange(n) % len(names)])
    if v.kind.name in ("binomial", "choice"):
        success = v.arguments.get("success")
        codes = np.arange(n) % 2 if v.kind.name == "binomial" else (np.arange(n) % ALTERNATIVES == 0).astype(np.int64)
        if success is not None:
            return np.array(["not " + str(success), str(success)], dtype=object)[codes]
        return codes.astype(np.float64)
    if v.kind.name in ("poisson", "negbinomial"):
        return np.asarray(np.arange(n) % 3 + 0.0)
    fraction = (np.arange(n) * 0.618034) % 1.0
    return np.asarray(0.1 + fraction * (0.8 if v.kind.name == "beta" else 1.0))
