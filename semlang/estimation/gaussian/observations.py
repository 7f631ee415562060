"""Responses and covariates as arrays, variables by rows, in a frame in which nothing cancels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.matrices.reduced import ReducedForm

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Observations:
    """Responses and covariates of one group, centred and scaled.

    With x = F x~ (each column after the constant centred and scaled) and y = y0 + y~, the mean m'x of y
    becomes (m F - [y0, 0, ...])'x~ for y~. Likewise d = F_d d~. The log-likelihood is unchanged, whatever the
    origin of a covariate.

    Parameters
    ----------
    y : (K, n)
        Responses less their offsets and their mean `origin`; NaN where missing or where a covariate that the
        response needs is.
    x : (C, n), d : (A, n)
        Standardised columns; missing covariates are zero (and their responses NaN).
    origin : (K,)
    frame, random_frame : (C, C), (A, A)
        F and F_d.
    complete : bool
        No response is missing.
    """

    y: Floats
    x: Floats
    d: Floats
    origin: Floats
    frame: Floats
    random_frame: Floats
    complete: bool

    def mean(self, m: Floats) -> Floats:
        """Return the coefficients of x~ for y~ from those of x for y."""
        out = m @ self.frame
        out[:, 0] -= self.origin
        return np.asarray(out)


def observe(reduced: ReducedForm, design: Design) -> Observations:
    """Collect the arrays of a design that a reduced form uses."""
    y = design.stacked(reduced.responses)
    x = _columns(design, reduced.mean_columns)
    d = _columns(design, reduced.random_columns)
    missing = [np.isnan(columns) for columns in (x, d)]
    summaries = [design.summary(key) for key in reduced.responses]
    complete = all(s.known == design.n_rows for s in summaries) and not any(m.any() for m in missing)
    if complete and not reduced.offsets:
        origin = np.array([s.mean for s in summaries])
        if origin.any():
            y = y - origin[:, None]
        return Observations(y, x, d, origin, _standardise(x), _standardise(d), complete)
    y = y.copy()
    for k, products in reduced.offsets.items():
        for product in products:
            y[k] -= design.columns[product]
    for columns, gone, cells in zip((x, d), missing, (reduced.mean_cells, reduced.loading_cells), strict=True):
        if gone.any():
            for k, c in {(int(cell[0]), int(cell[1])) for cell in cells}:
                y[k, gone[c]] = np.nan
            columns[gone] = 0.0
    gone = np.isnan(y)
    complete = not gone.any()
    if complete:
        origin = y.mean(1) if design.n_rows else np.zeros(len(y))
    else:
        origin = np.where(gone, 0.0, y).sum(1) / np.maximum((~gone).sum(1), 1)
    y -= origin[:, None]
    return Observations(y, x, d, origin, _standardise(x), _standardise(d), complete)


def multiplicity(design: Design, levels: Sequence[str]) -> Floats | None:
    """Return frequencies times sampling weights of some levels, by row, if there are any."""
    out: Floats | None = None
    for of in (design.frequency, design.weights):
        for level in levels:
            if level in of:
                out = np.asarray(of[level], dtype=float) * (1.0 if out is None else out)
    return out


def _columns(design: Design, products: tuple[tuple[object, ...], ...]) -> Floats:
    out = np.ones((len(products), design.n_rows))
    for c, product in enumerate(products):
        if product:
            out[c] = design.columns[product]  # type: ignore[index]
    return out


def _standardise(x: Floats) -> Floats:
    """Centre and scale the rows of `x` after the first in place; return F with x = F x~."""
    frame = np.eye(len(x))
    if x.shape[1] == 0:
        return frame
    for c in range(1, len(x)):
        origin, scale = x[c].mean(), x[c].std()
        if scale <= 1e-12 * abs(origin):
            continue
        x[c] -= origin
        x[c] /= scale
        frame[c, 0], frame[c, c] = origin, scale
    return frame
