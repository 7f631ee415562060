"""Products of covariates about their means: x z = (x - a) (z - b) + b x + a z - a b.

A power is a product of a covariate with itself. Far from zero a product holds little beside its factors: with x a Unix
time, x z is x's mean times z but for one part in 1e9. About the means nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product as combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import Covariate, Product

__all__ = ["NOTHING", "About", "Monomial", "Part", "about_origins", "monomial", "parts", "powers"]

Floats = NDArray[np.float64]

Monomial = frozenset[tuple[Covariate, int]]
"""Covariates and their exponents: the same for ``x:z`` and ``z:x``, for ``x:x`` and ``x^2``."""

NOTHING: Monomial = frozenset()

About = tuple[tuple[Covariate, int, float], ...]
"""The product of (covariate - origin)^exponent."""


class Part(NamedTuple):
    """A term of a product about origins that is multiplied out: factor x monomial.

    `moved` are the covariates whose origins the factor is made of; none in the product itself.
    """

    monomial: Monomial
    factor: float
    moved: tuple[Covariate, ...]


def powers(via: Product) -> dict[Covariate, int]:
    """Return the covariates of a product with exponents; an integer power is one of the column."""
    out: dict[Covariate, int] = {}
    for c in via:
        exponent = float(c.argument or 0.0) if c.function == "power" else 1.0
        whole = c.function == "power" and exponent >= 1.0 and exponent == int(exponent)
        base = replace(c, function="identity", argument=None) if whole else c
        out[base] = out.get(base, 0) + (int(exponent) if whole else 1)
    return out


def monomial(via: Product) -> Monomial:
    """Return a product of covariates whatever way it is written."""
    return frozenset(powers(via).items()) if via else NOTHING


def parts(about: About) -> Iterator[Part]:
    """Yield the terms of a product about origins, itself first."""
    moved = [(c, n, origin) for c, n, origin in about if origin]
    for drops in combinations(*(range(n + 1) for _, n, _ in moved)):
        left = {c: n for c, n, _ in about}
        factor = 1.0
        for (c, n, origin), k in zip(moved, drops, strict=True):
            factor *= comb(n, k) * (-origin) ** k
            left[c] = n - k
        rest = frozenset((c, n) for c, n in left.items() if n)
        yield Part(rest, factor, tuple(c for (c, _, _), k in zip(moved, drops, strict=True) if k))


def about_origins(columns: Mapping[Product, Floats], about: About) -> Floats:
    """Return the column of a product about origins."""
    out: Floats | None = None
    for c, n, origin in about:
        x = columns[(c,)] - origin if origin else columns[(c,)]
        for _ in range(n):
            out = x if out is None else out * x
    assert out is not None
    return out
