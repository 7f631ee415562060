"""Scores, information and identification of a model that is larger than the fitted one, from one pass over nodes.

The nodes are as few as give the log-likelihood of the fit: the larger model is the fitted one where it is looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.louis import Louis, has_louis
from semlang.estimation.objective import Objective
from semlang.estimation.sparse import LADDER, WIDE, node_count

__all__ = ["AtNodes", "NodesOfFit", "all_have_louis", "at_nodes", "not_identified"]

Floats = NDArray[np.float64]

PRODUCT = (5, 7, 9, 11, 15, 21, 31)
"""Points a dimension of product rules that are tried in turn."""
CLOSE = 0.003
"""Difference to the log-likelihood of the fit with which nodes are good enough."""
MOST = 100_000_000
"""Most rows times nodes: a minute."""
SAME = 1e-7
"""Part of a slope that others do not make up, below which it is rounding."""


@dataclass(frozen=True)
class NodesOfFit:
    """What is known of the nodes that a fit took.

    Parameters
    ----------
    loglik : float
    points : int or None
        Of a product rule that the fit took, which is taken again; None where its nodes were others.
    """

    loglik: float
    points: int | None


@dataclass(frozen=True)
class AtNodes:
    """What nodes say.

    Parameters
    ----------
    scores : (C, P) floats
        Of the top-level units of all groups.
    hessian : (P, P) floats
    moments : (n, P) floats
        Slopes of what the distribution of the responses is a function of, see `_moments`.
    """

    scores: Floats
    hessian: Floats
    moments: Floats


def all_have_louis(objective: Objective) -> bool:
    """Whether Louis' formula is for all groups."""
    return all(isinstance(m, QuadratureLikelihood) and has_louis(m) for m in objective.members)


def at_nodes(objective: Objective, x: Floats, nodes: NodesOfFit) -> AtNodes | None:
    """Return scores and second derivatives at `x`; None where a member has no such nodes.

    Raises
    ------
    Infeasible
        If there is no density.
    """
    if not all_have_louis(objective):
        return None
    found = [Louis(m, x, own=True) for m in objective.members if isinstance(m, QuadratureLikelihood)]
    _place(found, nodes)
    scores = []
    for of in found:
        of.run()
        full = np.zeros((of.member.multiplicity.size, x.size))
        np.add.at(full, of.engine.integrated.owner, of.scores)
        scores.append(full)
    hessian: Floats = np.sum([of.hessian for of in found], axis=0)
    return AtNodes(np.concatenate(scores), hessian, np.concatenate([_moments(of) for of in found]))


def _place(found: list[Louis], nodes: NodesOfFit) -> None:
    """Choose the points: those of the fit, or as few as give its log-likelihood.

    A fit with few points of its own has another log-likelihood than the model: then as few as give that of fewer ones.
    """
    wide = any(d >= WIDE for of in found for d in of.dims)
    if nodes.points is not None and not wide:
        for of in found:
            of.place(nodes.points)
        return
    before, ladder = np.inf, LADDER[1:] if wide else PRODUCT
    for points in ladder:
        cost = sum(
            of.member.rows.y.size * math.prod(node_count(d, points) if d >= WIDE else points**d for d in of.dims)
            for of in found
        )
        if cost > MOST and points > ladder[0]:
            return
        for of in found:
            of.place(points)
        value = sum(float(of.values().sum()) for of in found)
        if abs(value - (nodes.loglik if nodes.points is None else before)) < CLOSE:
            return
        before = value


def _moments(of: Louis) -> Floats:
    """Return the slopes (n, P) of what the distribution of responses is a function of.

    These are intercepts and slopes of covariates, thresholds less intercepts, and by level the products A A' of
    loadings: neither rotations of latent variables nor nodes matter to them.
    """
    chain, J = of.member.chain, of.jacobian
    n_o, cells = len(chain.o_entries), of.cells
    out = [J[:n_o].copy(), J[n_o + chain.n_loadings :].copy()]
    _less_intercepts(of, out)
    begin = 0
    for layer in of.member.layers:
        own = range(begin, begin + layer.dims)
        begin += layer.dims
        place: dict[tuple[int, int], int] = {}
        A: list[Floats] = []
        dA: list[Floats] = []
        for k, (a, b) in enumerate(chain.a_range.tolist()):
            for d, column, cell in chain.a_entries[a:b].tolist():
                if d in own:
                    if (k, column) not in place:
                        place[k, column] = len(A)
                        A.append(np.zeros(layer.dims))
                        dA.append(np.zeros((layer.dims, J.shape[1])))
                    A[place[k, column]][d - own[0]] += cells[cell]
                    dA[place[k, column]][d - own[0]] += J[cell]
        L, dL = np.array(A), np.array(dA)
        product = np.einsum("id,jdp->ijp", L, dL)
        i, j = np.triu_indices(len(L))
        out.append((product + product.transpose(1, 0, 2))[i, j])
    return np.concatenate(out)


def _less_intercepts(of: Louis, out: list[Floats]) -> None:
    """Take intercepts of ordinal responses from their thresholds."""
    chain, rows = of.member.chain, of.member.rows
    base = len(chain.o_entries) + chain.n_loadings
    if not chain.f_lists.size:
        return
    done: set[int] = set()
    gone = np.zeros(len(out[0]), dtype=bool)
    for k in np.unique(rows.response[rows.category >= 0]).tolist():
        here = np.flatnonzero(rows.response == k)
        predictor = int(rows.predictor[here[0]])
        constants = [c for j, c in chain.o_entries[slice(*chain.o_range[predictor])].tolist() if j < 0]
        if not constants:
            continue
        for t in np.unique(chain.f_lists[:2, here]).tolist():
            for j, cell in chain.f_entries[slice(*chain.f_range[t])].tolist() if t >= 0 else ():
                if j < 0 and cell not in done:
                    done.add(cell)
                    out[1][cell - base] -= out[0][constants].sum(axis=0)
        gone[constants] = True
    out[0] = out[0][~gone]


def not_identified(moments: Floats, old: int) -> NDArray[np.bool_]:
    """Return which columns from `old` on are made up of those before."""
    size = np.sqrt((moments**2).sum(axis=0))
    scaled = moments / np.where(size > 0.0, size, 1.0)
    U, values, _ = np.linalg.svd(scaled[:, :old], full_matrices=False)
    kept = U[:, values > SAME * values.max(initial=0.0)]
    left = scaled[:, old:] - kept @ (kept.T @ scaled[:, old:])
    return np.asarray((left**2).sum(axis=0) < SAME)
