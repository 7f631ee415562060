"""How single rows fit: the standardised log-likelihood of a response pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semlang.results.items import Items

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["person_fit"]


def person_fit(fit: Fit) -> pd.DataFrame:
    """Return lz of every row: the log-likelihood of its responses at the row's score, less its mean, over its SD.

        l = sum_i log P(y_i | f),   lz = (l - E l) / SD(l),

    sums over the items that the row has, moments of the responses given f at the posterior mean. Large negative values
    are patterns that the model does not expect. The score being estimated, lz is a little less spread than a standard
    normal variable.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        Index of the data; columns ``loglik``, ``lz`` and ``items`` (how many responses the row has).

    References
    ----------
    Drasgow, Levine and Williams (1985), British Journal of Mathematical and Statistical Psychology 38, 67-86.
    """
    import pandas as pd

    items = Items(fit, "person fit")
    n = len(items.y)
    loglik, mean, variance = np.zeros(n), np.zeros(n), np.zeros(n)
    for k, p in enumerate(items.probabilities(items.estimates)):
        known = items.y[:, k] >= 0
        log = np.log(np.maximum(p, 1e-300))
        loglik[known] += log[known, items.y[known, k]]
        first = (p * log).sum(axis=1)
        mean[known] += first[known]
        variance[known] += ((p * log**2).sum(axis=1) - first**2)[known]
    counts = (items.y >= 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        lz = np.where(variance > 0, (loglik - mean) / np.sqrt(variance), np.nan)
    assert fit.origin is not None
    design = fit.designs[0]
    index = fit.origin.recipe.frame.index[design.row]
    out = pd.DataFrame({"loglik": np.where(counts > 0, loglik, np.nan), "lz": lz, "items": counts}, index=index)
    return out.iloc[np.argsort(design.row, kind="stable")]
