"""Smolyak's rule: few nodes for integrals over many dimensions."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENOUGH", "FINEST", "LADDER", "WIDE", "node_count", "sparse_rule"]

Floats = NDArray[np.float64]

WIDE = 4
"""Dimensions from which on it has fewer nodes than the product rule of the same degree, and an error as small."""
FINEST = 8
"""The rule of nine nodes is exact up to degree 15."""

LADDER = (3, 4, 5, 6, 7, 8)
"""Numbers of points that are tried in turn."""
ENOUGH = 5
"""Points with which the log-likelihood of item responses is often right to 0.05."""
COUNTED = 20_000

_NODES = np.array([0.0, 1.7320508075688772, 0.7410953499945409, 2.8612795760570582, 4.184956017672732])
"""Nodes of Genz and Keister for the standard normal density, each but zero with both signs: the first two are those of
three Gauss-Hermite nodes, exact up to degree 5, all five up to degree 15."""

_THREE = np.array([2.0 / 3.0, 1.0 / 6.0, 0.0, 0.0, 0.0])
_STEPS = {1: 0, 2: 1, 4: 2}
"""Level of a dimension by that from which on it takes the next rule: levels 2 and 3 have three nodes, 4 to 8 nine."""


def _nine() -> Floats:
    """Return the weights at `_NODES` that integrate even powers up to the eighth."""
    moments = np.array([1.0, 1.0, 3.0, 15.0, 105.0])
    times = np.array([1.0, 2.0, 2.0, 2.0, 2.0])
    return np.linalg.solve(times * _NODES[None, :] ** (2 * np.arange(5))[:, None], moments)


def _difference(step: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of a rule less the one before it."""
    one = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    rules = (np.zeros(5), one, _THREE, _nine())
    used, weights = (1, 2, 5)[step], rules[step + 1] - rules[step]
    signed = np.concatenate([_NODES[:used], -_NODES[1:used]])
    return signed, np.concatenate([weights[:used], weights[1:used]])


@lru_cache(maxsize=16)
def sparse_rule(dims: int, points: int) -> tuple[Floats, Floats]:
    """Return nodes and weights for the standard normal density of many dimensions.

    With D_i the difference of the rules of levels i and i - 1 in one dimension,

        sum of D_i1 x ... x D_im over (i1 - 1) + ... + (im - 1) <= points - 1,

    exact for polynomials of total degree ``2 points - 1``, as `points` Gauss-Hermite nodes are in one dimension. Levels
    that the degree does not ask for repeat the rule before (Petras 2003), so that most differences are zero.

    Parameters
    ----------
    dims : int
    points : int
        From 1 to `FINEST`.

    Returns
    -------
    nodes : (N, dims) floats
    weights : (N,) floats
        They sum to one; some are negative, few are zero. Nodes with zeros before a coordinate come before the others,
        and with a node there are those with zeros in the places of its first coordinates.

    References
    ----------
    Genz and Keister (1996), Journal of Computational and Applied Mathematics 71, 299-309; Heiss and Winschel (2008),
    Journal of Econometrics 144, 62-80; Petras (2003), Numerische Mathematik 93, 729-753.

    Examples
    --------
    >>> nodes, weights = sparse_rule(5, 3)
    >>> nodes.shape, round(float(weights @ (nodes[:, 0] * nodes[:, 1]) ** 2), 12)
    ((51, 5), 1.0)
    """
    if not 1 <= points <= FINEST:
        raise ValueError(f"{points} points: a sparse rule has from 1 to {FINEST}")
    found: dict[tuple[float, ...], float] = {}
    budget = points - 1
    for active in range(min(budget, dims) + 1):
        for where in combinations(range(dims), active):
            for levels in product((2, 4), repeat=active):
                if sum(levels) - active > budget:
                    continue
                parts = [_difference(_STEPS[level]) for level in levels]
                for place in product(*[range(p[0].size) for p in parts]):
                    at, weight = [0.0] * dims, 1.0
                    for d, p, i in zip(where, parts, place, strict=True):
                        at[d] = float(p[0][i])
                        weight *= float(p[1][i])
                    key = tuple(at)
                    found[key] = found.get(key, 0.0) + weight
    kept = {node: w for node, w in found.items() if abs(w) > 1e-14}
    for node in list(kept):
        for d in range(dims):
            kept.setdefault((*[0.0] * d, *node[d:]), 0.0)
    order = sorted(kept, key=lambda node: next((-d for d, z in enumerate(node) if z), -dims))
    return np.array(order).reshape(len(kept), dims), np.array([kept[node] for node in order])


def node_count(dims: int, points: int) -> int:
    """Return the number of nodes of `sparse_rule`; a bound of it where there are more than `COUNTED`.

    Of the nodes that are not zero a coordinate takes one level where it is of the rule of three, three where it is of
    that of nine alone; few of them have no weight.
    """
    bound = sum(
        math.comb(dims, few + many) * math.comb(few + many, many) * 2**few * 6**many
        for many in range((points - 1) // 3 + 1)
        for few in range(points - 3 * many)
    )
    return int(sparse_rule(dims, points)[1].size) if bound <= COUNTED else bound
