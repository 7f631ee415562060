"""A design seen several times, with further columns that differ between the copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import transformed
from semlang.data.design import Design
from semlang.model.table import Product

__all__ = ["CopiedColumns", "repeated"]

Floats = NDArray[np.float64]


class CopiedColumns(Mapping[Product, Floats]):
    """Products of covariates of all copies, one copy after the other.

    Parameters
    ----------
    base : mapping from Product to (n,) floats
    own : mapping from name to (copies, n) floats
        Columns that differ between copies.
    copies : int
    """

    def __init__(self, base: Mapping[Product, Floats], own: Mapping[str, Floats], copies: int) -> None:
        self._base, self._own, self._copies = base, own, copies

    def __getitem__(self, product: Product) -> Floats:
        out = np.tile(self._base[tuple(c for c in product if c.column not in self._own)], self._copies)
        for c in product:
            if c.column in self._own:
                out = out * transformed(self._own[c.column].reshape(-1), c)
        return np.asarray(out)

    def __iter__(self) -> Iterator[Product]:
        return iter(self._base)

    def __len__(self) -> int:
        return len(self._base)


def repeated(design: Design, own: Mapping[str, Floats], copies: int) -> Design:
    """Return the design of `copies` copies of the data; units of different copies are different units.

    Parameters
    ----------
    design : Design
    own : mapping from name to (copies, n_rows) floats
        Columns; a response of that name has their values where it has one.
    copies : int
    """
    shift = np.repeat(np.arange(copies), design.n_rows)
    tiled = design.each_row(lambda values: np.tile(values, copies))
    tiled["clusters"] = {level: codes + shift * design.n_units(level) for level, codes in tiled["clusters"].items()}
    for name, own_set in tiled["sets"].items():
        tiled["sets"][name] = np.where(own_set < 0, -1, own_set + shift * (int(design.sets[name].max(initial=-1)) + 1))
    tiled["columns"] = CopiedColumns(design.columns, own, copies)
    for key, values in own.items():
        if key in design.responses:
            seen = ~np.isnan(design.responses[key])
            tiled["responses"][key] = np.where(np.tile(seen, copies), values.reshape(-1), np.nan)
    return replace(design, n_rows=design.n_rows * copies, **tiled)
