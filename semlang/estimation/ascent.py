"""The way up: Laplace first, more points until the log-likelihood settles, Newton steps at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semlang.estimation import sparse
from semlang.estimation.constrained import ROUNDS, maximise_constrained
from semlang.estimation.constraints import Nonlinear
from semlang.estimation.findings import FindingsOfFit
from semlang.estimation.kinks import GAIN, NEAR, PASSES, POINTS, measured_across, thresholds_may_cross
from semlang.estimation.member import Coarsenable, Infeasible, Refinable
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Begun, Optimum, begin, begun_further, maximise, polish
from semlang.estimation.placing import STILL, Nodes, Ordinary, Placeable, Placing
from semlang.estimation.planned import MAX_DENSITIES, MAX_NODES, SPARSE, Plan
from semlang.estimation.progress import Narrator
from semlang.estimation.reach import reach
from semlang.estimation.semidefinite import INSIDE, Wall
from semlang.estimation.sparse import FINEST
from semlang.estimation.sparse_climb import SparseClimb
from semlang.estimation.stopped import most_missed, ridge

__all__ = ["Ascent", "Unsettled"]

Floats = NDArray[np.float64]

LADDER = (7, 11, 15, 21, 31, 51, 81, 121)
"""Numbers of points that are tried in turn."""

SETTLED_NODES = 2e-4
"""The same where a dimension of classes or products is known at nodes: four more points cost little there."""

SETTLED = 1e-3
"""The log-likelihood has settled when more points move it by less; ten times as much with sparse rules."""

AGREE = 0.01
"""Two rules that do not share their nodes agree when their log-likelihoods differ by less."""

WRONG = 0.1
"""A log-likelihood that another rule changes by more is no basis for estimates."""

FAR_OUT = 15.0
"""The same beyond which it is made sure that the log-likelihood falls further out."""

GENTLE = 2.0
"""SD of a linear predictor below which integrands have no edge that adaptive nodes miss: that more points do not move
the log-likelihood says enough. Of 593 random models the largest error was then 0.0015."""

STEEP = 5.0
"""SD of a linear predictor beyond which modes and curvatures describe an integrand badly."""


DEAR = 30_000_000
"""Row densities of one evaluation that passes take at most, about a second; with `FEW` points a dimension more."""

FEW = 15

ALIKE = 1.0
"""Error of the log-likelihood by few shared nodes with which their maximum is a start for the others."""

ROUGHLY = 1e-3
"""Decrement that is enough with nodes that may not be the last ones."""

DEAREST = 3.0
"""Seconds of an evaluation by adaptive nodes that are taken at most in place of shared ones."""

UNCERTAIN = 0.5
"""The same of a sparse rule, whose error is known by those before, and nearly the same at all parameters nearby."""

PRODUCT = 5
"""Most dimensions of which a product of rules is worth more than a sparse rule that has not settled."""

DEARER = 10
"""A check of the points that the user set costs so many times an evaluation with these at most."""

CLEARLY = 3.0
"""Steps by Laplace that gained so many times what their end's value is wrong by are not compared with their start."""

NEAR_ENOUGH = 1.0
"""Decrement that Laplace's steps end at, a standard error: its maximum is as far from that with more points."""

SADDLES = 3
"""Saddles that are left for another climb."""

MOST_PASSES = 25
"""Passes after which nodes that still move are given up."""


class Unsettled(Exception):
    """The finest shared grid has too large an error: the units need nodes of their own.

    Parameters
    ----------
    best : Optimum, optional
        Where the nodes led, if that may be near the maximum.
    """

    def __init__(self, best: Optimum | None = None) -> None:
        super().__init__()
        self.best = best


class Ascent:
    """Climbs to the maximum of one objective.

    Parameters
    ----------
    objective : Objective
    plan : Plan
    constraints : sequence of Nonlinear
    asked : int or None
        The user's number of points; None raises them until the log-likelihood settles.
    curvature : bool
        Whether the observed information is wanted at the maximum (else only where a variance is near zero).
    narrator : Narrator
    findings : FindingsOfFit
    """

    def __init__(
        self,
        objective: Objective,
        plan: Plan,
        constraints: Sequence[Nonlinear],
        asked: int | None,
        curvature: bool,
        narrator: Narrator,
        findings: FindingsOfFit,
    ) -> None:
        self.objective, self.plan, self.constraints = objective, plan, constraints
        self.asked, self.curvature = asked, curvature
        self.narrator, self.findings = narrator, findings
        self.quadrature = any(m.points is not None for m in objective.members)
        self.grids = [m for m in objective.members if isinstance(m, Refinable)]
        self.sparse = any(g.engine == SPARSE for g in plan.groups)
        self.history: list[tuple[int, float]] = []
        self.settled = True
        self.nodes: Nodes | None = None
        self.by_sparse: SparseClimb | None = None
        self.kinks = thresholds_may_cross(findings.table)
        self.at_kink = False

    def climb_still(self, z: Floats, tolerance: float, limit: int) -> Optimum:
        """Climb from `z` with all nodes where they are."""
        return maximise(self.objective, z, tolerance=tolerance, report=self.narrator.iteration, limit=limit)

    def climb(
        self, z: Floats, tolerance: float = 1e-8, inverse: Floats | None = None, limit: int = 200,
        begun: Begun | None = None,
    ) -> Optimum:  # fmt: skip
        """Climb from `z` with the points as they are; nodes move between passes until they stay."""
        for _ in range(PASSES if self.kinks else MOST_PASSES):
            if self.objective.move(z):
                begun = None
            best = maximise(
                self.objective, z, tolerance=tolerance, report=self.narrator.iteration, inverse=inverse, limit=limit,
                stall=GAIN if self.kinks else 0.0, begun=begun,
            )  # fmt: skip
            self.at_kink = self.kinks and not best.converged
            if not self.objective.move(best.z):
                break
            self.narrator.say("nodes move")
            z, inverse, begun = best.z, best.inverse, None
        else:
            self.at_kink = self.kinks
            best = replace(best, converged=False)
        return replace(best, converged=best.decrement < NEAR) if self.at_kink else best

    def run(self, z: Floats, other: tuple[Floats, float] | None = None) -> Optimum:
        """Laplace first, then the points that were asked for, or more and more until the log-likelihood settles.

        Parameters
        ----------
        z : (n,) floats
        other : (n,) floats and float, optional
            Where other nodes led, and the log-likelihood there by these: instead of Laplace, if that helps.
        """
        q, constrained, first = self.points, bool(self.constraints), z
        if self.plan.standing and self.quadrature and q > 1:
            return self._standing(z, q, constrained)
        inverse: Floats | None = None
        begun: Begun | None = None
        if self.quadrature and q > 1 and not constrained and not any(g.conditions for g in self.plan.groups):
            begun = None if other is None else begun_further(self.objective, z, *other, CLEARLY, AGREE)
            if other is not None and begun is not None:
                z = other[0]
            else:
                z, inverse, begun = self._by_laplace(z, q)
        if not self.quadrature and not constrained:
            z, inverse, begun = self._coarsely(z) or (*self.objective.start(z), None)
        if self.sparse and self.asked is None and not constrained and not self.kinks and self._can_stand:
            best = self._by_sparse_rules(z, inverse, begun)
            return self._to_the_end(best, constrained)
        # Newton steps on the observed information finish what scoring begins, where that costs no more than scoring
        tolerance = 1e-3 if self.curvature and inverse is None and self.objective.exact else 1e-8
        if constrained:
            best = self.climb_constrained(z)
        else:
            best = self.climb(z, tolerance=ROUGHLY if self.grids else tolerance, inverse=inverse, begun=begun)
        if self.quadrature and q > 1:
            best = self._raise(best, q, constrained)
            if not constrained:
                best = self._checked(best, first)
        return self._to_the_end(best, constrained)

    def _to_the_end(self, best: Optimum, constrained: bool) -> Optimum:
        """Finish with more shared nodes, and Newton steps on the observed information."""
        if self.findings.away:  # there is no maximum to finish, and no curvature
            return replace(best, converged=False)
        if self.grids:
            best = self._refine(best, constrained)
        if constrained:
            if not best.converged:
                self._stopped(best)
            return best
        if not self.curvature and best.converged and not self._near_border(best.z):
            return best
        if self.at_kink and best.converged:
            return measured_across(self.objective, best)
        best = self._polished(best)
        if self.by_sparse is not None and not best.converged and np.isfinite(best.decrement):
            best = self._polished(self.by_sparse.end(best))
        for _ in range(SADDLES):
            if best.converged or np.isfinite(best.decrement):
                break
            try:  # the way up from a saddle goes further than Newton steps do
                best = self._polished(self.climb(best.z))
            except (Infeasible, np.linalg.LinAlgError):
                break
        if not best.converged:
            self._stopped(best)
        return best

    @property
    def _can_stand(self) -> bool:
        """Whether the nodes of all members can stand still."""
        return all(isinstance(m, Placeable) for m in self.objective.members)

    def _by_sparse_rules(self, z: Floats, inverse: Floats | None, begun: Begun | None) -> Optimum:
        """Climb by sparse rules; where they do not settle, say so or leave it to products of rules.

        Raises
        ------
        Unsettled
            Where these can be afforded.
        """
        climb = self.by_sparse = SparseClimb(self.objective, self._affordable, self.curvature, self.narrator)
        best = climb.run(z, inverse, begun)
        self.history += climb.history
        self.nodes = Nodes(climb.points)
        error, steepness = climb.error, max(m.steepness(self.objective.x(best.z)) for m in climb.members)
        if steepness >= GENTLE:
            error = max(error, climb.difference(best) - WRONG)
        if error < AGREE:
            return best
        chosen = self.plan.placed == "sparse"
        if error > WRONG and not chosen and max(v.dims for g in self.plan.groups for v in g.levels) <= PRODUCT:
            raise Unsettled(best)
        self.findings.imprecise(
            f"{climb.points} points of a sparse rule leave the log-likelihood uncertain by about {error:.2g}",
            error > UNCERTAIN, chosen,
        )  # fmt: skip
        return best

    def _coarsely(self, z: Floats) -> tuple[Floats, Floats, Begun] | None:
        """Climb with few shared nodes; return where that leads, the inverse information, and what the others say there.

        None where members have no fewer nodes, or where these see another log-likelihood than the others do.
        """
        members = [m for m in self.objective.members if isinstance(m, Coarsenable)]
        if len(members) < len(self.objective.members):
            return None
        for m in members:
            m.coarsen(True)
        self.narrator.say(f"{self.points} shared nodes first")
        try:
            first, inverse = self.objective.start(z)
            best = self.climb(first, tolerance=ROUGHLY, inverse=inverse)
        except (Infeasible, np.linalg.LinAlgError):
            return None
        finally:
            for m in members:
                m.coarsen(False)
            self.narrator.say(f"{self.points} shared nodes")
        found = begin(self.objective, best.z, best.inverse)
        return (best.z, best.inverse, found) if abs(found.value - best.value) < ALIKE else None

    def _polished(self, best: Optimum) -> Optimum:
        count = len(best.log)
        best = polish(self.objective, best)
        for line in best.log[count:]:
            self.narrator.iteration(line)
        return best

    def _standing(self, z: Floats, q: int, constrained: bool) -> Optimum:
        """Climb with nodes of the prior, or with nodes at posterior means and SDs that move between passes.

        No other rule is tried; where four more points change the log-likelihood, a finding says so.
        """
        placing = Placing(self.objective, lambda _: True, self._nodes, self.narrator)
        ordinary = self.plan.placed == "ordinary"
        if ordinary:
            for member in self.objective.members:
                if isinstance(member, Ordinary):
                    member.place_at_prior()
            best = self.climb_constrained(z) if constrained else self.climb(z)
        else:
            best, moved = placing.climb(z, Nodes(q), free=True)
            best = replace(best, converged=moved < STILL)
            self.nodes = Nodes(q)
        self.history.append((q, best.value))
        if self.curvature and not constrained:
            best = self._polished(best)
        if not best.converged:
            self._stopped(best)
        if ordinary:
            self._set_points(q + 4)
            value = self.objective.value(best.z)
            self._set_points(q)
        else:
            value = placing.value(best.z, Nodes(q + 4))
            placing.value(best.z, Nodes(q))
        self.history.append((q + 4, value))
        moved = abs(value - best.value)
        if moved > AGREE:
            self.findings.imprecise(f"4 more points than {q} move the log-likelihood by {moved:.4f}", False)
        return best

    def _checked(self, best: Optimum, first: Floats) -> Optimum:
        """Check the value at the end by nodes that do not depend on modes; where they disagree, climb with those."""
        placing = Placing(self.objective, self._cheap, self._nodes, self.narrator)
        q = self.points
        if not placing.possible:
            return best
        steepness = placing.steepness(best.z)
        if self.settled and self.history[-1][0] > q and steepness < GENTLE:
            return best
        difference = self._difference(placing, best, q)
        self.narrator.say(f"check by nodes at posterior means: log-likelihood differs by {difference:+.6f}")
        agree = self.settled and abs(difference) < AGREE
        if agree or self.asked is not None or not self._affordable(q + 4):
            if not agree:
                self.findings.imprecise(
                    f"nodes at modes and at posterior means, {q} points a dimension, differ by {abs(difference):.4f} "
                    "in log-likelihood", abs(difference) > WRONG, self.asked is not None,
                )  # fmt: skip
            elif steepness > FAR_OUT:
                self._look_beyond(placing, best)
            placing.release(q)
            return best
        found = placing.run([first] if steepness > STEEP else [first, best.z])
        if found is None:
            placing.release(q)
            self.findings.imprecise("nodes at modes did not settle, and no others have a likelihood", True)
            return best
        self.history += found.history
        self.settled, self.nodes = found.settled, found.nodes
        if found.runaway is not None:
            self.findings.running_away(self._parameters(found.best.z, found.runaway), found.shown)
        elif not found.settled:
            steepest = self.findings.names(self._parameters(found.best.z, placing.steepest(found.best.z))[:1])
            self.findings.imprecise(
                f"the integral did not settle: {found.nodes} points still moved the log-likelihood by "
                f"{found.moved:.4f}; {steepest} makes it steep",
                True,
            )
            self.findings.away = True
        elif placing.steepness(found.best.z) > FAR_OUT:
            self._look_beyond(placing, found.best)
            placing.value(found.best.z, found.nodes)
        return found.best

    def _look_beyond(self, placing: Placing, best: Optimum) -> None:
        """Note parameters along which the log-likelihood falls further out: it has a maximum."""
        beyond = placing.falls(best)
        if beyond is not None:
            here, there = self.objective.inside(best.z), self.objective.inside(beyond)
            self.findings.bounded |= set(np.flatnonzero(np.abs(there - here) > 0.2 * np.abs(here)).tolist())

    def _parameters(self, z: Floats, coordinate: int) -> list[int]:
        """Return the parameters that a coordinate moves, those that it moves most first."""
        moves = np.abs(self.objective.jacobian(z)[:, coordinate])
        return [int(p) for p in np.argsort(-moves) if moves[p] > 0.1 * moves.max()]

    def _difference(self, placing: Placing, best: Optimum, q: int) -> float:
        """What another rule makes of the log-likelihood: with as many nodes, and where that differs with more."""
        difference = math.inf
        more = [r for r in placing.rules if r.spread and r.points > q]
        if self.asked is not None:  # who sets few points wants little work
            more = [r for r in more if self._nodes(r.points) <= DEARER * self._nodes(q)]
        for nodes in (Nodes(q), *more[:2]):
            placing.release(q)
            try:
                difference = placing.value(best.z, nodes, known=best.value, near=AGREE) - best.value
            except (Infeasible, np.linalg.LinAlgError):
                continue
            if abs(difference) < AGREE:
                break
        return difference

    def _stopped(self, best: Optimum) -> None:
        far = reach(self.objective.members, self.objective.x(best.z))
        missed = most_missed(self.objective, self.constraints, best) if self.constraints else ("", 0.0)
        flat = ridge(self.objective, best)
        self.findings.stopped(self.objective.inside(best.z), best.decrement, far, flat, missed)

    def climb_constrained(self, z: Floats, rounds: int = ROUNDS) -> Optimum:
        """Climb from `z` on nonlinear constraints; borders of covariance matrices are approached in turn."""
        walls = any(isinstance(c, Wall) for c in self.constraints)
        for inside in INSIDE[:-1] if walls else ():
            wider = [c.at(inside) if isinstance(c, Wall) else c for c in self.constraints]
            try:
                z = maximise_constrained(self.objective, z, wider, self.narrator.iteration, 1).z
            except (Infeasible, np.linalg.LinAlgError):
                continue
        return maximise_constrained(self.objective, z, self.constraints, self.narrator.iteration, rounds)

    def _by_laplace(self, z: Floats, q: int) -> tuple[Floats, Floats | None, Begun | None]:
        """A few steps with one point, if they help: they gained far more than the value there is wrong by, or more.

        Where units are few the metric that they end with is returned, too; and what is known there with all points.
        """
        self.narrator.say("Laplace")
        self._set_points(1)
        first = -math.inf
        try:
            begun = begin(self.objective, z)
            first = begun.value
            found = self.climb(z, tolerance=NEAR_ENOUGH, limit=12, begun=begun)
        except (Infeasible, np.linalg.LinAlgError):
            found = None
        self._set_points(q)
        if found is None or any(m.steepness(self.objective.x(found.z)) > STEEP for m in self.objective.members
                                if isinstance(m, Placeable)):  # fmt: skip
            return z, None, None
        inverse = found.inverse if self.objective.multiplicity.size < 5 * self.objective.n else None
        try:
            begun = begin(self.objective, found.z, inverse)
        except (Infeasible, np.linalg.LinAlgError):
            return z, None, None
        error = abs(begun.value - found.value)
        there = found.z, inverse, begun
        if begun.value - first > CLEARLY * error + AGREE:
            return there
        try:
            return there if begun.value > self.objective.value(z) else (z, None, None)
        except Infeasible:
            return there

    def _nodes(self, points: int) -> int:
        """Return the nodes for one row with so many points a dimension."""
        return max(g.nodes_of(points) for g in self.plan.groups)

    def _affordable(self, points: int) -> bool:
        rows = sum(g.rows or 0 for g in self.plan.groups)
        if self.sparse and points > FINEST:
            return False
        nodes = self._nodes(points)
        return bool(nodes <= MAX_NODES and rows * nodes <= MAX_DENSITIES)

    def _cheap(self, points: int) -> bool:
        """Whether a number of points is affordable for passes and profiles, which take hundreds of evaluations."""
        rows = sum(g.rows or 0 for g in self.plan.groups)
        return self._affordable(points) and (points <= FEW or rows * self._nodes(points) <= DEAR)

    def _raise(self, best: Optimum, q: int, constrained: bool) -> Optimum:
        self.history.append((q, best.value))
        self.settled = False
        before = math.inf
        checkable = not constrained and self._can_stand
        for p in (
            [q + 4] if self.asked is not None else [p for p in (sparse.LADDER if self.sparse else LADDER) if p > q]
        ):
            if self.kinks and p > POINTS:
                break
            if not self._affordable(p):
                self.settled = True
                if not checkable and self.asked is None:
                    self.findings.imprecise(
                        f"with {q} points a dimension the log-likelihood may not have settled; more are too costly",
                        False,
                    )
                break
            self._set_points(p)
            try:
                value = self.objective.value(best.z)
            except Infeasible:
                self._set_points(q)
                break
            moved = abs(value - best.value)
            self.history.append((p, value))
            self.narrator.say(f"{p} points: log-likelihood moves by {value - best.value:+.6f}")
            enough = SETTLED_NODES if any(g.conditions for g in self.plan.groups) else AGREE if self.sparse else SETTLED
            if self.asked is not None or moved < enough:
                self._set_points(q)
                self.settled = True
                if moved > AGREE:
                    self.findings.imprecise(f"4 more points than {q} move the log-likelihood by {moved:.4f}", False)
                break
            stuck = moved > 0.01 and moved > 0.5 * before
            if checkable and stuck and not self.sparse:  # more points do not help: other places do
                self._set_points(q)
                break
            q, before, last = p, moved, best.value
            best = self._climb_on(best, constrained, ROUGHLY if self.sparse else 1e-8)
            self.history[-1] = (p, best.value)
            if self.kinks:  # nodes have moved across some
                before = max(moved, abs(best.value - last))
        if self.sparse:
            best = self._climb_on(best, constrained)
        if not self.settled and not checkable:
            self.findings.imprecise(f"{q} points still moved the log-likelihood by {before:.4f}", before > WRONG)
        return best

    def _refine(self, best: Optimum, constrained: bool) -> Optimum:
        """Take more shared nodes until the error of the log-likelihood is small, and climb to the end with these.

        Raises
        ------
        Unsettled
            Where there are no more to take or no number of them is enough, or a response is so steep that it has to be
            made sure that the log-likelihood falls further out.
        """
        ended = constrained
        while True:
            x = self.objective.x(best.z)
            if any(m.steepness(x) > FAR_OUT for m in self.grids):
                raise Unsettled
            errors = [m.error(x) for m in self.grids]
            wrong = [m for m, error in zip(self.grids, errors, strict=True) if error > m.tolerance / len(self.grids)]
            if not wrong:
                before, best = best, best if ended else self._ended(best)
                if ended or best.value - before.value < SETTLED:
                    self.history.append((self.points, best.value))
                    return best
                ended = True
                continue
            self.history.append((self.points, best.value))
            if self._can_adapt and not all(m.can_settle(x) for m in wrong):
                raise Unsettled(best)
            if not all(m.refine() for m in wrong):
                if sum(errors) > AGREE:
                    if self._can_adapt:
                        raise Unsettled(best)
                    self.findings.imprecise(
                        "latent variables are nearly functions of others, or responses say much about them: shared "
                        "nodes have not settled, and adaptive ones are too costly", False,
                    )  # fmt: skip
                return best if ended else self._ended(best)
            self.narrator.say(f"{self.points} shared nodes")
            best = self._climb_on(best, constrained, ROUGHLY)
            ended = constrained

    def _ended(self, best: Optimum) -> Optimum:
        """Climb to the end from where a rough climb has ended, nodes as they are."""
        return self.climb(best.z, inverse=best.inverse, begun=Begun(best.value, best.gradient, None, False))

    def _climb_on(self, best: Optimum, constrained: bool, tolerance: float = 1e-8) -> Optimum:
        if constrained:
            return self.climb_constrained(best.z)
        return self.climb(best.z, tolerance=tolerance, inverse=best.inverse)

    @property
    def _can_adapt(self) -> bool:
        """Whether adaptive nodes are affordable where shared ones do not settle; always for one or two dimensions."""
        if all(g.engine == "shared grid" for g in self.plan.groups):
            return True
        rejected = [a for g in self.plan.groups for a in g.rejected if a.engine == "nested quadrature"]
        return sum(a.seconds or 0.0 for a in rejected) < DEAREST

    def _set_points(self, q: int) -> None:
        for member in self.objective.members:
            if member.points is not None:
                member.points = q

    @property
    def points(self) -> int:
        """Points per dimension now."""
        shared = max((len(m.nodes) for m in self.grids), default=1)
        return next((m.points for m in self.objective.members if m.points is not None), shared)

    def _near_border(self, z: Floats) -> bool:
        x = self.objective.x(z)
        return any((np.abs(np.diag(b.factor(x)[0])) < 1e-2).any() for b in self.objective.parametrisation.blocks)
