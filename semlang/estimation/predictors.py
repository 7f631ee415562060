"""Every response of every record, observed or not, with its linear predictor and the latent variables behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.distributions import Quantities, expected
from semlang.estimation.kernels.families import ENTRIES
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.parameters import Parametrisation
from semlang.estimation.quadrature import Nodes
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.table import ROWS, ParameterTable, Variable

__all__ = ["Predictors", "completed", "observed_responses"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUANTITIES = ("sigma", "shape", "guess", "slip", "zero")
"""Numbers of rows that are parameters of a distribution."""

PRIOR_POINTS = 101
"""Nodes of the one-dimensional rule for a linear predictor's prior."""


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
        value = 0.0 if variables[key].kind.thresholds else 1.0
        responses[key] = np.where(np.isnan(y) & here, value, y)
    trials, event = ({k: np.where(np.isnan(n), 1.0, n) for k, n in of.items()} for of in (design.trials, design.event))
    return replace(design, responses=responses, trials=trials, event=event, entry={})


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


class Predictors:
    """Linear predictors nu = o + A' v of one group at given parameters, v standard normal before the data.

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
    ) -> None:
        self.table, self.graph, self.design, self.theta = table, graph, design, theta
        form = reduced_form(graph, lift=False)
        x = theta
        if factored is None:
            parametrisation = Parametrisation([form])
            factored, x = parametrisation.factored[0], parametrisation.coordinates(theta)
        counted = observed_responses(design, form.responses)
        self.member = QuadratureLikelihood(
            form, completed(design, table.variables), table.variables, table.levels, factored, points, 1,
            counted=counted,
        )  # fmt: skip
        self.form = self.member.reduced
        self.inputs = self.member.chain.forward(self.member.chain.cells(x)[0])
        self.inputs.A[:] *= inflation
        self.F = self.member.factors.evaluate(x)[0] * inflation
        self.rows = self.member.rows
        self._residual = [
            d for d, (layer, _) in enumerate((y, c) for y in self.member.layers for c in y.coordinates) if layer.exact
        ]

    # ------------------------------------------------------------------ posterior

    def visit(self, function: Callable[[Nodes], None]) -> None:
        """Hand the posterior nodes of the lowest units to a function, a run at a time."""
        if self.member.layers:
            i = self.inputs
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
        return RowExpectations(self.rows.source, self.rows.response, out)

    def marginal(self) -> RowExpectations:
        """Return expectations over the prior of the latent variables: those of a new unit."""
        z, w = np.polynomial.hermite_e.hermegauss(PRIOR_POINTS)
        out = self._nothing()
        sd = np.sqrt((self._loadings**2).sum(axis=0))
        for start in range(0, sd.size, 8192):
            i = np.arange(start, min(start + 8192, sd.size))
            nu = self.inputs.o[i][:, None] + sd[i][:, None] * z
            self._expect(out, i, nu, np.broadcast_to(w / w.sum(), nu.shape))
        return RowExpectations(self.rows.source, self.rows.response, out)

    def linear(self) -> RowExpectations:
        """Return the posterior means of the linear predictors."""
        out = self._nothing()
        A = self._loadings
        out[:, 0] = self.inputs.o / self.inputs.scale

        def add(nodes: Nodes) -> None:
            i = nodes.rows
            mean = np.einsum("uq,udq->ud", nodes.weights, nodes.v)
            out[i, 0] = (self.inputs.o[i] + (A[:, i].T * mean[nodes.unit]).sum(axis=1)) / self.inputs.scale[i]

        self.visit(add)
        return RowExpectations(self.rows.source, self.rows.response, out[:, :1])

    def at(self, nu: Mapping[int, Floats]) -> RowExpectations:
        """Return expectations at given linear predictors, by response: (n_rows,)."""
        out = self._nothing()
        for k, values in nu.items():
            i = np.flatnonzero(self.rows.response == k)
            given = values[self.rows.source[i]] * self.inputs.scale[i]
            self._expect(out, i, given[:, None], np.ones((i.size, 1)))
        return RowExpectations(self.rows.source, self.rows.response, out)

    def _nothing(self) -> Floats:
        most = max([1, *(len(t) + 1 for t in self.form.thresholds.values())])
        return np.full((self.inputs.o.size, most), np.nan)

    def _expect(self, out: Floats, rows: Ints, nu: Floats, weights: Floats) -> None:
        """Fill the expectations of some rows from their linear predictors at nodes."""
        for k in np.unique(self.rows.response[rows]).tolist():
            here = self.rows.response[rows] == k
            i = rows[here]
            variable = self.table.variables[self.form.responses[k]]
            cuts = None
            if k in self.form.thresholds:
                cuts = self.thresholds(k)[:, self.rows.source[i]] * self.inputs.scale[i]
            q = self.quantities(i)
            with np.errstate(invalid="ignore"):
                for c, values in enumerate(expected(variable, nu[here], q, cuts)):
                    out[i, c] = (values * weights[here]).sum(axis=1)

    def quantities(self, rows: Ints) -> Quantities:
        """Return the distribution parameters of rows of one response, by name, (n, 1) each."""
        if not rows.size:
            return {}
        entry = ENTRIES[int(self.rows.codes[rows[0]])]
        return {
            role: f[rows][:, None]
            for role, f in ((entry.f1, self.inputs.f1), (entry.f2, self.inputs.f2))
            if role in QUANTITIES
        }

    def thresholds(self, k: int) -> Floats:
        """Return the thresholds of a response by record (S, n_rows)."""
        out = np.zeros((len(self.form.thresholds[k]), self.design.n_rows))
        for s, addends in enumerate(self.form.thresholds[k]):
            for a in addends:
                value = self.theta[a.parameter] if a.parameter >= 0 else a.value
                out[s] += value * (self.design.columns[a.via] if a.via else 1.0)
        return out
