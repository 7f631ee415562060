"""Units of the levels that have disturbances, each with its parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.gaussian.observations import multiplicity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tree:
    """The nested units, lowest level first.

    Parameters
    ----------
    levels : tuple of str
    first : tuple of (U_l,) ints
        First row of each unit.
    parent, begin : tuple of (U_l,) ints
        Parent of each unit in the next level (the last level has one parent, the root), and where siblings
        begin.
    weight : tuple of (U_l,) floats, or None
        What the log-likelihood of a unit is multiplied by inside its parent's integral; None without weights.
    total : tuple of (U_l,) floats, or None
        Its product over the unit and its ancestors.
    rows : (n,) floats or None
        Weight of the rows inside the lowest units.
    top : tuple of (U_l,) ints
        Unit of the highest level of the data for each unit; `n_top` their number.
    """

    levels: tuple[str, ...]
    first: tuple[Ints, ...]
    parent: tuple[Ints, ...]
    begin: tuple[Ints, ...]
    weight: tuple[Floats, ...] | None
    total: tuple[Floats, ...] | None
    rows: Floats | None
    top: tuple[Ints, ...]
    n_top: int

    @classmethod
    def of(cls, design: Design, levels: Sequence[str]) -> Tree:
        """Make the tree of some of the levels, lowest first."""
        every = ["rows", *design.clusters]
        n = design.n_rows
        first = []
        for level in levels:
            if level == "rows":
                first.append(np.arange(n))
            else:
                code = design.clusters[level]
                first.append(np.flatnonzero(np.r_[True, code[1:] != code[:-1]][:n]))
        parent, begin = [], []
        for i, units in enumerate(first):
            above = first[i + 1] if i + 1 < len(first) else np.zeros(1, dtype=np.int64)
            of = np.searchsorted(above, units, side="right") - 1
            parent.append(of)
            begin.append(np.flatnonzero(np.r_[True, of[1:] != of[:-1]][: len(of)]))
        places = [every.index(level) for level in levels] + [len(every)]
        own = [multiplicity(design, every[a:b]) for a, b in pairwise(places)]
        weight: tuple[Floats, ...] | None = None
        total: tuple[Floats, ...] | None = None
        if any(w is not None for w in own):
            weight = tuple(np.ones(len(u)) if w is None else w[u] for w, u in zip(own, first, strict=True))
            products = [weight[-1]]
            for w, of in zip(reversed(weight[:-1]), reversed(parent[:-1]), strict=True):
                products.append(w * products[-1][of])
            total = tuple(reversed(products))
        top = every[-1]
        unit = np.arange(n) if top == "rows" else design.clusters[top]
        return cls(
            tuple(levels),
            tuple(first),
            tuple(parent),
            tuple(begin),
            weight,
            total,
            multiplicity(design, every[: places[0]]),
            tuple(unit[u] for u in first),
            design.n_units(top),
        )
