"""Posterior means and covariances of latent variables by unit, jointly across the levels that they depend on.

A latent variable is eta = m x + sum_a d_a L_a zeta with zeta = F v, so its moments are those of the spherical v of its
unit and of the units above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.evaluation import Nodes
from semlang.estimation.moderation import spread
from semlang.estimation.predictors import Predictors
from semlang.matrices.build import whole_form
from semlang.model.table import ROWS

__all__ = ["LatentMoments", "latent_moments"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LatentMoments:
    """Moments of the latent variables of one level.

    Parameters
    ----------
    keys : tuple of str
    records : (U,) ints
        First record of each unit, in the order of the design.
    means : (U, n) floats
        NaN where a covariate is missing.
    covariances : (U, n, n) floats
    prior : (n,) or (U, n) floats
        Standard deviations of the disturbances before the data; by unit where they depend on covariates.
    """

    keys: tuple[str, ...]
    records: Ints
    means: Floats
    covariances: Floats
    prior: Floats


class _Spherical:
    """Moments of all coordinates of the lowest units, collected run by run."""

    def __init__(self, predictors: Predictors) -> None:
        member = predictors.member
        rows, layers = member.rows, member.layers
        first = rows.tree.starts(0)[:-1]
        self.record: Ints = rows.source[first]
        self.block: Ints = np.zeros(first.size, dtype=np.int64)
        if layers[0].block:
            self.block = np.array(layers[0].block, dtype=np.int64)[rows.response[first]]
        width = sum(layer.dims for layer in layers)
        self.mean: Floats = np.zeros((first.size, width))
        self.covariance: Floats = np.tile(np.eye(width), (first.size, 1, 1))
        self.p: Floats | None = None
        self.own: Floats | None = None
        self._blocked = bool(layers[0].block)
        predictors.visit(self._add)

    def _add(self, nodes: Nodes) -> None:
        at, w, v = nodes.units, nodes.weights, nodes.v
        mean = np.einsum("uq,udq->ud", w, v)
        self.mean[at] = mean
        if nodes.covariances is not None:
            self.covariance[at] = nodes.covariances
            return
        centred = v - mean[:, :, None]
        self.covariance[at] = np.einsum("uq,udq,ueq->ude", w, centred, centred, optimize=True)
        if self._blocked:
            if self.p is None or self.own is None:
                self.p = np.zeros((self.record.size, nodes.groups))
                self.own = np.zeros((self.record.size, nodes.groups))
            grouped = w.reshape(len(w), nodes.groups, -1)
            self.p[at] = grouped.sum(axis=2)
            sums = (grouped * v[:, 0].reshape(grouped.shape)).sum(axis=2)
            self.own[at] = sums / np.maximum(self.p[at], 1e-300)

    def between(self, a: Ints, b: Ints) -> Floats:
        """Return covariances of the own coordinates of two lowest units that share all ancestors."""
        if self.p is not None and self.own is not None:
            joint = (self.p[a] * self.own[a] * self.own[b]).sum(axis=1)
            out: Floats = joint - self.mean[a, 0] * self.mean[b, 0]
            return out
        if self.mean.shape[1] == 1:
            return np.zeros(a.size)
        above = self.covariance[a][:, 1:, 1:]
        solved = np.linalg.solve(above, self.covariance[b][:, 1:, :1])
        return np.asarray((self.covariance[a][:, :1, 1:] @ solved)[:, 0, 0])


def latent_moments(predictors: Predictors, wanted: Sequence[str] | None = None) -> dict[str, LatentMoments]:
    """Return the posterior moments of the latent variables of each level that has any.

    Parameters
    ----------
    predictors : Predictors
        With one point these are modes and blocks of the inverse Hessian.
    wanted : sequence of str, optional
        Keys of latent variables; default: all that vary.
    """
    graph, design, theta = predictors.graph, predictors.design, predictors.theta
    form = whole_form(graph, lift=False)
    slots = form.slots(theta)
    m, L = form.mean(slots), form.loadings(slots)
    place = {key: k for k, key in enumerate(form.responses)}
    moving = {d.key for d in form.disturbances}
    spherical = _Spherical(predictors) if predictors.member.layers else None
    x = np.stack([design.columns[p] if p else np.ones(design.n_rows) for p in form.mean_columns], axis=1)
    d = np.stack([design.columns[p] if p else np.ones(design.n_rows) for p in form.random_columns], axis=1)
    prior = np.sqrt(np.maximum(np.diag(form.psi.matrix(theta)), 0.0)) if form.disturbances else np.zeros(0)
    place_of = {z.key: j for j, z in enumerate(form.disturbances)}
    out: dict[str, LatentMoments] = {}
    for level in graph.table.levels:
        keys = tuple(
            v.key
            for v in graph.table.latents
            if v.level == level
            and v.kind.continuous
            and (_moves(v.key, moving, L[place[v.key]]) if wanted is None else v.key in wanted)
        )
        if not keys:
            continue
        records = design.first_records(level)
        at = [place[k] for k in keys]
        means = np.einsum("uc,kc->uk", np.where(m[at].any(axis=0), x[records], 0.0), m[at])
        covariances = np.zeros((records.size, len(keys), len(keys)))
        if spherical is not None:
            mean, covariance, map_v = _of_level(predictors, spherical, level, records)
            F = map_v[: len(form.disturbances)]
            used = L[at].any(axis=(0, 2))
            S = spread(form, design, theta, records)
            maps = np.where(used, d[records], 0.0), L[at], *(() if S is None else (S,)), F
            B = np.einsum("ua,kaj,jd->ukd" if S is None else "ua,kaj,uji,id->ukd", *maps, optimize=S is not None)
            means = means + np.einsum("ukd,ud->uk", B, mean)
            covariances = np.einsum("ukd,ude,ule->ukl", B, covariance, B, optimize=True)
        scale = np.array([prior[place_of[k]] if k in place_of else 0.0 for k in keys])
        if form.moderated and (S := spread(form, design, theta, records)) is not None:
            own = np.sqrt(np.einsum("ujd,ujd->uj", S, S)) * prior
            scale = np.stack([own[:, place_of[k]] if k in place_of else np.zeros(records.size) for k in keys], axis=1)
        out[level] = LatentMoments(keys, records, means, covariances, scale)
    return out


def _moves(key: str, moving: set[str], L: Floats) -> bool:
    return key in moving or bool(L.any())


def _of_level(
    predictors: Predictors, spherical: _Spherical, level: str, records: Ints
) -> tuple[Floats, Floats, Floats]:
    """Return moments of the coordinates that units of a level depend on, and the map (J, dim) from them to zeta."""
    layers, levels = predictors.member.layers, predictors.table.levels
    code = np.arange(predictors.design.n_rows)
    if level != ROWS:
        code = predictors.design.clusters[level]
    unit = code[spherical.record]
    number = {int(c): n for n, c in enumerate(code[records])}
    where = np.array([number.get(int(c), -1) for c in unit], dtype=np.int64)
    height = levels.index(level)
    starts = np.cumsum([0, *(layer.dims for layer in layers)])
    reached = [n for n, layer in enumerate(layers) if levels.index(layer.level) >= height]
    blocked = bool(layers[0].block) and 0 in reached
    turns = layers[0].coordinates[0] if blocked else ()
    upper = [c for n in reached if not (blocked and n == 0) for c in range(starts[n], starts[n + 1])]
    size, T = len(turns) + len(upper), len(turns)
    mean = np.zeros((records.size, size))
    covariance = np.tile(np.eye(size), (records.size, 1, 1))
    lowest = np.full((T + 1, records.size), -1, dtype=np.int64)
    last = np.arange(where.size)[::-1]
    for n in range(T + 1):
        here = last[(spherical.block[last] == n) & (where[last] >= 0)] if blocked else last[where[last] >= 0]
        lowest[n, where[here]] = here
    anywhere = lowest.max(axis=0)
    known = np.flatnonzero(anywhere >= 0)
    mean[known, T:] = spherical.mean[anywhere[known]][:, upper]
    covariance[known, T:, T:] = spherical.covariance[anywhere[known]][:, upper][:, :, upper]
    for n in range(1, T + 1):
        here = np.flatnonzero(lowest[n] >= 0)
        i = lowest[n, here]
        mean[here, n - 1] = spherical.mean[i, 0]
        covariance[here, n - 1, n - 1] = spherical.covariance[i, 0, 0]
        covariance[here, n - 1, T:] = spherical.covariance[i, 0][:, upper]
        covariance[here, T:, n - 1] = covariance[here, n - 1, T:]
        for k in range(1, n):
            both = np.flatnonzero((lowest[n] >= 0) & (lowest[k] >= 0))
            c = spherical.between(lowest[n, both], lowest[k, both])
            covariance[both, n - 1, k - 1] = covariance[both, k - 1, n - 1] = c
    map_v = np.zeros((predictors.F.shape[0], size))
    column = {j: n for n, j in enumerate(turns)}
    flat = [shared for layer in layers for shared in layer.coordinates]
    column |= {j: T + n for n, c in enumerate(upper) for j in flat[c]}
    for j, n in column.items():
        map_v[:, n] += predictors.F[:, j]
    return mean, covariance, map_v
