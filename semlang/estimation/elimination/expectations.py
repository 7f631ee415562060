"""Scores of units given nodes, from the lowest step up: unit scores, and the covariance matrix of complete-data scores.

With S a unit's complete-data score, a sum of parts that depend on few variables each, and M_j its expectation given the
variables that are not integrated out before step j, the M_j are a martingale, and

    Var(S) = sum_j E[Var(M_j | the rest of the clique of j)].

A step needs what the steps before it left: expected scores as functions of its own clique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.elimination.contraction import Contraction
from semlang.estimation.elimination.run import Message, Run, Sum
from semlang.estimation.kernels.shared_grid import sum_lines

__all__ = ["Scores", "expectations"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

IN_CACHE = 200_000
"""Numbers that are worked on at a time."""


@dataclass(frozen=True)
class Scores:
    """Scores as functions of the nodes of some variables.

    Parameters
    ----------
    columns : (p,) ints
        Parameters that they are of.
    values : (lines, nodes, p) floats
        One line for all where they do not depend on the unit.
    """

    columns: Ints
    values: Floats


def expectations(
    run: Run, tables: Sequence[Scores], kernels: Sequence[dict[tuple[int, ...], Scores]], total: Floats
) -> Floats:
    """Return the scores of the distinct top units (patterns, P), and add variances to `total` (P, P).

    Parameters
    ----------
    run : Run
        After `forward` and `backward` with contractions kept.
    tables : for each scope the scores of its types
    kernels : for each step the scores of its distributions, by the variables that they depend on
    total : (P, P) floats
    """
    found: dict[int, Scores] = {}
    for node in run.nodes:
        if isinstance(node, Sum):
            found[id(node)] = _summed(node, tables[node.table] if node.source is None else found[id(node.source)])
        else:
            found[id(node)] = _integrated(run, node, found, kernels[node.number], total)
    out = np.zeros((run.weight.size, total.shape[0]))
    for node, index in run.top:
        scores = found[id(node)]
        out[:, scores.columns] += scores.values[index, 0]
    return out


def _summed(node: Sum, of: Scores) -> Scores:
    """Sum the lines that units list."""
    nodes, p = of.values.shape[1:]
    out = np.empty((node.lines, nodes * p))
    sum_lines(node.lists, np.ascontiguousarray(of.values).reshape(len(of.values), -1), out, 0)
    return Scores(of.columns, out.reshape(node.lines, nodes, p))


def _integrated(
    run: Run, node: Message, found: dict[int, Scores], kernels: dict[tuple[int, ...], Scores], total: Floats
) -> Scores:
    """Return expected scores given the rest of the clique, and add their variances given it."""
    step = run.layout.steps[node.number]
    c = node.contraction
    assert c is not None
    q, r, n = c.kernel.shape[-1], len(step.rest), node.lines
    parts = _parts(node, found, kernels)
    columns = _in_turn([part.columns for _, part in parts])
    place = np.zeros(total.shape[0], dtype=np.int64)
    place[columns] = np.arange(columns.size)
    weights = node.bar_of_value()  # posterior weight of the rest's nodes (n, Q^r)
    means = np.zeros((n, q**r, columns.size))
    second = np.zeros((columns.size, columns.size))
    size = max(1, 3_000_000 // q ** (r + 1))
    for a in range(0, n, size):
        b = min(a + size, n)
        p = _conditional(c, a, b)  # (m, Q^r, Q)
        W = (weights[a:b, :, None] * p).reshape(b - a, *(q,) * (r + 1))
        shaped = [(scope, place[part.columns], _chunk(part, a, b)) for scope, part in parts]
        for i, (scope, at, values) in enumerate(shaped):
            means[a:b, :, _slice(at)] += _expected(p, values, scope, step.clique, q)
            for other_scope, other_at, other in shaped[: i + 1]:
                block = _product(W, values, scope, other, other_scope, step.clique, q)
                second[np.ix_(at, other_at)] += block
                if other is not values:
                    second[np.ix_(other_at, at)] += block.T
    total[np.ix_(columns, columns)] += second - _square(weights, means)
    return Scores(columns, means)


def _in_turn(many: Sequence[Ints]) -> Ints:
    """Return columns in the order in which they come first, so that those of a part follow each other."""
    if not many:
        return np.zeros(0, dtype=np.int64)
    columns, first = np.unique(np.concatenate(many), return_index=True)
    return columns[np.argsort(first)]


def _slice(at: Ints) -> Ints | slice:
    """Return places as a slice where they follow each other: that is no copy."""
    return slice(at[0], at[-1] + 1) if at.size and (np.diff(at) == 1).all() else at


def _parts(
    node: Message, found: dict[int, Scores], kernels: dict[tuple[int, ...], Scores]
) -> list[tuple[tuple[int, ...], Scores]]:
    """Return the scores that a step has, those of the same variables in one."""
    by_scope: dict[tuple[int, ...], list[Scores]] = {}
    for source, lists in node.inputs:
        scores = found[id(source)]
        if scores.columns.size:
            by_scope.setdefault(source.scope, []).append(Scores(scores.columns, scores.values[lists.entry]))
    for scope, scores in kernels.items():
        by_scope.setdefault(scope, []).append(scores)
    out = []
    for scope, many in by_scope.items():
        if len(many) == 1:
            out.append((scope, many[0]))
            continue
        columns = _in_turn([s.columns for s in many])
        place = dict(zip(columns.tolist(), range(columns.size), strict=True))
        lines = max(len(s.values) for s in many)
        values = np.zeros((lines, many[0].values.shape[1], columns.size))
        for s in many:
            values[:, :, _slice(np.array([place[c] for c in s.columns.tolist()], dtype=np.int64))] += s.values
        out.append((scope, Scores(columns, values)))
    return out


def _chunk(part: Scores, a: int, b: int) -> Floats:
    return part.values if len(part.values) == 1 else part.values[a:b]


def _conditional(c: Contraction, a: int, b: int) -> Floats:
    """Return the probabilities of the variable's nodes given those of the rest (m, Q^r, Q)."""
    W = c.kernel[None] * c.own[a:b].reshape(b - a, *(1,) * (c.kernel.ndim - 1), -1)
    for f in c.others:
        W = W * f[a:b]
    W = np.broadcast_to(W, (b - a, *c.value.shape[1:], c.kernel.shape[-1])).reshape(b - a, -1, c.kernel.shape[-1])
    total = W.sum(axis=-1, keepdims=True)
    out: Floats = np.divide(W, total, out=np.zeros(W.shape), where=total > 0.0)
    return out


def _expected(p: Floats, values: Floats, scope: tuple[int, ...], clique: tuple[int, ...], q: int) -> Floats:
    """Return E[values | rest] (m, Q^r, p)."""
    m, columns = len(p), values.shape[-1]
    r = len(clique) - 1
    axes = [k for k, v in enumerate(clique[:-1]) if v in scope]
    if clique[-1] not in scope:  # a distribution of the rest alone
        fixed = values.reshape(len(values), *(q if k in axes else 1 for k in range(r)), columns)
        return np.broadcast_to(fixed, (m, *(q,) * r, columns)).reshape(m, q**r, columns)
    other = [k for k in range(r) if k not in axes]
    order = [0, *(1 + k for k in axes), *(1 + k for k in other), r + 1]
    moved = p.reshape(m, *(q,) * (r + 1)).transpose(order).reshape(m, q ** len(axes), q ** len(other), q)
    if len(values) == 1 and not other:  # one product a node of the rest in place of one a line and node
        one = values.reshape(-1, q, columns)
        return np.ascontiguousarray((moved[:, :, 0].transpose(1, 0, 2) @ one).transpose(1, 0, 2))
    product = moved @ values.reshape(len(values), q ** len(axes), q, columns)
    back = np.argsort([0, *(1 + k for k in axes), *(1 + k for k in other), r + 1])
    out: Floats = product.reshape(m, *(q,) * r, columns).transpose(back).reshape(m, q**r, columns)
    return out


def _square(W: Floats, a: Floats) -> Floats:
    """Return ``sum W a a'`` over lines and nodes, W (lines, nodes) not negative: a few lines at a time, in cache."""
    p = a.shape[-1]
    out = np.zeros((p, p))
    step = max(1, IN_CACHE // max(a[0].size, 1))
    root = np.sqrt(np.maximum(W, 0.0))[:, :, None]
    for first in range(0, len(a), step):
        flat = (a[first : first + step] * root[first : first + step]).reshape(-1, p)
        out += flat.T @ flat
    return out


def _product(
    W: Floats, a: Floats, a_scope: tuple[int, ...], b: Floats, b_scope: tuple[int, ...], clique: tuple[int, ...], q: int
) -> Floats:
    """Return ``sum W a b'`` over lines and nodes (p_a, p_b)."""
    both = [k for k, v in enumerate(clique) if v in a_scope and v in b_scope]
    only_a = [k for k, v in enumerate(clique) if v in a_scope and v not in b_scope]
    only_b = [k for k, v in enumerate(clique) if v in b_scope and v not in a_scope]
    none = tuple(1 + k for k, v in enumerate(clique) if v not in a_scope and v not in b_scope)
    if none:
        W = W.sum(axis=none, keepdims=True)
    if len(a) == 1 and len(b) == 1:
        W = W.sum(axis=0, keepdims=True)
    m = len(W)
    if a is b:
        W = W.transpose([0, *(1 + clique.index(v) for v in a_scope), *none])
        return _square(W.reshape(m, -1), a)
    W = W.transpose([0, *(1 + k for k in both), *(1 + k for k in only_a), *(1 + k for k in only_b), *none])
    W = W.reshape(m, q ** len(both), q ** len(only_a), q ** len(only_b))
    A, B = _moved(a, a_scope, both, only_a, clique, q), _moved(b, b_scope, both, only_b, clique, q)
    (i, j), (p_a, p_b) = W.shape[2:], (A.shape[-1], B.shape[-1])
    if len(A) < len(B) or (len(A) == len(B) and i * p_b * (j + p_a) < j * p_a * (i + p_b)):
        return _contracted(W.transpose(0, 1, 3, 2), B, A).T
    return _contracted(W, A, B)


def _contracted(W: Floats, A: Floats, B: Floats) -> Floats:
    """Return ``sum W[m, c, i, j] A[m, c, i, :] B[m, c, j, :]'``: A, which has all lines m, first; B may have one."""
    m, common, i, j = W.shape
    if len(B) < m:
        flat = W.transpose(1, 3, 0, 2).reshape(common, j, m * i)
        half = flat @ A.transpose(1, 0, 2, 3).reshape(common, m * i, -1)
    else:
        half = W.transpose(0, 1, 3, 2) @ A  # (m, common, j, p_a)
    return np.asarray(half.reshape(-1, A.shape[-1]).T @ B.reshape(-1, B.shape[-1]))


def _moved(
    values: Floats, scope: tuple[int, ...], both: list[int], own: list[int], clique: tuple[int, ...], q: int
) -> Floats:
    """Return values with the nodes of common variables first (lines, common, own, p)."""
    position = {clique.index(v): k for k, v in enumerate(scope)}
    order = [0, *(1 + position[k] for k in both), *(1 + position[k] for k in own), 1 + len(scope)]
    shaped = values.reshape(len(values), *(q,) * len(scope), values.shape[-1]).transpose(order)
    return shaped.reshape(len(values), q ** len(both), q ** len(own), values.shape[-1])
