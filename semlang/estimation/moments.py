"""Posterior moments of the disturbances by unit of their level, from those of the spherical coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.evaluation import Posterior as SphericalMoments
from semlang.estimation.expansion import Expansion
from semlang.estimation.layers import Layer
from semlang.estimation.member import LevelMoments, Posterior
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS

__all__ = ["unit_posterior"]

Floats = NDArray[np.float64]


def unit_posterior(
    layers: Sequence[Layer],
    found: Sequence[SphericalMoments],
    rows: Expansion,
    design: Design,
    reduced: ReducedForm,
    F: Floats,
) -> Posterior:
    """Return the posterior of zeta = F v.

    Parameters
    ----------
    layers : sequence of Layer
    found : sequence of (units, M) and (units, M, M) moments of v, one a layer
    rows : Expansion
    design : Design
    reduced : ReducedForm
    F : (J, J) floats
    """
    prior = F @ F.T
    responses = set(reduced.responses)
    inside: dict[str, list[int]] = {}
    for layer in layers:
        for shared in layer.coordinates:
            inside.setdefault(layer.level, []).extend(j for j in shared if reduced.disturbances[j].key not in responses)
    out: dict[str, LevelMoments] = {}
    for level, members in inside.items():
        if members:
            n, place = design.n_units(level), {j: i for i, j in enumerate(members)}
            joint = np.full((len(members), len(members)), np.nan)
            for layer in layers:
                own = [place[j] for shared in layer.coordinates for j in shared if j in place]
                if layer.level == level and not layer.block:
                    joint[np.ix_(own, own)] = prior[np.ix_(members, members)][np.ix_(own, own)]
            joint[np.diag_indices(len(members))] = np.diag(prior)[members]
            keys = tuple(reduced.disturbances[j].key for j in members)
            out[level] = LevelMoments(keys, np.zeros((n, len(members))), np.tile(joint, (n, 1, 1)))
    for number, (layer, v) in enumerate(zip(layers, found, strict=True)):
        if layer.level not in out:
            continue
        moments, place = out[layer.level], {j: i for i, j in enumerate(inside[layer.level])}
        first = rows.tree.starts(number)[:-1]
        record = rows.source[first]
        unit = record if layer.level == ROWS else design.clusters[layer.level][record]
        block = np.array(layer.block, dtype=np.int64)[rows.response[first]] if layer.block else np.zeros_like(unit)
        turns = layer.coordinates[0] if layer.block else ()
        groups = [(n, [j]) for n, j in enumerate(turns, 1)] or [(0, [j for (j,) in layer.coordinates])]
        for n, members in groups:
            if any(j not in place for j in members):
                continue
            here = np.flatnonzero(block == n)
            f = F[np.ix_(members, members)]
            at = [place[j] for j in members]
            moments.means[unit[here][:, None], at] = v.means[here] @ f.T
            cells = (unit[here][:, None, None], np.array(at)[:, None], np.array(at))
            moments.covariances[cells] = f @ v.covariances[here] @ f.T
    return Posterior(out)
