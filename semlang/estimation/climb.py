"""The way to the maximum: roads are coordinates, starts are one or many, nodes are shared or the units' own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import copy

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.ascent import Ascent, Unsettled
from semlang.estimation.closed_form import ClosedForm
from semlang.estimation.conditioning.search import limits_at, many_starts, pulled_in, run_at_limits
from semlang.estimation.conditioning.starts import Starts, climbed, rivals
from semlang.estimation.constraints import Nonlinear
from semlang.estimation.factors import blocks_of
from semlang.estimation.findings import FindingsOfFit
from semlang.estimation.gaussian.nested import Nested
from semlang.estimation.kernels.families import MIXTURES
from semlang.estimation.member import Infeasible
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Optimum
from semlang.estimation.partitions.partitioned import Partitioned
from semlang.estimation.placing import Nodes
from semlang.estimation.scaling import Scaled
from semlang.estimation.setting import Setting
from semlang.estimation.signs import turned_over
from semlang.estimation.start import start_values
from semlang.estimation.starts import compete, perturbed
from semlang.graph.condition import discrete_variables

__all__ = ["Climb"]

Floats = NDArray[np.float64]

DEFAULT_STARTS = 20
"""Starts of a model with discrete latent variables."""

CONSTRAINED_STARTS = 4
"""Starts of a model with nonlinear equalities, before signs are turned."""


class Climb:
    """Looks for the maximum of the log-likelihood of a setting.

    Parameters
    ----------
    setting : Setting
    curvature : bool
        Whether the observed information is wanted at the maximum.

    Attributes
    ----------
    objective : Objective
        The function that was maximised in the end.
    findings : FindingsOfFit
    starts, tried, agreed : int
        Number of starts, how many of them were followed to the end, and how many reached the best log-likelihood.
    history : list of (int, float)
        Log-likelihood at the optimum with more points.
    points : int or None
    nodes : Nodes or None
        Where nodes stood still.
    constraints : tuple of Nonlinear
        What the climb was held by: the table's constraints and bounds, and borders of covariance matrices.
    other : (P,) floats and float, or None
        Where nodes led that have not settled, and the log-likelihood there by these.
    """

    def __init__(self, setting: Setting, curvature: bool) -> None:
        self.setting, self.curvature = setting, curvature
        self.findings = setting.findings
        self.begin = setting.checkpoint.road  # of a fit that is resumed
        self.objective = setting.objective()
        for member in self.objective.members:
            setting.refuse_more_states(member)
        discrete = bool(discrete_variables(setting.table))
        self.starts = max(1, int(setting.table.options.get("starts") or (DEFAULT_STARTS if discrete else 1)))
        self.agreed = 1
        self.tried = 1
        self.history: list[tuple[int, float]] = []
        self.points = setting.plan.points
        self.nodes: Nodes | None = None
        self.constraints: tuple[Nonlinear, ...] = ()
        self.other: tuple[Floats, float] | None = None

    def run(self) -> Optimum:
        """Climb with the engine that was planned, or with adaptive nodes where shared ones are too coarse."""
        try:
            return self._climb()
        except Unsettled as so_far:
            self.setting.narrator.say("adaptive nodes: the shared ones do not settle")
            if so_far.best is not None:
                self.other = self.objective.inside(so_far.best.z), so_far.best.value
            self.setting.without_shared_nodes()
            self.objective = self.setting.objective()
            return self._climb()

    def interrupted(self) -> Optimum:
        """Return the best point so far, if there is one, where the user has interrupted the climb."""
        if self.setting.checkpoint.best is None:
            raise KeyboardInterrupt
        self.objective, z, value = self.setting.checkpoint.best
        self.points = self.setting.plan.points
        self.findings = FindingsOfFit(self.setting.table)
        self.findings.fail(
            "not-converged",
            f"the fit was interrupted after {len(self.setting.narrator.log)} iterations; this is the best point so far",
            help="with a checkpoint file the next fit begins here: fit(checkpoint=...), --checkpoint FILE",
        )
        return Optimum(z, value, np.zeros(z.size), np.eye(z.size), np.inf, False)

    def _climb(self) -> Optimum:
        """Climb on the first road that leads to a maximum.

        Roads are coordinates: latent variables of unit variance; the table's own (a closed form may have its maximum
        at a negative variance, which the first can't reach, or at a negative residual variance, which needs another
        closed form); factors of all covariance matrices (where variances may not be negative the likelihood can have a
        maximum although it has none outside); the border of covariance matrices that have no factors. A fit that is
        resumed goes on with the one it was on. Where there are nonlinear constraints or bounds that border is one of
        them from the beginning.
        """
        theta = self._start(self.setting.user)
        self.findings.few_units(round(float(self.objective.multiplicity.sum())), self.setting.constraints.n_free)
        roads = [{"scaled": True}] if isinstance(self.objective.within, Scaled) else []
        roads.append({"scaled": False})
        if any(isinstance(m, ClosedForm) and type(m.engine) is Nested for m in self.objective.members):
            roads.append({"scaled": False, "any_residual": True})
        if not self.setting.quadrature and any(blocks_of(f.psi) for f in self.setting.parts[1]):
            roads.append({"scaled": False, "factored": True})
        if not self.setting.constraints.nonlinear and self.setting.walls(self.objective, theta):
            roads.append({"scaled": False, "border": True})
        kept, problem = self.findings, ""
        best: tuple[Optimum, FindingsOfFit, Objective, tuple[Nonlinear, ...]] | None = None
        begin = self.begin % len(roads)
        for step, (number, road) in enumerate([*enumerate(roads)][begin:] + [*enumerate(roads)][:begin]):
            self.setting.checkpoint.road = number
            if step:
                self.setting.narrator.say("once more in other coordinates")
                theta = self._start(self.setting.fresh)
            if step or begin:
                self.objective = self.setting.objective(**{k: on for k, on in road.items() if k != "border"})
            self.findings = FindingsOfFit(self.setting.table)
            self.constraints = self._constraints(theta, road.get("border", False))
            try:
                found = self._from(theta)
            except (Infeasible, np.linalg.LinAlgError) as reason:
                problem = str(reason)
                continue
            if best is None or found.converged or (found.value > best[0].value and not best[0].converged):
                best = found, self.findings, self.objective, self.constraints
            if found.converged or self.findings.away:
                break
        if best is None:
            raise FitError(
                [error("no-start", f"no start values with a finite likelihood were found: {problem}",
                       help="give start values: start(0.5)*x")]
            )  # fmt: skip
        found, self.findings, self.objective, self.constraints = best
        self.setting.plan = self.setting.plan.named([type(m.engine).__name__ for m in self.objective.members
                                     if isinstance(m, ClosedForm)])  # fmt: skip
        self.findings.found[:0] = kept.found
        return found

    def _start(self, user: dict[int, float]) -> Floats:
        """Return start values of the parameters in the frame, some of which are given."""
        s = self.setting
        theta = start_values(s.table, *s.parts, user, s.frame)
        if s.separation is not None:
            for p, value in s.separation.near.items():
                theta[p] = value
        return s.with_values(theta)

    def _constraints(self, theta: Floats, border: bool) -> tuple[Nonlinear, ...]:
        """Return the nonlinear constraints; among them or at the `border` covariance matrices stay semidefinite."""
        given = self.setting.constraints.nonlinear
        if not given and not border:
            return ()
        start = theta if self.setting.frame is None else self.setting.frame.theta(theta)
        return (*given, *self.setting.walls(self.objective, start))

    def _from(self, theta: Floats) -> Optimum:
        """Climb from start values of the parameters in the frame, or the best of several."""

        def coordinates(at: Floats) -> Floats:
            return self.objective.z(self.objective.within.coordinates(at))

        def make(objective: Objective) -> Ascent:
            s = self.setting
            return Ascent(objective, s.plan, self.constraints, s.asked, self.curvature, s.narrator, self.findings)

        if discrete_variables(self.setting.table):
            z = self._many_starts(make, coordinates, theta)
            with np.errstate(over="ignore", invalid="ignore"):  # masses next to 0: a finding says so
                best, ascent = run_at_limits(self.setting.table, self.objective, z, make)
        else:
            ascent = make(self.objective)
            if any(c.equality for c in self.setting.constraints.nonlinear):
                z = self._on_constraints(ascent, coordinates, theta)
            else:
                one = self.starts == 1 or bool(self.constraints)
                z = coordinates(theta) if one else self._contest(ascent, coordinates, theta)
            best = ascent.run(z, self._led(coordinates))
            if not best.converged and not self.constraints:
                best, ascent = self._at_limits(best, ascent, make)
        self.history, self.points, self.nodes = ascent.history, ascent.points, ascent.nodes
        return best

    def _at_limits(self, best: Optimum, ascent: Ascent, make: Callable[[Objective], Ascent]) -> tuple[Optimum, Ascent]:
        """Climb once more with probabilities of guessing, slipping or zeros that run off held at 0 or 1, if any do."""
        table = self.setting.table
        if not any(r.quantity in MIXTURES for r in table.rows):
            return best, ascent
        with np.errstate(over="ignore", invalid="ignore"), suppress(Infeasible, np.linalg.LinAlgError):
            before, z, held = self.findings, best.z, 0
            while len(limits := limits_at(table, self.objective, z).directions) > held:
                held = len(limits)
                self.setting.narrator.say(f"{held} logits run off: their probabilities are held at 0 or 1")
                self.findings = FindingsOfFit(table)
                found, again = run_at_limits(table, self.objective, z, make)
                if found.converged:
                    return found, again
                z = found.z  # where others may have run off
            self.findings = before
        return best, ascent

    def _led(self, coordinates: Callable[[Floats], Floats]) -> tuple[Floats, float] | None:
        """Return the coordinates that nodes led to which have not settled, and the log-likelihood by these."""
        if self.other is None or self.constraints:
            return None
        try:
            return coordinates(self.other[0]), self.other[1]
        except (Infeasible, np.linalg.LinAlgError):
            return None

    def _contest(self, ascent: Ascent, coordinates: Callable[[Floats], Floats], theta: Floats) -> Floats:
        """Return the coordinates that the best of several starts leads to."""
        table = self.setting.table
        contest = compete(lambda z: ascent.climb(z, tolerance=1e-4), coordinates, table, theta, self.starts)
        self.agreed, self.tried = contest.agreed, self.starts
        self.setting.narrator.say(f"{contest.agreed} of {self.starts} starts agree")
        if contest.agreed == 1:
            self.findings.warn(
                "starts-disagree",
                f"only 1 of {self.starts} starts reached the best log-likelihood",
                help="there are local maxima: take more starts, or give start values",
            )
        return contest.z

    def _on_constraints(self, ascent: Ascent, coordinates: Callable[[Floats], Floats], theta: Floats) -> Floats:
        """Return the coordinates of the best maximum on nonlinear equalities, which often have several.

        From the start values, from some perturbations of them, and with the loadings of one latent variable after the
        other turned over.
        """
        best = ascent.climb_constrained(coordinates(theta))
        rng = np.random.default_rng(1)
        others = (perturbed(self.setting.table, theta, rng) for _ in range(max(self.starts, CONSTRAINED_STARTS) - 1))
        best, _ = self._best_of(ascent, best, map(coordinates, others))
        while True:
            turned = turned_over(self.setting.parts[0], self.objective.inside(best.z))
            best, better = self._best_of(ascent, best, map(coordinates, turned))
            if not better:
                return best.z

    def _best_of(self, ascent: Ascent, best: Optimum, others: Iterable[Floats]) -> tuple[Optimum, bool]:
        """Return the best of maxima, and whether that is a new one."""
        before = best
        for z in others:
            try:
                found = ascent.climb_constrained(z, rounds=1)
            except (Infeasible, np.linalg.LinAlgError):
                continue
            if (found.converged, found.value) > (best.converged, best.value + 1e-6):
                best = found
        return best, best is not before

    def _many_starts(
        self, make: Callable[[Objective], Ascent], coordinates: Callable[[Floats], Floats], theta: Floats
    ) -> Floats:
        """Return the coordinates that the best of many starts of a model with discrete latent variables leads to.

        Of data in partitions starts are those of the first rows; all rows choose among the maxima that these leave.
        """
        s = self.setting
        looked = self._first_rows() or self.objective
        if self.starts > 1:
            of = "" if looked is self.objective else f" of {sum(d.n_rows for d in s.designs):,} rows"
            s.narrator.remark(f"{self.starts} starts{of}")
        found = many_starts(s.table, s.designs, make(looked), coordinates, theta, sorted(s.user), self.starts, seed=1)
        if self.starts == 1:
            return found.z
        z = found.z if looked is self.objective else self._best_of_all_rows(found, looked, make(self.objective))
        self.agreed, self.tried = found.agreed, len(found.values)
        self.setting.narrator.say(f"{found.agreed} of {len(found.values)} starts agree, of {found.tried} short ones")
        if found.agreed == 1:
            self.findings.warn(
                "starts-disagree",
                f"only 1 of {len(found.values)} starts, the best of {found.tried} short ones, reached the best "
                "log-likelihood",
                help="there are local maxima: take more starts (options: starts = 100), or give start values",
            )
        return z

    def _first_rows(self) -> Objective | None:
        """Return the objective of the first rows of data in partitions, None where all are at hand."""
        member = self.objective.members[0]
        if not isinstance(member, Partitioned):
            return None
        first = copy(self.objective)
        first.members, first.watch = member.like, None
        first.multiplicity = np.concatenate([m.multiplicity for m in member.like])
        return first

    def _best_of_all_rows(self, found: Starts, first: Objective, whole: Ascent) -> Floats:
        """Return the coordinates of the maximum of the first rows that all rows make the highest one."""

        def values(z: Floats) -> Floats:
            return np.concatenate([m.values(first.x(z)) for m in first.members])

        left = [pulled_in(self.setting.table, first, z) for z in rivals(found, values, first.multiplicity)]

        def climb(z: Floats) -> Optimum:
            return whole.climb_still(z, 1e-4, 200)

        if len(left) > 1:
            self.setting.narrator.say(f"{len(left)} maxima of these rows may be that of all")
        best = climbed(left, climb)
        return best[0].z if best else found.z
