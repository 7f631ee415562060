"""Maximum likelihood estimation of a model: plan, start values, optimisation, points, standard errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from semlang.checks.identification.curvature import Curvature
from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.ascent import Ascent, Unsettled
from semlang.estimation.assemble import assemble, multiplicity, start_parts
from semlang.estimation.border import empty_columns, singular_blocks
from semlang.estimation.checkpoint import Checkpoint
from semlang.estimation.closed_form import ClosedForm
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.conditioning.filled import are_missing, counted
from semlang.estimation.conditioning.limits import at_limit
from semlang.estimation.conditioning.ordering import renumbering
from semlang.estimation.conditioning.search import many_starts, run_at_limits
from semlang.estimation.constraints import Constraints, labels_at
from semlang.estimation.covariance import carried, covariance
from semlang.estimation.expressions import evaluate_defined
from semlang.estimation.factors import blocks_of
from semlang.estimation.findings import FindingsOfFit
from semlang.estimation.frame import Frame, Framed, frame
from semlang.estimation.gaussian.nested import Nested
from semlang.estimation.kernels.cached import compilation
from semlang.estimation.left_out import left_out
from semlang.estimation.member import Infeasible, Member
from semlang.estimation.objective import Objective
from semlang.estimation.optimize import Optimum, negative_hessian, steps_of
from semlang.estimation.outcome import DefinedEstimate, Estimate
from semlang.estimation.placing import Nodes
from semlang.estimation.plan import plan
from semlang.estimation.progress import Narrator, available_threads
from semlang.estimation.reach import reach
from semlang.estimation.scaling import Scaled
from semlang.estimation.separation import Separation, separate
from semlang.estimation.signs import reporting_signs, turned_over
from semlang.estimation.sizes import sizes_of_covariates, units_of_covariances
from semlang.estimation.start import start_values, user_values
from semlang.estimation.starts import compete, perturbed
from semlang.estimation.tangent import tangent_basis
from semlang.graph.condition import discrete_variables, n_states
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.table import ROWS, ParameterTable

__all__ = ["estimate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DEFAULT_STARTS = 20
"""Starts of a model with discrete latent variables."""

CONSTRAINED_STARTS = 4
"""Starts of a model with nonlinear equalities, before signs are turned."""

STUCK = 1e-8
"""A standard error below this share of a variance's unit is that of a factor of zero: its square does not move."""


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

    Raises
    ------
    FitError
        If the model can not be estimated from these data. Failures of the optimiser are findings of the result.
    """
    before, compilation.tell = compilation.seconds, progress
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            found = _Estimation(
                table, graphs, designs, points, se, start, cluster, threads, progress, checkpoint
            ).run()  # fmt: skip
    finally:
        compilation.tell = None
    return replace(found, compiling=compilation.seconds - before)


@cache
def _libraries() -> ThreadpoolController:
    """Return the linear algebra libraries of the process; finding them takes 3 ms."""
    import scipy.linalg  # noqa: F401  has a library of its own

    return ThreadpoolController()


class _Estimation:
    """The state of one fit."""

    def __init__(
        self,
        table: ParameterTable,
        graphs: Sequence[ModelGraph],
        designs: Sequence[Design],
        points: int | None,
        se: str,
        start: Mapping[str, float] | None,
        cluster: str | None,
        threads: int | None,
        progress: Callable[[str], None] | None,
        checkpoint: str | Path | None,
    ) -> None:
        self.checkpoint = Checkpoint(table, designs, checkpoint)
        start = {**self.checkpoint.start(), **(start or {})}
        self.table, self.graphs, self.designs = table, graphs, designs
        self.se, self.cluster = se, cluster
        given = points if points is not None else table.options.get("points")
        self.asked: int | None = int(given) if given is not None else None
        self.findings = FindingsOfFit(table)
        self.narrator = Narrator(progress)
        self.plan = plan(table, graphs, designs, self.asked)
        self._refuse()
        self.user = user_values(table, start)
        self.constraints = Constraints(table)
        self.separation = self._separation()
        self.given = tuple(designs)
        if self.separation is not None:
            self.designs = designs = self.separation.designs
        self.frame = self._frame()
        self.inside = (graphs, designs) if self.frame is None else (self.frame.graphs, self.frame.designs)
        self.parts = start_parts(table, *self.inside)
        self.forms = self.parts[1][:: len(self.parts[1]) // len(graphs)]
        if self.frame is not None:
            self.forms = [reduced_form(graph, lift=False) for graph in graphs]
        self.quadrature = any(g.engine != "closed form" for g in self.plan.groups)
        self.threads = threads or available_threads()
        self.objective = self._assemble()
        discrete = bool(discrete_variables(table))
        self.starts = max(1, int(table.options.get("starts") or (DEFAULT_STARTS if discrete else 1)))
        self.agreed = 1
        self.tried = 1
        self.history: list[tuple[int, float]] = []
        self.points = self.plan.points
        self.nodes: Nodes | None = None
        self.limits: dict[int, float] = {}
        self.units_of: dict[str, float] = {}
        for member in self.objective.members:
            self._refuse_more_states(member)

    def _frame(self) -> Frame | None:
        """Return the frame in which covariates are centred and scaled; what is held at a value stays what it is."""
        if is_conditional(self.table) or (any(g.engine != "closed form" for g in self.plan.groups) and self._filled()):
            return None
        held = () if self.separation is None else self.separation.held
        return frame(self.table, self.graphs, self.designs, self.constraints.pinned | set(held))

    def _filled(self) -> bool:
        """Whether missing responses that predict are filled in."""
        given = zip(self.graphs, self.designs, strict=True)
        return any(are_missing(self.table, graph, design, lift=False) for graph, design in given)

    def _separation(self) -> Separation | None:
        """Return what separates responses: the fit goes on with the model at the limit, if something is left of it.

        Raises
        ------
        FitError
            If nothing is left of a response.
        """
        if discrete_variables(self.table) or is_conditional(self.table):
            return None
        forms = [reduced_form(graph, lift=False) for graph in self.graphs]
        found = separate(self.table, forms, self.designs, self.constraints.pinned)
        if found is None:
            return None
        self.findings.separated(found)
        if any(d.is_error for d in self.findings.found):
            raise FitError(self.findings.found)
        return found

    def _assemble(self, **road: bool) -> Objective:
        objective = self._assemble_free(**road)
        if self.separation is None:
            return objective
        basis = np.abs(objective.basis)
        held = [int(np.flatnonzero(basis[p])[0]) for p in self.separation.held]
        return objective.hold(dict.fromkeys(held, 0.0))

    def _assemble_free(self, **road: bool) -> Objective:
        shared = any(g.engine == "shared grid" for g in self.plan.groups)
        objective = assemble(
            self.table, self.inside[0], self.inside[1], self.constraints, self.quadrature, self.plan.points,
            self.threads, shared=shared, **road,
        )  # fmt: skip
        if self.frame is not None:
            objective.parametrisation = Framed(objective.within, self.frame)
        objective.watch = self._watch
        return objective

    def _watch(self, objective: Objective, z: Floats, value: float) -> None:
        self.checkpoint.saw(objective, z, value, self.narrator.stage)

    def _refuse(self) -> None:
        for group, graph in zip(self.plan.groups, self.graphs, strict=True):
            if group.engine == "none":
                row = graph.others[0] if graph.others else None
                raise FitError(
                    [error("not-estimable", group.why, self.table.source if row else None, row.span if row else None)]
                )

    def _refuse_more_states(self, member: Member) -> None:
        """Refuse more classes or mass points than there are different units."""
        for key, units in member.distinct.items():
            variable = self.table.variables[key]
            n = n_states(variable)
            if n > units:
                what = "classes" if variable.kind.name == "class" else "mass points"
                raise FitError(
                    [error("more-classes-than-patterns",
                           f"'{key}' has {n} {what}, but the data hold {units} different units of {variable.level}",
                           self.table.source, variable.span,
                           help=f"write '{variable.name} :: {variable.kind.name}({units})' or less")]
                )  # fmt: skip

    # ------------------------------------------------------------------ optimisation

    def run(self) -> Estimate:
        """Estimate; an interrupted fit gives the best point so far, marked as such and without standard errors."""
        try:
            best = self._optimise()
        except KeyboardInterrupt:
            best = self._interrupted()
        self.checkpoint.write()
        inside = self.objective.inside(best.z)
        try:
            inside, vcov_inside, scores = self._uncertainty(best, inside)
        except KeyboardInterrupt:  # the estimates are there
            vcov_inside, scores = None, None
            self.findings.warn("no-standard-errors", "interrupted before the standard errors were there")
        theta, vcov = inside, vcov_inside
        if self.frame is not None:
            theta, vcov, scores = self.frame.carried(inside, vcov_inside, scores)
        sizes = self._class_sizes(best.z)
        self.findings.empty_classes(sizes, self.units_of)
        empty = any(d.slug == "empty-class" for d in self.findings.found)
        if self.separation is not None:
            gone = [*self.separation.limits, *self.separation.lost]
            theta = theta + self.separation.shift
            if vcov is not None:
                vcov[gone], vcov[:, gone] = np.nan, np.nan
        by_size = None if empty else renumbering(self.table, theta, sizes, self.limits)
        if by_size is not None:
            theta, T, order, self.limits = by_size
            vcov = None if vcov is None else carried(T, vcov)
            scores = None if scores is None else scores @ np.linalg.inv(T)
            sizes |= {key: tuple(sizes[key][k] for k in new) for key, new in order.items()}
        converged = best.converged and not any(d.is_error for d in self.findings.found)
        rows, top = self._sizes()
        units = units_of_covariances(self.parts[0], self.parts[2], inside)
        self.findings.variances(theta, {p: float(inside[p]) / unit for p, unit in units.items()}, not self.quadrature)
        singular = singular_blocks(self.objective.parametrisation.blocks, inside)
        self.findings.singular(singular)
        dropped: Counter[str] = Counter()
        for member in self.objective.members:
            dropped.update(member.dropped)
        read, lost = left_out(self.forms, self.given, rows, dropped)
        return Estimate(
            theta=theta, vcov=vcov, inside=None if self.frame is None else (inside, vcov_inside),
            loglik=best.value, converged=converged, method=self._method(), se=self.se,
            points=self.points if self.quadrature and self.plan.points else None,
            spread=self.nodes.spread if self.nodes is not None else None,
            points_history=tuple(self.history), n_free=self.constraints.n_free, n_rows=round(sum(rows)),
            n_rows_read=read, left_out=lost,
            n_clusters={c: sum(d.n_units(c) for d in self.designs) for c in self.table.clusters}, n_top=top,
            log=tuple(self.narrator.log), defined=self._defined(theta, vcov), scores=scores, dropped=dict(dropped),
            starts=self.starts,
            finished=self.tried,
            agreed=self.agreed,
            class_sizes=sizes,
            limits=self.limits if self.separation is None else self.separation.limits,
            border=tuple(sorted({p for block in singular for p in block.parameters})),
            diagnostics=tuple(self.findings.found), plan=self.plan,
        )  # fmt: skip

    def _method(self) -> str:
        """One line that says how the likelihood was computed in the end."""
        if self.nodes is None:
            return self.plan.method
        return f"maximum likelihood, nodes at posterior means and SDs ({self.nodes} points)"

    def _optimise(self) -> Optimum:
        """Climb with the engine that was planned, or with adaptive nodes where shared ones are too coarse."""
        try:
            return self._climb()
        except Unsettled:
            self.narrator.say("adaptive nodes: the shared ones do not settle")
            self.plan = plan(self.table, self.graphs, self.designs, self.asked, shared=False)
            self.objective = self._assemble()
            return self._climb()

    def _interrupted(self) -> Optimum:
        """Return the best point so far."""
        if self.checkpoint.best is None:
            raise KeyboardInterrupt
        self.objective, z, value = self.checkpoint.best
        self.se = "none"
        self.points = self.plan.points
        self.findings = FindingsOfFit(self.table)
        self.findings.fail(
            "not-converged",
            f"the fit was interrupted after {len(self.narrator.log)} iterations; this is the best point so far",
            help="with a checkpoint file the next fit begins here: fit(checkpoint=...), --checkpoint FILE",
        )
        return Optimum(z, value, np.zeros(z.size), np.eye(z.size), np.inf, False)

    def _climb(self) -> Optimum:
        """Climb on the first road that leads to a maximum.

        Roads are coordinates: latent variables of unit variance; the table's own (a closed form may have its maximum
        at a negative variance, which the first can't reach, or at a negative residual variance, which needs another
        closed form); factors of all covariance matrices (where variances may not be negative the likelihood can have a
        maximum although it has none outside).
        """
        theta = start_values(self.table, *self.parts, self.user, self.frame)
        self.findings.few_units(round(float(self.objective.multiplicity.sum())), self.constraints.n_free)
        roads = [{"scaled": True}] if isinstance(self.objective.within, Scaled) else []
        roads.append({"scaled": False})
        if any(isinstance(m, ClosedForm) and type(m.engine) is Nested for m in self.objective.members):
            roads.append({"scaled": False, "any_residual": True})
        if not self.quadrature and any(blocks_of(f.psi) for f in self.parts[1]):
            roads.append({"scaled": False, "factored": True})
        kept, problem = self.findings, ""
        best: tuple[Optimum, FindingsOfFit, Objective] | None = None
        for number, road in enumerate(roads):
            if number:
                self.narrator.say("once more in other coordinates")
                self.objective = self._assemble(**road)
            self.findings = FindingsOfFit(self.table)
            try:
                found = self._from(theta)
            except (Infeasible, np.linalg.LinAlgError) as reason:
                problem = str(reason)
                continue
            if best is None or found.converged or (found.value > best[0].value and not best[0].converged):
                best = found, self.findings, self.objective
            if found.converged or self.findings.away:
                break
        if best is None:
            raise FitError(
                [error("no-start", f"no start values with a finite likelihood were found: {problem}",
                       help="give start values: start(0.5)*x")]
            )  # fmt: skip
        found, self.findings, self.objective = best
        self.plan = self.plan.named([type(m.engine).__name__ for m in self.objective.members
                                     if isinstance(m, ClosedForm)])  # fmt: skip
        self.findings.found[:0] = kept.found
        return found

    def _from(self, theta: Floats) -> Optimum:
        """Climb from start values of the parameters in the frame, or the best of several."""

        def coordinates(at: Floats) -> Floats:
            return self.objective.z(self.objective.within.coordinates(at))

        def make(objective: Objective) -> Ascent:
            curvature = self.se != "none"
            return Ascent(objective, self.plan, self.constraints, self.asked, curvature, self.narrator, self.findings)

        if discrete_variables(self.table):
            z = self._many_starts(make(self.objective), coordinates, theta)
            with np.errstate(over="ignore", invalid="ignore"):  # masses next to 0: a finding says so
                best, ascent = run_at_limits(self.table, self.objective, z, make)
        else:
            ascent = make(self.objective)
            if any(c.equality for c in self.constraints.nonlinear):
                z = self._on_constraints(ascent, coordinates, theta)
            else:
                one = self.starts == 1 or bool(self.constraints.nonlinear)
                z = coordinates(theta) if one else self._contest(ascent, coordinates, theta)
            best = ascent.run(z)
        self.history, self.points, self.nodes = ascent.history, ascent.points, ascent.nodes
        return best

    def _contest(self, ascent: Ascent, coordinates: Callable[[Floats], Floats], theta: Floats) -> Floats:
        """Return the coordinates that the best of several starts leads to."""
        contest = compete(lambda z: ascent.climb(z, tolerance=1e-4), coordinates, self.table, theta, self.starts)
        self.agreed, self.tried = contest.agreed, self.starts
        self.narrator.say(f"{contest.agreed} of {self.starts} starts agree")
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
        others = (perturbed(self.table, theta, rng) for _ in range(max(self.starts, CONSTRAINED_STARTS) - 1))
        best, _ = self._best_of(ascent, best, map(coordinates, others))
        while True:
            turned = turned_over(self.parts[0], self.objective.inside(best.z))
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

    def _many_starts(self, ascent: Ascent, coordinates: Callable[[Floats], Floats], theta: Floats) -> Floats:
        """Return the coordinates that the best of many starts of a model with discrete latent variables leads to."""
        found = many_starts(
            self.table, self.designs, ascent, coordinates, theta, sorted(self.user), self.starts, seed=1
        )
        if self.starts == 1:
            return found.z
        self.agreed, self.tried = found.agreed, len(found.values)
        self.narrator.say(f"{found.agreed} of {len(found.values)} starts agree, of {found.tried} short ones")
        if found.agreed == 1:
            self.findings.warn(
                "starts-disagree",
                f"only 1 of {len(found.values)} starts, the best of {found.tried} short ones, reached the best "
                "log-likelihood",
                help="there are local maxima: take more starts (options: starts = 100), or give start values",
            )
        return found.z

    # ------------------------------------------------------------------ results

    def _uncertainty(self, best: Optimum, theta: Floats) -> tuple[Floats, Floats | None, Floats | None]:
        """Return the parameters in the frame, their covariance matrix, and the scores of the top-level units.

        Constraints are functions of parameters that the frame leaves as they are.
        """
        vcov: Floats | None = None
        z = best.z
        D = self.objective.jacobian_inside(z)
        if self.se != "none" and not self.findings.away:
            curvature = best.curvature
            if curvature is None and self.se != "opg":
                curvature = Curvature(negative_hessian(self.objective, z, steps_of(z, best.variances_for_steps)))
            active = self._active(theta, D)
            empty = empty_columns(self.objective.parametrisation.blocks, self.objective.x(z))
            if empty:  # standard errors are those of the model of that rank
                rows = self.objective.basis[empty]
                active = rows if active is None else np.concatenate([active, rows])
            if curvature is not None:
                scales = self.objective.within.scales
                limits = at_limit(self.table, self.objective.x(z), curvature.information, scales)
                self.limits = limits.infinite
                self.findings.limits(self.limits, limits.closed)
                if limits:
                    held = np.eye(z.size)[sorted(limits.directions)]
                    active = held if active is None else np.concatenate([active, held])
                basis = np.eye(z.size) if active is None else tangent_basis(active, curvature.scale)
                inside = curvature if active is None else Curvature(basis.T @ curvature.information @ basis)
                self.findings.curvature(inside, D @ basis, theta, best.converged)
                inverse = None if self.limits else inside.inverse()
                if inverse is not None:
                    se = self.objective.standard_errors(basis @ inverse @ basis.T)
                    x = self.objective.x(z)
                    far = reach(self.objective.members, x)
                    self.findings.running_off(x, se, sizes_of_covariates(self.parts[0], self.parts[2], theta.size), far)
            units = self._units() if self.se == "robust" else None
            vcov = covariance(self.objective, z, self.se, curvature, D, units, active)
            if vcov is None:
                self.findings.warn(
                    "no-standard-errors", "standard errors could not be computed: the information is singular"
                )
            else:
                flat = self._on_border(theta, vcov, D)
                flat[sorted(self.limits)] = True
                vcov[flat], vcov[:, flat] = np.nan, np.nan
        signs = reporting_signs(self.parts[0], theta)
        if (signs < 0).any():
            theta = theta * signs
            if vcov is not None:
                vcov = vcov * np.outer(signs, signs)
        scores: Floats | None = None
        if self.se in ("opg", "robust"):
            scores = self._scores(z, D) * signs
        return theta, vcov, scores

    def _on_border(self, theta: Floats, vcov: Floats, D: Floats) -> NDArray[np.bool_]:
        """Return which (co)variances no coordinate moves: their factors are zero."""
        se = np.sqrt(np.maximum(np.diagonal(vcov), 0.0))
        own = (np.count_nonzero(D, axis=1) == 1) & (D == 1.0).any(axis=1)
        out = np.asarray(~D.any(axis=1))
        for p, unit in units_of_covariances(self.parts[0], self.parts[2], theta).items():
            out[p] |= not own[p] and se[p] < STUCK * unit
        return out

    def _scores(self, z: Floats, D: Floats) -> Floats:
        """Scores of the top-level units in the table's parameters: s with s D = s_z (least squares)."""
        scores = self.objective.value_and_scores(z)[1]
        out: Floats = scores @ np.linalg.pinv(D)
        return out

    def _active(self, theta: Floats, D: Floats) -> Floats | None:
        rows = []
        for c in self.constraints.nonlinear:
            value, gradient = c.function(theta)
            if c.equality or abs(value) < 1e-6 * max(1.0, float(np.abs(theta).max(initial=0.0))):
                rows.append(gradient @ D)
        return np.array(rows) if rows else None

    def _units(self) -> tuple[Ints, Floats]:
        """Return the units of the sandwich: that of each top-level unit, and how often each occurred."""
        top = self.cluster or (self.table.clusters[-1] if self.table.clusters else "")
        if not top:
            return np.arange(self.objective.multiplicity.size), self.objective.multiplicity
        codes, copies, offset = [], [], 0
        for member, design in zip(self.objective.members, self.designs, strict=True):
            if top not in design.clusters:
                raise FitError(
                    [error("unknown-cluster", f"'{top}' is not a cluster of the model",
                           help="name it in a line 'cluster:'")]
                )  # fmt: skip
            codes.append(design.clusters[top][member.records] + offset)
            copies.append(multiplicity(top, design))
            offset += copies[-1].size
        return np.concatenate(codes), np.concatenate(copies)

    def _sizes(self) -> tuple[list[float], float]:
        """Return the numbers of rows of each group, and of top-level units, that count."""
        rows: list[float] = []
        top = 0.0
        for member, form, design, fitted in zip(
            self.objective.members, self.forms, self.given, self.designs, strict=True
        ):
            counts = counted(self.table, form, design)
            rows.append(member.used)
            if fitted is not design:
                weight = np.prod([np.ones(design.n_rows), *design.frequency.values()], axis=0)
                rows[-1] += float(weight[counts].sum() - weight[counted(self.table, form, fitted)].sum())
            if self.table.clusters:
                code = design.clusters[self.table.clusters[-1]][counts]
                top += float(multiplicity(self.table.clusters[-1], design)[np.unique(code)].sum())
            else:
                top += float(design.frequency.get(ROWS, np.ones(design.n_rows))[counts].sum())
        return rows, top

    def _class_sizes(self, z: Floats) -> dict[str, tuple[float, ...]]:
        """Return the proportions of the states of discrete latent variables, over all groups."""
        x = self.objective.x(z)
        found: dict[str, Floats] = {}
        weights: dict[str, float] = {}
        for member in self.objective.members:
            for key, (size, total) in member.state_sizes(x).items():
                found[key] = found.get(key, 0.0) + size * total
                weights[key] = weights.get(key, 0.0) + total
        self.units_of = weights
        return {key: tuple((size / weights[key]).tolist()) for key, size in found.items()}

    def _defined(self, theta: Floats, vcov: Floats | None) -> tuple[DefinedEstimate, ...]:
        if not self.table.defined:
            return ()
        values = evaluate_defined(self.table.defined, labels_at(self.table, theta), theta.size)
        out = []
        for d in self.table.defined:
            dual = values[d.name]
            variance = math.nan if vcov is None else float(dual.gradient @ np.nan_to_num(vcov) @ dual.gradient)
            out.append(DefinedEstimate(d.name, d.text, dual.value, math.sqrt(variance) if variance >= 0 else math.nan))
        return tuple(out)
