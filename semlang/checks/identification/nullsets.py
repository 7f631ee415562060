"""The null space in words: minimal sets of parameters that move together, and how."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from semlang.checks.identification.field import Ints, P, echelon, fraction, inverse, kernel
from semlang.checks.identification.names import Names

ORDERS = 24
LARGEST_EXPONENT = 12
MOST_NAMED = 8
STAYS = "nothing that can be observed changes"


@dataclass(frozen=True)
class NullSet:
    """A minimal set of parameters that can move together while everything that the data identify stays as it is.

    Parameters
    ----------
    parameters : tuple of int
    direction : tuple of int
        The null vector at these parameters (elements of the field), up to a factor.
    how : str
        ``scale`` (each is multiplied by a power of one number), ``shift`` (multiples of one number are added) or
        ``joint``.
    rates : tuple of int
        Powers or multiples, for ``scale`` and ``shift``.
    """

    parameters: tuple[int, ...]
    direction: tuple[int, ...]
    how: str = "joint"
    rates: tuple[int, ...] = ()

    def words(self, names: Names) -> str:
        """Return the direction in words."""
        texts = [names.text(p) for p in self.parameters]
        if len(texts) == 1:
            return f"{texts[0]} can take any value"
        if self.how == "scale":
            groups: dict[int, list[str]] = {}
            for t, r in zip(texts, self.rates, strict=True):
                groups.setdefault(r, []).append(t)
            parts = [f"{_power(r)} {join(groups[r])}" for r in sorted(groups, key=lambda r: (r < 0, abs(r)))]
            return f"for any c, {', '.join(parts)}: {STAYS}"
        if self.how == "shift":
            groups = {}
            for t, r in zip(texts, self.rates, strict=True):
                groups.setdefault(r, []).append(t)
            parts = [f"{_shift(r)} {join(groups[r])}" for r in sorted(groups, key=lambda r: (r < 0, abs(r)))]
            return f"for any c, {', '.join(parts)}: {STAYS}"
        which = join(texts) if len(texts) <= MOST_NAMED else "all of them"
        return f"{which} move together along a curve: fixing one of them fixes the others"


def _power(r: int) -> str:
    return {1: "multiply by c:", -1: "divide by c:"}.get(r, f"multiply by c^{r}:" if r > 0 else f"divide by c^{-r}:")


def _shift(r: int) -> str:
    word = "add" if r > 0 else "subtract"
    return f"{word} {'' if abs(r) == 1 else abs(r)}c {'to' if r > 0 else 'from'}"


def join(texts: Sequence[str]) -> str:
    """Return texts as a list in words."""
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def null_sets(null: Ints, theta: Ints) -> list[NullSet]:
    """Return minimal sets that move together, smallest first, as many as the null space has dimensions.

    Supports of null vectors that are minimal are the circuits of the matroid of the Jacobian's columns. With one
    dimension there is one; with more, circuits are collected from several orders of elimination and the smallest that
    are independent are kept.

    Parameters
    ----------
    null : (P, d) elements of the field
    theta : (P,) elements of the field
        The point, for the test of a scale.
    """
    moving = np.flatnonzero(null.any(axis=1))
    d = null.shape[1]
    if d == 0:
        return []
    basis = np.ascontiguousarray(null[moving].T)  # (d, m)
    found: dict[tuple[int, ...], Ints] = {}
    rng = random.Random(7)
    m = moving.size
    for order in range(1 if d == 1 else ORDERS):
        columns = list(range(m)) if order == 0 else list(range(m))[::-1] if order == 1 else rng.sample(range(m), m)
        rows = _reduced(basis[:, columns])
        for row in rows:
            vector = np.zeros(m, dtype=np.int64)
            vector[columns] = row
            found.setdefault(tuple(np.flatnonzero(vector).tolist()), vector)
    kept: list[tuple[tuple[int, ...], Ints]] = []
    stack = np.zeros((0, m), dtype=np.int64)
    for support, vector in sorted(found.items(), key=lambda e: (len(e[0]), e[0])):
        more = np.concatenate([stack, vector[None]])
        if len(echelon(more)[1]) > len(kept):
            kept.append((support, vector))
            stack = more
        if len(kept) == d:
            break
    return [_named(tuple(moving[list(s)].tolist()), v[list(s)], theta) for s, v in kept]


def _reduced(rows: Ints) -> Ints:
    """Return the reduced row echelon form: each row has minimal support given the pivots of the others."""
    reduced, pivots = echelon(rows)
    for r in range(len(pivots) - 1, 0, -1):
        factor = reduced[:r, pivots[r]].copy()
        reduced[:r] = (reduced[:r] + (P - factor)[:, None] * reduced[r]) % P
    return reduced


def _named(parameters: tuple[int, ...], direction: Ints, theta: Ints) -> NullSet:
    values = [int(v) for v in direction]
    at = [int(theta[p]) for p in parameters]
    relative = [v * inverse(t) % P if t else 0 for v, t in zip(values, at, strict=True)]
    if len(parameters) > 1:
        if all(at) and (rates := _rates(relative)) is not None:
            return NullSet(parameters, tuple(values), "scale", rates)
        if (rates := _rates(values)) is not None:
            return NullSet(parameters, tuple(values), "shift", rates)
    return NullSet(parameters, tuple(values))


def _rates(values: list[int]) -> tuple[int, ...] | None:
    first = inverse(values[0])
    ratios: list[Fraction] = []
    for v in values:
        ratio = fraction(v * first % P, LARGEST_EXPONENT)
        if ratio is None:
            return None
        ratios.append(ratio)
    common = lcm(*(r.denominator for r in ratios))
    whole = [int(r * common) for r in ratios]
    if sum(w < 0 for w in whole) > sum(w > 0 for w in whole):
        whole = [-w for w in whole]
    return tuple(whole) if max(abs(w) for w in whole) <= LARGEST_EXPONENT else None


def is_independent(null: Ints, parameters: Sequence[int]) -> bool:
    """Return whether fixing the parameters would leave no direction of the null space."""
    return bool(kernel(null[list(parameters)]).shape[1] == 0)


__all__ = ["NullSet", "is_independent", "null_sets"]
