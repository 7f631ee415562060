"""Which closed form is the best for a model and its data."""

from __future__ import annotations

import numpy as np

from semlang.data.design import Design
from semlang.estimation.gaussian.by_covariates import ByCovariates
from semlang.estimation.gaussian.by_row import ByRow
from semlang.estimation.gaussian.engine import Engine
from semlang.estimation.gaussian.free_residuals import FreeResiduals
from semlang.estimation.gaussian.nested import Nested
from semlang.estimation.gaussian.one_level import OneLevel
from semlang.estimation.gaussian.two_level import TwoLevel
from semlang.matrices.reduced import ReducedForm

FEW_PATTERNS = 30
"""Missing patterns up to which moments by pattern are the cheapest."""


def choose(reduced: ReducedForm, design: Design, any_residual: bool = False) -> type[Engine] | None:
    """Return the best closed form that supports the model and the data, or None.

    Moments come first (`OneLevel` with few missing patterns, `TwoLevel`): their cost does not grow with rows. Then the
    recursion, `Nested`, for residual variances above zero. All others take any variances that leave the responses a
    density; where residual variances are zero or below they follow it: `ByRow` for one level with many patterns, else
    `FreeResiduals`. Where variances of latent variables depend on covariates there is `ByCovariates` for one level.

    All responses must be gaussian with the identity link; that is for the caller to know.

    Parameters
    ----------
    reduced, design
    any_residual : bool
        Whether residual variances come to be zero or below.
    """
    if reduced.moderated:
        return ByCovariates if ByCovariates.supports(reduced, design) else None
    recursion = Nested.supports(reduced, design) and not any_residual
    if OneLevel.supports(reduced, design):
        if n_patterns(reduced, design) <= FEW_PATTERNS:
            return OneLevel
        return Nested if recursion else ByRow
    for engine in (TwoLevel, Nested if recursion else FreeResiduals):
        if engine.supports(reduced, design):
            return engine
    return None


def n_patterns(reduced: ReducedForm, design: Design) -> int:
    """Return the number of missing patterns of the responses."""
    if all(design.summary(key).known == design.n_rows for key in reduced.responses):
        return 1
    seen = ~np.isnan(design.stacked(reduced.responses))
    return len(np.unique(np.packbits(seen, axis=0), axis=1).T)
