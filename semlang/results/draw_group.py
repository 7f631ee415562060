"""Draws of one group's latent variables and responses, in the order of their causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.alternatives import as_far_as_ranked
from semlang.data.covariates import ProductColumns
from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.distributions import drawn, in_order, transform
from semlang.estimation.factors import semidefinite_factor
from semlang.estimation.linear_predictors import (
    addend_of,
    all_causes,
    distribution_rows,
    no_predictor,
    products_of,
    with_addend,
)
from semlang.estimation.member import Infeasible
from semlang.estimation.moderation import moderated_blocks, spread
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import causes_first
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, Product, Row, Variable
from semlang.results.ended import ended

__all__ = ["Drawn", "Normals", "draw_group", "of_first", "with_drawn"]

Floats = NDArray[np.float64]

_NONE = np.zeros(1)


@dataclass
class Drawn:
    """What is drawn of a group, by key (n_rows,) each.

    Parameters
    ----------
    responses : coded as in `Design.responses`
    event : which durations ended with the event
    latent : values of latent variables, of classes their numbers from 1
    """

    responses: dict[str, Floats] = field(default_factory=dict)
    event: dict[str, Floats] = field(default_factory=dict)
    latent: dict[str, Floats] = field(default_factory=dict)


class Normals:
    """Standard normal numbers by unit, one a disturbance, drawn when they are first asked for.

    Models of different states of one population ask for the same ones, so that what does not depend on the states is
    the same in all.
    """

    def __init__(self, design: Design, rng: np.random.Generator) -> None:
        self._design, self._rng = design, rng
        self._of: dict[str, Floats] = {}

    def __call__(self, key: str, level: str) -> Floats:
        """Return the numbers of a disturbance by unit of its level."""
        if key not in self._of:
            self._of[key] = self._rng.standard_normal(self._design.n_units(level))
        return self._of[key]


def _disturbances(
    graph: ModelGraph, form: ReducedForm, design: Design, theta: Floats, normals: Normals
) -> dict[str, Floats]:
    """Return the disturbances by key (n_rows,).

    Raises
    ------
    FitError
        ``not-simulated`` where a covariance matrix is none.
    """
    psi = form.psi.matrix(theta)
    moderated = {j for block in moderated_blocks(form) for j in block.members}
    psi[np.ix_(list(moderated), list(moderated))] = np.eye(len(moderated))
    out: dict[str, Floats] = {}
    for level in graph.table.levels:
        members = [j for j, z in enumerate(form.disturbances) if z.level == level]
        if not members:
            continue
        try:
            F = semidefinite_factor(psi[np.ix_(members, members)])
        except Infeasible as problem:
            raise FitError([error("not-simulated", f"at the level {level} {problem}")]) from None
        z = np.stack([normals(form.disturbances[j].key, level) for j in members], axis=1) @ F.T
        unit = slice(None) if level == ROWS else design.clusters[level]
        if moderated & set(members):
            records = design.first_records(level)
            S = spread(form, design, theta, records)
            assert S is not None
            z = np.einsum("uij,uj->ui", S[:, np.array(members)[:, None], members], z)
        out.update({form.disturbances[j].key: z[unit, n] for n, j in enumerate(members)})
    return out


def draw_group(graph: ModelGraph, design: Design, theta: Floats, normals: Normals, rng: np.random.Generator) -> Drawn:
    """Return draws of all latent variables and responses; no response is missing.

    Parameters
    ----------
    graph : ModelGraph
        Without discrete latent variables; products of continuous ones among its `others` multiply their values.
    design : Design
    theta : (P,) floats
    normals : Normals
    rng : numpy Generator

    Raises
    ------
    FitError
        ``not-simulated`` where a mean is negative that has to be positive, or a covariance matrix is none.
    """
    return _Draw(graph, design, theta, rng).run(normals)


class _Draw:
    def __init__(self, graph: ModelGraph, design: Design, theta: Floats, rng: np.random.Generator) -> None:
        self.graph, self.design, self.theta, self.rng = graph, design, theta, rng
        self.form = reduced_form(graph, lift=False)
        self.out = Drawn(event=dict(design.event))
        self.values: dict[str, Floats] = {}
        self.columns = design.columns

    def run(self, normals: Normals) -> Drawn:
        graph, design, form, out = self.graph, self.design, self.form, self.out
        variables = graph.table.variables
        zeta = _disturbances(graph, form, design, self.theta, normals)
        errors = self._errors(form.responses, form.theta.matrix(self.theta))
        products = products_of(graph)
        values = self.values
        for key in causes_first(all_causes(graph)):
            variable = variables[key]
            nu = no_predictor(variable, design)
            for p in graph.into(key):
                if not p.is_zero:
                    coefficient = self.theta[p.parameter] if p.parameter >= 0 else p.value
                    addend = coefficient * self._column(p.via) * (values[p.source] if p.source else 1.0)
                    nu = with_addend(nu, addend, p.category, variable, design)
            for r in products:
                if r.target == key:
                    addend = addend_of(r, values, self._column(r.via), self.theta)
                    nu = with_addend(nu, addend, r.category, variable, design)
            if key in zeta:
                nu = nu + zeta[key]
            values[key] = nu
            if variable.role == "response":
                self._respond(variable, nu, errors.get(key, _NONE))
            else:
                out.latent[key] = nu
        return out

    def _respond(self, variable: Variable, nu: Floats, residual: Floats) -> None:
        key, design, out = variable.key, self.design, self.out
        if key in design.exposure:
            nu = nu + np.log(design.exposure[key])
        quantities, thresholds = distribution_rows(self.graph, key)
        q: dict[str, Any] = {name: transform(name, self._sum(rows)) for name, rows in quantities.items()}
        cuts = None
        if thresholds:
            cuts = in_order(np.stack([self._sum(rows) for rows in thresholds]), variable)
        elif "sigma" not in q:
            q["residual"] = residual
        for name, column in (("trials", design.trials), ("entry", design.entry)):
            if key in column:
                q[name] = np.nan_to_num(column[key], nan=1.0 if name == "trials" else 0.0)
        if key in design.sets:
            q["set"] = design.sets[key]
        if key in design.terms:
            q["weight"] = design.terms[key]
        if key in design.censored:
            q |= {"low": design.low[key], "high": design.high[key]}
        try:
            y = drawn(variable, nu, q, cuts, self.rng)
        except ValueError:
            raise FitError(
                [error("not-simulated", f"the mean of '{variable.name}' is not positive in some rows",
                       self.graph.table.source, variable.span, help="a log link keeps means positive")]
            ) from None  # fmt: skip
        if key in design.event:
            y, out.event[key] = ended(y, design.responses[key], design.event[key], self.rng)
        if variable.kind.name == "ranking":
            y = as_far_as_ranked(y, design.responses[key], design.sets[key])
        out.responses[key] = y
        if variable.level != ROWS and variable.level in design.clusters:
            for of in (out.responses, out.event):
                if key in of:
                    of[key] = of_first(of[key], design, variable.level)
        self.columns = with_drawn(self.columns, design, variable, out.responses[key])

    def _errors(self, keys: Sequence[str], theta: Floats) -> dict[str, Floats]:
        members = np.flatnonzero(np.diag(theta) != 0)
        if not members.size:
            return {}
        try:
            F = semidefinite_factor(theta[np.ix_(members, members)])
        except Infeasible as problem:
            raise FitError([error("not-simulated", f"of the residuals {problem}")]) from None
        draws = self.rng.standard_normal((self.design.n_rows, members.size)) @ F.T
        return {keys[k]: draws[:, n] for n, k in enumerate(members.tolist())}

    def _column(self, via: Product) -> Any:
        """Return a product of covariates, responses among them as they were drawn."""
        return self.columns[via] if via else 1.0

    def _sum(self, rows: Sequence[Row]) -> Floats:
        out = np.zeros(self.design.n_rows)
        for r in rows:
            out = out + addend_of(r, self.values, self._column(r.via), self.theta)
        return out


def with_drawn(
    columns: Mapping[Product, Floats], design: Design, variable: Variable, y: Floats
) -> Mapping[Product, Floats]:
    """Return the covariates of a design in which a response has the values that were drawn."""
    key = variable.key
    if not isinstance(columns, ProductColumns) or key not in design.responses:
        return columns
    names = design.categories.get(key, ("0", "1") if variable.kind.name in ("binomial", "choice") else ())
    codes = names if key not in design.trials else ()
    return columns.redrawn(variable.name, design.responses[key], y, codes)


def of_first(values: Floats, design: Design, level: str) -> Floats:
    """Give every record of a unit the value of the first."""
    code = design.clusters[level]
    return np.asarray(values[np.diff(code, prepend=-1) != 0][code])
