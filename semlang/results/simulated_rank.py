"""Identification by simulation: the rank of the scores of simulated units at random points.

The expected information of a unit at theta is I = E s s', s the score of its log-likelihood. A model is locally
identified at theta where I has full rank (Rothenberg 1971, theorem 1), and where it has full rank at one point, it has
so at almost all. Units are simulated at theta, and the singular values of their scores (each parameter's column of
unit length) are those of I but for sampling, which changes no direction that is zero for every unit. Errors of
integration are told from information by a second, finer rule: they shrink with it, information does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.names import Names
from semlang.checks.identification.report import (
    IDENTIFIED,
    NOT_IDENTIFIED,
    SHAPE_ONLY,
    UNDETERMINED,
    Identification,
    Reason,
)
from semlang.checks.identification.typical import typical_point
from semlang.checks.verdict import deficient
from semlang.data.design import Design
from semlang.data.placeholder import ALTERNATIVES, placeholder
from semlang.data.some_units import some_units
from semlang.diagnostics import Diagnostic
from semlang.errors import SemlangError
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.member import Infeasible
from semlang.estimation.moderation import refuse_known
from semlang.estimation.objective import Objective
from semlang.estimation.plan import plan
from semlang.estimation.tangent import tangent_basis
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable
from semlang.results.simulate import Population

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FEW", "decided", "identify_by_simulation", "simulated_frame"]

Floats = NDArray[np.float64]

FEW = 3
"""Categories of ordinal responses that neither data nor thresholds say."""
UNITS = 12
"""Simulated units a parameter, see `units_for`."""
LARGEST = 60
"""Parameters up to which the rank is computed."""
WORK = 3e7
"""Largest number of densities of one evaluation: records x nodes."""
DRAWS = 2
RULES = {0: (1, 1), 1: (9, 31), 2: (7, 17), 3: (5, 11)}
"""Points a dimension of the two rules, by the number of dimensions."""
ZERO = 1e-6
"""Singular values below this part of the largest are zero whatever the rule."""
CLEAR = 0.03
"""Above this part of the largest, the coarser rule alone decides: its errors are smaller."""
FADES = 0.2
"""A small singular value that the finer rule leaves below this part of what it was is an error of integration."""
STABLE = 0.5
"""A singular value that the finer rule leaves above this part of what it was is information."""
WEAK = 1e-3
"""Singular values below this part of the largest are information that no usual sample has enough of."""


@dataclass(frozen=True)
class _Ranked:
    """Singular values (n,) of scores with columns of unit length, and the directions (P, n) that they belong to."""

    values: Floats
    directions: Floats

    @property
    def parts(self) -> Floats:
        """Singular values as parts of the largest."""
        largest = self.values[:1].max(initial=0.0)
        return self.values / largest if largest > 0 else self.values

    @property
    def smallest(self) -> float:
        """The smallest part, one where there is no parameter."""
        return float(self.parts[-1:].min(initial=1.0))


def units_for(n_parameters: int) -> int:
    """Return how many units are simulated."""
    return max(200, UNITS * n_parameters)


def simulated_frame(table: ParameterTable) -> pd.DataFrame:
    """Return a balanced frame of enough units for a model that has no data.

    Raises
    ------
    DataError
        Where a column can't be made up.
    """
    n, below = units_for(table.n_parameters), len(table.clusters)
    sets = any(v.kind.sets or v.kind.composite for v in table.responses)
    inside = 2 * ALTERNATIVES if sets else 4
    sizes = (n * (ALTERNATIVES if sets else 1),) if not below else (n, *(2,) * (below - 1), inside)
    return placeholder(table, sizes, np.random.default_rng(43), generic=True)


def decided(
    found: Sequence[Diagnostic], table: ParameterTable, graphs: Sequence[ModelGraph], designs: Sequence[Design]
) -> tuple[Diagnostic, ...]:
    """Return findings in which simulation has decided what was undetermined, as far as it can."""
    others = tuple(d for d in found if d.slug != "identification-undetermined")
    why = " ".join(n for d in found if d.slug == "identification-undetermined" for n in d.notes or (d.message,))
    answer = identify_by_simulation(table, graphs, designs, Identification(UNDETERMINED, why, table.n_parameters))
    return others if answer.verdict == IDENTIFIED else (*others, *deficient(table, answer))


def identify_by_simulation(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design],
    before: Identification,
) -> Identification:
    """Return the verdict where the moments gave none; it stays undetermined, with what would decide, where this fails.

    Parameters
    ----------
    table, graphs, designs
        The model and the data; responses are simulated, the rest counts.
    before : Identification
        The verdict that the moments left open.

    References
    ----------
    Rothenberg (1971), Econometrica 39, theorem 1; McHugh (1956), Psychometrika 21; Huang and Bandeen-Roche (2004),
    Psychometrika 69.
    """
    if table.n_parameters > LARGEST:
        return _open(before, f"the rank of the information was not computed for {table.n_parameters} parameters")
    try:
        constraints = Constraints(table)
        found: list[tuple[_Ranked, _Ranked]] = []
        for draw in range(DRAWS):
            found.append(_at_point(table, graphs, designs, constraints, np.random.default_rng([43, draw])))
            if found[-1][1].smallest > CLEAR:
                break
    except _TooMuchError as problem:
        return _open(before, str(problem))
    except KeyError as name:  # an error of `check`, beside which the table stands
        return _open(before, f"a constraint names {name}, which is no parameter")
    except (SemlangError, Infeasible, np.linalg.LinAlgError) as problem:
        first = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        return _open(before, f"no units could be simulated ({first})")
    return _verdict(table, before, found)


class _TooMuchError(Exception):
    """More work than the budget."""


def _at_point(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design],
    constraints: Constraints,
    rng: np.random.Generator,
) -> tuple[_Ranked, _Ranked]:
    """Return what the scores say at one random point, by two rules of integration."""
    n = max(1, units_for(table.n_parameters) // len(designs))
    some = [some_units(d, n, rng) for d in designs]
    theta = _on_constraints(constraints, _in_units(table, some, typical_point(table, rng)))
    population = Population(table, graphs, some, theta, rng)
    fewest = min(d.n_units(table.levels[-1]) for d in some)
    samples = [population.draw_designs(rng) for _ in range(-(-n // max(fewest, 1)))]  # few units are drawn repeatedly
    drawn = samples[0]
    planned = plan(table, graphs, drawn)
    refuse_known(planned, graphs)
    dims = max(g.dims for g in planned.groups)
    if dims not in RULES:
        raise _TooMuchError(f"the rank of the information was not computed in {dims} dimensions of integration")
    quadrature = any(g.engine != "closed form" for g in planned.groups)
    out: list[_Ranked] = []
    for points in RULES[dims]:
        states = max(g.nodes for g in plan(table, graphs, drawn, points).groups)
        if len(samples) * states * sum(d.n_rows * len(d.responses) for d in drawn) > WORK:
            raise _TooMuchError("the rank of the information would take more than about a second")
        objectives = [
            assemble(table, graphs, sample, constraints, quadrature, points, 1, scaled=False, own=True)
            for sample in samples
        ]
        out.append(_ranked(objectives, constraints, theta))
        if out[0].smallest > CLEAR or dims == 0:
            break
    return out[0], out[-1]


def _in_units(table: ParameterTable, designs: Sequence[Design], theta: Floats) -> Floats:
    """Return the point at which covariates move variances and covariances of latent variables in any unit a little."""
    out = theta.copy()
    for row in table.rows:
        if row.parameter >= 0 and row.quantity and row.via and table.variables[row.target].is_normal:
            largest = max(float(np.nanmax(np.abs(d.columns[row.via]), initial=1.0)) for d in designs)
            out[row.parameter] = theta[row.parameter] / largest
    return out


def _on_constraints(constraints: Constraints, theta: Floats) -> Floats:
    """Return the point on the nonlinear equality constraints that steps of least length lead to."""
    equalities = [c for c in constraints.nonlinear if c.equality]
    for _ in range(30 if equalities else 0):
        at = [c.function(theta) for c in equalities]
        gap, rows = np.array([v for v, _ in at]), np.array([g for _, g in at])
        basis = constraints.basis
        theta = theta - basis @ (np.linalg.pinv(rows @ basis) @ gap)
    return theta


def _ranked(objectives: list[Objective], constraints: Constraints, theta: Floats) -> _Ranked:
    """Return what the scores of the units of several samples say."""
    z = objectives[0].z(theta)
    parts: list[Floats] = []
    for objective in objectives:
        objective.move(z)
        parts.append(objective.value_and_scores(z)[1])
    scores, basis = np.concatenate(parts), objectives[0].basis
    equalities = [c for c in constraints.nonlinear if c.equality]
    if equalities:
        inside = tangent_basis(np.array([c.function(theta)[1] for c in equalities]) @ basis)
        scores, basis = scores @ inside, basis @ inside
    length = np.linalg.norm(scores, axis=0)
    if not np.isfinite(length).all():
        raise Infeasible("the scores are not finite")
    length = np.where(length > 0, length, 1.0)
    _, values, vt = np.linalg.svd(scores / length, full_matrices=True)
    values = np.concatenate([values, np.zeros(len(vt) - values.size)])
    return _Ranked(values, basis @ (vt.T / length[:, None]))


def _verdict(table: ParameterTable, before: Identification, found: list[tuple[_Ranked, _Ranked]]) -> Identification:
    names = Names(table)
    n = found[0][1].values.size
    ranks, smallest, unclear = [], [], []
    for coarse, fine in found:
        part, was = fine.parts, coarse.parts
        real = (part > ZERO) & (part > STABLE * was)
        null = (part <= ZERO) | ((part <= WEAK) & (part < FADES * was))
        ranks.append(int(real.sum()))
        unclear.append(int((~real & ~null).sum()))
        smallest.append(fine.smallest)
    best = int(np.argmax(ranks))
    rank = ranks[best]
    at = "a random point" if len(found) == 1 else f"{len(found)} random points"
    seen = f"the scores of simulated units have rank {rank} of {n} at {at}"
    if rank == n:
        size = max(smallest)
        parameters = [p for p in range(table.n_parameters) if names.rows(p)]
        rules = tuple(Reason(names.triple(p), names.text(p), "rank of the information") for p in parameters)
        known = tuple(names.triple(p) for p in parameters)
        if size >= WEAK:
            why = f"Locally identified: {seen} (smallest singular value {size:.2g} of the largest)."
            return Identification(IDENTIFIED, why, n, n, identified=known, rules=rules, notes=before.notes)
        why = (
            f"Locally identified, but hardly: {seen}, and the smallest singular value is {size:.0e} of "
            "the largest: no sample is large enough for that in practice."
        )
        weak = _moving(found[best][1], n - 1)
        return _deficient(SHAPE_ONLY, why, n, n, weak, names, before)
    if unclear[best]:
        return _open(before, f"{seen}, and errors of integration hide whether the rest is zero")
    why = f"Not identified: {seen}."
    return _deficient(NOT_IDENTIFIED, why, n, rank, _moving(found[best][1], rank), names, before)


def _moving(ranked: _Ranked, rank: int) -> list[int]:
    """Return the parameters that the directions after the first `rank` move."""
    size = np.abs(ranked.directions[:, rank:])
    size = size / np.maximum(size.max(axis=0), 1e-300)
    return np.flatnonzero((size > 1e-3).any(axis=1)).tolist()


def _deficient(
    verdict: str, why: str, n: int, rank: int, moving: list[int], names: Names, before: Identification
) -> Identification:
    moving = [p for p in moving if names.rows(p)]
    still = [p for p in range(names.table.n_parameters) if names.rows(p) and p not in set(moving)]
    ways = "one direction" if n - rank <= 1 else f"{n - rank} directions"
    return Identification(
        verdict, why, n, rank,
        unidentified=tuple(names.triple(p) for p in moving), parameters=tuple(moving),
        identified=tuple(names.triple(p) for p in still),
        sets=(tuple(names.triple(p) for p in moving),) if moving else (),
        directions=(f"in {ways} the likelihood of no unit changes",) if moving else (),
        set_names=(tuple(names.text(p) for p in moving),) if moving else (),
        identified_names=tuple(names.text(p) for p in still),
        notes=before.notes,
    )  # fmt: skip


def _open(before: Identification, why: str) -> Identification:
    return replace(before, verdict=UNDETERMINED, why=f"{before.why} Beyond the moments, {why}.")
