"""From the adjoints of the reduced form's matrices to the parameters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semlang.matrices.reduced import Cells, ReducedForm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """The reduced form at one parameter vector.

    Parameters
    ----------
    theta : (P,)
    slots : (S,)
    m : (K, C)
        Coefficients of the covariates.
    L : (K, A, J)
        Loadings of the disturbances.
    psi : (J, J)
    residual : (K, K)
        Theta, the residual covariance matrix.
    """

    theta: Floats
    slots: Floats
    m: Floats
    L: Floats
    psi: Floats
    residual: Floats


class Chain:
    """Chain rule between parameters and the free cells of m, L, Psi and Theta.

    A *free cell* is an entry that depends on a parameter; an off-diagonal cell of Psi or Theta moves both
    triangles.
    Cells are stacked in the order m, L, Psi, Theta; `jacobian` is their derivative.

    Attributes
    ----------
    mean : (n_m, 2) ints
        (k, c) of the free cells of m.
    loading : (n_l, 3) ints
        (k, a, j) of the free cells of L.
    psi, residual : (n, 2) ints
        (i, j), j <= i.
    """

    def __init__(self, reduced: ReducedForm) -> None:
        self.reduced = reduced
        self.n_parameters = reduced.n_parameters
        depends = np.zeros(reduced.n_slots, dtype=bool)
        linear = True
        for to, source, parameter in reduced.program.tolist():
            linear &= not (parameter >= 0 and depends[source])
            depends[to] |= parameter >= 0 or depends[source]
        mean = reduced.mean_cells[depends[reduced.mean_cells[:, -1]]]
        loading = reduced.loading_cells[depends[reduced.loading_cells[:, -1]]]
        self.mean, self._mean_slots = mean[:, :2], mean[:, 2]
        self.loading, self._loading_slots = loading[:, :3], loading[:, 3]
        self.psi, self._psi_jacobian = _free(reduced.psi, reduced.n_parameters)
        self.residual, self._residual_jacobian = _free(reduced.theta, reduced.n_parameters)
        self.n_cells = len(self.mean) + len(self.loading) + len(self.psi) + len(self.residual)
        ends = np.cumsum([0, len(self.mean), len(self.loading), len(self.psi), len(self.residual)]).tolist()
        self.slices = tuple(slice(a, b) for a, b in pairwise(ends))
        # A program without products of parameters is affine: slots = constant + jacobian theta, once for all.
        self._affine: tuple[Floats, Floats] | None = None
        if linear:
            self._affine = reduced.jacobian(np.zeros(reduced.n_parameters))
            self._cells = self._stack(self._affine[1])
            self._sparse = _Sparse(self._cells)

    @property
    def is_affine(self) -> bool:
        """Whether m and L have no products of parameters, so that their second derivatives are zero."""
        return self._affine is not None

    def at(self, theta: Floats) -> Point:
        """Evaluate the matrices at a parameter vector."""
        theta = np.asarray(theta, dtype=float)
        r = self.reduced
        slots = r.slots(theta) if self._affine is None else self._affine[0] + self._affine[1] @ theta
        return Point(theta, slots, r.mean(slots), r.loadings(slots), r.psi.matrix(theta), r.theta.matrix(theta))

    def gradient(self, point: Point, m: Floats, L: Floats, psi: Floats, residual: Floats) -> Floats:
        """Return dl/dtheta (P,) from dl/dm, dl/dL, dl/dPsi and dl/dTheta.

        The last two are symmetric with every entry treated as free.
        """
        r = self.reduced
        bar = self._slot_bar(m, L)
        g = r.gradient(point.theta, point.slots, bar) if self._affine is None else bar @ self._affine[1]
        return g + r.psi.gradient(psi, self.n_parameters) + r.theta.gradient(residual, self.n_parameters)

    def jacobian(self, point: Point) -> Floats:
        """Return the derivatives (cells, P) of the free cells."""
        if self._affine is not None:
            return self._cells
        return self._stack(self.reduced.jacobian(point.theta)[1])

    def sandwich(self, point: Point, cells: Floats) -> Floats:
        """Return J' M J (P, P) for M (cells, cells)."""
        if self._affine is not None:
            return self._sparse.sandwich(cells)
        J = self.jacobian(point)
        return np.asarray(J.T @ cells @ J)

    def curvature(self, point: Point, m: Floats, L: Floats) -> Floats:
        """Return sum_s dl/dslot_s d2slot_s (P, P): what products of parameters add to a Hessian.

        The program that yields the gradient is differentiated in the direction of every parameter at once.
        """
        n = self.n_parameters
        out = np.zeros((n, n))
        if self._affine is not None:
            return out
        slots, tangents = self.reduced.jacobian(point.theta)
        bar = self._slot_bar(m, L)
        dbar = np.zeros_like(tangents)
        program, constants = self.reduced.program.tolist(), self.reduced.constants.tolist()
        for (to, source, p), constant in zip(reversed(program), reversed(constants), strict=True):
            if p < 0:
                bar[source] += constant * bar[to]
                dbar[source] += constant * dbar[to]
                continue
            out[p] += dbar[to] * slots[source] + bar[to] * tangents[source]
            dbar[source] += point.theta[p] * dbar[to]
            dbar[source, p] += bar[to]
            bar[source] += point.theta[p] * bar[to]
        return 0.5 * (out + out.T)

    def _slot_bar(self, m: Floats, L: Floats) -> Floats:
        r = self.reduced
        bar = np.zeros(r.n_slots)
        np.add.at(bar, r.mean_cells[:, 2], m[r.mean_cells[:, 0], r.mean_cells[:, 1]])
        c = r.loading_cells
        np.add.at(bar, c[:, 3], L[c[:, 0], c[:, 1], c[:, 2]])
        return bar

    def _stack(self, slots: Floats) -> Floats:
        return np.vstack(
            [slots[self._mean_slots], slots[self._loading_slots], self._psi_jacobian, self._residual_jacobian]
        )


class _Sparse:
    """A constant Jacobian by its entries; most often each parameter is one cell times a constant."""

    def __init__(self, J: Floats) -> None:
        column, self._row = np.nonzero(J.T)
        self._value = J[self._row, column]
        single = np.array_equal(column, np.arange(J.shape[1]))
        self._matrix: Any = None
        if not single:
            from scipy.sparse import csr_array  # imported where it is used: it takes its time

            self._matrix = csr_array(J)

    def sandwich(self, M: Floats) -> Floats:
        """Return J' M J."""
        if self._matrix is not None:
            return np.asarray(self._matrix.T @ M @ self._matrix)
        out: Floats = M[self._row][:, self._row]
        out *= self._value
        out *= self._value[:, None]
        return out


def _free(cells: Cells, n: int) -> tuple[Ints, Floats]:
    """Return the places of the free cells and their derivatives."""
    free = np.flatnonzero(cells.parameter >= 0)
    jacobian = np.zeros((len(free), n))
    jacobian[np.arange(len(free)), cells.parameter[free]] = 1.0
    return np.column_stack([cells.i[free], cells.j[free]]), jacobian
