"""Posterior probabilities of latent classes by unit, and how well they separate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.assemble import assemble
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.constraints import Constraints
from semlang.model.table import ROWS
from semlang.results.scores import check_some_response, data_of, posterior_needed
from semlang.results.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["class_probabilities", "classification"]

Floats = NDArray[np.float64]


def class_probabilities(fit: Fit, data: Any = None) -> dict[str, pd.DataFrame]:
    """Return P(class | responses of the unit) for every discrete latent variable.

    Parameters
    ----------
    fit : Fit
    data : optional
        New data, with new units.

    Returns
    -------
    dict from latent variable to DataFrame
        One row a unit with its identifier (of rows: the index of the data), a column ``class 1``, ``class 2``, ... and
        ``class``, the most probable one; NaN for units without any response.

    Raises
    ------
    FitError
        ``no-classes``.
    """
    import pandas as pd

    if not is_conditional(fit.table):
        raise FitError([error("no-classes", "the model has no latent classes", help="declare one: c :: class(2)")])
    designs, frame = data_of(fit, data)
    check_some_response(designs)
    objective = assemble(
        fit.table, fit.graphs, designs, Constraints(fit.table), True, fit.estimate.points, 1, scaled=False
    )
    x = objective.parametrisation.coordinates(fit.estimate.theta)
    parts: dict[str, list[pd.DataFrame]] = {}
    for member, design in zip(objective.members, designs, strict=True):
        member.move(x)
        with posterior_needed():
            found = member.posterior(x).classes
        for key, p in found.items():
            level = fit.table.variables[key].level
            records = design.first_records(level)
            columns: dict[str, Any] = {}
            if level != ROWS:
                for name in reversed(fit.table.clusters[fit.table.clusters.index(level) :]):
                    columns[name] = frame[name].to_numpy()[design.row[records]]
            columns |= {f"class {k}": p[:, k - 1] for k in range(1, p.shape[1] + 1)}
            known = ~np.isnan(p).any(axis=1)
            columns["class"] = np.where(known, np.nan_to_num(p).argmax(axis=1) + 1, np.nan)
            table = pd.DataFrame(columns, index=design.row[records] if level == ROWS else None)
            parts.setdefault(key, []).append(table)
    out = {}
    for key, tables in parts.items():
        joined = pd.concat(tables)
        if fit.table.variables[key].level == ROWS:
            joined = joined.sort_index()
            joined.index = frame.index[joined.index.to_numpy()]
        out[key] = joined
    return out


def classification(fit: Fit) -> Table:
    """Return how well classes are told apart: entropy, and mean probabilities of units by their most probable class.

        entropy = 1 - sum_i sum_k (-p_ik log p_ik) / (n log K),

    1 where every unit's class is certain, 0 where nothing is known of any.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``variable class n share entropy`` and a column ``p k`` for each class k: the mean posterior probability of k
        among the units whose most probable class is that of the line.

    References
    ----------
    Ramaswamy et al. (1993), Marketing Science 12, 103-124.
    """
    records: list[dict[str, Any]] = []
    most = 0
    for key, table in class_probabilities(fit).items():
        names = [c for c in table.columns if str(c).startswith("class ")]
        known = table.dropna(subset=names)
        p = known[names].to_numpy(dtype=np.float64)
        most = max(most, len(names))
        entropy = 1.0 + float(xlogy(p, p).sum()) / (len(p) * np.log(len(names)))
        assigned = p.argmax(axis=1)
        for k in range(len(names)):
            here = p[assigned == k]
            means = here.mean(axis=0) if len(here) else np.full(len(names), np.nan)
            records.append(
                {"variable": key, "class": k + 1, "n": len(here), "share": float(p[:, k].mean()), "entropy": entropy}
                | {f"p {j + 1}": float(means[j]) for j in range(len(names))}
            )
    columns = ("variable", "class", "n", "share", "entropy", *(f"p {k}" for k in range(1, most + 1)))
    return Table.of(columns, records, (), "Classification")
