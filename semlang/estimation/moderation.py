"""Covariance matrices of latent variables that depend on covariates: a factor for each pattern of these.

In a block with a moderated cell

    Psi_ii(x) = exp(2 sum_c a_c x_c),   Psi_ij(x) = sum_c c_c x_c,

the cells without covariates being what they are. zeta = F(x) v with Psi(x) = F(x) F(x)', v ~ N(0, I), F lower
triangular with a positive diagonal; so a row's loadings on v are those on zeta times F(x) of its unit, whatever the
responses are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.factors import Block, blocks_of
from semlang.estimation.member import Infeasible, Posterior
from semlang.estimation.planned import NODES, Plan
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.reduced import Linear, ReducedForm
from semlang.model.table import Product

__all__ = [
    "Moderation",
    "factor",
    "is_moderated",
    "moderated",
    "moderated_blocks",
    "moderations",
    "refuse_known",
    "spread",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST = 1e150
"""Standard deviation whose square is still a number."""


def is_moderated(reduced: ReducedForm, block: Block) -> bool:
    """Return whether a block of Psi has a cell that depends on covariates."""
    return any(i in block.members for i, _ in reduced.moderated)


def moderated_blocks(reduced: ReducedForm) -> tuple[Block, ...]:
    """Return the blocks of Psi that depend on covariates."""
    if not reduced.moderated:
        return ()
    return tuple(b for b in blocks_of(reduced.psi) if is_moderated(reduced, b))


class Moderation:
    """The factor F(x) of a block of Psi for each pattern of covariates that occurs, and its derivatives.

    Parameters
    ----------
    reduced : ReducedForm
    block : Block
    design : Design
    records : (n,) ints
        Records whose patterns count.

    Attributes
    ----------
    parameters : tuple of int
        Those that the block depends on.
    pattern : (n,) ints
        Number of the pattern of each record.
    """

    def __init__(self, reduced: ReducedForm, block: Block, design: Design, records: Ints) -> None:
        self.block = block
        self.size = len(block.members)
        place = {j: n for n, j in enumerate(block.members)}
        self._cells: dict[tuple[int, int], tuple[Linear, ...]] = {
            (place[i], place[j]): addends for (i, j), addends in reduced.moderated.items() if i in place
        }
        products = list(dict.fromkeys(a.via for addends in self._cells.values() for a in addends if a.via))
        self.pattern: Ints = np.zeros(records.size, dtype=np.int64)
        found = np.zeros((0, 1))
        if products:
            columns = np.array([np.nan_to_num(design.columns[p][records]) for p in products])
            found, pattern = np.unique(columns, axis=1, return_inverse=True)
            self.pattern = pattern.reshape(-1).astype(np.int64)
        self._n = found.shape[1]
        self._columns: dict[Product, Floats] = {(): np.ones(self._n), **dict(zip(products, found, strict=True))}
        free = {int(p) for p in block.parameter[block.parameter >= 0]}
        free |= {a.parameter for addends in self._cells.values() for a in addends if a.parameter >= 0}
        self.parameters = tuple(sorted(free))

    def matrices(self, values: Floats) -> tuple[Floats, Floats]:
        """Return Psi (G, b, b) at the G patterns and dPsi/dtheta (p, G, b, b).

        Parameters
        ----------
        values : (p,) floats
            Values of `parameters`.

        Raises
        ------
        Infeasible
            If a standard deviation runs out of the numbers.
        """
        at = {p: n for n, p in enumerate(self.parameters)}
        b, base = self.size, self.block
        V = np.zeros((self._n, b, b))
        dV = np.zeros((len(self.parameters), self._n, b, b))
        for i in range(b):
            for j in range(i + 1):
                p = int(base.parameter[i, j])
                V[:, i, j] = V[:, j, i] = values[at[p]] if p >= 0 else base.constant[i, j]
                if p >= 0:
                    dV[at[p], :, i, j] = dV[at[p], :, j, i] = 1.0
        for (i, j), addends in self._cells.items():
            total = np.zeros(self._n)
            for a in addends:
                total += (values[at[a.parameter]] if a.parameter >= 0 else a.value) * self._columns[a.via]
            if i == j and not (np.abs(total) < np.log(LARGEST)).all():
                raise Infeasible("a standard deviation runs out of the numbers")
            V[:, i, j] = V[:, j, i] = np.exp(2.0 * total) if i == j else total
            for a in addends:
                if a.parameter >= 0:
                    slope = self._columns[a.via] * (2.0 * V[:, i, i] if i == j else 1.0)
                    dV[at[a.parameter], :, i, j] += slope
                    if i != j:
                        dV[at[a.parameter], :, j, i] += slope
        return V, dV

    def smallest(self, theta: Floats) -> tuple[float, Floats]:
        """Return the smallest eigenvalue of the correlation matrices of all patterns, and its gradient (P,).

        With its eigenvector u, R = D^-1/2 Psi D^-1/2 and w = D^-1/2 u the gradient of l is
        w' dPsi w - l sum_i u_i^2 dPsi_ii / Psi_ii.

        Parameters
        ----------
        theta : (P,) floats

        Raises
        ------
        Infeasible
            If a variance is not positive.
        """
        V, dV = self.matrices(theta[list(self.parameters)])
        diagonal = range(self.size)
        variances = V[:, diagonal, diagonal]
        if (variances <= 0.0).any():
            raise Infeasible("a variance is not positive")
        sd = np.sqrt(variances)
        eigenvalues, vectors = np.linalg.eigh(V / (sd[:, :, None] * sd[:, None, :]))
        g = int(eigenvalues[:, 0].argmin())
        least, u = float(eigenvalues[g, 0]), vectors[g, :, 0]
        w = u / sd[g]
        gradient = np.zeros(theta.size)
        own = np.einsum("i,pij,j->p", w, dV[:, g], w) - least * dV[:, g, diagonal, diagonal] @ w**2
        gradient[list(self.parameters)] = own
        return least, gradient

    def evaluate(self, values: Floats) -> tuple[Floats, Floats]:
        """Return F (G, b, b) of the G patterns and dF/dtheta (p, G, b, b).

        Parameters
        ----------
        values : (p,) floats
            Values of `parameters`.

        Raises
        ------
        Infeasible
            If the covariance matrix of a pattern is not positive definite.
        """
        V, dV = self.matrices(values)
        b = self.size
        F = factor(V)
        inverse = np.linalg.inv(F)
        middle = np.tril(inverse @ dV @ inverse.transpose(0, 2, 1))
        middle[..., np.arange(b), np.arange(b)] *= 0.5
        return F, F @ middle


def factor(V: Floats) -> Floats:
    """Return the Cholesky factors of the matrices of all patterns (G, b, b).

    Raises
    ------
    Infeasible
        If one is not positive definite.
    """
    try:
        return np.asarray(np.linalg.cholesky(V), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise Infeasible("a covariance matrix is not positive definite at some values of its covariates") from None


def moderated(posterior: Posterior, reduced: ReducedForm, design: Design, theta: Floats) -> Posterior:
    """Return the posterior of zeta = F(x) v from that in which moderated blocks are v.

    Parameters
    ----------
    posterior : Posterior
        Its arrays are overwritten.
    reduced, design
    theta : (P,) floats
    """
    for block in moderated_blocks(reduced):
        keys = [reduced.disturbances[j].key for j in block.members]
        level = reduced.disturbances[block.members[0]].level
        own = Moderation(reduced, block, design, design.first_records(level))
        F = own.evaluate(theta[list(own.parameters)])[0][own.pattern]
        moments = posterior.levels[level]
        at = [moments.keys.index(key) for key in keys]
        C = moments.covariances
        moments.means[:, at] = np.einsum("ujd,ud->uj", F, moments.means[:, at])
        C[:, at] = np.einsum("ujd,udk->ujk", F, C[:, at])
        C[:, :, at] = np.einsum("ujd,ukd->ukj", F, C[:, :, at])
    return posterior


def spread(reduced: ReducedForm, design: Design, theta: Floats, records: Ints) -> Floats | None:
    """Return the matrices S (n, J, J) that make zeta of records from what would be zeta if moderated blocks were I.

    None where no block is moderated.

    Parameters
    ----------
    reduced, design
    theta : (P,) floats
    records : (n,) ints
    """
    blocks = moderated_blocks(reduced)
    if not blocks:
        return None
    out = np.tile(np.eye(len(reduced.disturbances)), (records.size, 1, 1))
    for block in blocks:
        own = Moderation(reduced, block, design, records)
        F = own.evaluate(theta[list(own.parameters)])[0]
        at = np.array(block.members)
        out[:, at[:, None], at] = F[own.pattern]
    return out


def refuse_known(plan: Plan, graphs: Sequence[ModelGraph]) -> None:
    """Refuse moderated latent variables that are known by nodes, whose prior is one for all units.

    Raises
    ------
    FitError
        ``not-estimable``.
    """
    for group, graph in zip(plan.groups, graphs, strict=True):
        known = {c.key: c.why for c in group.conditions if c.how == NODES}
        for ends, rows in graph.moderated.items():
            for key in known.keys() & set(ends):
                raise FitError(
                    [error("not-estimable",
                           "this version can't estimate a covariance matrix that depends on covariates "
                           f"('{rows[0].lhs}' does) of a latent variable that is conditioned on: {known[key]}",
                           graph.table.source, rows[0].span,
                           help="let covariates move its loadings instead: f =~ L*y; L :~ L0 + L1*data(z)")]
                )  # fmt: skip


def moderations(reduced: ReducedForm, design: Design, records: Ints) -> Sequence[Moderation]:
    """Return the moderated blocks of Psi at the patterns of some records."""
    return [Moderation(reduced, block, design, records) for block in moderated_blocks(reduced)]
