"""What parameter values imply: moments of gaussian responses, curves and information of items."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.sheet import Sheet
from semlang.data.sheet_binding import bind_sheet
from semlang.errors import SemlangError
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.parameter_names import parameter_names
from semlang.model.table import ROWS, ParameterTable, Row, Variable
from semlang.page.text_model import text_model
from semlang.plain.densities import KNOWN, density
from semlang.plain.start import start
from semlang.source import Source

Json = dict[str, Any]
Floats = NDArray[np.float64]
GRID = np.linspace(-4.0, 4.0, 81)
"""Places at which items are looked at, in standard deviations of the latent variable."""


def implied(source: Source, sheet: Sheet | None = None, values: Mapping[str, float] | None = None) -> Json:
    """Return what parameter values imply in the first group, where covariates are 0.

    Parameters
    ----------
    source : Source
    sheet : Sheet, optional
        Then thresholds are there, and values begin at those of the data.
    values : mapping from a parameter's name to float, optional
        Others begin at customary values.

    Returns
    -------
    dict
        ``parameters``: ``name, value, low, high`` each. ``moments``: ``names, means, covariances`` of the gaussian
        responses, None where covariances are not defined at these values, or vary with covariates or clusters.
        ``items``: ``name, latent, curves`` (a list a category) and ``information`` on ``grid``, for responses of one
        latent variable. ``why``: what is left out.

    Raises
    ------
    SemlangError
        Where the text has no table, or no reduced form.
    """
    model = text_model(source, sheet)
    model.matrices  # noqa: B018  (raises where paths are cyclic)
    table = model.parameter_table
    names = parameter_names(table)
    theta = first_values(table, sheet)
    for p, name in enumerate(names):
        given = (values or {}).get(name)
        if isinstance(given, int | float) and math.isfinite(given):
            theta[p] = given
    moments, why = _moments(model.graphs[0], theta)
    rows = {r.parameter: r for r in reversed(table.rows) if r.parameter >= 0}
    return {
        "parameters": [
            {"name": n, "value": float(v), **_range(rows[p], float(v))} for p, (n, v) in enumerate(zip(names, theta))
        ],
        "moments": moments,
        "items": _items(table, theta),
        "grid": GRID.tolist(),
        "why": why,
    }


def first_values(table: ParameterTable, sheet: Sheet | None) -> Floats:
    """Return start values from data where there are any, else customary ones: loadings 0.8, variances 1."""
    if sheet is not None:
        try:
            if all(v.kind.name in KNOWN and v.level == ROWS for v in table.responses):
                return start(table, bind_sheet(table, sheet))
        except (SemlangError, KeyError):
            pass  # columns that are missing or hold text: findings say so
    theta = np.zeros(table.n_parameters)
    for r in table.rows:
        if r.parameter >= 0:
            theta[r.parameter] = r.ustart if r.ustart is not None and r.user == 1 else _customary(table, r)
    return theta


def _customary(table: ParameterTable, r: Row) -> float:
    if r.op == "~~":
        return (0.5 if r.target in {v.key for v in table.responses} else 1.0) if r.target == r.source else 0.2
    if r.op == "|":
        count = max(t.threshold for t in table.rows if t.op == "|" and t.target == r.target)
        return 1.5 * (r.threshold - 0.5 * (count + 1))
    return {"=~": 0.8, "~": 0.4}.get(r.op, 0.0)


def _range(r: Row, value: float) -> dict[str, float]:
    """Return the ends of a slider: variances are positive, the others go as far to both sides."""
    reach = max(2.0, 2.5 * abs(value))
    if r.op == "~~" and r.source == r.target:
        return {"low": 0.0, "high": reach}
    if r.op in ("~1", "|"):
        return {"low": value - max(2.0, abs(value)), "high": value + max(2.0, abs(value))}
    return {"low": -reach, "high": reach}


def _moments(graph: ModelGraph, theta: Floats) -> tuple[Json | None, str]:
    kinds = {v.key: v for v in graph.table.responses}
    form = reduced_form(graph, lift=True)
    chosen = [k for k, key in enumerate(form.responses) if kinds[key].kind.name == "gaussian"]
    if not chosen:
        return None, ""
    moderated = form.quantities or form.moderated or np.any(form.loading_cells[:, 1])
    if moderated or any(z.level != ROWS for z in form.disturbances):
        return None, "covariances depend on clusters or covariates"
    if any(r.klass or r.moderators for r in graph.table.rows):
        return None, "the responses are mixtures, or products of latent variables"
    slots = form.slots(theta)
    loadings = form.loadings(slots)[:, 0, :]
    psi = form.psi.matrix(theta)
    whole = (loadings @ psi @ loadings.T + form.theta.matrix(theta))[np.ix_(chosen, chosen)]
    if np.linalg.eigvalsh(whole).min() <= 0 or (psi.size and np.linalg.eigvalsh(psi).min() < -1e-12):
        return None, "no distribution has these covariances"
    constant = form.mean_columns.index(()) if () in form.mean_columns else None
    means = np.zeros(len(chosen)) if constant is None else form.mean(slots)[chosen, constant]
    names = [form.responses[k] for k in chosen]
    return {"names": names, "means": means.tolist(), "covariances": whole.tolist()}, ""


def _items(table: ParameterTable, theta: Floats) -> list[Json]:
    out = []
    for v in table.responses:
        if v.kind.name not in ("binomial", "ordinal") or v.link not in KNOWN[v.kind.name] or "trials" in v.arguments:
            continue
        rows = [r for r in table.rows if r.target == v.key and r.group == 1 and not r.klass and not r.quantity]
        paths = [r for r in rows if r.op in ("=~", "~") and r.source and not r.via and not r.moderators]
        if len(paths) == 1 and table.variables[paths[0].source].kind.continuous:
            found = _item(v, rows, paths[0], theta)
            out += [found] if found else []
    return out


def _item(v: Variable, rows: list[Row], path: Row, theta: Floats) -> Json | None:
    def value(r: Row) -> float:
        return float(theta[r.parameter]) if r.parameter >= 0 else r.ustart or 0.0

    slope = value(path)
    eta = sum(value(r) for r in rows if r.op == "~1" and not r.via) + slope * GRID[None, :]
    if v.kind.name == "binomial":
        found = [density("binomial", v.link, np.array([float(y)]), eta) for y in (0, 1)]
    else:
        cuts = [value(r) for r in sorted(rows, key=lambda r: r.threshold) if r.op == "|" and not r.via]
        if not cuts or any(b <= a for a, b in pairwise(cuts)):
            return None
        ends = [-math.inf, *cuts, math.inf]
        zero = np.zeros(1)
        found = [
            density("ordinal", v.link, zero, eta, 1.0, np.array([ends[c + 1]]), np.array([ends[c]]))
            for c in range(len(cuts) + 1)
        ]
    curves = [np.exp(d.log[0]) for d in found]
    information = sum(p * (slope * d.slope[0]) ** 2 for p, d in zip(curves, found))
    return {
        "name": v.key,
        "latent": path.source,
        "curves": [np.round(p, 6).tolist() for p in curves],
        "information": np.round(information, 6).tolist(),
    }
