"""Maximum likelihood estimation of a model: plan, start values, optimisation, points, standard errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from semlang.data.design import Design
from semlang.estimation import memory
from semlang.estimation.border import singular_blocks
from semlang.estimation.climb import Climb
from semlang.estimation.conditioning.ordering import renumbering
from semlang.estimation.covariance import carried
from semlang.estimation.kernels.compilation import compilation
from semlang.estimation.layers import layers_of
from semlang.estimation.optimize import Optimum
from semlang.estimation.outcome import Estimate
from semlang.estimation.partitions.parts import Parts
from semlang.estimation.plan import afterwards
from semlang.estimation.planned import SPARSE
from semlang.estimation.setting import Setting
from semlang.estimation.sizes import units_of_covariances
from semlang.estimation.slopes import slopes_of
from semlang.estimation.tally import class_sizes, defined_estimates
from semlang.estimation.uncertainty import Uncertainty, refuse_cluster
from semlang.graph.model_graph import ModelGraph
from semlang.interrupts import held
from semlang.model.table import ParameterTable

__all__ = ["estimate"]

Floats = NDArray[np.float64]


def estimate(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design],
    *,
    points: int | None = None,
    se: str = "observed",
    start: Mapping[str, float] | None = None,
    cluster: str | None = None,
    threads: int | None = None,
    progress: Callable[[str], None] | None = None,
    checkpoint: str | Path | None = None,
    parts: Parts | None = None,
    best_so_far: bool = False,
) -> Estimate:
    """Maximise the log-likelihood.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
        One a group.
    designs : sequence of Design
        One a group.
    points : int, optional
        Exactly this number of quadrature points per dimension (one is Laplace); default 7, raised until the
        log-likelihood at the optimum moves by less than 0.001.
    se : {'observed', 'robust', 'opg', 'none'}
    start : mapping from label or ``lhs op rhs`` to float, optional
    cluster : str, optional
        Cluster whose units are independent in robust standard errors, if coarser than the model's.
    threads : int, optional
    progress : callable, optional
        Takes a line of text.
    checkpoint : str or Path, optional
        File that the best point so far is written to, and that a fit of the same model and data begins from.
    parts : Parts, optional
        All of the data, in partitions; designs are then the first rows of each.
    best_so_far : bool
        Whether an interrupt (Ctrl-C) gives the best point so far, marked as such; else whoever fits again and again is
        interrupted, too.

    Raises
    ------
    FitError
        If the model can not be estimated from these data. Failures of the optimiser are findings of the result.
    """
    before, compilation.tell = compilation.seconds, progress
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            setting = Setting(table, graphs, designs, points, start, threads, progress, checkpoint, parts)
            found = _fitted(setting, se, cluster, best_so_far)
    finally:
        compilation.tell = None
    return replace(found, compiling=compilation.seconds - before)


@cache
def _libraries() -> ThreadpoolController:
    """Return the linear algebra libraries of the process; finding them takes 3 ms."""
    import scipy.linalg  # noqa: F401  has a library of its own

    return ThreadpoolController()


def _fitted(setting: Setting, se: str, cluster: str | None, best_so_far: bool) -> Estimate:
    """Estimate; an interrupted fit gives the best point so far, marked as such and without standard errors."""
    interrupted = False
    refuse_cluster(setting, se, cluster)
    climb = Climb(setting, curvature=se != "none")
    try:
        best = climb.run()
    except KeyboardInterrupt:
        if not best_so_far:
            raise
        best, se, interrupted = climb.interrupted(), "none", True
    findings, inside = climb.findings, climb.objective.inside(best.z)
    uncertainty = Uncertainty(climb, se, cluster)
    try:
        problem = setting.checkpoint.write()
        if problem is not None:
            findings.add(problem)
        if se != "none":
            setting.narrator.remark("standard errors")
        inside, vcov_inside, scores = uncertainty.run(best, inside)
    except KeyboardInterrupt:  # the estimates are there
        if not best_so_far:
            raise
        interrupted = True
        vcov_inside, scores = None, None
        findings.warn("no-standard-errors", "the fit was interrupted before the standard errors were there")
    with held() as late:
        found = _outcome(climb, best, uncertainty, inside, vcov_inside, scores)
    if late.came and not best_so_far:
        raise KeyboardInterrupt
    return replace(found, interrupted=interrupted or late.came)


def _outcome(
    climb: Climb, best: Optimum, uncertainty: Uncertainty, inside: Floats, vcov_inside: Floats | None,
    scores: Floats | None,
) -> Estimate:  # fmt: skip
    """Return what was found, in the table's parameters."""
    setting, objective, findings, table = climb.setting, climb.objective, climb.findings, climb.setting.table
    memory.release()
    limits, closed = uncertainty.limits, uncertainty.closed
    theta, vcov = inside, vcov_inside
    if setting.frame is not None:
        theta, vcov, scores = setting.frame.carried(inside, vcov_inside, scores)
    sizes, weights = class_sizes(objective, best.z)
    findings.alike_classes(climb.starts)
    findings.empty_classes(sizes, weights)
    empty = any(d.slug == "empty-class" for d in findings.found)
    if setting.separation is not None:
        gone = [*setting.separation.limits, *setting.separation.lost]
        far = setting.separation.far_out(inside)
        theta = far if setting.frame is None else setting.frame.theta(far)
        if vcov is not None:
            vcov[gone], vcov[:, gone] = np.nan, np.nan
    by_size = None if empty else renumbering(table, theta, sizes, limits, setting.user)
    if by_size is not None:
        theta, T, order, limits = by_size
        vcov = None if vcov is None else carried(T, vcov)
        scores = None if scores is None else scores @ np.linalg.inv(T)
        sizes |= {key: tuple(sizes[key][k] for k in new) for key, new in order.items()}
        closed = frozenset(np.flatnonzero(T[:, sorted(closed)].any(axis=1)).tolist())
    findings.limits(limits, closed)  # by the numbers that classes have now
    converged = best.converged and not any(d.is_error for d in findings.found)
    counts = setting.tally(objective)
    units = units_of_covariances(setting.parts[0], setting.parts[2], inside)
    findings.variances(theta, {p: float(inside[p]) / unit for p, unit in units.items()}, not setting.quadrature)
    singular = singular_blocks((*objective.parametrisation.blocks, *setting.unfactored(objective)), inside)
    findings.singular(singular)
    findings.singular_somewhere(setting.moderations, theta)
    return Estimate(
        theta=theta, vcov=vcov, inside=None if setting.frame is None else (inside, vcov_inside),
        slopes=slopes_of(*setting.inside),
        loglik=best.value, converged=converged, method=_method(climb), se=uncertainty.se,
        points=_points(climb),
        spread=climb.nodes.spread if climb.nodes is not None else None,
        points_history=tuple(climb.history), n_free=setting.constraints.n_free, n_rows=round(counts.rows),
        n_rows_read=counts.read, left_out=counts.left_out, n_clusters=counts.units, n_top=counts.top,
        log=tuple(setting.narrator.log), defined=defined_estimates(table, theta, vcov), scores=scores,
        dropped=dict(counts.dropped),
        starts=climb.starts,
        finished=climb.tried,
        agreed=climb.agreed,
        class_sizes=sizes,
        limits=limits if setting.separation is None else setting.separation.limits,
        border=tuple(sorted({p for block in singular for p in block.parameters})),
        diagnostics=tuple(findings.found), plan=setting.plan,
    )  # fmt: skip


def _points(climb: Climb) -> int | None:
    """Return the points a dimension; of adaptive nodes that stand in afterwards where variables were eliminated."""
    setting = climb.setting
    if not setting.quadrature or not setting.plan.points:
        return None
    if all(g.engine != "variable elimination" for g in setting.plan.groups):
        return climb.points
    layers = [layers_of(form, (), setting.table.levels) for form in setting.forms]
    dims = max(sum(layer.dims for layer in of_group) for of_group in layers)
    return afterwards(dims, sum(g.rows or 0 for g in setting.plan.groups))


def _method(climb: Climb) -> str:
    """One line that says how the likelihood was computed in the end."""
    if climb.nodes is None:
        return climb.setting.plan.method
    if any(g.engine == SPARSE for g in climb.setting.plan.groups):
        return "maximum likelihood, adaptive sparse grid (Smolyak) at posterior means and covariances"
    return f"maximum likelihood, nodes at posterior means and SDs ({climb.nodes} points)"
