"""Smallest changes that make a model identified, each tried and verified by the rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semlang.checks.identification.constraints import NotAlgebraic
from semlang.checks.identification.field import Ints, P, rank, residue
from semlang.checks.identification.names import Names
from semlang.checks.identification.rank import MomentMap, RankResult

MOST = 6
TRIALS = 14


@dataclass(frozen=True)
class Change:
    """One restriction.

    Parameters
    ----------
    kind : str
        ``fix loading``, ``fix variance``, ``fix mean``, ``equate``, ``drop covariance``, ``drop path``, ``fix``.
    parameters : tuple of int
    value : float
        The fixed value (0 for ``equate``).
    text : str
        What to type.
    """

    kind: str
    parameters: tuple[int, ...]
    value: float
    text: str


@dataclass(frozen=True)
class Repair:
    """Changes that together make the model identified."""

    changes: tuple[Change, ...]

    @property
    def text(self) -> str:
        """What to type."""
        return "; ".join(c.text for c in self.changes)

    def to_json(self, names: Names) -> dict[str, Any]:
        """Return the repair for the interface."""
        return {
            "text": self.text,
            "changes": [
                {
                    "kind": c.kind,
                    "parameters": [list(names.triple(p)) for p in c.parameters],
                    "value": c.value,
                    "text": c.text,
                }
                for c in self.changes
            ],
        }


def repairs(moments: MomentMap, names: Names, found: RankResult, law: bool = False) -> list[Repair]:
    """Return the smallest repairs, the mildest first.

    Parameters
    ----------
    moments : MomentMap
    names : Names
    found : RankResult
        The deficient rank.
    law : bool
        Whether the rank is that of the linear predictors' moments.

    Notes
    -----
    With a deficiency of d, d changes are needed; they are chosen greedily, from different first changes, so that each
    stops one more direction of the null space. Every set is then evaluated at its own generic point (the fixed values
    inserted, the equalities imposed), so a repair that is listed does restore full rank.
    """
    needed = found.n - found.rank
    candidates = list(_candidates(names, set(found.moving)))
    out: list[Repair] = []
    seen: set[frozenset[Change]] = set()
    trials = 0
    for first in range(len(candidates)):
        if len(out) >= (MOST if needed == 1 else MOST // 2) or trials >= TRIALS:
            break
        if out and candidates[first].kind == "fix" and names.role(candidates[first].parameters[0]) != "threshold":
            break  # a residual variance is fixed only where nothing else helps
        chosen = _independent(candidates[first:], found.null, needed)
        if len(chosen) < needed or frozenset(chosen) in seen:
            continue
        seen.add(frozenset(chosen))
        trials += 1
        try:
            if _apply(moments, chosen, law).full:
                out.append(Repair(tuple(chosen)))
        except NotAlgebraic:
            continue
    return out


def _independent(candidates: Sequence[Change], null: Ints, needed: int) -> list[Change]:
    """Return the first changes that stop one direction of the null space each, beginning with the first candidate."""
    chosen: list[Change] = []
    stopped = np.zeros((0, null.shape[1]), dtype=np.int64)
    for change in candidates:
        p = change.parameters
        row = null[p[0]] if change.kind != "equate" else (null[p[0]] - null[p[1]]) % P
        more = np.concatenate([stopped, row[None]])
        if rank(more) > len(chosen):
            chosen.append(change)
            stopped = more
        elif not chosen:
            break
        if len(chosen) == needed:
            break
    return chosen


def _apply(moments: MomentMap, changes: list[Change], law: bool) -> RankResult:
    fixed = {c.parameters[0]: residue(c.value) for c in changes if c.kind != "equate"}
    equal = tuple((c.parameters[0], c.parameters[1]) for c in changes if c.kind == "equate")
    return moments.rank(values=fixed, fixed=tuple(fixed), equal=equal, law=law, draws=2)


def _candidates(names: Names, moving: set[int]) -> Iterator[Change]:
    """Yield changes of parameters that are not identified, the mildest first."""
    role = {p: names.role(p) for p in sorted(moving)}
    latent = names.table.variables

    def of(*roles: str) -> list[int]:
        return [p for p in role if role[p] in roles]

    def is_loading(p: int) -> bool:
        row = names.row(p)
        return role[p] == "loading" or (role[p] == "path" and row.source in latent)

    loadings = [p for p in role if is_loading(p)]
    for p in loadings:
        row = names.row(p)
        yield Change("fix loading", (p,), 1.0, _fixed(names, p, 1) if row.op in ("=~", "~") else "")
    for p in of("variance"):
        yield Change("fix variance", (p,), 1.0, _fixed(names, p, 1))
    means = of("latent mean")
    for p in (*means, *(of("intercept") if means else ())):
        yield Change("fix mean", (p,), 0.0, _fixed(names, p, 0))
    for p in of("threshold"):
        yield Change("fix", (p,), 0.0, _fixed(names, p, 0))
    yield from _pairs(names, loadings)
    for p in of("residual covariance", "covariance"):
        yield Change("drop covariance", (p,), 0.0, _fixed(names, p, 0))
    for group in (of("residual variance"), of("variance"), of("residual covariance", "covariance")):
        yield from _pairs(names, group)
    for p in of("path"):
        yield Change("drop path", (p,), 0.0, _fixed(names, p, 0))
    for p in of("variance"):
        yield Change("drop variance", (p,), 0.0, _fixed(names, p, 0))
    for p in of("residual variance"):
        yield Change("fix", (p,), 1.0, _fixed(names, p, 1))
    for p in of("quantity"):
        value = -2 if names.row(p).quantity in ("guess", "slip", "zero") else 0
        yield Change("fix", (p,), float(value), _fixed(names, p, value))


def _pairs(names: Names, group: list[int]) -> Iterator[Change]:
    for i, p in enumerate(group):
        for q in group[i + 1 :]:
            yield Change("equate", (p, q), 0.0, _equated(names, p, q))


def _fixed(names: Names, p: int, value: int) -> str:
    row = names.row(p)
    if row.op == "~1":
        return f"{row.lhs} ~ {value}*1"
    return f"{row.lhs} {row.op} {value}*{row.rhs}"


def _equated(names: Names, p: int, q: int) -> str:
    a, b = names.row(p), names.row(q)
    label = "a" if not any(r.label == "a" for r in names.table.rows) else "a_equal"
    if (a.lhs, a.op) == (b.lhs, b.op):
        return f"{a.lhs} {a.op} {label}*{a.rhs} + {label}*{b.rhs}"
    return f"{a.lhs} {a.op} {label}*{a.rhs}; {b.lhs} {b.op} {label}*{b.rhs}"
