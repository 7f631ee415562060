"""Whether one model reaches the moments of another at generic points (the NET procedure, over the complex numbers).

Bentler and Satorra (2010), Testing model nesting and equivalence, Psychological Methods 15, 111-123.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from semlang.checks.identification.directions import scales_of
from semlang.checks.identification.moment_system import Complex, MomentSystem, stacked
from semlang.checks.identification.names import Names

STARTS = 14
STEPS = 120
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Reach:
    """Outcome of fitting b to the moments of a.

    Parameters
    ----------
    reached : bool
        Whether a discrepancy at machine precision was found at each point.
    discrepancy : float
        Largest of the smallest discrepancies over points.
    tangent : bool
        Whether the tangent space of a lies in that of b where they meet.
    """

    reached: bool
    discrepancy: float
    tangent: bool


def reaches(a: MomentSystem, b: MomentSystem, points: int = 2, seed: int = 3) -> Reach:
    """Fit `b` to the moments of `a` at several random points."""
    worst, tangent = 0.0, True
    for point in range(points):
        rng = np.random.default_rng([seed, point])
        theta = generic_point(a, rng)
        best = np.inf
        for start in range(STARTS):
            found, phi, scale = _fit(b, a, theta, _start(a, b, theta, rng, start))
            if found < best:
                best = found
                if found < TOLERANCE:
                    tangent = tangent and _tangent(a, b, theta, phi, scale)
                    break
        worst = max(worst, best)
        if best >= TOLERANCE:
            return Reach(False, worst, False)
    return Reach(True, worst, tangent)


def generic_point(system: MomentSystem, rng: np.random.Generator) -> Complex:
    """Return a point in general position that obeys the constraints."""
    names = Names(system.table)
    theta = np.empty(system.n, dtype=complex)
    for p in range(system.n):
        role = names.role(p) if names.rows(p) else "path"
        theta[p] = rng.uniform(0.9, 1.7) if role.endswith("variance") else rng.uniform(0.25, 0.9) * rng.choice((-1, 1))
        if role.endswith("covariance"):
            theta[p] = rng.uniform(0.1, 0.4) * rng.choice((-1, 1))
    for _ in range(50):
        value, slope = system.constraints(theta)
        if value.size == 0 or np.abs(value).max() < 1e-13:
            break
        theta = theta - np.linalg.lstsq(slope, value, rcond=None)[0]
    return theta


def _start(a: MomentSystem, b: MomentSystem, theta: Complex, rng: np.random.Generator, start: int) -> Complex:
    """Start from parameters of the same name, then from random points."""
    phi = generic_point(b, rng)
    if start < 2:
        mine, other = Names(a.table), Names(b.table)
        known = {mine.text(p): theta[p] for p in range(a.n) if mine.rows(p)}
        for p in range(b.n):
            if other.rows(p):
                phi[p] = known.get(other.text(p), phi[p] if start else 0.1 * phi[p])
    if start % 2:
        phi = phi + rng.normal(0, 0.3, b.n) * 1j
    return phi


def _fit(b: MomentSystem, a: MomentSystem, theta: Complex, phi: Complex) -> tuple[float, Complex, Complex]:
    """Minimise the discrepancy by Levenberg and Marquardt; responses known up to scale are rescaled freely."""
    target, _ = a.moments(theta)
    scale = np.ones(len(b.scaled), dtype=complex)
    damping = 1e-2
    names: list[Hashable] = []
    value, residual, slope = _residual(b, phi, scale, target, names)
    for _ in range(STEPS):
        n = slope.shape[1]
        normal = slope.conj().T @ slope
        step = np.linalg.lstsq(
            normal + damping * (np.diag(np.diag(normal).real) + 1e-9 * np.eye(n)), slope.conj().T @ residual, rcond=None
        )[0]
        new_phi, new_scale = phi - step[: b.n], scale - step[b.n :]
        new_value, new_residual, new_slope = _residual(b, new_phi, new_scale, target, names)
        if np.isfinite(new_value) and new_value < value:
            close = new_value > 0.9999 * value and damping < 1e-6
            phi, scale, value, residual, slope = new_phi, new_scale, new_value, new_residual, new_slope
            damping = max(damping / 8, 1e-14)
            if value < TOLERANCE * 1e-3 or close:
                break
        else:
            damping *= 6
            if damping > 1e8:
                break
    return float(value), phi, scale


def _residual(
    b: MomentSystem, phi: Complex, scale: Complex, target: dict[Hashable, complex], names: list[Hashable]
) -> tuple[float, Complex, Complex]:
    values, slopes = b.moments(phi)
    if not names:
        names += sorted({*values, *target}, key=repr)
    at, d = stacked(values, slopes, names, b.n)
    wanted = np.array([target.get(k, 0) for k in names], dtype=complex)
    index = {key: i for i, key in enumerate(b.scaled)}
    extra = np.zeros((len(names), scale.size), dtype=complex)
    if scale.size:
        factor = np.ones(len(names), dtype=complex)
        for i, name in enumerate(names):
            for which in scales_of(name, index):
                factor[i] *= scale[which]
        for i, name in enumerate(names):
            for which in scales_of(name, index):
                extra[i, which] += at[i] * factor[i] / scale[which]
        at, d = at * factor, d * factor[:, None]
    fixed, d_fixed = b.constraints(phi)
    residual = np.concatenate([at - wanted, fixed])
    slope = np.concatenate(
        [np.concatenate([d, extra], axis=1), np.concatenate([d_fixed, np.zeros((fixed.size, scale.size))], axis=1)]
    )
    return float(np.abs(residual).max(initial=0.0)), residual, slope


def _tangent(a: MomentSystem, b: MomentSystem, theta: Complex, phi: Complex, scale: Complex) -> bool:
    """Return whether the differentials of a's moments are combinations of those of b."""
    target, d_target = a.moments(theta)
    names: list[Hashable] = []
    _, _, slope = _residual(b, phi, scale, target, names)
    _, d = stacked(target, d_target, names, a.n)
    fixed, d_fixed = a.constraints(theta)
    if fixed.size:
        _, s, vh = np.linalg.svd(d_fixed)
        d = d @ vh[int((s > 1e-10).sum()) :].conj().T
    n_b = b.constraints(phi)[0].size
    d = np.concatenate([d, np.zeros((n_b, d.shape[1]))])
    inside = slope @ np.linalg.lstsq(slope, d, rcond=1e-9)[0]
    return bool(np.abs(inside - d).max(initial=0.0) < 1e-5 * max(1.0, float(np.abs(d).max(initial=0.0))))
