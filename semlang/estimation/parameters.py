"""The optimiser's coordinates: factors of free covariance blocks, distances of thresholds, all else as in the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.factors import Block, blocks_of, semidefinite_factor
from semlang.matrices.reduced import ReducedForm

__all__ = ["Parametrisation", "by_distances", "keys_of", "ordered"]

Floats = NDArray[np.float64]

SHORTEST = 1e-8
"""Distance of thresholds of which a logarithm is taken in place of that of less."""


def _uses(reduced: ReducedForm) -> Counter[int]:
    """How often each parameter occurs in a group's model."""
    found: Counter[int] = Counter()
    for parameters in (reduced.program[:, 2], reduced.psi.parameter, reduced.theta.parameter):
        found.update(int(p) for p in parameters if p >= 0)
    for addends in reduced.further:
        found.update(a.parameter for a in addends if a.parameter >= 0)
    for addends in reduced.moderated.values():
        found.update(a.parameter for a in addends if a.parameter >= 0)
    return found


class Parametrisation:
    """The map between the optimiser's coordinates x and the table's parameters theta, both of length P.

    For a covariance block Psi_b = F F' whose cells are parameters of their own, the coordinate in the place of
    Psi_b[i, j] is F[i, j], i >= j. Signs of F are free: a zero variance is an inner point at which the gradient
    vanishes, and x and -x are the same model. Variances that stand alone may be shared by several disturbances. Lines
    of F of fixed variances have angles in place of the covariances (`Block.factor`).

    Parameters
    ----------
    forms : sequence of ReducedForm
        One a group.
    pinned : collection of int
        Parameters in constraints or with bounds: they stay what they are.
    only : collection of str, optional
        Disturbances of which a block must have one to be factored; default all.
    fixed : bool
        Whether blocks with fixed variances are factored.

    Attributes
    ----------
    scales : tuple of tuples of int
        Thresholds in order whose coordinates are the first and the logarithms of the distances between them, so that
        none passes another: in classes a distance may be zero at the maximum.
    """

    scales: tuple[tuple[int, ...], ...] = ()

    def __init__(
        self,
        forms: Sequence[ReducedForm],
        pinned: Collection[int] = (),
        only: Collection[str] | None = None,
        fixed: bool = True,
    ) -> None:
        self.forms = tuple(forms)
        self.n_parameters = forms[0].n_parameters if forms else 0
        only = None if only is None else frozenset(only)
        blocks = [blocks_of(form.psi) for form in forms]
        uses: Counter[int] = sum((_uses(form) for form in forms), Counter())
        single: Counter[int] = Counter(int(b.parameter[0, 0]) for group in blocks for b in group if len(b.members) == 1)
        same: Counter[bytes] = Counter(_cells(b) for group in blocks for b in group)

        def eligible(block: Block) -> bool:
            used = np.unique(block.parameter[block.parameter >= 0]).tolist()
            if not (block.has_factor if fixed else block.is_free) or any(p in pinned for p in used):
                return False
            if len(block.members) == 1:
                return uses[used[0]] == single[used[0]]
            return all(uses[p] == same[_cells(block)] for p in used)

        self.factored: tuple[tuple[bool, ...], ...] = tuple(
            tuple(eligible(b) and (only is None or not only.isdisjoint(keys_of(form, b))) for b in group)
            for form, group in zip(forms, blocks, strict=True)
        )
        seen: dict[tuple[int, ...], Block] = {}
        for group, flags in zip(blocks, self.factored, strict=True):
            for block, flag in zip(group, flags, strict=True):
                if flag:
                    seen.setdefault(tuple(np.unique(block.parameter).tolist()), block)
        self.blocks = tuple(seen.values())

    def theta(self, x: Floats) -> Floats:
        """Return the table's parameters."""
        out = ordered(x, self.scales)[0]
        for block in self.blocks:
            F = block.factor(x)[0]
            out[block.own] = (F @ F.T)[block.cells]
        return out

    def coordinates(self, theta: Floats) -> Floats:
        """Return coordinates of parameters.

        Raises
        ------
        Infeasible
            If a covariance matrix has a negative eigenvalue.
        """
        x = by_distances(theta, self.scales)
        for block in self.blocks:
            V = np.where(block.parameter >= 0, theta[block.parameter], block.constant)
            x[block.own] = block.coordinates(semidefinite_factor(V))
        return x

    def jacobian(self, x: Floats) -> Floats:
        """Return dtheta/dx (P, P): d(F F') = dF F' + F dF'."""
        out = ordered(x, self.scales)[1]
        for block in self.blocks:
            out[np.ix_(block.own, block.own)] = block.jacobian(x)
        return out

    def curvature(self, x: Floats, derivative: Floats) -> Floats:
        """Return sum_p dl/dtheta_p d2theta_p/dx dx' (P, P): the entries of F F' are sums of F[i, d] F[j, d].

        Parameters
        ----------
        x, derivative : (P,) floats
            Coordinates, and dl/dtheta.
        """
        out = np.zeros((self.n_parameters, self.n_parameters))
        for block in self.blocks:
            out[np.ix_(block.own, block.own)] += block.curvature(x, derivative)
        return out


def _cells(block: Block) -> bytes:
    """Return what two blocks have in common that are one in the parameters."""
    return block.parameter.tobytes() + block.constant.tobytes()


def ordered(x: Floats, scales: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    """Return thresholds in the places of logarithms of distances, and the derivatives (P, P)."""
    out, jacobian = x.copy(), np.eye(x.size)
    for places in scales:
        for before, p in pairwise(places):
            with np.errstate(over="ignore"):
                distance = np.exp(x[p])
            out[p] = out[before] + distance
            jacobian[p] = jacobian[before]
            jacobian[p, p] = distance
    return out, jacobian


def by_distances(theta: Floats, scales: Sequence[Sequence[int]]) -> Floats:
    """Return logarithms of distances in the places of thresholds."""
    x = theta.copy()
    for places in scales:
        x[list(places[1:])] = np.log(np.maximum(np.diff(theta[list(places)]), SHORTEST))
    return x


def keys_of(form: ReducedForm, block: Block) -> set[str]:
    """Return the keys of the disturbances of a block."""
    return {form.disturbances[j].key for j in block.members}
