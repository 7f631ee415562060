"""Rules for latent variables with indicators: three indicators, two indicators and something correlated.

For indicators y_i = lambda_i f + e_i with independent e_i,

    lambda_i / lambda_j = cov(y_i, z) / cov(y_j, z),

where z is a third indicator, or any variable correlated with f but not with e_i and e_j (Bollen 1989, Structural
Equations with Latent Variables, pp. 238-247).
"""

from __future__ import annotations

import itertools

from semlang.checks.identification.structure import Structure

THREE, TWO = "three-indicator rule", "two-indicator rule"


def pure_indicators(s: Structure, latent: str) -> tuple[str, ...]:
    """Return responses that measure one latent variable alone and cause nothing."""
    return tuple(
        y
        for y in s.children(latent)
        if y in s.observed
        and s.parents(y) == (latent,)
        and not s.children(y)
        and not any(target == y for _, target in s.covariates)
        and not any(k in s.latent for k in s.siblings(y))
    )


def has_scale(s: Structure, latent: str, indicators: tuple[str, ...]) -> bool:
    """Return whether the scale is fixed by one of the indicators, or by the variance of a variable without causes."""
    if any(s.edges[latent, y][0] < 0 for y in indicators):
        return True
    variance = s.variances.get(latent, (0, 0.0))
    exogenous = not s.parents(latent) and not any(target == latent for _, target in s.covariates)
    return exogenous and variance[0] < 0 and variance[1] != 0


def measured(s: Structure) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return, for each latent variable that the rules settle, the rule and the settled indicators."""
    return {f: found for f in s.latent if (found := _settle(s, f)) is not None}


def _settle(s: Structure, f: str) -> tuple[str, tuple[str, ...]] | None:
    if s.variances.get(f) is None:
        return None
    pure = pure_indicators(s, f)
    if not has_scale(s, f, pure):
        return None
    marked = [y for y in pure if s.edges[f, y][0] < 0]
    for rule in (THREE, TWO):
        known = _closure(s, f, pure, rule)
        best = max(known, key=len, default=())
        if len(best) >= 2 and (not marked or any(y in best for y in marked)):
            return rule, best
    return None


def _closure(s: Structure, f: str, pure: tuple[str, ...], rule: str) -> list[tuple[str, ...]]:
    """Return groups of indicators whose ratios of loadings are settled."""
    group = {y: {y} for y in pure}
    settled: set[str] = set()
    for a, b in itertools.combinations(pure, 2):
        if rule == THREE:
            thirds = [c for c in pure if c not in (a, b) and not _joint(s, c, a) and not _joint(s, c, b)]
            if thirds and not _joint(s, a, b):
                merged = group[a] | group[b] | set(thirds)
                for y in merged:
                    group[y] = merged
                settled |= merged
        elif not _joint(s, a, b) and any(_outside(s, f, z, a, b) for z in _others(s, f, pure)):
            merged = group[a] | group[b]
            for y in merged:
                group[y] = merged
            settled |= merged
    return [tuple(y for y in pure if y in g) for k, g in group.items() if k in settled]


def _others(s: Structure, f: str, pure: tuple[str, ...]) -> list[str]:
    outside = [z for z in s.observed if z not in pure]
    return outside + [f"({x})" for x, _ in s.covariates]


def _outside(s: Structure, f: str, z: str, a: str, b: str) -> bool:
    """Return whether z is correlated with f but not with the residuals of a and b."""
    if z.startswith("("):
        return z in s.sources(f)
    if not s.linked(f, z):
        return False
    reach = s.sources(z)
    return not any(frozenset((y, i)) in s.joint for y in (a, b) for i in reach) and not {a, b} & reach


def _joint(s: Structure, a: str, b: str) -> bool:
    return frozenset((a, b)) in s.joint
