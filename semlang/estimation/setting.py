"""What a fit is of: the model, its data as they are fitted, the plan, and the objective that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.partitions.opening import in_partitions
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.assemble import assemble, start_parts
from semlang.estimation.checkpoint import Checkpoint
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.conditioning.filled import are_missing
from semlang.estimation.constraints import Constraints, Nonlinear
from semlang.estimation.expansion import contributing
from semlang.estimation.factors import Block
from semlang.estimation.findings import FindingsOfFit
from semlang.estimation.frame import Frame, Framed, frame
from semlang.estimation.inequalities import can_separate
from semlang.estimation.member import Member
from semlang.estimation.moderation import Moderation, moderations, refuse_known
from semlang.estimation.objective import Objective
from semlang.estimation.partitions.partitioned import Partitioned, partitioned
from semlang.estimation.partitions.parts import Parts, of_all
from semlang.estimation.partitions.standing import FILLED, Blueprint
from semlang.estimation.plan import plan
from semlang.estimation.planned import Plan
from semlang.estimation.progress import Narrator, available_threads
from semlang.estimation.reconciled import Meeting, reconciled
from semlang.estimation.semidefinite import Wall, semidefinite, semidefinite_everywhere, unfactored
from semlang.estimation.separation import Separation, separate
from semlang.estimation.space import never_negative
from semlang.estimation.start import user_values
from semlang.estimation.tally import Tally, tally
from semlang.graph.condition import discrete_variables, n_states
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.table import ParameterTable

__all__ = ["Setting"]

Floats = NDArray[np.float64]


class Setting:
    """The model and the data of one fit.

    Parameters
    ----------
    table, graphs, designs
        As of `estimate`.
    points : int or None
        The user's number of points.
    start : mapping from label or ``lhs op rhs`` to float, or None
    threads : int or None
    progress : callable or None
    checkpoint : str, Path or None
    parts : Parts, optional
        All of the data, where they lie in partitions.

    Raises
    ------
    FitError
        If no engine fits the model, or nothing is left of a response that is separated.
    """

    def __init__(
        self,
        table: ParameterTable,
        graphs: Sequence[ModelGraph],
        designs: Sequence[Design],
        points: int | None,
        start: Mapping[str, float] | None,
        threads: int | None,
        progress: Callable[[str], None] | None,
        checkpoint: str | Path | None,
        parts: Parts | None = None,
    ) -> None:
        self.partitions = parts
        self.checkpoint = Checkpoint(table, designs, checkpoint)
        kept = self.checkpoint.start()
        self.table, self.graphs, self.designs = table, graphs, designs
        given = points if points is not None else table.options.get("points")
        self.asked: int | None = int(given) if given is not None else None
        self.findings = FindingsOfFit(table)
        self.narrator = Narrator(progress)
        self.plan = self._planned(shared=True)
        self._refuse()
        if parts is not None and any(g.engine != "closed form" for g in self.plan.groups) and self._filled():
            raise FitError([in_partitions(FILLED)])
        self.fresh = user_values(table, start or {})
        self.user = user_values(table, {**kept, **(start or {})})
        self.constraints = Constraints(table)
        self.meeting: Meeting | None = None
        self._refuse_contradictions()
        self.frame = self._frame()
        self.inside = (graphs, designs) if self.frame is None else (self.frame.graphs, self.frame.designs)
        self.separation = self._separation()
        self.given = tuple(designs)
        if self.separation is not None:
            self.inside = (self.inside[0], self.separation.designs)
            self.designs = _limited(designs, self.separation.designs)
        self.parts = start_parts(table, *self.inside)
        self.forms = self.parts[1][:: len(self.parts[1]) // len(graphs)]
        if self.frame is not None:
            self.forms = [reduced_form(graph, lift=False) for graph in graphs]
        self.quadrature = any(g.engine != "closed form" for g in self.plan.groups)
        self.threads = threads or available_threads()

    def without_shared_nodes(self) -> None:
        """Plan once more, for units with nodes of their own."""
        self.plan = self._planned(shared=False)

    def _planned(self, shared: bool) -> Plan:
        """Plan, for the sizes of all of the data."""
        found = plan(self.table, self.graphs, self.designs, self.asked, shared)
        return found if self.partitions is None else of_all(found, self.partitions)

    def tally(self, objective: Objective) -> Tally:
        """Return what counts of the data."""
        member = objective.members[0]
        if isinstance(member, Partitioned):
            return member.tally(np.zeros(0))
        return tally(self.table, self.forms, self.given, self.designs, objective.members)

    def objective(self, **road: bool) -> Objective:
        """Return the function that is maximised, in the coordinates of a road."""
        objective = self._free(**road)
        if self.separation is None:
            return objective
        basis = np.abs(objective.basis)
        held = [int(np.flatnonzero(basis[p])[0]) for p in self.separation.held]
        objective = objective.hold(dict.fromkeys(held, 0.0))
        objective.base = objective.base + self.separation.shift(objective.base.size)
        return objective

    def _free(self, **road: bool) -> Objective:
        engines = [g.engine for g in self.plan.groups]
        objective = assemble(
            self.table, self.inside[0], self.inside[1], self.constraints, self.quadrature, self.plan.points,
            self.threads, engines=engines, **road,
        )  # fmt: skip
        if self.partitions is not None:
            bare = None if self.frame is None else replace(self.frame, designs=())
            blueprint = Blueprint(
                self.table, tuple(self.inside[0]), tuple(self.graphs), bare, self.quadrature, self.plan.points,
                1 if self.partitions.workers else self.threads, tuple(engines), road,
            )  # fmt: skip
            member = partitioned(self.partitions, blueprint, objective.members)
            objective = Objective([member], objective.parametrisation, self.constraints)
        if self.frame is not None:
            objective.parametrisation = Framed(objective.within, self.frame)
        objective.watch = self._watch
        return objective

    def unfactored(self, objective: Objective) -> tuple[Block, ...]:
        """Return the covariance matrices of an objective that have no factors and no negative eigenvalues."""
        within = objective.within
        return unfactored(within.forms, within.factored, None if self.quadrature else never_negative(self.table))

    def walls(self, objective: Objective, start: Floats) -> tuple[Wall, ...]:
        """Return what keeps covariance matrices that have no factors from negative eigenvalues.

        Parameters
        ----------
        objective : Objective
        start : (P,) floats
            The table's parameters.
        """
        return (*semidefinite(self.unfactored(objective), start), *semidefinite_everywhere(self.moderations))

    @cached_property
    def moderations(self) -> tuple[Moderation, ...]:
        """Covariance matrices of latent variables that depend on covariates, in the table's parameters."""
        found: list[Moderation] = []
        for graph, design in zip(self.graphs, self.designs, strict=True):
            form = reduced_form(graph, lift=False)
            if form.moderated:
                found += moderations(form, design, np.flatnonzero(contributing(form, design)))
        return tuple(found)

    def _watch(self, objective: Objective, z: Floats, value: float) -> None:
        self.checkpoint.saw(objective, z, value, self.narrator.stage)

    def _frame(self) -> Frame | None:
        """Return the frame in which covariates are centred and scaled."""
        if is_conditional(self.table) or (any(g.engine != "closed form" for g in self.plan.groups) and self._filled()):
            return None
        return frame(self.table, self.graphs, self.designs, self.constraints.substituted)

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
        if not can_separate(self.table) or discrete_variables(self.table) or is_conditional(self.table):
            return None
        graphs, designs = self.inside
        forms = [reduced_form(graph, lift=False) for graph in graphs]
        found = separate(self.table, forms, designs, self.constraints.pinned)
        if found is None:
            return None
        if self.partitions is not None and not self.partitions.whole:
            raise FitError(
                [in_partitions("some responses may be separated by covariates, which takes all rows to decide")]
            )
        if self.partitions is not None:
            raise FitError([in_partitions("responses are separated by covariates: estimates are at infinity")])
        found = found.seen_from(self.frame)
        self.findings.separated(found)
        if any(d.is_error for d in self.findings.found):
            raise FitError(self.findings.found)
        return found

    def _refuse(self) -> None:
        if self.plan.standing and (self.partitions is not None or any(g.conditions for g in self.plan.groups)):
            raise FitError(
                [error("bad-option-value", f"rule = {self.plan.placed} is for models without classes and products of "
                       "latent variables, and for data that are not in partitions", help="leave the option out")]
            )  # fmt: skip
        for group, graph in zip(self.plan.groups, self.graphs, strict=True):
            if group.engine == "none":
                row = graph.others[0] if graph.others else None
                raise FitError(
                    [error("not-estimable", group.why, self.table.source if row else None, row.span if row else None)]
                )
        refuse_known(self.plan, self.graphs)

    def _refuse_contradictions(self) -> None:
        """Refuse constraints that hold nowhere together, or nowhere where variances are not negative."""
        start = np.ones(self.table.n_parameters)
        for p, value in self.user.items():
            start[p] = value
        found = reconciled(self.constraints, start)
        own = self._own_variances()
        if found is None or found.holds:
            found, besides = reconciled(self.constraints, start, own), " where variances are not negative"
        else:
            besides = ""
        if found is None or found.holds:
            self.meeting = found
            return
        bounds = [f"'{c.text}'" for c in self.constraints.nonlinear if c.bound]
        texts = [f"'{r.text}'" for r in self.table.relations]
        if not texts:
            texts, bounds = bounds, []
        few = ", ".join(texts[:4]) + (" ..." if len(texts) > 4 else "") + (" and the bounds" if bounds else "")
        verb = "hold together" if bounds or len(texts) > 1 else "holds"
        row = next((r for r in self.table.rows if r.parameter in self.constraints.pinned), None)
        span = next((r.span for r in self.table.relations), row.span if row else None)
        raise FitError(
            [error("contradictory-constraints",
                   f"no values were found at which {few} {verb}{besides}; the nearest miss '{found.text}' by "
                   f"{found.missed:.2g}",
                   self.table.source, span, help="mend one of them, or give start values at which they hold")]
        )  # fmt: skip

    def with_values(self, theta: Floats) -> Floats:
        """Return start values of the parameters in the frame at which every constraint has a value and a slope.

        Where one has none, as sqrt(a) at a = 0, the parameters in constraints that the user gives no start value take
        those at which all constraints hold.
        """
        own = theta if self.frame is None else self.frame.theta(theta)
        found = [c.function(own) for c in self.constraints.nonlinear]
        if self.meeting is None or all(np.isfinite(value) and np.isfinite(slope).all() for value, slope in found):
            return theta
        own = own.copy()
        taken = sorted(self.constraints.pinned - set(self.user))
        own[taken] = self.meeting.theta[taken]
        return own if self.frame is None else self.frame.inside(own)

    def _own_variances(self) -> list[Nonlinear]:
        """Return "v > 0" for the constrained variances that nothing adds to and those of `never_negative`."""
        quadrature = any(g.engine != "closed form" for g in self.plan.groups)
        latents = {v.key for v in self.table.latents} if quadrature else never_negative(self.table)
        found: dict[int, Nonlinear] = {}
        for graph in self.graphs:
            alone = {
                key for key in graph.responses
                if not any(p.source in graph.latents and not p.is_zero for p in graph.into(key))
            }  # fmt: skip
            for c in graph.covariances:
                if c.a == c.b and c.parameter in self.constraints.pinned and c.a in alone | latents:
                    found[c.parameter] = self.constraints.at_least(c.parameter, 0.0)
        return list(found.values())

    def refuse_more_states(self, member: Member) -> None:
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


def _limited(given: Sequence[Design], limit: Sequence[Design]) -> tuple[Design, ...]:
    """Return designs without the responses that those of the limit model do not have."""
    return tuple(
        replace(d, responses={k: np.where(np.isnan(e.responses[k]), np.nan, y) for k, y in d.responses.items()})
        for d, e in zip(given, limit, strict=True)
    )
