"""The chain from parameters to the rows' inputs, and back: cells of the model and their sparse Jacobian."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation import memory
from semlang.estimation.expansion import Expansion
from semlang.estimation.factors import Factors
from semlang.estimation.kernels.chain_rows import (
    EXPONENTIAL,
    IDENTITY,
    LOGISTIC,
    Entries,
    RowInputs,
    SparseRows,
    forward,
    reverse,
)
from semlang.estimation.kernels.densities import PARAMETERS
from semlang.estimation.kernels.families import ENTRIES
from semlang.estimation.layers import Layer
from semlang.estimation.member import Infeasible
from semlang.estimation.moderation import moderations
from semlang.matrices.reduced import Linear, ReducedForm
from semlang.model.table import Product
from semlang.sums import sum_by

__all__ = ["Chain"]

FAR = {"logit": 40.0, "probit": 9.0, "cloglog": 40.0, "loglog": 4.0}
"""How far above the linear predictor a category is put that is empty where thresholds cross: P is about exp(-40)."""

CERTAIN = 1.0 - 1e-12
"""Largest probability of guessing, slipping or a zero: of a larger one nothing is left of 1 - p."""

STEP = 1e-5
"""Of differences of first derivatives, in the size of a parameter or 1."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _ranges(owner: Sequence[int], n: int) -> Ints:
    """First and end of each owner's run in a sorted list of owners."""
    owners = np.asarray(owner, dtype=np.int64)
    return np.stack([np.searchsorted(owners, np.arange(n)), np.searchsorted(owners, np.arange(n), "right")], axis=1)


def _columns(design: Design, products: Sequence[Product]) -> Floats:
    """Return the columns of products (X, n), 0 where they are missing; a single one is not copied without need."""
    if len(products) == 1 and not np.isnan(design.columns[products[0]]).any():
        return np.ascontiguousarray(design.columns[products[0]])[None]
    columns = np.zeros((len(products), design.n_rows))
    for column, p in zip(columns, products, strict=True):
        column[:] = design.columns[p]
    return np.asarray(np.nan_to_num(columns, copy=False))


@dataclass(frozen=True, eq=False)
class _Moderated(RowInputs):
    """Inputs of rows whose loadings were multiplied by F(x) of their unit: what they were before, F and dF."""

    before: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    factors: tuple[tuple[Floats, Floats], ...] = ()


class Chain:
    """Linear predictors of one group's rows as functions of the parameters.

    The cells c are the entries of m, of L F and of the distributions' own parameters;

        o = offset + X m',   A = sum_a d_a (L F),   f = thresholds, residual SD.

    Where a block of Psi depends on covariates, F is I in it, and the rows' A are multiplied by F(x) afterwards; the
    last cells are the parameters that it takes, which no entry reads.

    Parameters
    ----------
    reduced : ReducedForm
    design : Design
    rows : Expansion
    factors : Factors
    layers : sequence of Layer
        Which disturbances are integrated over; empty leaves all of them out (A has no rows): responses are
        independent.
    """

    def __init__(
        self, reduced: ReducedForm, design: Design, rows: Expansion, factors: Factors, layers: Sequence[Layer]
    ) -> None:
        self.reduced, self.rows, self.factors = reduced, rows, factors
        self.n_parameters = reduced.n_parameters
        self._columns: dict[Product, int] = {(): -1}
        self._layout_means()
        coordinates = [c for layer in layers for c in layer.coordinates]
        self._layout_loadings(coordinates)
        self._moderations = moderations(reduced, design, rows.source) if coordinates else ()
        place = {j: d for d, shared in enumerate(coordinates) for j in shared}
        self._moderated_dims = [np.array([place[j] for j in m.block.members]) for m in self._moderations]
        taken = [m.parameters for m in self._moderations]
        self._taken = np.array([p for own in taken for p in own], dtype=np.int64)
        self._layout_distributions()
        self._products = [p for p in self._columns if p]
        self.offset: Floats = rows.offset
        columns = _columns(design, self._products)
        source = rows.source
        self._plain = reduced.owners.size == 1 and not self.transforms.size
        self._sorted = self._plain and not np.array_equal(source, np.arange(design.n_rows))
        if self._sorted:
            columns = columns[:, source]
        if self._plain:  # nobody writes to them
            rows.f1.flags.writeable = rows.f2.flags.writeable = False
        alike = bool((rows.row_weights == 1.0).all())
        self._no_scale = rows.row_weights if alike else np.ones(source.size)
        self.entries = Entries(
            rows.predictor, source, np.ascontiguousarray(columns), self.o_range, self.o_entries, self.a_range,
            self.a_entries, self.f_lists, self.f_range, self.f_entries, self.transforms,
        )  # fmt: skip

    # ------------------------------------------------------------------ layout

    def _column(self, product: Product) -> int:
        return self._columns.setdefault(product, len(self._columns) - 1)

    def _layout_means(self) -> None:
        cells = sorted((int(k), int(c), int(s)) for k, c, s in self.reduced.mean_cells)
        self._o_slots = np.array([s for _, _, s in cells], dtype=np.int64)
        entries = [(self._column(self.reduced.mean_columns[c]), n) for n, (_, c, _) in enumerate(cells)]
        self.o_entries = np.array(entries, dtype=np.int64).reshape(-1, 2)
        self.o_range = _ranges([k for k, _, _ in cells], self.reduced.owners.size)

    def _layout_loadings(self, coordinates: Sequence[tuple[int, ...]]) -> None:
        """Cell (k, a, d) of L F is the sum over j of L[k, a, j] F[j, d]."""
        structure = self.factors.structure
        position = {j: d for d, shared in enumerate(coordinates) for j in shared}
        terms: dict[tuple[int, int, int], list[tuple[int, int, int]]] = {}
        for k, a, j, slot in self.reduced.loading_cells.tolist():
            for d in position:
                if structure[j, d]:
                    terms.setdefault((k, a, position[d]), []).append((slot, j, d))
        keys = sorted(terms)
        base = self._o_slots.size
        entries = [(d, self._column(self.reduced.random_columns[a]), base + n) for n, (_, a, d) in enumerate(keys)]
        self.a_entries = np.array(entries, dtype=np.int64).reshape(-1, 3)
        self.a_range = _ranges([k for k, _, _ in keys], self.reduced.owners.size)
        flat = [(n, *t) for n, key in enumerate(keys) for t in terms[key]]
        self._a_terms = np.array(flat, dtype=np.int64).reshape(-1, 4)
        self.n_loadings = len(keys)
        self.dims = len(coordinates)

    def _layout_distributions(self) -> None:
        """Lists of entries: residual SDs, quantities and thresholds; a cell is a parameter, or the root of one."""
        rows, reduced = self.rows, self.reduced
        base = self._o_slots.size + self.n_loadings
        owner: list[int] = []
        entries: list[tuple[int, int]] = []
        sources: list[tuple[int, float]] = []
        slots: list[int] = []
        logs: list[float] = []
        roots: list[bool] = []
        transforms: list[int] = []
        simple = reduced.owners.size == 1 and not (reduced.thresholds or reduced.quantities or reduced.theta.i.size)
        lists = np.full((3, 0 if simple else rows.y.size), -1, dtype=np.int64)  # then nobody reads them
        self._crossing: list[tuple[Ints, Ints, Ints]] = []

        def add(addends: Sequence[Linear], root: bool = False, transform: int = IDENTITY) -> int:
            number = len(transforms)
            transforms.append(transform)
            for a in addends:
                owner.append(number)
                entries.append((self._column(a.via), base + len(sources)))
                sources.append((a.parameter, a.value))
                slots.append(a.slot)
                logs.append(a.log)
                roots.append(root)
            return number

        diagonal = {
            int(i): (int(p), float(v))
            for i, j, p, v in zip(reduced.theta.i, reduced.theta.j, reduced.theta.parameter, reduced.theta.value)
            if i == j
        }
        shifted = [j for b, s in zip(self.factors.blocks, self.factors.shifted, strict=True) if s for j in b.members]
        residual = {reduced.responses.index(reduced.disturbances[j].key): j for j in shifted}
        self._f_shifts: list[tuple[int, int]] = []
        for k in range(len(reduced.responses)):
            here = rows.response == k
            thresholds = reduced.thresholds.get(k, ())
            if thresholds and here.any():
                category = rows.category[here]
                upper = np.full(len(thresholds) + 1, -1)
                upper[:-1] = [add(t) for t in thresholds]
                lists[0, here] = upper[category]
                if ENTRIES[int(rows.codes[here][0])].f2 == "lower":
                    lists[1, here] = np.concatenate([[-1], upper[:-1]])[category]
                    if any(a.slot >= 0 for t in thresholds for a in t):
                        self._crossing.append((np.flatnonzero(here), upper[:-1], category))
                if (k, "sigma") in reduced.quantities:
                    lists[2, here] = add(reduced.quantities[k, "sigma"], transform=EXPONENTIAL)
            elif any(number == k for number, _ in reduced.quantities):
                entry = ENTRIES[int(rows.codes[here][0])] if here.any() else None
                for side, role in enumerate((entry.f1, entry.f2) if entry else ()):
                    if (k, role) in reduced.quantities:
                        transform = EXPONENTIAL if role in ("sigma", "shape") else LOGISTIC
                        lists[side, here] = add(reduced.quantities[k, role], transform=transform)
            elif k in residual:
                self._f_shifts.append((len(sources), residual[k]))
                lists[self._side_of_sigma(here), here] = add([Linear(-1, 1.0, ())], root=True)
            elif k in diagonal:
                lists[self._side_of_sigma(here), here] = add([Linear(*diagonal[k], ())], root=True)
        self.f_lists = lists
        self._logistic: list[Ints] = []
        if LOGISTIC in transforms:
            logistic = np.array([*transforms, IDENTITY]) == LOGISTIC  # the last for rows without a list
            self._logistic = [np.flatnonzero(logistic[side]) for side in lists[:2]]
        self.f_entries = np.array(entries, dtype=np.int64).reshape(-1, 2)
        self.f_range = _ranges(owner, len(transforms))
        self.transforms = np.array(transforms, dtype=np.int64)
        self._f_parameter = np.array([p for p, _ in sources], dtype=np.int64)
        self._f_value = np.array([v for _, v in sources], dtype=np.float64)
        self._f_slot = np.array(slots, dtype=np.int64)
        self._f_log = np.array(logs, dtype=np.float64)
        self._f_root = np.array(roots, dtype=bool)

    def _side_of_sigma(self, here: NDArray[np.bool_]) -> int:
        """Return in which of its two numbers a row of a gaussian response has sigma."""
        return int(here.any() and ENTRIES[int(self.rows.codes[here][0])].f2 == "sigma")

    def share(self, other: Chain) -> None:
        """Take the lists of rows of another chain where they are equal and nobody writes to them."""
        lists = other.entries.f_lists
        if not (self._crossing or other._crossing) and np.array_equal(lists, self.f_lists):
            self.f_lists = lists
            self.entries = replace(self.entries, f_lists=lists)

    def see(self, columns: Mapping[Product, Floats], names: Collection[str]) -> None:
        """Put other values in the place of the columns that products with some names have.

        Parameters
        ----------
        columns : mapping from Product to (n,) floats
        names : collection of str
        """
        moving = [i for i, p in enumerate(self._products) if any(c.column in names for c in p)]
        own = self.entries.columns.copy()
        for i in moving:
            column = np.nan_to_num(columns[self._products[i]])
            own[i] = column[self.rows.source] if self._sorted else column
        self.entries = replace(self.entries, columns=own)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self._o_slots.size) + self.n_loadings + int(self._f_parameter.size + self._taken.size)

    @property
    def moderated(self) -> bool:
        """Whether rows' inputs are more than sums of cells: covariance matrices depend on covariates."""
        return bool(self._moderations)

    @property
    def crossing(self) -> bool:
        """Whether the last inputs say which thresholds rows have: the way back has to be that of these inputs."""
        return bool(self._crossing)

    # ------------------------------------------------------------------ evaluation

    def cells(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the cells (n,) and their Jacobian (n, P) at the optimiser's coordinates `x`.

        Raises
        ------
        Infeasible
            If a covariance matrix is not positive semidefinite, or a residual variance not positive.
        """
        slots, d_slots = self.reduced.jacobian(x)
        n_o, n_a, n_f = self._o_slots.size, self.n_loadings, self._f_parameter.size
        cells = np.zeros(n_o + n_a + n_f + self._taken.size)
        jacobian = np.zeros((cells.size, self.n_parameters))
        cells[:n_o] = slots[self._o_slots]
        jacobian[:n_o] = d_slots[self._o_slots]
        if n_a:
            F, derivatives = self.factors.evaluate(x)
            n, s, j, d = self._a_terms.T
            n = n + n_o
            begins = np.flatnonzero(np.diff(n, prepend=-1))  # every cell has terms, in order
            cells[n_o : n_o + n_a] = np.add.reduceat(slots[s] * F[j, d], begins)
            jacobian[n_o : n_o + n_a] = np.add.reduceat(F[j, d][:, None] * d_slots[s], begins)
            for i, e, p, v in derivatives:
                hit = (j == i) & (d == e)
                np.add.at(jacobian, (n[hit], p), slots[s[hit]] * v)
        free = self._f_parameter >= 0
        values = np.where(free, x[self._f_parameter], self._f_value) if n_f else self._f_value
        slopes = np.ones(n_f)
        if self._f_shifts:
            shifts = self.factors.shifts(x)
            for place, number in self._f_shifts:
                values[place] = shifts[number]
        if (values[self._f_root] <= 0.0).any():
            raise Infeasible("a residual variance is not positive")
        values[self._f_root] = np.sqrt(values[self._f_root])
        slopes[self._f_root] = 0.5 / values[self._f_root]
        logged = np.flatnonzero(self._f_log)
        if (values[logged] <= 0.0).any():
            raise Infeasible("the scale of an ordinal response is not positive")
        slopes[logged] = self._f_log[logged] / values[logged]
        values[logged] = self._f_log[logged] * np.log(values[logged])
        cells[n_o + n_a : n_o + n_a + n_f] = values
        cells[n_o + n_a + n_f :] = x[self._taken]
        at = np.flatnonzero(free)
        jacobian[n_o + n_a + at, self._f_parameter[at]] = slopes[at]
        at = np.flatnonzero(self._f_slot >= 0)
        cells[n_o + n_a + at] = slots[self._f_slot[at]]
        jacobian[n_o + n_a + at] = d_slots[self._f_slot[at]]
        return cells, jacobian

    def forward(self, cells: Floats) -> RowInputs:
        """Return the rows' inputs at given cells."""
        rows = self.rows
        own = (rows.f1, rows.f2, self._no_scale)
        if not self._plain:  # they are written to
            own = (rows.f1.copy(), rows.f2.copy(), self._no_scale.copy())
        self._let_cross(cells)
        o = memory.empty(rows.y.size)
        o[:] = self.offset
        out = RowInputs(o, memory.empty(self.dims, rows.y.size), *own)
        forward(self.entries, cells, out)
        for mine, f in zip(self._logistic, (out.f1, out.f2), strict=False):
            if mine.size:
                f[mine] = np.minimum(f[mine], CERTAIN)
        for crossing, _, _ in self._crossing:
            empty = crossing[out.f1[crossing] == out.f2[crossing]]
            far = [FAR[ENTRIES[code].link] for code in rows.codes[empty].tolist()]
            out.f2[empty] = out.o[empty] + far
            out.f1[empty] = out.f2[empty] + 1.0
        return self._moderate(out, cells) if self._moderations else out

    def _moderate(self, inputs: RowInputs, cells: Floats) -> RowInputs:
        """Multiply loadings by the factors F(x) of Psi."""
        values = cells[cells.size - self._taken.size :]
        A, factors = inputs.A.copy(), []
        for m, dims in zip(self._moderations, self._moderated_dims, strict=True):
            own, values = values[: len(m.parameters)], values[len(m.parameters) :]
            F, dF = m.evaluate(own)
            A[dims] = np.einsum("jn,njd->dn", inputs.A[dims], F[m.pattern])
            factors.append((F, dF))
        return _Moderated(inputs.o, A, inputs.f1, inputs.f2, inputs.scale, inputs.A, tuple(factors))

    def _let_cross(self, cells: Floats) -> None:
        """Let each row of a response whose thresholds latent variables move have the highest threshold up to its own.

        P(y > s) = F(nu - max_{r <= s} tau_r), so that categories between thresholds that cross are empty.
        """
        for rows, lists, category in self._crossing:
            source = self.entries.source[rows]
            tau = np.zeros((lists.size, rows.size))
            for s, number in enumerate(lists.tolist()):
                for column, cell in self.f_entries[slice(*self.f_range[number])].tolist():
                    tau[s] += cells[cell] * (self.entries.columns[column, source] if column >= 0 else 1.0)
            highest = np.maximum.accumulate(tau, axis=0)
            number = np.where(tau == highest, np.arange(lists.size)[:, None], 0)
            number = lists[np.maximum.accumulate(number, axis=0)]
            every = np.arange(rows.size)
            self.entries.f_lists[0, rows] = np.where(
                category < lists.size, number[np.minimum(category, lists.size - 1), every], -1
            )
            self.entries.f_lists[1, rows] = np.where(category > 0, number[np.maximum(category - 1, 0), every], -1)

    def copies(self, rows: Ints, times: int) -> Entries:
        """Return the entries of some rows, so many times one after the other."""
        e = self.entries
        if e.o_range.shape[0] == 1 and not e.f_range.size:  # row r is record r
            columns = np.ascontiguousarray(np.tile(e.columns[:, rows], times))
            return replace(e, predictor=np.tile(e.predictor[rows], times), columns=columns)
        lists = np.ascontiguousarray(np.tile(e.f_lists[:, rows], times))
        return replace(
            e, predictor=np.tile(e.predictor[rows], times), source=np.tile(e.source[rows], times), f_lists=lists
        )

    def reverse(self, inputs: RowInputs, bars: RowInputs, jacobian: Floats, first: Ints) -> Floats:
        """Return scores (C, P) of the clusters that begin at rows `first` (with the end appended)."""
        moved = None
        if isinstance(inputs, _Moderated):
            moved = self._moderated_scores(inputs, bars, first)
            A = bars.A.copy()
            for m, dims, (F, _) in zip(self._moderations, self._moderated_dims, inputs.factors, strict=True):
                A[dims] = np.einsum("dn,njd->jn", bars.A[dims], F[m.pattern])
            inputs = RowInputs(inputs.o, inputs.before, inputs.f1, inputs.f2, inputs.scale)
            bars = RowInputs(bars.o, A, bars.f1, bars.f2, bars.scale)
        owner, parameter = np.nonzero(jacobian)
        begins = np.searchsorted(owner, np.arange(jacobian.shape[0] + 1)).astype(np.int64)
        cells = SparseRows(begins, parameter.astype(np.int64), np.ascontiguousarray(jacobian[owner, parameter]))
        scores = np.empty((first.size - 1, self.n_parameters))
        reverse(first, self.entries, inputs, bars, cells, np.zeros(jacobian.shape[0]), scores)
        return scores if moved is None else scores + moved

    def _moderated_scores(self, inputs: _Moderated, bars: RowInputs, first: Ints) -> Floats:
        """Return what the factors F(x) add to the scores: sum over rows of A_j dF_jd(x) times the adjoint of A_d."""
        out = np.zeros((first.size - 1, self.n_parameters))
        rows = slice(int(first[0]), int(first[-1]))
        unit = np.repeat(np.arange(first.size - 1), np.diff(first))
        for m, dims, (_, dF) in zip(self._moderations, self._moderated_dims, inputs.factors, strict=True):
            moved = np.einsum("jn,dn->njd", inputs.before[dims][:, rows], bars.A[dims][:, rows])
            for p, slope in zip(m.parameters, dF, strict=True):
                out[:, p] += sum_by(unit, (moved * slope[m.pattern[rows]]).sum(axis=(1, 2)), first.size - 1)
        return out

    @cached_property
    def inputs_used(self) -> tuple[int, ...]:
        """Which of the inputs (0: o, 1 ...: A, then f1, f2) are parameters of some row's density."""
        some = int(PARAMETERS[self.rows.codes].max(initial=0))
        return (*range(1 + self.dims), *(1 + self.dims + k for k in range(some)))

    def input_jacobian(self, inputs: RowInputs, jacobian: Floats) -> Floats:
        """Return the derivatives of the inputs that are used with respect to x (K, N, P)."""
        size, dims = self.rows.y.size, self.dims
        each = np.arange(size + 1)
        out = np.empty((len(self.inputs_used), size, self.n_parameters))
        for k in self.inputs_used:
            unit = np.zeros((3 + dims, size))
            unit[k] = 1.0
            bars = RowInputs(unit[0], unit[1 : 1 + dims].copy(), unit[1 + dims], unit[2 + dims], inputs.scale)
            out[k] = self.reverse(inputs, bars, jacobian, each)
        return out

    def second_derivatives(self, x: Floats, bars: RowInputs) -> Floats:
        """Return ``sum_i bar_i d2 input_i / dx dx'`` (P, P), by differences; 0 where the inputs are linear in x.

        Parameters
        ----------
        x : (P,) floats
        bars : RowInputs
            Derivatives of the log-likelihood in the inputs.
        """
        whole = np.array([0, bars.o.size])

        def gradient(at: Floats) -> Floats:
            cells, jacobian = self.cells(at)
            slope: Floats = self.reverse(self.forward(cells), bars, jacobian, whole)[0]
            return slope

        out = np.zeros((x.size, x.size))
        for p in np.flatnonzero(gradient(x) != gradient(0.99 * x + 0.01)):  # correlations stay below one
            step = np.zeros(x.size)
            step[p] = STEP * max(1.0, abs(x[p]))
            out[p] = (gradient(x + step) - gradient(x - step)) / (2.0 * step[p])
        return out
