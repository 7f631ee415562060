"""Rows at which the moments are read: generic ones where there are no data, else the distinct designs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.field import Ints, P, residue
from semlang.data.design import Design
from semlang.model.table import Covariate, Product

SCALE = 1000
"""Covariates in exponents are counted in thousandths."""


@dataclass(frozen=True)
class Sample:
    """Rows of covariates in clusters.

    Parameters
    ----------
    n : int
        Number of rows R.
    values : mapping from Product to (R,) elements of the field
    exponents : mapping from Product to (R,) integers modulo p - 1
        The same values times `SCALE`, to be used as exponents.
    units : sequence over levels of (R,) ints
        Number of the unit that a row belongs to, 0, 1, ... over the whole sample; level 0 are the rows.
    present : (R, K) bools
        Whether a response is observed in a row.
    complete : bool
        Whether no distinct design was left out.
    numbers : mapping from Product to (R,) floats, optional
        The covariates as they are, where they come from data.
    """

    n: int
    values: Mapping[Product, Ints]
    exponents: Mapping[Product, Ints]
    units: Sequence[Ints]
    present: NDArray[np.bool_]
    complete: bool = True
    numbers: Mapping[Product, NDArray[np.float64]] | None = None

    def matrix(self, products: Sequence[Product]) -> Ints:
        """Return the values of several products (R, len(products))."""
        return np.stack([self.values[p] for p in products], axis=1) if products else np.zeros((self.n, 0), np.int64)


def generic_sample(
    products: Iterable[Product],
    levels: Sequence[int],
    binary: frozenset[str],
    n_clusters: int,
    seed: int,
) -> Sample:
    """Return rows with random covariates: two units in every unit, `n_clusters` units at the top.

    Parameters
    ----------
    products : iterable of Product
    levels : sequence of int
        For each response the number of its level (0 for rows, 1 for the lowest cluster, ...), the last entry being
        the number of levels above rows.
    binary : frozenset of str
        Responses with values 0 and 1 (as covariates).
    """
    *heights, n_levels = levels
    rng = random.Random(seed)
    n = n_clusters * 2**n_levels
    products = list(dict.fromkeys([(), *products]))
    factors: dict[str, list[str]] = {}
    for product in products:
        for c in product:
            if c.function == "level":
                seen = factors.setdefault(c.column, ["(other)"])
                if str(c.argument) not in seen:
                    seen.append(str(c.argument))
    columns: dict[object, list[int]] = {}

    def draw(key: object, one: Callable[[], int]) -> list[int]:
        if key not in columns:
            columns[key] = [one() for _ in range(n)]
        return columns[key]

    def factor_values(c: Covariate) -> list[int]:
        match c.function:
            case "level":
                names = factors[c.column]
                drawn = draw(("level", c.column), lambda: rng.randrange(len(names)))
                return [int(names[v] == str(c.argument)) for v in drawn]
            case "power" if c.argument is not None and float(c.argument) == int(c.argument) > 0:
                base = factor_values(Covariate(c.column, response=c.response))
                return [v ** int(c.argument) for v in base]
            case "identity" if c.response and c.column in binary:
                return draw(c.column, lambda: rng.randrange(2))
            case "identity":
                return draw(c.column, lambda: rng.randrange(2, 1 << 12))
            case _:
                return draw((c.function, c.column, c.argument), lambda: rng.randrange(2, 1 << 12))

    exact: dict[Product, list[int]] = {}
    for product in products:
        value = [1] * n
        for c in product:
            value = [a * b for a, b in zip(value, factor_values(c), strict=True)]
        exact[product] = value
    index = np.arange(n)
    units = [index // 2**height for height in range(n_levels + 1)]
    present = np.stack([index % 2**h == 0 for h in heights], axis=1) if heights else np.zeros((n, 0), dtype=bool)
    return Sample(
        n,
        {p: np.array([v % P for v in values], dtype=np.int64) for p, values in exact.items()},
        {p: np.array([v * SCALE % (P - 1) for v in values], dtype=np.int64) for p, values in exact.items()},
        units,
        present,
    )


def design_sample(
    design: Design, products: Iterable[Product], responses: Sequence[str], levels: Sequence[str], budget: int, seed: int
) -> Sample:
    """Return the distinct designs: top-level clusters that differ in covariates, sizes or missing responses.

    Parameters
    ----------
    design : Design
    products : iterable of Product
    responses : sequence of str
        Keys of the K responses.
    levels : sequence of str
        Clusters, lowest first.
    budget : int
        Largest number of rows to take.
    """
    products = list(dict.fromkeys([(), *products]))
    n = design.n_rows
    observed = np.stack([~np.isnan(design.responses[k]) for k in responses], axis=1)
    columns = {p: _column(design, p) for p in products}
    usable = np.all([np.isfinite(c) for c in columns.values()], axis=0) & observed.any(axis=1)
    top = np.asarray(design.clusters[levels[-1]]) if levels else np.arange(n)
    places = np.flatnonzero(usable)
    places = places[np.argsort(top[places], kind="stable")]
    begins = np.flatnonzero(np.append(True, np.diff(top[places]) != 0)[: places.size])
    ends = np.append(begins[1:], places.size)
    inner = [np.asarray(design.clusters[lv])[places].astype(np.int64) for lv in levels]
    table = np.stack(
        [
            *(c[places].view(np.int64) for c in columns.values()),
            *observed[places].T.astype(np.int64),
            *(code - np.repeat(code[begins], ends - begins) for code in inner),
        ],
        axis=1,
    )
    distinct: dict[bytes, tuple[int, int]] = {}
    for _, a, b in sorted(zip(places[begins].tolist(), begins.tolist(), ends.tolist(), strict=True)):
        distinct.setdefault(table[a:b].tobytes(), (a, b))
    chosen = list(distinct.values())
    random.Random(seed).shuffle(chosen)
    taken: list[list[int]] = []
    size = 0
    for a, b in chosen:
        if taken and size + b - a > budget:
            break
        taken.append(places[a : min(b, a + max(budget, 2))].tolist())
        size += len(taken[-1])
    index = np.array([i for rows in taken for i in rows], dtype=np.int64)
    units = [np.arange(index.size)]
    units += [np.unique(np.asarray(design.clusters[lv])[index], return_inverse=True)[1] for lv in levels]
    return Sample(
        index.size,
        {p: np.array([residue(v) for v in c[index].tolist()], dtype=np.int64) for p, c in columns.items()},
        {p: np.array([_thousandths(v) for v in c[index].tolist()], dtype=np.int64) for p, c in columns.items()},
        units,
        observed[index],
        len(taken) == len(chosen),
        {p: c[index] for p, c in columns.items()},
    )


def _thousandths(value: float) -> int:
    return int((Decimal(repr(value)) * SCALE).to_integral_value(ROUND_HALF_EVEN)) % (P - 1)


def _column(design: Design, product: Product) -> NDArray[np.float64]:
    """Return a product of covariates; one that is not in the data as a whole is multiplied from its factors."""
    if product in design.columns:
        return np.asarray(design.columns[product], dtype=float)
    out = np.ones(design.n_rows)
    for c in product:
        if (c,) in design.columns:
            out = out * np.asarray(design.columns[c,], dtype=float)
        elif c.response and c.column in design.responses:
            out = out * np.asarray(design.responses[c.column], dtype=float)
        elif c.function == "power" and c.argument is not None:
            base = _column(design, (Covariate(c.column, response=c.response),))
            out = out * np.asarray(base ** float(c.argument), dtype=float)
        else:
            raise ValueError(f"the data have no column for '{c.name}'")
    return out
