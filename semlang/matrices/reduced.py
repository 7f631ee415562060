"""The reduced form: linear predictors as functions of covariates and disturbances alone.

Substituting eta = B eta + Gamma w + zeta into nu from the causes down gives, for response k,

    nu_k = sum_c m[k, c] x_c + sum_a sum_j L[k, a, j] d_a zeta_j,

where x_c and d_a are products of covariates (the first of each is 1). The entries of m and L are polynomials
of the parameters. They are held as a straight-line program (one multiply-add a line) that is run forwards for
values and backwards for the gradient, and over a prime field for identification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from semlang.model.table import Product
from semlang.sums import sum_by

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = TypeVar("Numbers", NDArray[np.float64], NDArray[np.complex128])


@dataclass(frozen=True)
class Cells:
    """A matrix of constants and free cells.

    Parameters
    ----------
    shape : (int, int)
    i, j : (n,) ints
        Places; for a symmetric matrix one triangle (j <= i), which is mirrored.
    parameter : (n,) ints
        Index in the parameter vector, -1 for a constant.
    value : (n,) floats
        The constants (ignored where `parameter` is not -1).
    """

    shape: tuple[int, int]
    i: Ints
    j: Ints
    parameter: Ints
    value: Floats
    symmetric: bool = False

    @classmethod
    def of(
        cls, shape: tuple[int, int], entries: Sequence[tuple[int, int, int, float]], symmetric: bool = False
    ) -> Cells:
        """Make from (i, j, parameter, value) entries."""
        if symmetric:
            entries = [(max(i, j), min(i, j), p, v) for i, j, p, v in entries]
        a = np.array([e[:3] for e in entries], dtype=np.int64).reshape(-1, 3)
        values = np.array([e[3] for e in entries], dtype=float)
        return cls(shape, a[:, 0], a[:, 1], a[:, 2], values, symmetric)

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What was worked out of the cells, by name."""
        return {}

    def matrix(self, theta: Floats) -> Floats:
        """Return the dense matrix at parameter values `theta`."""
        out = np.zeros(self.shape)
        v = self.value.copy()
        free = self.parameter >= 0
        v[free] = theta[self.parameter[free]]
        out[self.i, self.j] = v
        if self.symmetric:
            out[self.j, self.i] = v
        return out

    def gradient(self, bar: Floats, n: int) -> Floats:
        """Return dl/dtheta (n,) from dl/dmatrix (every entry counts, symmetric where the matrix is)."""
        free = self.parameter >= 0
        g = bar[self.i, self.j][free]
        if self.symmetric:
            g = g * np.where(self.i == self.j, 1.0, 2.0)[free]
        return sum_by(self.parameter[free], g, n)


class Disturbance(NamedTuple):
    """A scalar zeta: the key of its variable and the level whose units it varies over."""

    key: str
    level: str


class Predictor(NamedTuple):
    """A further linear predictor of a response: the number of the response, and the category that it belongs to."""

    response: int
    category: str


class Linear(NamedTuple):
    """One addend of a linear predictor: theta[parameter] (or `value`) times a product of covariates.

    An addend that comes by way of latent variables has a `slot` of the program in place of a parameter (-1 elsewhere).
    Where `log` is not 0 it is that times log theta: -1 for the scale of an ordinal response, 1/2 for its residual
    variance.
    """

    parameter: int
    value: float
    via: Product
    slot: int = -1
    log: float = 0.0


@dataclass(frozen=True)
class ReducedForm:
    """Reduced form of one group's model.

    Parameters
    ----------
    responses : tuple of str
        Keys of the K responses.
    disturbances : tuple of Disturbance
        The J zetas, lowest level first, within a level effects before causes.
    mean_columns, random_columns : tuple of Product
        x_c (C) and d_a (A); ``random_columns[0]`` is the empty product.
    n_parameters : int
    program : (n, 3) ints
        Lines (to, from, parameter) of slots: slot[to] += coefficient * slot[from]; slot 0 is 1. Lines are in
        order: a slot is complete before it is read. Cells may share a slot.
    constants : (n,) floats
        Coefficients of lines whose parameter is -1.
    n_slots : int
    mean_cells : (n_m, 3) ints
        (k, c, slot): m[k, c] = slot. From K on k is the number of a further predictor.
    loading_cells : (n_l, 4) ints
        (k, a, j, slot): L[k, a, j] = slot; k as above.
    psi : Cells
        Symmetric J x J; zetas of different levels are independent. Cells in `moderated` have a constant in their place.
    theta : Cells
        Symmetric K x K: residual (co)variances of gaussian responses, zero elsewhere.
    quantities : mapping from (k, name) to the addends of its linear predictor
        ``sigma`` (log residual SD in place of `theta`), ``guess``, ...
    thresholds : mapping from k to a list over thresholds of addends
        The first addend of each is the threshold itself.
    random : set of (k, name)
        Quantities, and thresholds as ``threshold``, that depend on disturbances; `quantities` and `thresholds` are what
        they are where these are zero. A likelihood needs them known.
    offsets : mapping from k to products that enter nu with coefficient 1
    lifted : tuple of str
        Gaussian responses that are represented by a disturbance of their own (their `theta` row is zero),
        because other variables are regressed on them.
    predictors : tuple of Predictor
        Further linear predictors, of responses that have several: of each category that has one. Their numbers in
        `mean_cells` and `loading_cells` follow those of the responses.
    moderated : mapping from (i, j) to addends
        Cells of Psi, i >= j, that depend on covariates: of a variance the addends of the log standard deviation, else
        those of the covariance.
    """

    responses: tuple[str, ...]
    disturbances: tuple[Disturbance, ...]
    mean_columns: tuple[Product, ...]
    random_columns: tuple[Product, ...]
    n_parameters: int
    program: Ints
    constants: Floats
    n_slots: int
    mean_cells: Ints
    loading_cells: Ints
    psi: Cells
    theta: Cells
    quantities: dict[tuple[int, str], tuple[Linear, ...]] = field(default_factory=dict)
    thresholds: dict[int, tuple[tuple[Linear, ...], ...]] = field(default_factory=dict)
    random: frozenset[tuple[int, str]] = frozenset()
    offsets: dict[int, tuple[Product, ...]] = field(default_factory=dict)
    lifted: tuple[str, ...] = ()
    predictors: tuple[Predictor, ...] = ()
    moderated: dict[tuple[int, int], tuple[Linear, ...]] = field(default_factory=dict)

    @cached_property
    def owners(self) -> Ints:
        """The response of each linear predictor."""
        return np.array([*range(len(self.responses)), *(p.response for p in self.predictors)], dtype=np.int64)

    @cached_property
    def needed(self) -> tuple[tuple[Product, ...], ...]:
        """The products of covariates that the distribution of each response needs, in order of appearance."""
        found: list[dict[Product, None]] = [{} for _ in self.responses]
        for k, c, _ in self.mean_cells.tolist():
            found[self.owners[k]][self.mean_columns[c]] = None
        for k, a, _, _ in self.loading_cells.tolist():
            found[self.owners[k]][self.random_columns[a]] = None
        moving = self._moving if self.moderated else {}
        for k, _, j, _ in self.loading_cells.tolist() if moving else ():
            found[self.owners[k]].update(dict.fromkeys(moving.get(j, ())))
        for k, products in self.offsets.items():
            found[k].update(dict.fromkeys(products))
        for (k, _), addends in self.quantities.items():
            found[k].update((a.via, None) for a in addends)
        for k, thresholds in self.thresholds.items():
            found[k].update((a.via, None) for addends in thresholds for a in addends)
        return tuple(tuple(p for p in products if p) for products in found)

    @property
    def _moving(self) -> dict[int, list[Product]]:
        """The products of covariates that the distribution of each disturbance depends on."""
        root = {j: j for j in range(len(self.disturbances))}

        def find(j: int) -> int:
            while root[j] != j:
                j = root[j]
            return j

        for i, j in zip(self.psi.i.tolist(), self.psi.j.tolist(), strict=True):
            root[find(i)] = find(j)
        by_block: dict[int, list[Product]] = {}
        for (i, _), addends in self.moderated.items():
            by_block.setdefault(find(i), []).extend(a.via for a in addends)
        return {j: by_block[find(j)] for j in root if find(j) in by_block}

    @property
    def further(self) -> tuple[tuple[Linear, ...], ...]:
        """The addends of every quantity and threshold."""
        return (*self.quantities.values(), *(t for thresholds in self.thresholds.values() for t in thresholds))

    def coefficients(self, addends: Sequence[Linear], theta: Floats) -> list[float]:
        """Return the values of the coefficients of addends."""
        slots = self.slots(theta) if any(a.slot >= 0 for a in addends) else theta
        return [
            float(slots[a.slot])
            if a.slot >= 0
            else a.value
            if a.parameter < 0
            else a.log * float(np.log(theta[a.parameter]))
            if a.log
            else float(theta[a.parameter])
            for a in addends
        ]

    def slots(self, theta: Floats) -> Floats:
        """Run the program: values of all slots."""
        s = [0.0] * self.n_slots
        s[0] = 1.0
        t = theta.tolist()
        for (to, frm, p), c in zip(self.program.tolist(), self.constants.tolist(), strict=True):
            s[to] += (t[p] if p >= 0 else c) * s[frm]
        return np.array(s)

    def mean(self, slots: Floats) -> Floats:
        """Return m (K, C)."""
        m = np.zeros((len(self.responses), len(self.mean_columns)))
        c = self.mean_cells[self.mean_cells[:, 0] < len(m)]
        m[c[:, 0], c[:, 1]] = slots[c[:, 2]]
        return m

    def loadings(self, slots: Floats) -> Floats:
        """Return L (K, A, J)."""
        out = np.zeros((len(self.responses), len(self.random_columns), len(self.disturbances)))
        c = self.loading_cells[self.loading_cells[:, 0] < len(out)]
        out[c[:, 0], c[:, 1], c[:, 2]] = slots[c[:, 3]]
        return out

    def jacobian(self, theta: Numbers) -> tuple[Numbers, Numbers]:
        """Return slots (S,) and their derivatives (S, P) by forward differentiation, real or complex."""
        s = np.zeros(self.n_slots, dtype=theta.dtype)
        d = np.zeros((self.n_slots, theta.size), dtype=theta.dtype)
        s[0] = 1.0
        moving = [False] * self.n_slots
        for (to, frm, p), c in zip(self.program.tolist(), self.constants.tolist(), strict=True):
            w = theta[p] if p >= 0 else c
            s[to] += w * s[frm]
            if moving[frm]:
                d[to] += w * d[frm]
            if p >= 0:
                d[to, p] += s[frm]
            moving[to] |= moving[frm] or p >= 0
        return s, d

    def gradient(self, theta: Floats, slots: Floats, bar: Floats) -> Floats:
        """Return dl/dtheta (P,) from dl/dslots (S,), by running the program backwards."""
        b = bar.tolist()
        t, s = theta.tolist(), slots.tolist()
        g = [0.0] * self.n_parameters
        program, constants = self.program.tolist(), self.constants.tolist()
        for k in range(len(program) - 1, -1, -1):
            to, frm, p = program[k]
            if p >= 0:
                g[p] += b[to] * s[frm]
                b[frm] += t[p] * b[to]
            else:
                b[frm] += constants[k] * b[to]
        return np.array(g)
