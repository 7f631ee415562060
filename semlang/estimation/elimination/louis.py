"""Second derivatives by Louis' formula: expected ones of the complete data, and the variance of complete-data scores.

    d2 log L = sum_u { E[d2 log f] + Var(S) }

(Louis 1982, JRSS B 44, eq. 3.2); the variance by steps, see `expectations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.elimination.conditional_tables import adjoint_of_table, conditional_table, slopes_of_table
from semlang.estimation.elimination.expectations import Scores, expectations
from semlang.estimation.kernels.chain_rows import RowInputs

if TYPE_CHECKING:
    from semlang.estimation.elimination.eliminated_grid import EliminatedGrid, Pass
    from semlang.estimation.elimination.run import Run

__all__ = ["complete_data_information", "pattern_scores", "second_derivatives"]

Floats = NDArray[np.float64]

STEP = 1e-5
"""Of differences of first derivatives, in the size of a logit."""


def second_derivatives(grid: EliminatedGrid, x: Floats) -> Floats:
    """Return the second derivatives of the log-likelihood (P, P)."""
    found = grid.for_scores(x, second=True)
    J = grid.chain.input_jacobian(found.inputs, found.jacobian)
    variance = np.zeros((x.size, x.size))
    tables, kernels = _scores_of_tables(grid, found, J), _scores_of_kernels(grid, found)

    def visit(run: Run) -> None:
        expectations(run, tables, kernels, variance)

    grid.sweep(found, visit)
    total = (
        _of_densities(grid, found, J) + grid.chain.second_derivatives(x, grid.bars(found)) + _of_prior(grid, x, found)
    )
    out: Floats = total + variance
    return 0.5 * (out + out.T)


def complete_data_information(grid: EliminatedGrid, x: Floats) -> Floats:
    """Return the information were the latent variables known (P, P): Louis' eq. 3.1 without what is missing.

    Products of the slopes of densities and of conditional distributions, weighted by posterior probabilities.
    """
    found = grid.evaluate(x)
    J = grid.chain.input_jacobian(found.inputs, found.jacobian)
    information = np.zeros((grid.n_parameters, grid.n_parameters))
    for s, R in enumerate(found.counts):
        used, slopes = grid.slopes(found, s)
        jacobian = J[used][:, grid.types_of[s]]
        middle = np.einsum("ktq,ltq,tq->tkl", slopes, slopes, R, optimize=True)
        half = np.einsum("tkl,ltp->ktp", middle, jacobian, optimize=True)
        information += np.tensordot(jacobian, half, axes=([0, 1], [0, 1]))
    for n, bar in enumerate(found.of_kernels):
        if bar.ndim > 1:
            c = found.prior.conditionals[n]
            slopes = slopes_of_table(found.z, c, found.own[n]).reshape(c.b.size + 1, -1)
            D = np.vstack([c.db, c.dvariance])
            information += D.T @ ((slopes * bar.ravel()) @ slopes.T) @ D
    return information + np.diag(1e-8 * np.diag(information) + 1e-9)


def pattern_scores(grid: EliminatedGrid, x: Floats) -> tuple[Floats, Floats]:
    """Return the log-likelihoods and scores of the top units (units, P), without weights."""
    found = grid.for_scores(x)
    J = grid.chain.input_jacobian(found.inputs, found.jacobian)
    tables, kernels = _scores_of_tables(grid, found, J), _scores_of_kernels(grid, found)
    unused, scores = np.zeros((x.size, x.size)), []

    def visit(run: Run) -> None:
        scores.append(expectations(run, tables, kernels, unused)[run.top_of_unit])

    grid.sweep(found, visit)
    values = [v[run.top_of_unit] for v, run in zip(found.values, found.runs, strict=True)]
    return np.concatenate(values), np.concatenate(scores)


def _scores_of_tables(grid: EliminatedGrid, found: Pass, J: Floats) -> list[Scores]:
    out = []
    for s in range(len(found.tables)):
        used, slopes = grid.slopes(found, s)
        jacobian = J[used][:, grid.types_of[s]]
        columns = np.flatnonzero(jacobian.any(axis=(0, 1)))
        out.append(Scores(columns, np.einsum("ktq,ktp->tqp", slopes, jacobian[:, :, columns], optimize=True)))
    return out


def _scores_of_kernels(grid: EliminatedGrid, found: Pass) -> list[dict[tuple[int, ...], Scores]]:
    steps = grid.outline.steps
    out: list[dict[tuple[int, ...], Scores]] = []
    for taken in grid.absorbed:
        here: dict[tuple[int, ...], Scores] = {}
        for m in taken:
            c = found.prior.conditionals[m]
            D = np.vstack([c.db, c.dvariance])
            columns = np.flatnonzero(D.any(axis=0))
            if steps[m].given and columns.size:
                slopes = slopes_of_table(found.z, c, found.own[m]).reshape(len(D), -1)
                here[(*steps[m].given, steps[m].variable)] = Scores(columns, (slopes.T @ D[:, columns])[None])
        out.append(here)
    return out


def _of_densities(grid: EliminatedGrid, found: Pass, J: Floats) -> Floats:
    """Return ``sum_t J_t' (sum_q R_tq d2 l_tq) J_t``, second derivatives in the inputs by differences of the first."""
    names, dims = ["o", "A", "f1", "f2"], J.shape[0]
    out = np.zeros((grid.n_parameters,) * 2)
    width = grid.n_coordinates
    for s, R in enumerate(found.counts):
        here, nodes = grid.types_of[s], grid.nodes_of(s, found.z)
        multiplier = {0: 1.0, **{1 + d: z for d, z in nodes.items()}}
        used = [k for k in grid.chain.inputs_used if k in multiplier or k > width]
        group = {k: 0 if k <= width else k - width + 1 for k in used}
        by_name = {}
        for g in sorted(set(group.values())):
            ends = []
            for sign in (1.0, -1.0):
                parts = {n: getattr(found.inputs, n) for n in names}
                parts[names[g]] = parts[names[g]] + sign * STEP
                moved = RowInputs(parts["o"], parts["A"], parts["f1"], parts["f2"], found.inputs.scale)
                ends.append(grid.table(s, moved, found.z))
            by_name[g] = (ends[0] - ends[1])[1:] / (2.0 * STEP)
        for k in used:
            for m in used:
                inner = by_name[group[k]][max(group[m] - 1, 0)]
                weight = (R * inner * multiplier.get(k, 1.0) * multiplier.get(m, 1.0)).sum(axis=1)
                out += (J[_row(grid, k)][here] * weight[:, None]).T @ J[_row(grid, m)][here]
    assert dims == len(grid.chain.inputs_used)
    return out


def _row(grid: EliminatedGrid, k: int) -> int:
    return grid.chain.inputs_used.index(k)


def _of_prior(grid: EliminatedGrid, x: Floats, found: Pass) -> Floats:
    """Return the second derivatives of the expected log density of the latent variables."""
    moving = [n for n, bar in enumerate(found.of_kernels) if bar.ndim > 1]

    def gradient(at: Floats) -> Floats:
        prior = grid.standard.prior(at)
        slope = np.zeros(x.size)
        for n in moving:
            c = prior.conditionals[n]
            slope += adjoint_of_table(found.z, c, conditional_table(found.z, c), found.of_kernels[n])
        return slope

    out = np.zeros((x.size, x.size))
    conditionals = found.prior.conditionals
    used = [c.db.any(axis=0) | (c.dvariance != 0.0) for n in moving for c in [conditionals[n]]]
    for p in np.flatnonzero(np.any(used, axis=0)) if used else ():
        step = np.zeros(x.size)
        step[p] = STEP * max(1.0, abs(x[p]))
        out[p] = (gradient(x + step) - gradient(x - step)) / (2.0 * step[p])
    return out
