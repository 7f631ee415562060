"""How the parameters of a set move together, at a typical point: which rise while others fall."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from semlang.checks.identification.moment_system import MomentSystem, stacked
from semlang.checks.identification.names import Names
from semlang.checks.identification.nullsets import STAYS, NullSet, join

TYPICAL = {"variance": 1.0, "residual variance": 0.6, "covariance": 0.3, "residual covariance": 0.2, "quantity": 0.2}
TOLERANCE = 1e-7


def describe(system: MomentSystem | None, names: Names, sets: Sequence[NullSet]) -> tuple[str, ...]:
    """Return the directions of sets in words.

    A scale or a shift is said as such. Any other direction is a curve; its signs are read off the null vector of the
    Jacobian at a point with positive coefficients.
    """
    out: list[str] = []
    for s in sets:
        if s.how != "joint" or len(s.parameters) == 1 or system is None:
            out.append(s.words(names))
            continue
        signs = _signs(system, names, s.parameters)
        out.append(_rising(names, s.parameters, signs) if signs is not None else s.words(names))
    return tuple(out)


def _rising(names: Names, parameters: Sequence[int], signs: Sequence[int]) -> str:
    up = [names.text(p) for p, s in zip(parameters, signs, strict=True) if s > 0]
    down = [names.text(p) for p, s in zip(parameters, signs, strict=True) if s < 0]
    verb = "rises" if len(up) == 1 else "rise"
    at = "(signs at positive coefficients)"
    if not down:
        return f"{join(up)} rise and fall together {at}: {STAYS}"
    return f"as {join(up)} {verb}, {join(down)} {'falls' if len(down) == 1 else 'fall'} {at}: {STAYS}"


def _signs(system: MomentSystem, names: Names, parameters: Sequence[int]) -> list[int] | None:
    rng = np.random.default_rng(11)
    theta = np.array(
        [
            (TYPICAL.get(names.role(p), 0.8) if names.rows(p) else 0.8) * rng.uniform(0.85, 1.15)
            for p in range(system.n)
        ],
        dtype=complex,
    )
    for _ in range(30):
        value, slope = system.constraints(theta)
        if value.size == 0 or np.abs(value).max() < 1e-12:
            break
        theta = theta - np.linalg.lstsq(slope, value, rcond=None)[0]
    values, slopes = system.moments(theta)
    order = list(values)
    at, d = stacked(values, slopes, order, system.n)
    index = {key: i for i, key in enumerate(system.scaled)}
    scale = np.zeros((len(order), len(index)), dtype=complex)
    for i, name in enumerate(order):
        for which in scales_of(name, index):
            scale[i, which] += at[i]
    _, d_fixed = system.constraints(theta)
    moving = np.concatenate([d[:, list(parameters)], d_fixed[:, list(parameters)]]).real
    rest = np.concatenate([scale, np.zeros((d_fixed.shape[0], len(index)))]).real
    matrix = np.concatenate([moving, rest], axis=1)
    _, s, vh = np.linalg.svd(matrix)
    if s.size >= matrix.shape[1] and s[-1] > TOLERANCE * s[0]:
        return None
    v = vh[-1, : len(parameters)]
    if np.abs(v).min() < 1e-9 * np.abs(v).max():
        return None
    return [int(x) for x in np.sign(v / v[0])]


def scales_of(name: Hashable, index: dict[tuple[int, str], int]) -> list[int]:
    """Return which free scales multiply a moment."""
    assert isinstance(name, tuple)
    group, what = name[0], name[1]
    keys = [name[2]] if what in ("mean", "threshold") else [name[2], name[3]] if len(name) == 6 else []
    return [index[group, k] for k in keys if (group, k) in index]
