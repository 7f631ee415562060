"""Some units of the highest level of a design."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semlang.data.covariates import ProductColumns
from semlang.data.design import Design

__all__ = ["some_units"]


def some_units(design: Design, n: int, rng: np.random.Generator) -> Design:
    """Return the design of n random units of the highest level with all their rows; of fewer units the design.

    Parameters
    ----------
    design : Design
    n : int
    rng : numpy Generator
    """
    top = list(design.clusters)[-1] if design.clusters else "rows"
    unit = np.arange(design.n_rows) if top == "rows" else design.clusters[top]
    if top == "rows" and design.sets:  # sets stay whole
        unit = np.maximum(next(iter(design.sets.values())), 0)
    total = int(unit.max(initial=-1)) + 1
    if total <= n or not isinstance(design.columns, ProductColumns):
        return design
    chosen = np.zeros(total, dtype=bool)
    chosen[rng.choice(total, n, replace=False)] = True
    kept = np.flatnonzero(chosen[unit])
    some = design.taken(kept)
    clusters, sets = ({key: _renumbered(codes) for key, codes in of.items()} for of in (some.clusters, some.sets))
    return replace(some, clusters=clusters, sets=sets)


def _renumbered(codes: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the codes without gaps, -1 as it is."""
    out = codes.copy()
    known = codes >= 0
    out[known] = np.unique(codes[known], return_inverse=True)[1]
    return out
