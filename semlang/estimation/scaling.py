"""Scale-free coordinates: latent variables with a marker are optimised with unit variance.

A marker whose loading is near zero in the scale of the others makes the likelihood badly curved, with local maxima. In
the coordinates of the equivalent model with unit disturbance variances and free first loadings it is not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.member import Infeasible
from semlang.estimation.parameters import Parametrisation
from semlang.graph.model_graph import Covariance, ModelGraph, Path

__all__ = ["Scaled", "rescale"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Latent:
    """A latent variable that changes its scale: the parameter of its variance becomes that of its marker."""

    group: int
    key: str
    marker: Path
    variance: Covariance


def _candidates(graph: ModelGraph, number: int, single: Collection[str]) -> list[_Latent]:
    """Latent variables with a free variance, one fixed path to something and further free paths."""
    variances = {c.a: c for c in graph.covariances if c.a == c.b}
    joined = {end for c in graph.covariances if c.a != c.b and not c.is_zero for end in (c.a, c.b)}
    out = []
    for key in graph.latents:
        paths = [p for p in graph.paths if p.source == key and not p.is_zero]
        fixed = [p for p in paths if p.parameter < 0]
        if key not in variances or variances[key].parameter < 0 or len(fixed) != 1 or len(paths) < 2:
            continue
        if not (key in single and key in joined):
            out.append(_Latent(number, key, fixed[0], variances[key]))
    return out


_Powers = dict[int, float]
"""Powers of the scales of latent variables, by number; those that are not zero."""


def _exponents(
    graph: ModelGraph, number: int, chosen: dict[tuple[int, str], int]
) -> list[tuple[Path | Covariance, _Powers]]:
    """Return, for each path and covariance, the powers of the scales that its coefficient takes."""

    def power(*ends: tuple[str, float]) -> _Powers:
        out: _Powers = {}
        for key, sign in ends:
            n = chosen.get((number, key))
            if n is not None:
                out[n] = out.get(n, 0.0) + sign
        return {n: e for n, e in out.items() if e}

    paths = [(p, power((p.target, 1.0), (p.source, -1.0))) for p in graph.paths]
    return [*paths, *((c, power((c.a, 1.0), (c.b, 1.0))) for c in graph.covariances)]


def _numbers(latents: Sequence[_Latent]) -> dict[tuple[int, str], int]:
    """Number the scales: latent variables that share the parameter of their variance have one scale."""
    number = {p: n for n, p in enumerate(dict.fromkeys(v.variance.parameter for v in latents))}
    return {(v.group, v.key): number[v.variance.parameter] for v in latents}


def _consistent(
    graphs: Sequence[ModelGraph], latents: list[_Latent], pinned: Collection[int]
) -> tuple[list[_Latent], dict[int, _Powers]]:
    """Leave out latent variables whose scale a fixed value, a constraint or a shared parameter holds."""
    while True:
        chosen = _numbers(latents)
        powers: dict[int, _Powers] = {}
        bad: set[int] = set()
        own = {id(v.marker) for v in latents} | {id(v.variance) for v in latents}
        swapped = {v.variance.parameter: chosen[v.group, v.key] for v in latents}
        for number, graph in enumerate(graphs):
            for e, power in _exponents(graph, number, chosen):
                used = set(power)
                if id(e) in own:
                    continue
                if e.parameter in swapped:
                    bad |= used | {swapped[e.parameter]}
                elif (e.parameter < 0 and not e.is_zero) or e.parameter in pinned:
                    bad |= used
                elif e.parameter >= 0 and powers.setdefault(e.parameter, power) != power:
                    bad |= used | set(powers[e.parameter])
        bad |= {n for p, n in swapped.items() if p in pinned}
        markers: dict[int, tuple[float, int | None]] = {}
        for v in latents:
            marker = (v.marker.value, chosen.get((v.group, v.marker.target)))
            if markers.setdefault(chosen[v.group, v.key], marker) != marker:  # one variance, but not one scale
                bad.add(chosen[v.group, v.key])
        if not bad:
            return latents, powers
        latents = [v for v in latents if chosen[v.group, v.key] not in bad]


class Scaled:
    """A parametrisation of the model with unit variances, mapped on to the table's parameters.

    With scales s_f (latent variable = s_f times the one of unit variance), marker coefficients c_f and the parameter
    v_f that stands for the variance in the table and for the marker's loading here,

        s_f = v_f / c_f (times the scale of the marker's target),   theta[v_f] = s_f^2,
        theta_p = theta'_p prod_f s_f^e_pf,

    with e = +1 for paths into f and covariances of f, -1 for paths from f. Latent variables that share the parameter of
    their variance (within a group, across groups or levels) have one scale.
    """

    def __init__(self, inner: Parametrisation, latents: Sequence[_Latent], powers: dict[int, _Powers]) -> None:
        self.inner = inner
        self.n_parameters = inner.n_parameters
        self.factored, self.blocks, self.scales = inner.factored, inner.blocks, inner.scales
        self.forms = inner.forms
        number = _numbers(latents)
        first = {n: v for v in reversed(latents) for n in (number[v.group, v.key],)}
        n = len(first)
        self.variance = np.array([first[k].variance.parameter for k in range(n)], dtype=np.int64)
        self.coefficient = np.array([first[k].marker.value for k in range(n)])
        above = np.zeros((n, n))  # ln s = (I - above)^-1 (ln v - ln c)
        for k, v in first.items():
            target = number.get((v.group, v.marker.target))
            if target is not None:
                above[k, target] = 1.0
        self.M = np.linalg.inv(np.eye(n) - above)
        self.powers = np.zeros((self.n_parameters, n))
        for p, power in powers.items():
            for k, exponent in power.items():
                self.powers[p, k] = exponent
        self.powers[self.variance, np.arange(n)] = 2.0

    def _scales(self, inner: Floats) -> Floats:
        ratio = inner[self.variance] / self.coefficient
        if (np.abs(ratio) < 1e-150).any():
            raise Infeasible("a latent variable has no scale")
        sign = np.prod(np.where(self.M > 0, np.sign(ratio), 1.0), axis=1)
        scales: Floats = sign * np.exp(self.M @ np.log(np.abs(ratio)))
        return scales

    def theta(self, x: Floats) -> Floats:
        """Return the table's parameters."""
        out = self.inner.theta(x)
        scales = self._scales(out)
        out[self.variance] = 1.0
        result: Floats = out * np.prod(scales**self.powers, axis=1)
        return result

    def coordinates(self, theta: Floats) -> Floats:
        """Return coordinates of parameters."""
        if (theta[self.variance] <= 0).any():
            raise Infeasible("a variance is not positive at the start")
        scales = np.sqrt(theta[self.variance])
        inner = theta / np.prod(scales**self.powers, axis=1)
        inner[self.variance] = self.coefficient * np.exp(np.linalg.solve(self.M, np.log(scales)))
        return self.inner.coordinates(inner)

    def jacobian(self, x: Floats) -> Floats:
        """Return dtheta/dx (P, P)."""
        inner = self.inner.theta(x)
        scales = self._scales(inner)
        factor = np.prod(scales**self.powers, axis=1)
        rest = inner.copy()
        rest[self.variance] = 1.0
        diagonal = factor.copy()
        diagonal[self.variance] = 0.0
        D = np.diag(diagonal)
        D[:, self.variance] += (rest * factor)[:, None] * (self.powers @ self.M) / inner[self.variance]
        return np.asarray(D @ self.inner.jacobian(x)) if self.blocks else D


def rescale(
    graphs: Sequence[ModelGraph], pinned: Collection[int], single: Collection[str]
) -> tuple[tuple[ModelGraph, ...], list[_Latent], dict[int, _Powers]] | None:
    """Return the graphs of the equivalent model with unit variances, or None where no scale can change.

    Parameters
    ----------
    graphs : sequence of ModelGraph
    pinned : collection of int
        Parameters in constraints or with bounds.
    single : collection of str
        Latent variables that keep their scale where they have covariances, since they have factor coordinates.
    """
    latents = [v for number, graph in enumerate(graphs) for v in _candidates(graph, number, single)]
    latents, powers = _consistent(graphs, latents, pinned)
    if not latents:
        return None
    markers = {id(v.marker): v.variance.parameter for v in latents}
    variances = {id(v.variance) for v in latents}
    changed = tuple(
        graph.reparametrised(
            tuple(p._replace(parameter=markers[id(p)]) if id(p) in markers else p for p in graph.paths),
            tuple(c._replace(parameter=-1, value=1.0) if id(c) in variances else c for c in graph.covariances),
        )
        for graph in graphs
    )
    return changed, latents, powers
