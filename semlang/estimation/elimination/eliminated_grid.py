"""One group's log-likelihood by eliminating latent variables one after the other, over nodes that all units share.

In standard coordinates ``eta_j = c_j z_j`` every latent variable has the same equispaced nodes, and the likelihood of a
unit is a sum over their product of densities of responses, each a function of the few variables that it depends on, and
of conditional distributions (`standard`). Summed in the order of `outline`, its cost is that of the largest clique, not
of all variables: the five of an autoregression of five waves are done two at a time, the growth curve of four factors
three at a time (Rijmen 2009, ETS RR-09-03; Lauritzen and Spiegelhalter 1988). The gradient is exact: the same sums
backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.chain import Chain
from semlang.estimation.elimination.conditional_tables import adjoint_of_table, conditional_table
from semlang.estimation.elimination.layout import absorptions, lay_out
from semlang.estimation.elimination.outline import Outline
from semlang.estimation.elimination.run import Run
from semlang.estimation.elimination.standard import Prior, Standard
from semlang.estimation.expanded import Expanded
from semlang.estimation.grid.typed_units import typed_units
from semlang.estimation.kernels.chain_rows import RowInputs
from semlang.estimation.kernels.densities import PARAMETERS, TILE, addresses
from semlang.estimation.kernels.families import with_role
from semlang.estimation.kernels.layout import Rows
from semlang.estimation.kernels.shared_grid import RowTables, fill_tables
from semlang.estimation.layers import Layer, layers_of
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.member import Infeasible, Posterior
from semlang.estimation.nearly import nearly_the_same
from semlang.estimation.row_constants import constants
from semlang.model.table import Variable

__all__ = ["EliminatedGrid", "Pass"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPAN = {1: 6.0, 2: 6.0, 3: 5.5, 4: 4.8, 5: 4.5}
"""Standard deviations that nodes reach to, by the size of the largest clique."""

SECOND = {1: (64, 6.0), 2: (36, 6.0), 3: (17, 4.5), 4: (11, 4.0), 5: (8, 3.5)}
"""Most nodes a dimension for second derivatives, which need not be as exact as the value, and what they reach to."""

POSTERIOR, DENSITIES = (7, 5, 3), 50_000_000
"""Points a dimension for posterior moments, and the densities that they may take."""

SETTLED, SETTLED_WIDE, WIDE = 1e-3, 1e-2, 4
"""Error of the log-likelihood that is small enough, and of cliques of so many variables and more."""

NARROW = 0.5
"""Conditional SD in distances of nodes below which a table says little about it."""

FEW = 50
"""Parameters for which differences of the gradient take less time than Louis' formula."""

CELLS = 8_000_000
"""Numbers of what the steps leave of a run of units; with fewer, units have less in common."""

SCORE_CELLS = 4_000_000
"""The same of scores by node and parameter."""


class EliminatedGrid(Expanded):
    """A member whose latent variables are eliminated, see the module.

    Parameters
    ----------
    found : Outline
    design : Design
    variables : mapping from key to Variable
    factored : sequence of bool
        Which blocks of Psi have factor coordinates.
    threads : int
        Not used: the work is in products of matrices.
    """

    points: int | None = None
    exact = False
    standing = True

    @property
    def tolerance(self) -> float:
        """Error of the log-likelihood that is small enough."""
        return SETTLED if self.outline.width < WIDE else SETTLED_WIDE

    def __init__(
        self,
        found: Outline,
        design: Design,
        variables: Mapping[str, Variable],
        order: Sequence[str],
        factored: Sequence[bool] | None = None,
    ) -> None:
        self.outline, self.design = found, design
        self._variables, self._order = variables, order
        self.reduced = found.structure.form
        self.standard = Standard(found.structure.latent, found.steps, factored)
        members = [tuple(j for j, h in enumerate(found.heights) if h == n) for n in range(len(found.levels))]
        self.layers = tuple(
            Layer(level, tuple((j,) for j in own)) for level, own in zip(found.levels, members, strict=True)
        )
        self._dimension = {j: d for d, j in enumerate(j for own in members for j in own)}
        self.rows, types = typed_units(self.reduced, design, variables, self.layers, order)
        self.types, self.type_of_row = types.rows, types.number
        self.chain = Chain(self.reduced, design, self.types, self.standard, self.layers)
        self.n_parameters = self.reduced.n_parameters
        self._address = addresses(np.unique(self.types.codes))
        self._constant = constants(self.types.codes, self.types.y, self.types.f1, self.types.f2)
        self._ordered = np.array(with_role("upper"))[self.types.codes, 0]
        self._level = 0
        self.layout, self.types_of = lay_out(self.outline, self.types.y.size, self._scopes_of_types())
        self.absorbed = absorptions(self.layout)
        self.runs = self._runs(self.nodes.size, CELLS)

    # ------------------------------------------------------------------ layout

    def _scopes_of_types(self) -> list[frozenset[int]]:
        """Return the variables that each type's linear predictor depends on, given its covariates."""
        e, variable = self.chain.entries, {d: j for j, d in self._dimension.items()}
        out = []
        for t in range(self.types.y.size):
            a, b = e.a_range[self.types.predictor[t]]
            record = e.source[t]
            used = {
                variable[int(d)] for d, column, _ in e.a_entries[a:b] if column < 0 or e.columns[column, record] != 0.0
            }
            out.append(frozenset(used))
        return out

    def _runs(self, nodes: int, cells: float, scores: bool = False) -> list[Run]:
        """Divide the top units so that messages have no more than about so many cells, or arrays of `scores`."""
        tree, weight = self.rows.tree, self.rows.unit_weights[-1]
        levels = len(self.layers)
        firsts = [tree.starts(0), *(tree.first[n] for n in range(1, levels))]
        within = firsts[0].size / max(weight.size, 1)
        each = float(sum(nodes ** len(s.rest) for s in self.outline.steps))
        if scores:  # those of responses of a scope have about its share of the parameters
            shares = [here.size / self.types.y.size for here in self.types_of]
            of_scopes = sum(p * nodes ** len(v) for p, v in zip(shares, self.layout.scopes, strict=True))
            each = self.n_parameters * max(each, of_scopes)
        size = max(1, int(cells / (each * within)))
        out = []
        for a in range(0, weight.size, size):
            b = min(a + size, weight.size)
            begin, end, own = a, b, []
            for first in reversed(firsts):
                own.append(first[begin : end + 1] - first[begin])
                begin, end = int(first[begin]), int(first[end])
            out.append(Run(self.layout, self.type_of_row[begin:end], own[::-1], weight[a:b]))
        return out

    # ------------------------------------------------------------------ nodes

    @property
    def nodes(self) -> Floats:
        """The nodes of every variable."""
        return self._equispaced(len(self))

    def __len__(self) -> int:
        return self.outline.counts[self._level]

    def _for_second(self, x: Floats) -> Floats:
        """Return nodes for second derivatives: fewer, where the log-likelihood is nearly the same with these."""
        count, span = SECOND[max(self.outline.width, 1)]
        if len(self) <= count:
            return self.nodes
        z: Floats = np.linspace(-span, span, count)
        fewer, now = (np.concatenate(self._values_of_runs(x, nodes)) for nodes in (z, self.nodes))
        weights = np.concatenate([run.weight for run in self.runs])
        return z if nearly_the_same(fewer, now, weights) else self.nodes

    def _equispaced(self, count: int) -> Floats:
        span = SPAN[max(self.outline.width, 1)]
        z: Floats = np.linspace(-span, span, count)
        return z

    def refine(self) -> bool:
        """Take more nodes; False where there are no more to take."""
        if self._level + 1 == len(self.outline.counts):
            return False
        self._level += 1
        self.runs = self._runs(self.nodes.size, CELLS)
        return True

    def error(self, x: Floats) -> float:
        """Return the error of the log-likelihood: the difference to more nodes."""
        difference, beyond = self.difference(x)
        return abs(difference) + beyond

    def steepness(self, x: Floats) -> float:
        """Return 0: what is steep shows in the error."""
        return 0.0

    def difference(self, x: Floats) -> tuple[float, float]:
        """Return the difference to the log-likelihood at more nodes, and what adds to it.

        Not to the nodes half-way between, as for one variable: conditional distributions move with their nodes.
        Infinite where one is so much narrower than the distance of the nodes that its variance hardly matters to them.
        """
        if self._is_narrow(x, self.nodes):
            return 0.0, np.inf
        return self.value(x) - self._value(x, self._equispaced(len(self) + max(2, len(self) // 6))), 0.0

    def can_settle(self, x: Floats) -> bool:
        """Whether the most nodes are near enough to each other for the narrowest conditional distribution."""
        return not self._is_narrow(x, self._equispaced(self.outline.counts[-1]))

    def _is_narrow(self, x: Floats, z: Floats) -> bool:
        narrowest = min(c.variance for c in self.standard.prior(x).conditionals)
        return bool(np.sqrt(narrowest) < NARROW * float(z[1] - z[0]))

    # ------------------------------------------------------------------ values

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        return self._value(x, self.nodes)

    def _value(self, x: Floats, z: Floats) -> float:
        return float(sum(v @ run.weight for v, run in zip(self._values_of_runs(x, z), self.runs, strict=True)))

    def _values_of_runs(self, x: Floats, z: Floats) -> list[Floats]:
        """Return the log-likelihoods of the distinct top-level units of each run."""
        logs, kernels = self._tables(x, z)[2], self._kernels(self.standard.prior(x), z)[1]
        out = []
        for run in self.runs:
            out.append(run.forward(logs, kernels))
            run.forget()
        return out

    def values(self, x: Floats) -> Floats:
        """Return the log-likelihoods of the top-level units (weighted)."""
        parts = zip(self._values_of_runs(x, self.nodes), self.runs, strict=True)
        out: Floats = np.concatenate([v[run.top_of_unit] * run.unit_weight for v, run in parts])
        return out

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        found = self.evaluate(x)
        whole = np.array([0, self.types.y.size])
        gradient = self.chain.reverse(found.inputs, self.bars(found), found.jacobian, whole)[0]
        for n, bar in enumerate(found.of_kernels):
            if bar.ndim > 1:
                gradient = gradient + adjoint_of_table(found.z, found.prior.conditionals[n], found.own[n], bar)
        return float(sum(v @ run.weight for v, run in zip(found.values, found.runs, strict=True))), gradient

    def evaluate(self, x: Floats) -> Pass:
        """Return one pass over the units."""
        found = self.begin(x, self.nodes, self.runs)
        self.sweep(found)
        return found

    def for_scores(self, x: Floats, second: bool = False) -> Pass:
        """Return a pass to come over few units at a time; for `second` derivatives at fewer nodes if they do."""
        z = self._for_second(x) if second else self.nodes
        return self.begin(x, z, self._runs(z.size, SCORE_CELLS, scores=True))

    def begin(self, x: Floats, z: Floats, runs: Sequence[Run]) -> Pass:
        """Return a pass whose tables are filled, before any unit is looked at."""
        prior = self.standard.prior(x)
        inputs, jacobian, tables = self._inputs_and_tables(x, z)
        own, kernels = self._kernels(prior, z)
        counts = [np.zeros_like(table[0]) for table in tables]
        return Pass(z, runs, inputs, jacobian, tables, counts, prior, own, kernels, [], [])

    def sweep(self, found: Pass, visit: Callable[[Run], None] | None = None) -> None:
        """Go over the runs of a pass, and fill posterior weights and values.

        With `visit` each run is handed out after its turn, with the factors of its steps.
        """
        logs = [t[0] for t in found.tables]
        sums = [np.zeros_like(kernel) for kernel in found.kernels]
        for run in found.runs:
            found.values.append(run.forward(logs, found.kernels))
            run.backward(found.counts, sums, visit is not None)
            if visit is not None:
                visit(run)
            run.forget()
        found.of_kernels.extend(self._of_kernels(sums))

    def _tables(self, x: Floats, z: Floats) -> tuple[RowInputs, Floats, list[Floats]]:
        inputs, jacobian, tables = self._inputs_and_tables(x, z)
        return inputs, jacobian, [t[0] for t in tables]

    def _inputs_and_tables(self, x: Floats, z: Floats) -> tuple[RowInputs, Floats, list[Floats]]:
        """Return the types' inputs, the cells' Jacobian, and for each scope l, l', dl/df1, dl/df2 (4, types, nodes)."""
        cells, jacobian = self.chain.cells(x)
        inputs = self.chain.forward(cells)
        unordered = self._ordered & ~(inputs.f1 > inputs.f2)
        if unordered.any() or not np.isfinite(inputs.o.sum() + inputs.A.sum()):
            raise Infeasible("thresholds are not in order, or a linear predictor is not finite")
        return inputs, jacobian, [self.table(s, inputs, z) for s in range(len(self.layout.scopes))]

    def table(self, s: int, inputs: RowInputs, z: Floats) -> Floats:
        here, scope, types = self.types_of[s], self.layout.scopes[s], self.types
        A = np.ascontiguousarray(inputs.A[[self._dimension[j] for j in scope]][:, here])
        rows = Rows(
            types.codes[here], types.y[here], np.ascontiguousarray(inputs.f1[here]),
            np.ascontiguousarray(inputs.f2[here]), types.row_weights[here], np.ascontiguousarray(inputs.o[here]), A, A,
            self._address, PARAMETERS,
        )  # fmt: skip
        table = np.empty((4, here.size, z.size ** len(scope)))
        fill_tables(rows, RowTables(_grid(z, len(scope)), table, np.empty((4, TILE)), np.empty(5 * TILE)))
        table[0] += self._constant[here][:, None]
        return table

    def _kernels(self, prior: Prior, z: Floats) -> tuple[list[Floats], list[Floats]]:
        """Return the distributions of the steps' variables, and what each step multiplies by."""
        steps = self.outline.steps
        own = [conditional_table(z, c) for c in prior.conditionals]
        out = []
        for step, taken in zip(steps, self.absorbed, strict=True):
            kernel = np.ones((*(1,) * len(step.rest), z.size))
            for m in taken:
                scope = {steps[m].variable, *steps[m].given}
                kernel = kernel * own[m].reshape(*(z.size if v in scope else 1 for v in step.clique))
            out.append(kernel)
        return own, out

    def _of_kernels(self, sums: Sequence[Floats]) -> list[Floats]:
        """Return the posterior weights of the nodes of each step's distribution."""
        steps = self.outline.steps
        out: list[Floats] = [np.zeros(0)] * len(steps)
        for step, taken, weights in zip(steps, self.absorbed, sums, strict=True):
            for m in taken:
                scope = {steps[m].variable, *steps[m].given}
                axes = tuple(k for k, v in enumerate(step.clique) if v not in scope)
                out[m] = weights.sum(axis=axes)
        return out

    def bars(self, found: Pass) -> RowInputs:
        """Return the derivatives of the log-likelihood with respect to the types' inputs."""
        size = self.types.y.size
        o, f1, f2, A = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros((self.n_coordinates, size))
        for s, (here, table, R) in enumerate(zip(self.types_of, found.tables, found.counts, strict=True)):
            slope = R * table[1]
            o[here], f1[here], f2[here] = slope.sum(axis=1), (R * table[2]).sum(axis=1), (R * table[3]).sum(axis=1)
            for d, nodes in self.nodes_of(s, found.z).items():
                A[d, here] = slope @ nodes
        return RowInputs(o, A, f1, f2, found.inputs.scale)

    def nodes_of(self, s: int, z: Floats) -> dict[int, Floats]:
        """Return the nodes of a table by coordinate."""
        scope = self.layout.scopes[s]
        return {self._dimension[j]: nodes for j, nodes in zip(scope, _grid(z, len(scope)), strict=True)}

    @property
    def n_coordinates(self) -> int:
        """Number of latent variables."""
        return len(self._dimension)

    # ------------------------------------------------------------------ derivatives

    def slopes(self, found: Pass, s: int) -> tuple[list[int], Floats]:
        """Return which inputs a table depends on, and the slopes of its log densities in them (K, types, nodes)."""
        table, dims = found.tables[s], self.n_coordinates
        parts = {0: table[1], 1 + dims: table[2], 2 + dims: table[3]}
        parts |= {1 + d: table[1] * nodes for d, nodes in self.nodes_of(s, found.z).items()}
        used = [k for k in self.chain.inputs_used if k in parts]
        return [self.chain.inputs_used.index(k) for k in used], np.stack([parts[k] for k in used])

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are, and the complete-data information there."""
        from semlang.estimation.elimination.louis import complete_data_information

        return x, complete_data_information(self, x)

    def hessian(self, x: Floats) -> Floats | None:
        """Return the second derivatives by Louis' formula, at fewer nodes where cliques are large.

        None where parameters are few: differences of the gradient are cheaper then; and where a neighbour has no
        likelihood, next to a correlation of one, which those leave out.
        """
        if self.n_parameters <= FEW:
            return None
        from semlang.estimation.elimination.louis import second_derivatives

        try:
            return second_derivatives(self, x)
        except Infeasible:
            return None

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the log-likelihoods and scores of the top-level units."""
        from semlang.estimation.elimination.louis import pattern_scores

        values, scores = pattern_scores(self, x)
        weight = self.rows.unit_weights[-1]
        return values * weight, scores * weight[:, None]

    def posterior(self, x: Floats) -> Posterior:
        """Return the posterior moments of the disturbances, by adaptive nodes."""
        return self._adaptive.posterior(x)

    @cached_property
    def _adaptive(self) -> QuadratureLikelihood:
        form = self.outline.structure.reduced
        dims = sum(layer.dims for layer in layers_of(form, (), self._order))
        q = next((q for q in POSTERIOR if self.rows.tree.rows * q**dims <= DENSITIES), 1)
        return QuadratureLikelihood(form, self.design, self._variables, self._order, self.standard.inner.factored, q)


@dataclass(frozen=True)
class Pass:
    """One evaluation.

    Parameters
    ----------
    z : (Q,) floats
        Nodes of every variable.
    runs : sequence of Run
    inputs : RowInputs
        Of the row types.
    jacobian : (cells, P) floats
    tables : for each scope (4, types, nodes): l, l', dl/df1, dl/df2
    counts : for each scope the posterior weights (types, nodes)
    prior : Prior
    own, kernels : for each step the distribution of its variable, and what the step multiplies by
    of_kernels : for each step the posterior weights of the nodes of its distribution
    values : for each run the log-likelihoods of its distinct top units
    """

    z: Floats
    runs: Sequence[Run]
    inputs: RowInputs
    jacobian: Floats
    tables: list[Floats]
    counts: list[Floats]
    prior: Prior
    own: list[Floats]
    kernels: list[Floats]
    of_kernels: list[Floats]
    values: list[Floats]


def _grid(z: Floats, dims: int) -> Floats:
    """Return the nodes of a product of `dims` rules (dims, Q^dims), the last one fastest."""
    if not dims:
        return np.zeros((0, 1))
    return np.ascontiguousarray([g.ravel() for g in np.meshgrid(*[z] * dims, indexing="ij")])
