"""Every response of every record, observed or not, with its linear predictor and the latent variables behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from semlang.data.design import Design
from semlang.estimation.distributions import Quantities, expected, in_order
from semlang.estimation.evaluation import Nodes
from semlang.estimation.kernels.families import ENTRIES
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.parameters import Parametrisation
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.table import ROWS, ParameterTable, Variable

__all__ = ["Predictors", "completed", "observed_responses"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUANTITIES = ("sigma", "shape", "guess", "slip", "zero")
"""Numbers of rows that are parameters of a distribution."""

PRIOR_NODES = {0: 1, 1: 101, 2: 41, 3: 17}
"""Nodes a dimension of the rule for the prior of linear predictors, by the dimensions that these depend on together."""
PRIOR_DRAWS = 4096
"""Quasi-random nodes where there are more dimensions."""


def observed_responses(design: Design, keys: Sequence[str]) -> NDArray[np.bool_]:
    """Return which responses of which records are observed, (n_rows, K)."""
    return np.stack([~np.isnan(design.responses[k]) for k in keys], axis=1)


def completed(design: Design, variables: Mapping[str, Variable]) -> Design:
    """Return the design with a value for every response; of a higher level in the first record of each unit."""
    responses = {}
    for key, y in design.responses.items():
        level = variables[key].level
        here = np.ones(design.n_rows, dtype=bool)
        if level != ROWS and level in design.clusters:
            here = np.diff(design.clusters[level], prepend=-1) != 0
        if key in design.terms:
            responses[key] = np.where(np.isnan(y) & (design.sets[key] >= 0), 1.0, y)
            continue
        if key in design.sets:
            responses[key] = _completed_sets(design, key, variables[key].kind.name == "ranking")
            continue
        value = 0.0 if variables[key].kind.thresholds else 1.0
        responses[key] = np.where(np.isnan(y) & here, value, y)
    trials, event = ({k: np.where(np.isnan(n), 1.0, n) for k, n in of.items()} for of in (design.trials, design.event))
    return replace(design, responses=responses, trials=trials, event=event, entry={})


def _completed_sets(design: Design, key: str, ranked: bool) -> Floats:
    """Return a response whose sets have a choice, where nothing is known of them the first alternative's."""
    y, own = design.responses[key], design.sets[key]
    new = ~design.in_sets(~np.isnan(y), key) & (own >= 0)
    first = np.zeros(y.size, dtype=bool)
    first[np.flatnonzero(new)[np.unique(own[new], return_index=True)[1]]] = True
    return np.where(new, np.where(first, 1.0, 2.0 if ranked else 0.0), y)


@dataclass(frozen=True)
class RowExpectations:
    """Expected values of responses, one line a pair of record and response.

    Parameters
    ----------
    record, response : (n,) ints
    values : (n, categories) floats
        The mean in the first column, or the probabilities of the categories; NaN beyond their number.
    """

    record: Ints
    response: Ints
    values: Floats


def _prior_rule(dims: int) -> tuple[Floats, Floats]:
    """Return nodes (D, Q) and weights (Q,) of a standard normal vector."""
    if dims not in PRIOR_NODES:
        from scipy.stats import qmc  # a third of a second to import, and few models need it

        z = ndtri(qmc.Sobol(dims, seed=1).random(PRIOR_DRAWS)).T
        return z, np.full(PRIOR_DRAWS, 1.0 / PRIOR_DRAWS)
    x, w = np.polynomial.hermite_e.hermegauss(PRIOR_NODES[dims])
    z = np.stack([g.ravel() for g in np.meshgrid(*[x] * dims, indexing="ij")]) if dims else np.zeros((0, 1))
    weights = np.ones(z.shape[1])
    for g in np.meshgrid(*[w / w.sum()] * dims, indexing="ij") if dims else ():
        weights = weights * g.ravel()
    return z, weights


class Predictors:
    """Linear predictors nu = o + A' v of one group at given parameters, v standard normal before the data.

    A response among alternatives has a row for each; what is expected of it stands at its first one.

    Parameters
    ----------
    table : ParameterTable
    graph : ModelGraph
    design : Design
    theta : (P,) floats
    points : int
        Of the fit; one where that is exact, or Laplace.
    inflation : float
        Multiplies the standard deviations of all latent variables; large values give maximum likelihood scores.
    factored : tuple of bool, optional
        Which blocks of Psi have factor coordinates in `theta`; default: `theta` are parameters of the table.
    sparse : bool
        Whether `points` are those of a sparse rule.

    Raises
    ------
    Infeasible
        Where a covariance matrix is not positive semidefinite.
    """

    def __init__(
        self,
        table: ParameterTable,
        graph: ModelGraph,
        design: Design,
        theta: Floats,
        points: int,
        inflation: float = 1.0,
        factored: tuple[bool, ...] | None = None,
        sparse: bool = False,
    ) -> None:
        self.table, self.graph, self.design, self.inflation = table, graph, design, inflation
        form = reduced_form(graph, lift=False)
        self._parametrisation = Parametrisation([form]) if factored is None else None
        if self._parametrisation is not None:
            factored = self._parametrisation.factored[0]
        counted = observed_responses(design, form.responses)
        self.member = QuadratureLikelihood(
            form, completed(design, table.variables), table.variables, table.levels, factored, points, 1,
            counted=counted, sparse=sparse,
        )  # fmt: skip
        self.form = replace(self.member.reduced, thresholds=form.thresholds)
        self.rows = self.member.rows
        self._residual = [
            d for d, (layer, _) in enumerate((y, c) for y in self.member.layers for c in y.coordinates) if layer.exact
        ]
        kinds = [table.variables[key].kind for key in form.responses]
        among = np.array([k.alternatives for k in kinds])[self.rows.response]
        steps = among & np.array([k.thresholds for k in kinds])[self.rows.response]
        self._nominal = np.array([k.nominal for k in kinds])[self.rows.response]
        self._in_sets = np.array([k.sets or k.composite for k in kinds])[self.rows.response]
        self._told = np.where(among, self.rows.category == np.where(steps, 1, 0), True)
        self._first_steps = steps & self._told
        for k in np.unique(self.rows.response[self._in_sets]).tolist():  # of the choices of a ranking the first
            i = np.flatnonzero(self.rows.response == k)
            self._told[i] = False
            self._told[i[np.unique(self.rows.source[i], return_index=True)[1]]] = True
        self._move(theta)

    def moved(self, theta: Floats) -> Predictors:
        """Return the predictors of the same rows at other parameters."""
        other = copy(self)
        other._move(theta)
        return other

    def _move(self, theta: Floats) -> None:
        self.theta = theta
        x = theta if self._parametrisation is None else self._parametrisation.coordinates(theta)
        self._engine_inputs = self.member.chain.forward(self.member.chain.cells(x)[0])
        self._engine_inputs.A[:] *= self.inflation
        self.inputs = replace(self._engine_inputs, o=self._engine_inputs.o.copy())
        self.F = self.member.factors.evaluate(x)[0] * self.inflation
        for k in np.unique(self.rows.response[self._first_steps]).tolist():  # it is nu less the first threshold
            i = np.flatnonzero(self._first_steps & (self.rows.response == k))
            self.inputs.o[i] += self.thresholds(k)[0, self.rows.source[i]]

    def rows_of(self, k: int) -> Ints:
        """Return the rows at which a response stands, one a record."""
        return np.flatnonzero((self.rows.response == k) & self._told)

    # ------------------------------------------------------------------ posterior

    def visit(self, function: Callable[[Nodes], None]) -> None:
        """Hand the posterior nodes of the lowest units to a function, a run at a time."""
        if self.member.layers:
            i = self._engine_inputs
            self.member.engine.nodes(i.o, i.A, i.f1, i.f2, self.member.node_counts(), function)

    # ------------------------------------------------------------------ expectations

    @property
    def _loadings(self) -> Floats:
        """A without the coordinates that stand for correlated residuals: they are no part of a mean."""
        A = self.inputs.A.copy()
        A[self._residual] = 0.0
        return A

    def conditional(self) -> RowExpectations:
        """Return expectations over the posterior of the latent variables."""
        out = self._nothing()
        A = self._loadings

        def add(nodes: Nodes) -> None:
            i = nodes.rows
            nu = self.inputs.o[i][:, None] + np.einsum("di,idq->iq", A[:, i], nodes.v[nodes.unit])
            self._expect(out, i, nu, nodes.weights[nodes.unit])

        if self.member.layers:
            self.visit(add)
        else:
            self._expect(out, np.arange(self.inputs.o.size), self.inputs.o[:, None], np.ones((self.inputs.o.size, 1)))
        return self._of_responses(out)

    def marginal(self) -> RowExpectations:
        """Return expectations over the prior of the latent variables: those of a new unit."""
        out = self._nothing()
        A = self._loadings
        alone = np.flatnonzero(~self._nominal & ~self._in_sets & self._told)
        z, w = _prior_rule(1)
        for i in np.array_split(alone, alone.size // 8192 + 1):
            nu = self.inputs.o[i][:, None] + np.sqrt((A[:, i] ** 2).sum(axis=0))[:, None] * z
            self._expect(out, i, nu, np.broadcast_to(w, nu.shape))
        for k in np.unique(self.rows.response[self._nominal]).tolist():
            here = np.flatnonzero(self.rows.response == k)
            dims = np.flatnonzero(A[:, here].any(axis=1))
            z, w = _prior_rule(dims.size)
            size = int(self.rows.category[here].max()) + 1
            for i in np.array_split(here.reshape(-1, size), here.size * w.size // 1_000_000 + 1):
                rows = i.ravel()
                nu = self.inputs.o[rows][:, None] + A[np.ix_(dims, rows)].T @ z
                self._expect(out, rows, nu, np.broadcast_to(w, nu.shape))
        for k in np.unique(self.rows.response[self._in_sets]).tolist():
            here = np.flatnonzero((self.rows.response == k) & self._told)
            dims = np.flatnonzero(A[:, here].any(axis=1))
            z, w = _prior_rule(dims.size)
            of = self.design.sets[self.form.responses[k]][self.rows.source[here]]
            here = here[np.argsort(of, kind="stable")]
            ends = np.flatnonzero(np.r_[np.diff(np.sort(of)) != 0, True]) + 1
            parts = here.size * w.size // 1_000_000 + 1
            cuts = np.unique(ends[np.searchsorted(ends, np.linspace(0, here.size, parts + 1)[1:])])
            for rows in np.split(here, cuts[:-1]):
                nu = self.inputs.o[rows][:, None] + A[np.ix_(dims, rows)].T @ z
                self._expect(out, rows, nu, np.broadcast_to(w, nu.shape))
        return self._of_responses(out)

    def linear(self) -> RowExpectations:
        """Return the posterior means of the linear predictors; of a nominal response, of those of its categories."""
        out = self._nothing()
        A = self._loadings
        nu = self.inputs.o / self.inputs.scale

        def add(nodes: Nodes) -> None:
            i = nodes.rows
            mean = np.einsum("uq,udq->ud", nodes.weights, nodes.v)
            nu[i] = (self.inputs.o[i] + (A[:, i].T * mean[nodes.unit]).sum(axis=1)) / self.inputs.scale[i]

        self.visit(add)
        out[:, 0] = nu
        nominal = np.flatnonzero(self._nominal)
        c = self.rows.category[nominal]
        out[nominal - c, c] = nu[nominal]
        return self._of_responses(out)

    def at(self, nu: Mapping[int, Floats]) -> RowExpectations:
        """Return expectations at given linear predictors, by response: (n_rows,), of a nominal one (K, n_rows)."""
        out = self._nothing()
        for k, values in nu.items():
            i = np.flatnonzero(self.rows.response == k)
            place = (self.rows.category[i], self.rows.source[i]) if values.ndim > 1 else self.rows.source[i]
            given = values[place] * self.inputs.scale[i]
            self._expect(out, i, given[:, None], np.ones((i.size, 1)))
        return self._of_responses(out)

    def _nothing(self) -> Floats:
        most = max(1, *(len(t) + 1 for t in self.form.thresholds.values()), int(self.rows.category.max(initial=0)) + 1)
        return np.full((self.inputs.o.size, most), np.nan)

    def _of_responses(self, out: Floats) -> RowExpectations:
        return RowExpectations(self.rows.source[self._told], self.rows.response[self._told], out[self._told])

    def _expect(self, out: Floats, rows: Ints, nu: Floats, weights: Floats) -> None:
        """Fill the expectations of some rows from their linear predictors at nodes; sets of alternatives are whole."""
        for k in np.unique(self.rows.response[rows]).tolist():
            here = np.flatnonzero((self.rows.response[rows] == k) & self._told[rows])
            i = rows[here]
            variable = self.table.variables[self.form.responses[k]]
            cuts = None
            given = nu[here]
            if self._nominal[i[0]]:
                size = int(self.rows.category[self.rows.response == k].max()) + 1
                given = np.stack([nu[here + c] for c in range(size)])
            elif k in self.form.thresholds:
                cuts = self.thresholds(k)[:, self.rows.source[i]] * self.inputs.scale[i]
            q = self.quantities(i)
            with np.errstate(invalid="ignore"):
                for c, values in enumerate(expected(variable, given, q, cuts)):
                    out[i, c] = (values * weights[here]).sum(axis=1)

    def quantities(self, rows: Ints) -> Quantities:
        """Return the distribution parameters of rows of one response, by name, (n, 1) each."""
        if not rows.size:
            return {}
        entry = ENTRIES[int(self.rows.codes[rows[0]])]
        key = self.form.responses[int(self.rows.response[rows[0]])]
        if key in self.design.sets:
            q: dict[str, Any] = {"set": self.design.sets[key][self.rows.source[rows]][:, None]}
            if key not in self.design.terms:
                return q
            q["weight"] = self.design.terms[key][self.rows.source[rows]][:, None]
            return q | ({"sigma": self.inputs.f2[rows][:, None]} if entry.f2 == "sigma" else {})
        beyond = {} if key not in self.design.censored else {
            name: of[key][self.rows.source[rows]][:, None]
            for name, of in (("low", self.design.low), ("high", self.design.high))
        }  # fmt: skip
        return beyond | {
            role: f[rows][:, None]
            for role, f in ((entry.f1, self.inputs.f1), (entry.f2, self.inputs.f2))
            if role in QUANTITIES
        }

    def thresholds(self, k: int) -> Floats:
        """Return the thresholds of a response by record (S, n_rows)."""
        out = np.zeros((len(self.form.thresholds[k]), self.design.n_rows))
        for s, addends in enumerate(self.form.thresholds[k]):
            for a, value in zip(addends, self.form.coefficients(addends, self.theta), strict=True):
                out[s] += value * (self.design.columns[a.via] if a.via else 1.0)
        return in_order(out, self.table.variables[self.form.responses[k]])
