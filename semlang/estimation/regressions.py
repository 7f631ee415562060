"""Regressions of the responses by themselves, with all disturbances at zero: the first part of start values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.member import Infeasible
from semlang.estimation.optimize import definite
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable

__all__ = ["regress", "thinned"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ENOUGH = 5_000
"""Records that start values are computed from where there are more; more of them where parameters are many."""

EACH = 100
"""Records a parameter."""

LEAST = 1e-12
"""Part of a response's mean square that its residual variance is at least: what is smaller is rounding."""

GOLDEN = 0.6180339887498949


def regress(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    forms: Sequence[ReducedForm],
    designs: Sequence[Design],
    theta: Floats,
) -> Floats:
    """Return `theta` after regressions of the responses on what is observed.

    Everything but paths from latent variables and Psi is estimated: by least squares where all responses are gaussian
    with residual variances as parameters, else by some scoring steps, on about `ENOUGH` records of each group.
    """
    fixed = {p.parameter for g in graphs for p in g.paths if p.source}
    fixed |= {int(p) for f in forms for p in f.psi.parameter}
    free = np.array([p for p in range(theta.size) if p not in fixed], dtype=np.int64)
    if not free.size or _only_intercepts(table, graphs, forms) or _only_margins(table, forms, designs):
        return theta
    try:
        if _linear(table, forms):
            return _least_squares(forms, designs, theta, free)
        return _scoring(table, forms, [thinned(d, max(ENOUGH, EACH * free.size)) for d in designs], theta, free)
    except (Infeasible, np.linalg.LinAlgError):
        return theta


def _only_intercepts(table: ParameterTable, graphs: Sequence[ModelGraph], forms: Sequence[ReducedForm]) -> bool:
    """Whether each gaussian response has a free mean, and nothing else that is observed acts on it."""
    return _linear(table, forms) and all(
        form.mean_columns == ((),)
        and not form.offsets
        and {p.target for p in graph.paths if p.kind == "intercept" and p.parameter >= 0} == set(form.responses)
        for graph, form in zip(graphs, forms, strict=True)
    )


def _only_margins(table: ParameterTable, forms: Sequence[ReducedForm], designs: Sequence[Design]) -> bool:
    """Whether each response has categories or counts and an intercept or thresholds of its own, and nothing else.

    Then frequencies and means are the maximum of the likelihood already.
    """
    used: list[int] = []
    for form, design in zip(forms, designs, strict=True):
        if form.mean_columns not in ((), ((),)) or form.offsets or form.quantities or design.trials or design.exposure:
            return False
        if any(table.variables[key].kind.name not in ("binomial", "poisson", "ordinal") for key in form.responses):
            return False
        if any(a.via for many in form.thresholds.values() for t in many for a in t):
            return False
        slots = [int(s) for _, _, s in form.mean_cells]
        rows = form.jacobian(np.zeros(form.n_parameters))[1][slots]
        used += [int(p) for row in rows for p in np.flatnonzero(row)]
        used += [a.parameter for many in form.thresholds.values() for t in many for a in t if a.parameter >= 0]
    return len(used) == len(set(used))


def thinned(design: Design, most: int) -> Design:
    """Return at most `most` records, spread evenly over the design but without a period."""
    n = design.n_rows
    if n <= most:
        return design
    step = n / most
    j = np.arange(most)
    kept = np.minimum(((j + (j * GOLDEN) % 1.0) * step).astype(np.int64), n - 1)
    tables: dict[str, Any] = {
        name: {key: column[kept] for key, column in getattr(design, name).items()}
        for name in (
            "responses",
            "columns",
            "clusters",
            "trials",
            "exposure",
            "event",
            "entry",
            "censored",
            "sets",
            "terms",
            "low",
            "high",
            "frequency",
            "weights",
        )
    }
    return replace(design, n_rows=most, row=design.row[kept], **tables)


def _linear(table: ParameterTable, forms: Sequence[ReducedForm]) -> bool:
    return all(
        table.variables[key].is_gaussian and (k, "sigma") not in form.quantities
        for form in forms
        for k, key in enumerate(form.responses)
    )


def _least_squares(forms: Sequence[ReducedForm], designs: Sequence[Design], theta: Floats, free: Ints) -> Floats:
    """Weighted least squares from the cross-products of each response's columns; then residual variances."""
    parts = []
    for form, design in zip(forms, designs, strict=True):
        for k, key in enumerate(form.responses):
            cells = [(int(c), int(s)) for kk, c, s in form.mean_cells if kk == k]
            y = design.responses[key] - sum(design.columns[p] for p in form.offsets.get(k, ()))
            products = [form.mean_columns[c] for c, _ in cells]
            X = np.stack([y, *(design.columns[p] if p else np.ones(y.size) for p in products)])
            known = np.isfinite(X.sum(axis=0))
            if not known.all():
                X = np.ascontiguousarray(X[:, known])
            n = max(X.shape[1], 1)
            parts.append((form, k, np.array([s for _, s in cells], dtype=np.int64), X @ X.T / n, n))
    theta = theta.copy()
    for _ in range(3):
        slopes = {id(form): form.jacobian(theta) for form in forms}
        gradient, information = np.zeros(free.size), np.zeros((free.size, free.size))
        for form, _, slots, S, n in parts:
            if not slots.size:
                continue
            values, derivatives = slopes[id(form)]
            coefficients, D = np.append(1.0, -values[slots]), derivatives[slots][:, free]
            variance = max(float(coefficients @ S @ coefficients), LEAST * float(S[0, 0])) or 1.0
            gradient += n / variance * (D.T @ (S[1:] @ coefficients))
            information += n / variance * (D.T @ S[1:, 1:] @ D)
        used = np.flatnonzero(np.diag(information) > 0)
        if not used.size:
            break
        step = definite(information[np.ix_(used, used)]).solve(gradient[used])
        theta[free[used]] += step
    values_at = {id(form): form.jacobian(theta)[0] for form in forms}
    for form, k, slots, S, _ in parts:
        diagonal = form.theta.parameter[(form.theta.i == k) & (form.theta.j == k)]
        if diagonal.size and diagonal[0] in free:
            coefficients = np.append(1.0, -values_at[id(form)][slots])
            theta[diagonal[0]] = max(float(coefficients @ S @ coefficients), LEAST * float(S[0, 0])) or 1.0
    return theta


def _scoring(
    table: ParameterTable, forms: Sequence[ReducedForm], designs: Sequence[Design], theta: Floats, free: Ints
) -> Floats:
    members = [
        QuadratureLikelihood(form, design, table.variables, table.levels, points=1, integrate=False)
        for form, design in zip(forms, designs, strict=True)
    ]

    def evaluate(at: Floats) -> tuple[float, Floats]:
        parts = [m.values_and_scores(at) for m in members]
        return float(sum(f.sum() for f, _ in parts)), np.concatenate([s for _, s in parts])[:, free]

    value, scores = evaluate(theta)
    for _ in range(12):
        gradient = scores.sum(axis=0)
        step = definite(scores.T @ scores).solve(gradient)
        if float(gradient @ step) < 1e-1:
            break
        t = 1.0
        while t > 1e-3:
            trial = theta.copy()
            trial[free] += t * step
            try:
                new_value, new_scores = evaluate(trial)
                if new_value > value:
                    theta, value, scores = trial, new_value, new_scores
                    break
            except Infeasible:
                pass
            t *= 0.5
        else:
            break
    return theta
