"""Score tests: the gradient and the information of a model in which fixed or shared parameters are free.

With s the score of the new parameters at the estimates of the model, I the information and z the parameters that were
free all along,

    T = u' V^-1 u,   u = s - I_sz I_zz^-1 s_z,   V = I_ss - I_sz I_zz^-1 I_zs,

is asymptotically chi-squared; -V^-1 u predicts how far the new parameters would move (Rao 1948; Sorbom 1989). Gradient
and information are those of the engine that fitted the model, whichever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.curvature import Curvature
from semlang.data.design import Design
from semlang.estimation.assemble import assemble
from semlang.estimation.at_nodes import AtNodes, NodesOfFit, all_have_louis, at_nodes, not_identified
from semlang.estimation.constraints import Constraints
from semlang.estimation.gaussian.one_level import OneLevel
from semlang.estimation.gaussian.two_level import TwoLevel
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import MANY_UNITS, ONE_SIDED, SHORTER
from semlang.estimation.planned import SPARSE
from semlang.graph.build import build_graphs
from semlang.matrices.build import reduced_form
from semlang.model.table import ParameterTable, Relation, Row

__all__ = ["Freed", "at_once", "freed", "with_own_parameters"]

Floats = NDArray[np.float64]

STEP = 3e-3
"""Step of the differences of the gradient, as a multiple of a parameter's standard error were all others known."""

SINGULAR = 1e-6
"""A new parameter whose information given the others is a smaller part of its own is not identified beside them."""

DOUBTFUL = 1e-2
"""One for which that part is smaller is looked at by itself, where the information is from two sources."""


@dataclass(frozen=True)
class Freed:
    """Scores and information of new parameters beside those of the fit.

    Parameters
    ----------
    u : (n,) floats
        Scores of the new parameters, those of the others swept out.
    V : (n, n) floats
        Their information, that of the others swept out.
    own : (n,) floats
        Their information were all others known.
    substitute : Freed, optional
        The same from the outer product of the scores, which is never indefinite: taken where the observed information
        is, far from the maximum of the larger model.
    """

    u: Floats
    V: Floats
    own: Floats
    substitute: Freed | None = None

    def single(self, k: int) -> tuple[float, float] | None:
        """Return the statistic and predicted change of one new parameter; None where it is not identified."""
        v = float(self.V[k, k])
        if not v > SINGULAR * float(self.own[k]):
            return None if self.substitute is None else self.substitute.single(k)
        return float(self.u[k]) ** 2 / v, float(self.u[k]) / v

    def joint(self) -> tuple[float, int, Floats]:
        """Return the statistic of all new parameters, its degrees of freedom (the rank of V) and the changes."""
        scale = np.sqrt(np.maximum(self.own, 1e-300))
        values, vectors = np.linalg.eigh(self.V / np.outer(scale, scale))
        if values.min(initial=0.0) < -SINGULAR and self.substitute is not None:
            return self.substitute.joint()
        kept = values > SINGULAR
        turned = vectors[:, kept].T @ (self.u / scale)
        change = vectors[:, kept] @ (turned / values[kept]) / scale
        return float(np.sum(turned**2 / values[kept])), int(kept.sum()), change


def with_own_parameters(table: ParameterTable, rows: Sequence[Row]) -> tuple[ParameterTable, list[float]]:
    """Return the table in which each of the rows has a parameter of its own, and the values of these in the fit.

    Parameters
    ----------
    table : ParameterTable
    rows : sequence of Row
        Rows of the table (by `id`), or new ones, whose `ustart` is their value.
    """
    new = {row.id: k for k, row in enumerate(rows)}
    known = {row.id for row in table.rows}
    n = table.n_parameters
    label = {row.id: row.label for row in rows if row.parameter < 0}
    kept = [
        row._replace(parameter=n + new[row.id], free=1, label=label.get(row.id, "")) if row.id in new else row
        for row in table.rows
    ]
    added = [row._replace(parameter=n + new[row.id], free=1) for row in rows if row.id not in known]
    extended = replace(table, rows=(*kept, *added), n_parameters=n + len(rows))
    return extended, [row.ustart or 0.0 for row in rows]


def at_once(table: ParameterTable, designs: Sequence[Design], points: int | None) -> bool:
    """Whether scores and information of any rows are one pass over nodes, see `at_nodes`."""
    engines = [SPARSE] * len(designs)
    objective = assemble(table, build_graphs(table), designs, Constraints(table), True, points, 1, engines=engines)
    return all_have_louis(objective)


def freed(
    table: ParameterTable,
    designs: Sequence[Design],
    theta: Floats,
    rows: Sequence[Row],
    *,
    quadrature: bool,
    points: int | None,
    nodes: NodesOfFit | None = None,
    released: Sequence[Relation] = (),
    observed: bool = True,
    border: NDArray[np.bool_] | None = None,
    vcov: Floats | None = None,
) -> Freed:
    """Return scores and information of rows that get parameters of their own, at the estimates of a fit.

    Parameters
    ----------
    table : ParameterTable
        Of the fit.
    designs : sequence of Design
    theta : (P,) floats
        Estimates.
    rows : sequence of Row
        See `with_own_parameters`.
    quadrature : bool
        Which engine fitted the model.
    points : int or None
    nodes : NodesOfFit, optional
        Take scores and information from one pass over nodes, where these have Louis' formula.
    released : sequence of Relation
        Equality constraints that are tested, too: each is one further parameter.
    observed : bool
        The observed information, else the expected where it has a form.
    border : (P,) bools, optional
        Parameters on the border of their space: they stay there, for their scores are not zero.
    vcov : (P, P) floats, optional
        Inverse of the observed information of the fit, which then need not be computed again.

    Raises
    ------
    Infeasible
        Where the model has no density at the estimates in its own parameters (a variance at zero).
    """
    n = theta.size
    extended, values = with_own_parameters(table, rows)
    came_from = np.array([row.parameter for row in rows], dtype=np.int64)
    at = np.concatenate([theta, np.where(came_from >= 0, theta[came_from] if n else 0.0, values)])
    free = Constraints(replace(extended, relations=()))
    by_nodes = nodes is not None and quadrature and points != 1
    engines = [SPARSE] * len(designs) if by_nodes else ()
    objective = assemble(
        extended, build_graphs(extended), designs, free, quadrature, points, 1, own=True, engines=engines
    )

    def spread(directions: Floats) -> Floats:
        """Let what was split off a parameter move with it."""
        copies = np.where(came_from[:, None] >= 0, directions[came_from] if n else 0.0, 0.0)
        return np.vstack([directions, copies.reshape(len(rows), directions.shape[1])])

    basis = Constraints(table).basis
    old = spread(basis)
    fixed = np.zeros(basis.shape[1], dtype=bool) if border is None else np.any((basis != 0) & border[:, None], axis=0)
    old = old[:, ~fixed]
    new = np.eye(at.size)[:, n:]
    if released:
        kept = replace(table, relations=tuple(r for r in table.relations if r not in released))
        new = np.column_stack([spread(_rest(Constraints(kept).basis, basis)), new])
    both = np.column_stack([old, new])
    found_at_nodes = at_nodes(objective, at, nodes) if by_nodes and nodes is not None else None
    if found_at_nodes is not None:
        return _by_nodes(objective, found_at_nodes, both, old.shape[1])
    if engines:  # sets of rows: differences, at nodes of a product
        objective = assemble(extended, build_graphs(extended), designs, free, quadrature, points, 1, own=True)
    for member in objective.members:
        member.move(at)
    _, scores = objective.value_and_scores(at)
    gradient = scores.sum(axis=0)
    g = both.T @ gradient
    whole = None if observed else _expected(extended, designs, at)
    if whole is not None:
        return _swept(g, both.T @ whole @ both, old.shape[1])
    opg = _swept(g, objective.outer_product(scores @ both), old.shape[1])
    known = None if vcov is None or released else _known(basis[:, ~fixed], vcov)
    information = _observed(objective, at, both, scores, known)
    found = _swept(g, information, old.shape[1])
    if known is not None:
        found = _looked_at(found, objective, at, both, information)
    return replace(found, substitute=opg)


def _by_nodes(objective: Objective, found: AtNodes, both: Floats, old: int) -> Freed:
    """Sweep out what one pass over nodes gives; what is not identified beside the others has no information."""
    g = both.T @ found.scores.sum(axis=0)
    observed = _swept(g, -both.T @ found.hessian @ both, old)
    outer = _swept(g, objective.outer_product(found.scores @ both), old)
    gone = not_identified(found.moments @ both, old)
    for part in (observed, outer):
        part.V[gone, gone] = 0.0
    return replace(observed, substitute=outer)


def _looked_at(found: Freed, objective: Objective, at: Floats, both: Floats, information: Floats) -> Freed:
    """Measure the curvature along new parameters that hardly differ from the others, which move along.

    Information of two sources does not show that it is zero. An error of the direction counts in second order.
    """
    V, old = found.V.copy(), information.shape[0] - found.u.size
    for k in np.flatnonzero(np.diag(V) < DOUBTFUL * found.own):
        d = np.zeros(information.shape[0])
        d[old + k] = 1.0
        d[:old] = -np.linalg.solve(information[:old, :old], information[:old, old + k])
        step = STEP / np.sqrt(max(float(found.own[k]), 1e-300))
        ends = [objective.value_and_gradient(at + sign * step * (both @ d))[1] @ (both @ d) for sign in (1.0, -1.0)]
        V[k, k] = (ends[1] - ends[0]) / (2.0 * step)
    return replace(found, V=V)


def _known(basis: Floats, vcov: Floats) -> Floats | None:
    """Return the information of the directions that were free all along; None where the fit has not that of all."""
    moved = basis.any(axis=1)
    vcov = vcov[np.ix_(moved, moved)]
    if not np.isfinite(vcov).all():
        return None
    left = np.linalg.pinv(basis[moved])
    found = Curvature(left @ vcov @ left.T)
    return found.inverse() if found.pivot > SINGULAR else None


def _swept(g: Floats, information: Floats, old: int) -> Freed:
    """Sweep the first `old` directions out."""
    z, s = slice(0, old), slice(old, g.size)
    scale = Curvature(information).scale[z]
    inverse = np.linalg.pinv(information[z, z] / np.outer(scale, scale), rcond=1e-10, hermitian=True)
    solved = inverse / np.outer(scale, scale) @ np.column_stack([information[z, s], g[z]])
    V = information[s, s] - information[s, z] @ solved[:, :-1]
    return Freed(g[s] - information[s, z] @ solved[:, -1], 0.5 * (V + V.T), np.diag(information)[s].copy())


def _expected(table: ParameterTable, designs: Sequence[Design], at: Floats) -> Floats | None:
    """Return the expected information of a gaussian model, where it has a form."""
    total = np.zeros((at.size, at.size))
    for graph, design in zip(build_graphs(table), designs, strict=True):
        form = reduced_form(graph, lift=True)
        engine = next((e for e in (OneLevel, TwoLevel) if e.supports(form, design)), None)
        if engine is None:
            return None
        total += engine(form, design).expected_information(at)
    return total


def _rest(larger: Floats, smaller: Floats) -> Floats:
    """Return directions of the larger space that are orthogonal to the smaller."""
    Q, _ = np.linalg.qr(smaller)
    left: Floats = larger - Q @ (Q.T @ larger)
    U, size, _ = np.linalg.svd(left, full_matrices=False)
    return np.asarray(U[:, size > 1e-8])


def _observed(objective: Objective, at: Floats, both: Floats, scores: Floats, known: Floats | None) -> Floats:
    """Return the observed information (k, k) in the directions of `both`, by differences of the exact gradient.

    That of the first ones may be known. Differences are those of one side where they are many, as in `optimize`.
    """
    hessian = objective.hessian(at) if objective.exact else None
    if hessian is not None:
        return np.asarray(-both.T @ hessian @ both)
    square = np.square(scores @ both).sum(axis=0)
    out = np.zeros((both.shape[1],) * 2)
    first = 0 if known is None else len(known)
    one_sided = out.shape[0] - first > ONE_SIDED or objective.multiplicity.size > MANY_UNITS
    steps = (SHORTER if one_sided else 1.0) * STEP / np.sqrt(np.maximum(square, 1e-300))
    centre = scores.sum(axis=0)
    for k in range(first, out.shape[0]):
        h = float(steps[k])
        sides: list[tuple[float, Floats]] = []
        for sign in (1.0, -1.0)[: 1 if one_sided else 2]:
            try:
                sides.append((sign * h, objective.value_and_gradient(at + sign * h * both[:, k])[1]))
            except (Infeasible, np.linalg.LinAlgError):
                continue
        if not sides:
            raise Infeasible("no neighbour of the estimates has a density")
        (a, ga), (b, gb) = [*sides, (0.0, centre)][:2]
        out[k] = -both.T @ (ga - gb) / (a - b)
    if known is not None:
        out[:first, :first] = known
        out[:first, first:] = out[first:, :first].T
    return 0.5 * (out + out.T)
