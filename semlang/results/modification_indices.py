"""Modification indices: score tests of what a model fixes, shares or leaves out, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.at_nodes import NodesOfFit
from semlang.estimation.conditioning.assemble import is_gaussian
from semlang.estimation.conditioning.conditions import conditions, is_conditional, with_locations
from semlang.estimation.factors import blocks_of
from semlang.estimation.freed import Freed, at_once, freed, with_own_parameters
from semlang.estimation.layers import Layer, layers_of
from semlang.estimation.lifting import lift_residuals
from semlang.estimation.member import Infeasible
from semlang.graph.build import build_graphs
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.parameter_names import level_of
from semlang.model.table import ParameterTable, Row
from semlang.results.candidates import candidates, without_circles
from semlang.results.comparison import chi2_tail
from semlang.results.implied import Implied
from semlang.results.standardized import _ScalesAt
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["by_quadrature", "modification_indices", "scores_of"]

COLUMNS = ("lhs", "op", "rhs", "level", "group", "mi", "epc", "sepc.all", "p")


def modification_indices(fit: Fit, minimum: float = 0.0) -> Table:
    """Return the score test of each parameter that the model fixes, shares or leaves out.

    `mi` is the predicted fall of -2 log L when that parameter alone is freed, chi-squared with 1 degree of freedom if
    its restriction holds; `epc` the change of the parameter that it predicts, `sepc.all` the same in the units of the
    standardised solution. Gradient and information are those of the engine, for every kind of response. The
    information is the observed one, but the expected for complete gaussian data (lavaan's choice). Parameters that
    are not identified beside the others are left out, and so are regressions on responses that the model has not, but
    for gaussian responses of one level.

    Parameters
    ----------
    fit : Fit
    minimum : float
        Leave smaller indices out.

    Returns
    -------
    Table
        ``lhs op rhs level group mi epc sepc.all p``, largest first.

    Raises
    ------
    FitError
        ``no-score-test`` where the likelihood has no derivatives at the estimates.

    References
    ----------
    Sorbom (1989), Psychometrika 54, 371-384.
    """
    rows = candidates(fit.table, fit.graphs)
    if by_quadrature(fit) or fit.table.clusters:  # there the observed values of responses would be covariates
        written = {r.id for r in fit.table.rows}
        rows = [r for r in rows if r.id in written or not any(c.response for c in r.via)]
    scales = [] if is_conditional(fit.table) else _scales(fit)
    records: list[dict[str, Any]] = []
    for part in (p for acyclic in without_circles(rows, fit.graphs) for p in _together(fit, acyclic)):
        found = scores_of(fit, part, vcov=fit.estimate.vcov if fit.estimate.se == "observed" else None)
        for k, row in enumerate(part):
            answer = found.single(k)
            if answer is None or answer[0] < minimum:
                continue
            factor = np.nan
            if scales:
                with np.errstate(divide="ignore", invalid="ignore"):
                    factor = float(np.real(scales[row.group - 1].factor(row)))
            records.append(
                {"lhs": row.lhs, "op": row.op, "rhs": _shown(row), "level": level_of(fit.table, row),
                 "group": fit.table.groups[row.group - 1] if fit.table.groups != ("",) else "",
                 "mi": answer[0], "epc": answer[1],
                 "sepc.all": answer[1] * factor if np.isfinite(factor) else None,
                 "p": chi2_tail(answer[0], 1)}
            )  # fmt: skip
    records.sort(key=lambda r: -float(r["mi"]))
    notes = () if scales else ("sepc.all is left out: variables have no one SD beside classes or products",)
    return Table.of(COLUMNS, records, notes, "Modification indices")


def _scales(fit: Fit) -> list[_ScalesAt]:
    theta = fit.estimate.theta.astype(np.complex128)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [_ScalesAt(Implied(g, d), "all", theta) for g, d in zip(fit.graphs, fit.designs, strict=True)]


def _shown(row: Row) -> str:
    """Return the right side, with the class that the row is of."""
    return f"{row.rhs} (class {row.klass})" if row.klass else row.rhs


def by_quadrature(fit: Fit) -> bool:
    """Whether the fit's engine was quadrature."""
    plan = fit.estimate.plan
    return plan is None or any(g.engine != "closed form" for g in plan.groups)


def scores_of(fit: Fit, rows: Sequence[Row], **more: Any) -> Freed:
    """Return scores and information of some rows.

    Raises
    ------
    FitError
        ``no-score-test``.
    """
    quadrature = by_quadrature(fit)
    vcov = fit.estimate.vcov
    border = None if vcov is None else np.isnan(np.diag(vcov))
    try:
        return freed(
            fit.table, fit.designs, fit.estimate.theta, rows, quadrature=quadrature, points=fit.estimate.points,
            nodes=_nodes(fit), observed=quadrature, border=border, **more,
        )  # fmt: skip
    except (Infeasible, np.linalg.LinAlgError) as problem:
        raise FitError(
            [error("no-score-test", f"the likelihood has no derivatives at the estimates: {problem}",
                   help="leave out the variance that is estimated at zero, and fit again")]
        ) from None  # fmt: skip


def _nodes(fit: Fit) -> NodesOfFit | None:
    """Return what is known of the nodes of a fit, where score tests can be had from one pass over nodes."""
    estimate = fit.estimate
    if is_conditional(fit.table) or estimate.points in (None, 1):
        return None
    product = not estimate.engines and estimate.spread is None
    return NodesOfFit(estimate.loglik, estimate.points if product else None)


def _together(fit: Fit, rows: list[Row]) -> list[list[Row]]:
    """Cut the rows into parts that are tested in one evaluation: those that change nothing of the integration."""
    if not rows:
        return []
    if not by_quadrature(fit) or (is_conditional(fit.table) and is_gaussian(fit.table)):
        return [rows]
    if _nodes(fit) is not None and at_once(fit.table, fit.designs, fit.estimate.points):
        return [rows]
    easy = [r for r in rows if r.parameter >= 0 or r.op in ("~1", "|") or (r.op == "~" and not r.source)]
    same = _layers(fit.table)

    def grown(easy: list[Row], more: list[Row]) -> list[Row]:
        """Add those that change nothing, as many at once as can be."""
        if not more or _layers(with_own_parameters(fit.table, [*easy, *more])[0]) == same:
            return [*easy, *more]
        half = len(more) // 2
        return grown(grown(easy, more[:half]), more[half:]) if half else easy

    easy = grown(easy, [r for r in rows if r not in easy])
    return [*([easy] if easy else []), *([r] for r in rows if r not in easy)]


def _layers(table: ParameterTable) -> list[Any]:
    """Return what is integrated over in each group, or in each combination of states and by nodes."""
    if not is_conditional(table):
        return [_of_form(reduced_form(graph), table) for graph in build_graphs(table)]
    extended, _ = with_locations(table)
    found = [conditions(extended, n) for n, _ in enumerate(table.groups, 1)]
    return [(c.continuous, [_of_form(x.form, table) for x in c.configurations]) for c in found]


def _of_form(form: ReducedForm, table: ParameterTable) -> tuple[Layer, ...]:
    lifted, residuals = lift_residuals(form)
    return layers_of(lifted, residuals, table.levels) if blocks_of(lifted.psi) else ()
