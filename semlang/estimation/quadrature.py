"""Adaptive quadrature over nested levels, with the exact gradient.

The nodes of each unit sit at the joint mode of its top-level cluster and are scaled by the Cholesky factor of the
Hessian there, with units ordered from the lowest level to the highest; nodes of a lower unit move with those of the
units above it. One point is Laplace's approximation. The gradient is that of this very value, nodes moving
(reverse mode through mode, factor and nodes).

After `NestedQuadrature.place` the nodes stand still instead, at posterior means and standard deviations, for integrands
that modes and curvatures describe badly; the gradient is that of the value at these nodes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.estimation import memory
from semlang.estimation.evaluation import Evaluation, Nodes, Posterior
from semlang.estimation.kernels.batches import Batch, Tree, batches_of
from semlang.estimation.kernels.chain_rows import reverse
from semlang.estimation.kernels.declaring import Kernel
from semlang.estimation.kernels.densities import PARAMETERS, TILE, addresses
from semlang.estimation.kernels.families import CODES, SETS
from semlang.estimation.kernels.lanes import COUNTS, LOGITS
from semlang.estimation.kernels.laplace import laplace, third_derivatives
from semlang.estimation.kernels.layout import Adjoints, Nest, Rows, Rule
from semlang.estimation.kernels.lowest import lowest_units
from semlang.estimation.kernels.modes import find_modes
from semlang.estimation.kernels.moments import laplace_moments, node_moments, posterior_nodes
from semlang.estimation.kernels.node_rows import LOGIT, rows_at_nodes
from semlang.estimation.kernels.placement import Placement, at_fronts, at_moments, at_prior
from semlang.estimation.kernels.plain import plain_rows
from semlang.estimation.kernels.reduction import Reduction, reduce_levels
from semlang.estimation.kernels.row_adjoints import row_adjoints
from semlang.estimation.kernels.turns import Open, Turns, call_in_turn
from semlang.estimation.kernels.upper import upper_nodes, upper_sums
from semlang.estimation.kernels.warmup import prepare
from semlang.estimation.kernels.workspace import Workspace, rule_of_levels, spacing
from semlang.estimation.row_constants import RowConstants, same_memory
from semlang.estimation.row_domain import RowDomain
from semlang.sums import count_by, sum_by

__all__ = ["NestedQuadrature", "Tree"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOLERANCE = 1e-22
"""Of the modes: the Newton decrement ``g' H^-1 g`` of a cluster. The value would need 1e-14; differences of gradients
must not see from which side a mode was come to."""
NEWTON_STEPS = 200
TOGETHER = 64
"""Batches at one node, fewer at more, that are gone through until Python is asked whether somebody wants to stop."""


class NestedQuadrature:
    """Marginal log-likelihood of rows nested in levels of normal latent variables.

    Row i has ``nu_i = o_i + sum_d A[d, i] v_d`` with ``v ~ N(0, I)``; the coordinates d are those of its
    lowest unit first, then those of each unit above it.

    Parameters
    ----------
    y : (N,) array
        Responses (not read for ordinal rows: thresholds are row parameters).
    codes : (N,) int array
        Family and link, see `semlang.estimation.kernels.families`.
    tree : Tree
    dims : sequence of int
        Number of latent coordinates of each level, lowest first; 0 is allowed.
    row_weights : (N,) array, optional
    unit_weights : sequence of arrays, optional
        One array a level (or None): multiplies the unit's log-likelihood inside its parent's integral. Units of
        weight zero are left out.
    threads : int
        Results do not depend on it.
    sparse : bool
        Whether levels of many dimensions have the nodes of `sparse_rule`.
    constant : (N,) array, optional
        Added to the rows' log densities, before their weights.
    """

    def __init__(
        self,
        y: Floats,
        codes: Ints,
        tree: Tree,
        dims: Sequence[int],
        row_weights: Floats | None = None,
        unit_weights: Sequence[Floats | None] | None = None,
        threads: int = 1,
        sparse: bool = False,
        constant: Floats | None = None,
    ) -> None:
        memory.release()
        self._sparse = sparse
        self.tree, self.dims, self.threads = tree, tuple(int(m) for m in dims), max(1, threads)
        self._reduced = reduce_levels(tree, self.dims, row_weights, unit_weights)
        self._y = np.ascontiguousarray(np.asarray(y, dtype=np.float64)[self._reduced.kept])
        self._code = np.ascontiguousarray(np.asarray(codes, dtype=np.int64)[self._reduced.kept])
        present = np.flatnonzero(count_by(self._code))
        self._address = addresses(present)
        self._kernel_dims = [self.dims[level] for level in self._reduced.levels]
        self._batches: list[Batch] = []
        if self._kernel_dims:
            self._batches = batches_of(self._reduced.tree, self._kernel_dims, self._reduced.unit_weights)
        for batch in self._batches:
            codes, weights = self._code[batch.rows], self._reduced.row_weights[batch.rows]
            batch.nest.uniform[:2] = (codes == codes[0]).all(), (weights == 1.0).all()
        self._kind = np.zeros(self._code.size, dtype=np.int8)
        self._kind[(self._code == LOGIT) & ((self._y == 0.0) | (self._y == 1.0))] = LOGITS
        self._kind[self._code == CODES["poisson", "log"]] = COUNTS
        self._kind[self._reduced.row_weights != 1.0] = 0
        given = None if constant is None else np.asarray(constant)[self._reduced.kept]
        self._constants = RowConstants(self._code, self._reduced, given)
        self._domain = RowDomain(self._code, present)
        self._sets, self._together = np.flatnonzero(self._code >= SETS), 1
        self._rules: dict[tuple[tuple[int, ...], float], tuple[Rule, SimpleQueue[Workspace]]] = {}
        self._prepared: set[tuple[bool, bool]] = set()
        self._placed: dict[int, Placement] = {}
        self._spread = 0.0
        self._seen = np.zeros(0)
        self._values = np.zeros(self._reduced.owner.size)
        self._steps = np.zeros(self._reduced.owner.size, dtype=np.int64)
        self._pool = (
            ThreadPoolExecutor(self.threads - 1, initializer=np.seterr, initargs=("ignore",))
            if self.threads > 1
            else None
        )

    @property
    def integrated(self) -> Reduction:
        """Levels, units and rows that are integrated."""
        return self._reduced

    def reset(self) -> None:
        """Forget the modes: the next evaluation starts from zero."""
        for batch in self._batches:
            batch.nest.mode[:] = 0.0

    @property
    def modes(self) -> list[Floats]:
        """Modes of the latent variables at the last evaluation, one (units, M) array a level."""
        modes = [np.zeros((size, m)) for size, m in zip(self.tree.sizes, self.dims, strict=True)]
        for k, level in enumerate(self._reduced.levels):
            for batch in self._batches:
                here = slice(batch.nest.base[k], batch.nest.base[k + 1])
                modes[level][self._reduced.units[k][batch.units[k]]] = batch.nest.mode[here, : self.dims[level]]
        return modes

    def evaluate(self, o: Floats, A: Floats, f1: Floats, f2: Floats, points: int | Sequence[int]) -> Evaluation:
        """Return log-likelihoods of the top-level clusters and the exact adjoints of the rows' inputs.

        The search for the modes starts from those of the last evaluation.

        Parameters
        ----------
        o, f1, f2 : (N,) arrays
        A : (D, N) array
        points : int or one a level
            Points per dimension; one is Laplace.
        """
        rows = self._rows(o, A, f1, f2)
        n, dimensions = rows.o.size, rows.A.shape[0]
        owner = self._reduced.owner
        invalid = self._domain.outside(rows, searched=bool(self._batches and not self._placed))
        if invalid.size:
            return self._failure(invalid)
        constants, slopes = self._constants.of(rows)
        if slopes is not None and not np.isfinite(slopes).all():
            return self._failure(np.flatnonzero(~np.isfinite(slopes)))
        adjoints = Adjoints(memory.empty(n), memory.empty(dimensions, n), *self._f_bars(slopes is not None))
        values, steps = self._values, self._steps
        if self._batches:
            self._sum_batches(*self._rule(points), rows, adjoints)
        else:
            plain_rows(rows, 0, n, np.empty(5 * TILE), values, adjoints)
        failed = np.flatnonzero((steps < 0) | ~np.isfinite(values))
        values = sum_by(owner, values, self._reduced.clusters) + constants
        if slopes is not None:
            adjoints.f1[:] += slopes
        return Evaluation(
            values, self._scatter(adjoints.o), self._scatter(adjoints.A), self._scatter(adjoints.f1),
            self._scatter(adjoints.f2), int(steps.max(initial=0)), not failed.size,
            np.unique(owner[failed]).astype(np.int64),
        )  # fmt: skip

    def values(self, o: Floats, A: Floats, f1: Floats, f2: Floats, points: int | Sequence[int]) -> Floats | None:
        """Return the log-likelihoods of the top-level clusters alone, at half the work; None where one has none.

        Parameters
        ----------
        o, A, f1, f2, points
            As in `evaluate`.
        """
        if not self._batches:
            evaluation = self.evaluate(o, A, f1, f2, points)
            return evaluation.values if evaluation.converged else None
        rows = self._rows(o, A, f1, f2)
        if self._domain.outside(rows).size:
            return None
        owner = self._reduced.owner
        values, steps = self._values, self._steps
        self._sum_batches(*self._rule(points), rows)
        if (steps < 0).any() or not np.isfinite(values).all():
            return None
        return sum_by(owner, values, self._reduced.clusters) + self._constants.of(rows)[0]

    def posterior(self, o: Floats, A: Floats, f1: Floats, f2: Floats, points: int | Sequence[int]) -> list[Posterior]:
        """Return posterior means and covariances of the latent variables, one `Posterior` a level.

        At one point these are the modes and the inverse Hessian. Units of weight zero keep the moments of the prior.
        """
        rows = self._rows(o, A, f1, f2)
        result = [
            Posterior(np.zeros((size, m)), np.tile(np.eye(m), (size, 1, 1)))
            for size, m in zip(self.tree.sizes, self.dims, strict=True)
        ]
        if not self._batches:
            return result
        rule, free = self._rule(points, moments=True)

        def run(batch: Batch, work: Workspace) -> None:
            nest, width = batch.nest, int(batch.nest.tail[0])
            units = int(nest.base[-1])
            means, covariances = np.zeros((units, width)), np.zeros((units, width, width))
            self._run(batch, rule, rows, work)
            if rule.size[0] == 1:
                laplace_moments(nest, work.fronts, means, covariances)
            else:
                node_moments(nest, rule, work.fronts, work.tables, means, covariances)
            for k, level in enumerate(self._reduced.levels):
                here, m = slice(nest.base[k], nest.base[k + 1]), self.dims[level]
                given = self._reduced.units[k][batch.units[k]]
                result[level].means[given] = means[here, :m]
                result[level].covariances[given] = covariances[here, :m, :m]

        self._for_batches(run, rule, free)
        return result

    @property
    def placed(self) -> bool:
        """Whether the nodes stand still, see `place`."""
        return bool(self._placed)

    def release(self) -> None:
        """Let the nodes follow the modes again."""
        self._placed, self._spread = {}, 0.0

    def place_at_prior(self) -> None:
        """Let the nodes stand where the prior has its mass: ordinary quadrature."""
        self._placed = {batch.top.start: at_prior(batch.nest) for batch in self._batches}
        self._spread = 0.0

    def place(
        self, o: Floats, A: Floats, f1: Floats, f2: Floats, points: int | Sequence[int], spread: float = 0.0
    ) -> None:
        """Move the nodes to posterior means and standard deviations, taken at the nodes as they are, and freeze them.

        Where nodes follow the modes, those are found first; a cluster without a mode begins at its prior.

        Parameters
        ----------
        o, A, f1, f2 : arrays
            As in `evaluate`.
        points : int or one a level
            More than one.
        spread : float
            Zero: Gauss-Hermite nodes; else equispaced over so many standard deviations to both sides.
        """
        rows = self._rows(o, A, f1, f2)
        if self._domain.outside(rows).size:
            return
        before, self._spread = dict(self._placed), spread
        rule, free = self._rule(points, moments=True)
        counts = [points] * len(self.dims) if isinstance(points, int) else list(points)
        gap = spacing(min(counts), spread)
        found: dict[int, Placement] = {}

        def run(batch: Batch, work: Workspace) -> None:
            nest, width, units = batch.nest, int(batch.nest.tail[0]), int(batch.nest.base[-1])
            clusters = batch.top.stop - batch.top.start
            last = before.get(batch.top.start)
            if last is None:
                steps = np.zeros(clusters, dtype=np.int64)
                find_modes(nest, rows, work.fronts, work.scratch, TOLERANCE, NEWTON_STEPS, steps)
                last = at_fronts(nest, work.fronts)
                if (lost := _inside(nest, steps < 0)).any():
                    prior = at_prior(nest)
                    last.path[lost], last.T[lost], last.G[lost] = prior.path[lost], prior.T[lost], prior.G[lost]
            means, covariances = np.zeros((units, width)), np.zeros((units, width, width))
            last.fill(work.fronts)
            for kernel, arguments in self._integrals(batch, rule, rows, work, np.empty(clusters), alone=True):
                kernel(*arguments)
            node_moments(nest, rule, work.fronts, work.tables, means, covariances)
            found[batch.top.start] = at_moments(nest, means, covariances, last, gap)

        self._for_batches(run, rule, free)
        self._placed = found

    def nodes(
        self, o: Floats, A: Floats, f1: Floats, f2: Floats, points: int | Sequence[int], visit: Callable[[Nodes], None]
    ) -> None:
        """Hand the posterior nodes to a function, a run of units at a time; with one point these are the modes."""
        rows = self._rows(o, A, f1, f2)
        rule, free = self._rule(points)
        kept = np.arange(self.tree.rows)[self._reduced.kept]
        for batch in self._batches:
            work = self._workspace(rule, free)
            nest = batch.nest
            self._run(batch, rule, rows, work)
            count, width, n0 = int(nest.base[1]), int(nest.tail[0]), int(rule.size[0])
            weights, v = np.ones((count, n0)), np.zeros((count, width, n0))
            covariances: Floats | None = None
            if n0 == 1:
                everything = np.zeros((int(nest.base[-1]), width)), np.zeros((int(nest.base[-1]), width, width))
                laplace_moments(nest, work.fronts, *everything)
                v[:, :, 0], covariances = everything[0][:count], everything[1][:count].copy()
            else:
                posterior_nodes(nest, rule, rows, work.fronts, work.scratch, work.tables, weights, v)
            sizes = nest.last[:count] - nest.first[:count]
            units = self._reduced.units[0][batch.units[0]]
            owner = np.repeat(np.arange(count), sizes)
            visit(Nodes(kept[batch.rows], owner, units, weights, v, tuple(rule.size.tolist()), covariances))
            free.put(work)

    def _rows(self, o: Floats, A: Floats, f1: Floats, f2: Floats) -> Rows:
        kept = self._reduced.kept
        inputs = [np.ascontiguousarray(x[..., kept], dtype=np.float64) for x in (f1, f2, o, A)]
        f1, f2, o, A = inputs
        self._together = int(f1[self._sets].max(initial=1.0))
        centred = A.copy() if self._sets.size else A
        if A.shape != (sum(self.dims), o.size):
            raise ValueError(f"A has shape {A.shape}, not {(sum(self.dims), o.size)}")
        if self._constants.changed(f1):
            self._find_plain_units(f1)
        if not self._domain.has_parameters and not same_memory(self._seen, f1):
            self._seen = f1
            for batch in self._batches:
                first = f1[batch.rows]
                batch.nest.uniform[2] = (first == first[0]).all()
        return Rows(self._code, self._y, f1, f2, self._reduced.row_weights, o, A, centred, self._address, PARAMETERS)

    def _find_plain_units(self, f1: Floats) -> None:
        """Note which lowest units have rows of one kind that `lanes` knows: these can be side by side."""
        if self._kernel_dims[:1] != [1] or not self._kind.any():
            return
        kind = np.where((self._kind == LOGITS) & (f1 != 1.0), 0, self._kind)
        for batch in self._batches:
            nest, rows = batch.nest, batch.rows
            first = nest.first[: nest.base[1]] - rows.start
            least, most = (of.reduceat(kind[rows], first) for of in (np.minimum, np.maximum))
            nest.plain[:] = np.where(least == most, most, 0)

    def _f_bars(self, constants_move: bool) -> tuple[Floats, Floats]:
        """Return zeros for the adjoints of f1 and f2: one array where nobody writes to them, which costs no memory."""
        first = np.zeros(self._code.size)
        unread = self._batches and not self._domain.has_parameters and not constants_move
        return first, first if unread else np.zeros(self._code.size)

    def _failure(self, invalid: Ints) -> Evaluation:
        """Return an evaluation without numbers: the clusters of these rows failed."""
        n = self.tree.rows
        clusters = np.unique(self._reduced.row_owner[invalid]).astype(np.int64)
        values = np.full(self._reduced.clusters, np.nan)
        nothing = np.full(n, np.nan)
        return Evaluation(values, nothing, np.full((sum(self.dims), n), np.nan), nothing, nothing, 0, False, clusters)

    def _rule(self, points: int | Sequence[int], moments: bool = False) -> tuple[Rule, SimpleQueue[Workspace]]:
        """Return the rule of the levels that are integrated, and the free workspaces that fit it.

        Kernels that are about to be called for the first time are compiled, where they have to be: those of posterior
        `moments` where these are asked for.
        """
        per_level = [points] * len(self.dims) if isinstance(points, int) else list(points)
        counts = tuple(int(per_level[level]) for level in self._reduced.levels)
        key = counts, self._spread
        road = max(counts) > 1, moments
        if road not in self._prepared:
            self._prepared.add(road)
            prepare(self._kernels(*road))
        if key not in self._rules:
            self._rules.clear()
            self._rules[key] = rule_of_levels(self._kernel_dims, counts, self._spread, self._sparse), SimpleQueue()
        return self._rules[key]

    def _kernels(self, nodes: bool, moments: bool) -> list[Kernel]:
        """Return the kernels of log-likelihoods and adjoints at one or more nodes, and of posterior moments."""
        found = [find_modes, row_adjoints, reverse, call_in_turn]
        if self._domain.has_parameters or self._sets.size:
            found.append(third_derivatives)
        if not nodes:
            return [*found, laplace]
        found += [lowest_units, rows_at_nodes]
        found += [upper_sums, upper_nodes] if len(self._kernel_dims) > 1 else []
        return [*found, node_moments] if moments else found

    def _for_batches(self, run: Callable[[Batch, Workspace], None], rule: Rule, free: SimpleQueue[Workspace]) -> None:
        """Call a function for each batch with a workspace that no other thread uses.

        Each thread takes what is left, batch by batch; where kernels may not be loaded yet one thread begins.
        """
        waiting = deque(self._batches)

        def take(most: int) -> None:
            work = self._workspace(rule, free)
            while most > 0:
                try:
                    batch = waiting.popleft()
                except IndexError:
                    break
                run(batch, work)
                most -= 1
            free.put(work)

        everything = len(waiting)
        if not everything:  # a partition without rows
            return
        if self._pool is not None and free.empty():
            take(1)
        self._in_threads(lambda: take(everything))

    def _in_threads(self, work: Callable[[], None]) -> None:
        """Do work that threads divide among themselves in as many as there are batches for."""
        others = (
            [self._pool.submit(work) for _ in range(min(self.threads, len(self._batches)) - 1)] if self._pool else []
        )
        work()
        for other in others:
            other.result()

    def _workspace(self, rule: Rule, free: SimpleQueue[Workspace]) -> Workspace:
        """Return a free workspace, or a new one."""
        try:
            return free.get_nowait()
        except Empty:
            return Workspace.for_batches(self._batches, rule, self._together)

    def _sum_batches(
        self, rule: Rule, free: SimpleQueue[Workspace], rows: Rows, adjoints: Adjoints | None = None
    ) -> None:
        """Fill the values and steps of all top-level clusters, and the adjoints of their rows if they are asked for."""
        if self._placed:  # nodes are put into the fronts before each batch
            self._steps[:] = 0
            self._for_batches(lambda batch, work: self._run(batch, rule, rows, work, adjoints), rule, free)
            return
        kind = (adjoints is None,)
        groups = [rows] if adjoints is None else [rows, adjoints]
        begun, most = np.zeros(1, dtype=np.int64), max(1, TOGETHER // int(rule.size[0]))

        def take() -> None:
            work = self._workspace(rule, free)
            if kind not in work.turns:
                opens = [Open() for _ in groups]
                given: Any = opens
                sequences = [list(self._calls(batch, rule, given[0], work, *given[1:])) for batch in self._batches]
                work.turns[kind] = Turns(sequences, opens)
            work.turns[kind].run(groups, begun, most)
            free.put(work)

        self._in_threads(take)

    def _run(self, batch: Batch, rule: Rule, rows: Rows, work: Workspace, adjoints: Adjoints | None = None) -> None:
        """Call the kernels of one batch."""
        if self._placed:
            self._placed[batch.top.start].fill(work.fronts)
        for kernel, arguments in self._calls(batch, rule, rows, work, adjoints):
            kernel(*arguments)

    def _calls(
        self, batch: Batch, rule: Rule, rows: Rows, work: Workspace, adjoints: Adjoints | None = None
    ) -> Iterator[tuple[Kernel, tuple[Any, ...]]]:
        """Yield the kernels that a batch goes through: for its modes, its log-likelihoods, and adjoints if asked for.

        Log-likelihoods without adjoints have no correction for the Newton step that is not taken.
        """
        nest, fronts, scratch, tables = batch.nest, work.fronts, work.scratch, work.tables
        values, steps, frozen = self._values[batch.top], self._steps[batch.top], bool(self._placed)
        has_parameters = self._domain.has_parameters
        if not frozen:
            yield find_modes, (nest, rows, fronts, scratch, TOLERANCE, NEWTON_STEPS, steps)
        if rule.size[0] == 1 and not frozen:
            yield laplace, (nest, rows, fronts, scratch, values)
        else:
            yield from self._integrals(batch, rule, rows, work, values, adjoints is None)
        if adjoints is None:
            return
        if not frozen and (has_parameters or self._sets.size):
            yield third_derivatives, (rows, scratch, batch.rows.start, batch.rows.stop)
        yield row_adjoints, (nest, rule, rows, fronts, scratch, tables, has_parameters, frozen, values, adjoints)

    def _integrals(
        self, batch: Batch, rule: Rule, rows: Rows, work: Workspace, values: Floats, alone: bool
    ) -> Iterator[tuple[Kernel, tuple[Any, ...]]]:
        """Yield the kernels of the log-likelihoods of a batch at the nodes that its fronts say; see `lowest_units`."""
        nest, fronts, scratch, tables = batch.nest, work.fronts, work.scratch, work.tables
        nested = nest.dims.size > 1
        if nested:
            yield upper_nodes, (nest, rule, fronts, tables)
        has_parameters = self._domain.has_parameters
        yield lowest_units, (nest, rule, rows, fronts, scratch, tables, work.lanes, has_parameters, alone, values)
        if nested:
            yield upper_sums, (nest, rule, fronts, tables, values)

    def _scatter(self, x: Floats) -> Floats:
        """Give rows that were left out a derivative of zero."""
        if isinstance(self._reduced.kept, slice):
            return x
        full = np.zeros((*x.shape[:-1], self.tree.rows))
        full[..., self._reduced.kept] = x
        return full


def _inside(nest: Nest, clusters: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return by unit whether it is in one of some top-level clusters of a batch."""
    base = nest.base
    inside = np.zeros(base[-1], dtype=bool)
    inside[base[-2] :] = clusters
    for level in range(nest.dims.size - 2, -1, -1):
        here = slice(base[level], base[level + 1])
        inside[here] = inside[nest.above[here]]
    return inside
