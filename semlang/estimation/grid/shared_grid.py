"""One group's log-likelihood over nodes that all units share, with the exact gradient.

For rows of few types (categories of items), in one layer of one latent dimension or two such layers: item response,
bifactor, testlet and second-order models, and items of persons in groups. With row types t, nodes q, and units u that
are lists of types,

    log L_u = log sum_q w_q exp(sum_{t in u} l_tq),   R_tq = sum_u p_uq [t in u],

the value needs one table of densities, and the gradient in a type's inputs is ``sum_q R_tq l'_tq (1, z_q)``. Units with
equal lists are computed once, at every layer. Bock and Aitkin 1981, Psychometrika 46, eq. 13 to 16, are the same
sums with Gauss-Hermite nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.chain import Chain
from semlang.estimation.evaluation import Posterior as SphericalMoments
from semlang.estimation.expanded import Expanded
from semlang.estimation.factors import Factorisation
from semlang.estimation.grid.nodes import SPAN, Nodes, shared_nodes
from semlang.estimation.grid.patterns import blocks, distinct, taken
from semlang.estimation.grid.sections import Section, sections
from semlang.estimation.grid.suits import COUNTS, FEW_NODES
from semlang.estimation.grid.typed_units import typed_units
from semlang.estimation.kernels.chain_rows import RowInputs
from semlang.estimation.kernels.densities import PARAMETERS, TILE, addresses
from semlang.estimation.kernels.families import with_role
from semlang.estimation.kernels.layout import Rows
from semlang.estimation.kernels.shared_grid import (
    Lists,
    RowTables,
    fill_tables,
    lower_messages,
    lower_weights,
    sum_lines,
    top_units,
)
from semlang.estimation.layers import layers_of
from semlang.estimation.member import Infeasible, Posterior
from semlang.estimation.moments import unit_posterior
from semlang.estimation.row_constants import constants
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Variable
from semlang.sums import count_by, sum_by

__all__ = ["Pass", "SharedGrid"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNKS = 8
"""Units are divided into so many runs, whatever the number of threads, so that sums do not depend on it."""
SMALL = 2048
"""Units of a run at least."""
KEPT = 8_000_000
"""Probabilities of lower units' nodes that are kept from the way up to the way down."""
LARGEST = {1: 8, 2: 5}
"""Most responses of a block by number of layers: a line has the product of the nodes."""


@dataclass(frozen=True)
class Pass:
    """One evaluation.

    Parameters
    ----------
    inputs : RowInputs
        Of the row types.
    jacobian : (cells, P) floats
    nodes : (D, n) floats
    table : (4, T, n) floats
        l, l', dl/df1, dl/df2 by type and node.
    sums : (blocks, n) floats
        Densities of blocks of rows.
    lines : (lines, Q) floats
        What top units sum: these, or messages of lower units.
    line_weights : (lines, Q) floats
        Posterior weight of each line at each node.
    counts : (T, n) floats
        Posterior weight of each type at each node.
    values : (patterns,) floats
    mass : (Q,) floats
        Posterior weight of the nodes of the top layer.
    posterior : (patterns, Q) floats
        Where asked for.
    """

    inputs: RowInputs
    jacobian: Floats
    nodes: Floats
    table: Floats
    sums: Floats
    lines: Floats
    line_weights: Floats
    counts: Floats
    values: Floats
    mass: Floats
    posterior: Floats


class SharedGrid(Expanded):
    """A member whose integrals have nodes in common, see the module.

    Parameters
    ----------
    reduced : ReducedForm
    design : Design
    variables : mapping from key to Variable
    order : sequence of str
        All levels, lowest first.
    factored : sequence of bool
        Which blocks of Psi have factor coordinates, see `Factorisation`.
    threads : int
        Results do not depend on it.
    """

    points: int | None = None
    exact = False
    standing = True
    tolerance = 1e-3

    def __init__(
        self,
        reduced: ReducedForm,
        design: Design,
        variables: Mapping[str, Variable],
        order: Sequence[str],
        factored: Sequence[bool] | None = None,
        threads: int = 1,
    ) -> None:
        self.reduced, self.design = reduced, design
        self.factors = Factorisation(reduced, factored, ())
        self.layers = layers_of(reduced, (), order)
        self.rows, found = typed_units(reduced, design, variables, self.layers, order)
        self.types = found.rows
        self.chain = Chain(reduced, design, self.types, self.factors, self.layers)
        self.n_parameters = reduced.n_parameters
        self._address = addresses(np.unique(self.types.codes))
        self._constant = constants(self.types.codes, self.types.y, self.types.f1, self.types.f2)
        self._ordered = np.array(with_role("upper"))[self.types.codes, 0]
        self._collapse(found.number)
        self.nodes: Nodes = shared_nodes(COUNTS[len(self.layers)][0])
        self._seen: tuple[bytes, int, Floats, Floats] | None = None  # where the last gradient was, values and mass
        self._pool = ThreadPoolExecutor(threads, initializer=np.seterr, initargs=("ignore",)) if threads > 1 else None

    def _collapse(self, type_of_row: Ints) -> None:
        """Find the distinct units of every layer."""
        tree, weights = self.rows.tree, self.rows.unit_weights
        first = tree.starts(0)
        number, representative = distinct(first, type_of_row)
        self.lowest: Lists = taken(first, type_of_row, representative)
        self.lowest_of_unit = number
        response = self.types.response.astype(np.int32)[self.lowest.entry]
        choices = count_by(self.types.response, len(self.reduced.responses))
        largest = LARGEST[len(self.layers)]
        self.blocks, begins, entry = blocks(self.lowest.first, self.lowest.entry, response, choices, largest)
        self._lists = Lists(begins, entry)
        if len(self.layers) == 1:
            self.top = self._lists
            self.top_of_unit = number
        else:
            self.top_of_unit, representative = distinct(tree.first[1], number)
            self.top = taken(tree.first[1], number, representative)
        self.weight = sum_by(self.top_of_unit, weights[-1], self.top.first.size - 1)

    @property
    def patterns(self) -> int:
        """Number of distinct top-level units."""
        return int(self.weight.size)

    # ------------------------------------------------------------------ values

    def value(self, x: Floats) -> float:
        """Return the log-likelihood."""
        found = self.evaluate(x)
        return float(found.values @ self.weight)

    def values(self, x: Floats) -> Floats:
        """Return the log-likelihoods of the top-level units (weighted)."""
        return self._by_unit(self.evaluate(x).values)

    def _by_unit(self, values: Floats) -> Floats:
        out: Floats = values[self.top_of_unit] * self.rows.unit_weights[-1]
        return out

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        found = self.evaluate(x)
        self._seen = x.tobytes(), len(self.nodes), found.values, found.mass
        bars = self.bars(found)
        whole = np.array([0, self.types.y.size])
        gradient = self.chain.reverse(found.inputs, bars, found.jacobian, whole)[0]
        return float(found.values @ self.weight), gradient

    def bars(self, found: Pass) -> RowInputs:
        """Return the derivatives of the log-likelihood with respect to the types' inputs."""
        slope = found.counts * found.table[1]
        return RowInputs(
            slope.sum(axis=1), np.ascontiguousarray((slope @ found.nodes.T).T), (found.counts * found.table[2]).sum(1),
            (found.counts * found.table[3]).sum(axis=1), found.inputs.scale,
        )  # fmt: skip

    def evaluate(self, x: Floats, nodes: Nodes | None = None, posterior: bool = False) -> Pass:
        """Return one pass over the units.

        Raises
        ------
        Infeasible
            If there is no density.
        """
        nodes = nodes or self.nodes
        inputs, jacobian, grid, table = self.tables(x, nodes)
        count = len(nodes)
        counts = np.zeros(table.shape[1:])
        values, mass = np.empty(self.patterns), np.zeros(count)
        kept = np.empty((self.patterns if posterior else 0, count))
        sums = np.empty((self.blocks.first.size - 1, table.shape[2]))
        sum_lines(self.blocks, table[0], sums, 0)
        if len(self.layers) == 1:
            lines = sums
            back = self._top(lines, nodes, values, mass, kept)
            sum_lines(self.blocks, counts, back, 1)
        else:
            lines = np.empty((self.lowest.first.size - 1, count))
            prior, lists, of_blocks = nodes.log_weight, self._lists, np.zeros_like(sums)
            given = np.empty((lines.shape[0] if lines.shape[0] * count**2 <= KEPT else 0, count**2))

            def up(a: int, b: int, _: Floats) -> None:
                lower_messages(lists, sums, prior, a, b, np.empty(count * count), lines, given)

            def down(a: int, b: int, out: Floats) -> None:
                own = np.zeros((count, count))
                work, message = np.empty(count * count), np.empty(count)
                lower_weights(lists, sums, prior, a, b, work, message, back, out, own, given)

            self._in_runs(up, lines.shape[0], np.empty((0, 0)))
            back = self._top(lines, nodes, values, mass, kept)
            self._in_runs(down, lines.shape[0], of_blocks)
            sum_lines(self.blocks, counts, of_blocks, 1)
        if not np.isfinite(values).all():
            raise Infeasible("a unit has no density at any node")
        return Pass(inputs, jacobian, grid, table, sums, lines, back, counts, values, mass, kept)

    def _top(self, lines: Floats, nodes: Nodes, values: Floats, mass: Floats, kept: Floats) -> Floats:
        """Integrate the top units; return the posterior weights of their lines."""
        back = np.zeros_like(lines)
        masses: dict[int, Floats] = {}

        def run(a: int, b: int, out: Floats) -> None:
            masses[a] = np.zeros(len(nodes))
            top_units(
                self.top, lines, nodes.log_weight, self.weight, a, b, np.empty(len(nodes)), values, out, kept, masses[a]
            )

        self._in_runs(run, self.patterns, back)
        for a in sorted(masses):
            mass += masses[a]
        return back

    def _in_runs(self, run: Callable[[int, int, Floats], None], units: int, total: Floats) -> None:
        """Call `run` for runs of units, each with sums of its own that are added in order."""
        size = max(SMALL, -(-units // CHUNKS))
        begins = range(0, units, size)
        if len(begins) <= 1:
            run(0, units, total)
            return
        if self._pool is None:
            part = np.empty_like(total)
            for a in begins:
                part[...] = 0.0
                run(a, min(a + size, units), part)
                total += part
            return
        sums = [np.zeros_like(total) for _ in begins]
        jobs = [(a, min(a + size, units), part) for a, part in zip(begins, sums, strict=True)]
        for done in [self._pool.submit(run, *job) for job in jobs]:
            done.result()
        for part in sums:
            total += part

    def tables(self, x: Floats, nodes: Nodes) -> tuple[RowInputs, Floats, Floats, Floats]:
        """Return inputs of the types, the cells' Jacobian, the nodes (D, n) and the table of densities (4, T, n)."""
        cells, jacobian = self.chain.cells(x)
        inputs = self.chain.forward(cells)
        grid = self.grid(nodes)
        return inputs, jacobian, grid, self.table_at(inputs, grid)

    def grid(self, nodes: Nodes) -> Floats:
        """Return the nodes of all layers, own ones fastest (D, n)."""
        if len(self.layers) == 1:
            return nodes.z[None, :]
        return np.stack([np.tile(nodes.z, len(nodes)), np.repeat(nodes.z, len(nodes))])

    def table_at(self, inputs: RowInputs, grid: Floats) -> Floats:
        """Return l, l', dl/df1, dl/df2 of the types at the nodes (4, T, n)."""
        types = self.types
        unordered = self._ordered & ~(inputs.f1 > inputs.f2)
        if unordered.any() or not np.isfinite(inputs.o.sum() + inputs.A.sum()):
            raise Infeasible("thresholds are not in order, or a linear predictor is not finite")
        rows = Rows(
            types.codes, types.y, inputs.f1, inputs.f2, types.row_weights, inputs.o, inputs.A, inputs.A, self._address,
            PARAMETERS,
        )  # fmt: skip
        table = np.empty((4, types.y.size, grid.shape[1]))
        fill_tables(rows, RowTables(np.ascontiguousarray(grid), table, np.empty((4, TILE)), np.empty(5 * TILE)))
        table[0] += self._constant[:, None]
        return table

    # ------------------------------------------------------------------ the rule's error

    def error(self, x: Floats) -> float:
        """Return the error of the log-likelihood: against the nodes between, and what lies beyond the last node."""
        difference, beyond = self.difference(x)
        return abs(difference) + beyond

    def difference(self, x: Floats) -> tuple[float, float]:
        """Return half of the difference to the nodes between, and what lies beyond the last node."""
        if self._seen is not None and self._seen[:2] == (x.tobytes(), len(self.nodes)):
            values, mass = self._seen[2:]
        else:
            found = self.evaluate(x)
            values, mass = found.values, found.mass
        other = self.evaluate(x, shared_nodes(len(self.nodes), between=True))
        step = float(self.nodes.z[1] - self.nodes.z[0])
        beyond = float(mass[0] + mass[-1]) / (step * SPAN)  # a tail that falls like the prior's
        return 0.5 * float((values - other.values) @ self.weight), beyond

    def steepness(self, x: Floats) -> float:
        """Return the largest SD that latent variables give the linear predictor of a response."""
        A = self.chain.forward(self.chain.cells(x)[0]).A
        return float(np.sqrt((A**2).sum(axis=0).max(initial=0.0)))

    def can_settle(self, _: Floats) -> bool:
        """Return True: what is too steep for all nodes shows in the steepness."""
        return True

    def coarsen(self, few: bool) -> None:
        """Take few nodes, or as many as at first."""
        self.nodes = shared_nodes(FEW_NODES[len(self.layers)] if few else COUNTS[len(self.layers)][0])

    def refine(self) -> bool:
        """Take more nodes; False where there are no more to take."""
        more = [c for c in COUNTS[len(self.layers)] if c > len(self.nodes)]
        if more:
            self.nodes = shared_nodes(more[0])
        return bool(more)

    # ------------------------------------------------------------------ derivatives

    def slopes(self, found: Pass) -> Floats:
        """Return the derivatives of the log density of a type at a node with respect to its inputs (K, T, n)."""
        slope = found.table[1]
        parts = [slope, *(slope * z for z in found.nodes), found.table[2], found.table[3]]
        return np.stack([parts[k] for k in self.chain.inputs_used])

    def start(self, x: Floats) -> tuple[Floats, Floats | None]:
        """Return the coordinates as they are, and the complete-data information there.

        ``sum_t J_t' (sum_q R_tq s_tq s_tq') J_t`` with s the slopes in the inputs; Louis 1982, JRSS B 44, eq. 3.1,
        without the missing information.
        """
        found = self.evaluate(x)
        J, s = self.chain.input_jacobian(found.inputs, found.jacobian), self.slopes(found)
        middle = np.einsum("ktq,ltq,tq->tkl", s, s, found.counts, optimize=True)
        half = np.einsum("tkl,ltp->ktp", middle, J, optimize=True)
        information = np.tensordot(J, half, axes=([0, 1], [0, 1]))
        return x, information + np.diag(1e-8 * np.diag(information) + 1e-9)

    def hessian(self, x: Floats) -> Floats:
        """Return the second derivatives by Louis' formula."""
        from semlang.estimation.grid.louis import second_derivatives

        return second_derivatives(self, x)

    @cached_property
    def sections(self) -> list[Section]:
        """Lowest patterns that have no type in common with others."""
        return sections(self.lowest, self.types.y.size)

    def values_and_scores(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the log-likelihoods and scores of the top-level units."""
        from semlang.estimation.grid.scores import pattern_scores

        found = self.evaluate(x, posterior=True)
        J = self.chain.input_jacobian(found.inputs, found.jacobian)
        scores = pattern_scores(self, found, J, self.slopes(found))
        weight = self.rows.unit_weights[-1]
        return self._by_unit(found.values), scores[self.top_of_unit] * weight[:, None]

    # ------------------------------------------------------------------ posterior

    def posterior(self, x: Floats) -> Posterior:
        """Return the posterior moments of the disturbances, zeta = F v, from those of v."""
        found = self.evaluate(x, posterior=True)
        z = self.nodes.z
        moments = [_moments(found.posterior @ z, found.posterior @ z**2, self.top_of_unit)]
        if len(self.layers) == 2:
            first, second = self._lower_moments(found)
            top = np.repeat(np.arange(self.rows.tree.sizes[1]), np.diff(self.rows.tree.first[1]))
            given = found.posterior[self.top_of_unit[top]]
            mean = (given * first[self.lowest_of_unit]).sum(axis=1)
            square = (given * second[self.lowest_of_unit]).sum(axis=1)
            moments.insert(0, _moments(mean, square, np.arange(mean.size)))
        F = self.factors.evaluate(x)[0]
        return unit_posterior(self.layers, moments, self.rows, self.design, self.reduced, F)

    def conditional(self, found: Pass, units: Ints, upper: slice) -> Floats:
        """Return the probabilities of lower patterns' own nodes given some of the upper nodes (units, upper, Q)."""
        own = len(self.nodes)
        sums = np.ascontiguousarray(found.sums[:, upper.start * own : upper.stop * own])
        lists, n = taken(self._lists.first, self._lists.entry, units), upper.stop - upper.start
        kept = np.empty((units.size, n * own))
        lower_messages(lists, sums, self.nodes.log_weight, 0, units.size, np.empty(0), np.empty((units.size, n)), kept)
        return kept.reshape(units.size, n, own)

    def weights_at_nodes(self, found: Pass, units: Ints, upper: slice) -> Floats:
        """Return the posterior weights of lowest patterns at some upper nodes, in two layers times all own ones."""
        if len(self.layers) == 1:
            return np.asarray(found.posterior[units, upper] * self.weight[units, None])
        p = self.conditional(found, units, upper)
        return np.asarray((p * found.line_weights[units, upper][:, :, None]).reshape(units.size, -1))

    def _lower_moments(self, found: Pass) -> tuple[Floats, Floats]:
        """Return first and second moments of lower patterns given each upper node (patterns, Q)."""
        z, parts = self.nodes.z, []
        patterns = self.lowest.first.size - 1
        for a in range(0, patterns, SMALL):
            p = self.conditional(found, np.arange(a, min(a + SMALL, patterns)), slice(0, len(self.nodes)))
            parts.append(np.stack([p @ z, p @ z**2]))
        first, second = np.concatenate(parts, axis=1)
        return first, second


def _moments(mean: Floats, square: Floats, unit: Ints) -> SphericalMoments:
    return SphericalMoments(mean[unit][:, None], (square - mean**2)[unit][:, None, None])
