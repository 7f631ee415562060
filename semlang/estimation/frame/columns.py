"""Columns of a design, those of the frame among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semlang.data.centring import About, about_origins
from semlang.data.covariates import Filling, ProductColumns
from semlang.model.table import Covariate, Product

__all__ = ["FramedColumns", "Standard"]

Floats = NDArray[np.float64]


class Standard(NamedTuple):
    """A covariate of the frame: (product about origins - origin) / scale."""

    about: About
    origin: float
    scale: float

    @property
    def name(self) -> Covariate:
        """The covariate that stands for it."""
        factors = ":".join(f"{c.name}^{n}" if n > 1 else c.name for c, n, _ in self.about)
        return Covariate(factors, "inside", f"{[o for _, _, o in self.about]!r} {self.origin!r} {self.scale!r}")


class FramedColumns(Mapping[Product, Floats]):
    """The columns of a design, and those in the frame."""

    def __init__(self, raw: Mapping[Product, Floats], changed: Mapping[Covariate, Standard]) -> None:
        self._raw, self._changed = raw, changed
        self._known: dict[Product, Floats] = {}

    def __getitem__(self, product: Product) -> Floats:
        changed = [c for c in product if c in self._changed]
        if not changed:
            return self._raw[product]
        if product not in self._known:
            rest = tuple(c for c in product if c not in self._changed)
            out = self._raw[rest] if rest else None
            for c in changed:
                about, origin, scale = self._changed[c]
                column = (about_origins(self._raw, about) - origin) / scale
                out = column if out is None else out * column
            assert out is not None
            self._known[product] = out
        return self._known[product]

    def filled(self, name: str, where: NDArray[np.bool_], value: Filling) -> FramedColumns:
        """Return the columns with one value of a column in some rows."""
        assert isinstance(self._raw, ProductColumns)
        return FramedColumns(self._raw.filled(name, where, value), self._changed)

    def take(self, rows: NDArray[np.int64] | slice) -> FramedColumns:
        """Return the columns of some rows."""
        assert isinstance(self._raw, ProductColumns)
        return FramedColumns(self._raw.take(rows), self._changed)

    def known(self, name: str) -> NDArray[np.bool_]:
        """Return the rows in which a column is known."""
        assert isinstance(self._raw, ProductColumns)
        return self._raw.known(name)

    def filling(self, name: str, rows: NDArray[np.int64], number: float, level: str = "") -> Filling:
        """Return what a column holds in the first of some rows; where there are none, a number and a level."""
        assert isinstance(self._raw, ProductColumns)
        return self._raw.filling(name, rows, number, level)

    def __iter__(self) -> Iterator[Product]:
        return iter(dict.fromkeys([*self._raw, *((c,) for c in self._changed), *self._known]))

    def __len__(self) -> int:
        return len(list(iter(self)))
