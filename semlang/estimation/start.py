"""Start values: independent responses first, then scales that share each response's residual variance out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import Diagnostic, error
from semlang.errors import FitError
from semlang.estimation.frame import Frame
from semlang.estimation.margins import Observed, margin, quantile
from semlang.estimation.regressions import regress
from semlang.graph.model_graph import ModelGraph, Path
from semlang.matrices.reduced import ReducedForm
from semlang.model.parameter_names import parameter_names, parameters_by_name, tight
from semlang.model.table import ParameterTable, Product
from semlang.sums import sum_by
from semlang.syntax.nearest import nearest

__all__ = ["start_values", "user_values"]

Floats = NDArray[np.float64]

_SPREAD = {"logit": 0.8, "probit": 0.5, "cloglog": 0.6, "loglog": 0.6, "cauchit": 0.7, "log": 0.4, "sqrt": 0.5}
"""Standard deviation that latent variables may take of a linear predictor at the start, by link."""


@dataclass(frozen=True)
class _Scales:
    """What is known of each variable's size: SD that its causes share, and the sign of its residual."""

    share: dict[str, float]
    residual: dict[str, float]
    sign: dict[str, float]


def start_values(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    forms: Sequence[ReducedForm],
    designs: Sequence[Design],
    user: Mapping[int, float],
    frame: Frame | None = None,
) -> Floats:
    """Return start values of the table's parameters, or of those in a frame that graphs and designs are in.

    1. Means, thresholds and residual variances from marginal moments and frequencies; then a regression of
       each response by itself, with all disturbances at zero.
    2. A latent variable takes half of the residual variance of its first fixed path (on other scales: a customary
       SD); free loadings take the same share of theirs, with the sign that their residuals have with the first.
    3. `user` values, which are the table's, win.
    """
    theta = np.zeros(table.n_parameters)
    for graph, form, design in zip(graphs, forms, designs, strict=True):
        _loadings_one(graph, theta)
        _marginals(table, graph, form, design, theta)
    theta = regress(table, graphs, forms, designs, theta)
    alone = theta.copy()
    for graph, form, design in zip(graphs, forms, designs, strict=True):
        _spread(table, graph, form, design, alone, theta)
    if user:
        given = theta if frame is None else frame.theta(theta)
        for p, value in user.items():
            given[p] = value
        theta = given if frame is None else frame.inside(given)
    for form in forms:
        _shrink_covariances(form, theta, set(user))
    return theta


def user_values(table: ParameterTable, start: Mapping[str, float] | None) -> dict[int, float]:
    """Return the user's start values by parameter: ``start()`` in the text, then those of the call.

    Parameters
    ----------
    table : ParameterTable
    start : mapping from a parameter's name to float, optional
        Names as `semlang.model.parameter_names.parameters_by_name` takes them; the most exact one wins.

    Raises
    ------
    FitError
        Where a name is no parameter's.
    """
    found = {row.parameter: row.ustart for row in table.rows if row.parameter >= 0 and row.ustart is not None}
    if not start:
        return found
    known = parameters_by_name(table)
    means = {name: known.get(tight(name), []) for name in start}
    wrong = [name for name, which in means.items() if not which]
    if wrong:
        names = [name for name in parameter_names(table) if name]
        raise FitError([_unknown_start(name, names) for name in wrong])
    for name in sorted(start, key=lambda name: -len(means[name])):
        found |= dict.fromkeys(means[name], float(start[name]))
    return found


def _unknown_start(name: str, names: Sequence[str]) -> Diagnostic:
    near = nearest(name, names)
    return error(
        "unknown-start",
        f"start values name '{name}', and the model has no free parameter of that name",
        help=f"do you mean '{near}'?" if near else f"names are like '{names[0]}'; fit.params lists them",
    )


def _loadings_one(graph: ModelGraph, theta: Floats) -> None:
    for path in graph.paths:
        if path.parameter >= 0 and path.source:
            theta[path.parameter] = 1.0 if path.kind == "loading" else 0.0


def _marginals(table: ParameterTable, graph: ModelGraph, form: ReducedForm, design: Design, theta: Floats) -> None:
    """Intercepts from means, thresholds from frequencies, residual variances from variances."""
    intercepts = [p for p in graph.paths if p.kind == "intercept" and not p.via and p.parameter >= 0]
    intercept = {p.target: p for p in intercepts if not p.category}
    residual = _residual_variances(form)
    frequency = design.frequency.get("rows")
    for k, key in enumerate(form.responses):
        y = design.responses[key]
        summary = design.summary(key)
        if not summary.known:
            continue
        variable = table.variables[key]
        known = np.ones(y.size, dtype=bool) if summary.known == y.size else ~np.isnan(y)
        values = y if summary.known == y.size else y[known]
        if variable.kind.composite:
            known = design.holds(key)
            values = y[known]
        weight = None if frequency is None else frequency[known]
        tables = (design.trials, design.exposure, design.event)
        if variable.kind.nominal:
            own = {p.category: p.parameter for p in intercepts if p.target == key}
            _logits(design.categories.get(key, ()), own, values, weight, theta)
            continue
        trials, exposure, event = (t[key][known] if key in t else None for t in tables)
        observed = Observed(values, weight, trials, exposure, event)
        if frequency is None and variable.is_gaussian:
            observed = replace(observed, summary=summary)
        if variable.kind.composite:
            here = np.maximum(design.sets[key], 0)
            terms = np.where(design.sets[key] >= 0, design.terms[key], 0.0)
            observed = replace(observed, weights_of_terms=sum_by(here, terms, int(here.max()) + 1)[here[known]])
        start = margin(variable, observed)
        place = key if key in intercept else next((c for c in _components(table, key) if c in intercept), "")
        if place:
            theta[intercept[place].parameter] = start.nu
        if residual[k] >= 0:
            theta[residual[k]] = start.variance
        for name, value in start.quantities.items():
            constants = [a.parameter for a in form.quantities.get((k, name), ()) if a.parameter >= 0 and not a.via]
            if constants:
                theta[constants[0]] = value
        for a in form.quantities.get((k, "sigma"), ()):
            if a.log:
                theta[a.parameter] = 1.0
        thresholds = form.thresholds.get(k, ())
        counts = np.ones(values.size if thresholds else 0) if weight is None else weight
        for s, addends in enumerate(thresholds):
            share = (counts[values <= s].sum() + 0.5) / (counts.sum() + 1.0)
            if addends[0].parameter >= 0:
                theta[addends[0].parameter] = quantile(variable.link, share)


def _logits(names: Sequence[str], own: Mapping[str, int], values: Floats, weight: Floats | None, theta: Floats) -> None:
    """Intercepts of the categories of a nominal response from their frequencies; the others share a base."""
    counts = sum_by(values.astype(np.int64), np.ones(values.size) if weight is None else weight, len(names)) + 0.5
    base = np.mean([np.log(n) for name, n in zip(names, counts, strict=True) if name not in own] or [0.0])
    for name, n in zip(names, counts, strict=True):
        if name in own:
            theta[own[name]] = np.log(n) - base


def _components(table: ParameterTable, response: str) -> list[str]:
    return [v.key for v in table.latents if v.role == "component" and v.response == response]


def _residual_variances(form: ReducedForm) -> list[int]:
    """Return the parameter of each response's residual variance, also where it is that of a disturbance; else -1."""
    disturbance = {d.key: j for j, d in enumerate(form.disturbances)}
    theta, psi = (
        {i: p for i, j, p in zip(c.i.tolist(), c.j.tolist(), c.parameter.tolist(), strict=True) if i == j}
        for c in (form.theta, form.psi)
    )
    return [
        psi.get(disturbance[key], -1) if key in disturbance else theta.get(k, -1)
        for k, key in enumerate(form.responses)
    ]


def _spread(
    table: ParameterTable, graph: ModelGraph, form: ReducedForm, design: Design, alone: Floats, theta: Floats
) -> None:
    """Share the residual SDs that responses have `alone` among the latent variables that they come from."""
    into: dict[str, list[Path]] = defaultdict(list)
    for path in graph.paths:
        if path.source and not path.is_zero and path.source in graph.latents:
            into[path.target].append(path)
    share: dict[str, float] = {}
    residual = _residual_variances(form)
    for k, key in enumerate(form.responses):
        variable = table.variables[key]
        if variable.is_gaussian:
            p = residual[k]
            variance = alone[p] if p >= 0 else design.summary(key).variance or 1.0
            share[key] = float(np.sqrt(0.5 * variance / max(len(into[key]), 1)))
            if p >= 0 and into[key]:
                theta[p] = 0.5 * variance
        else:
            share[key] = _SPREAD.get(variable.link, 0.5) / np.sqrt(max(len(into[key]), 1))
    variances = {c.a: c for c in graph.covariances if c.a == c.b}
    sd: dict[str, float] = {}
    waiting = list(graph.latents)
    while waiting:
        ready = [
            key for key in waiting if all(p.target in share for p in graph.paths if p.source == key and not p.is_zero)
        ] or waiting[:1]
        for key in ready:
            outgoing = [p for p in graph.paths if p.source == key and not p.is_zero and p.target in share]
            fixed = [p for p in outgoing if p.parameter < 0]
            variance = variances.get(key)
            if variance is not None and variance.parameter < 0 and variance.value > 0:
                sd[key] = float(np.sqrt(variance.value))
            elif fixed:
                first = fixed[0]
                sd[key] = share[first.target] / (abs(first.value) * _size(design, first.via))
            elif outgoing:
                sd[key] = share[outgoing[0].target] / _size(design, outgoing[0].via)
            else:
                sd[key] = 0.5
            for path in outgoing:
                if path.parameter >= 0 and (path.kind == "loading" or path.target in form.responses):
                    theta[path.parameter] = share[path.target] / (sd[key] * _size(design, path.via))
            causes = len(into[key])
            own = 0.5 if causes else 1.0
            share[key] = sd[key] * np.sqrt(0.5 / max(causes, 1))
            if variance is not None and variance.parameter >= 0:
                theta[variance.parameter] = own * sd[key] ** 2
        waiting = [key for key in waiting if key not in ready]


def _size(design: Design, via: Product) -> float:
    """Root mean square of a product of covariates."""
    if not via:
        return 1.0
    return float(np.sqrt(np.nanmean(design.columns[via] ** 2))) or 1.0


def _shrink_covariances(form: ReducedForm, theta: Floats, user: set[int]) -> None:
    """Halve the covariances of the user's start values until Psi is positive definite."""
    off = form.psi.parameter[(form.psi.i != form.psi.j) & (form.psi.parameter >= 0)]
    for _ in range(20):
        V = form.psi.matrix(theta)
        present = np.diag(V) > 0
        if np.linalg.eigvalsh(V[np.ix_(present, present)]).min(initial=1.0) > 0:
            return
        theta[off] *= 0.5
