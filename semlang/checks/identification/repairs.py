"""Smallest changes that make a model identified, each tried and verified by the rank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semlang.checks.identification.constraints import NotAlgebraic
from semlang.checks.identification.names import Names
from semlang.checks.identification.rank import MomentMap, RankResult

MOST = 6
TRIALS = 80


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
    Every candidate is evaluated at its own generic point (the fixed value inserted, the equality imposed), so a repair
    that is listed does restore full rank. With a deficiency of d, d changes are needed; they are searched greedily from
    different first changes.
    """
    needed = found.n - found.rank
    moving = set(found.moving)
    candidates = list(_candidates(names, moving))
    out: list[Repair] = []
    trials = 0
    if needed > 6:
        return out
    for first in range(len(candidates)):
        if len(out) >= MOST or trials > TRIALS or (needed > 1 and len(out) >= 3):
            break
        if out and candidates[first].kind == "fix" and names.role(candidates[first].parameters[0]) != "threshold":
            break  # a residual variance is fixed only where nothing else helps
        chosen: list[Change] = []
        best = found.rank
        for change in candidates[first:]:
            if any(set(change.parameters) & set(c.parameters) for c in chosen):
                continue
            trials += 1
            try:
                result = _apply(moments, [*chosen, change], law)
            except NotAlgebraic:
                continue
            if result.rank > best:
                chosen.append(change)
                best = result.rank
            if result.full:
                confirmed = _apply(moments, chosen, law)
                if confirmed.full and not any(set(chosen) == set(r.changes) for r in out):
                    out.append(Repair(tuple(chosen)))
                break
            if not chosen or trials > TRIALS:
                break
    return out


def _apply(moments: MomentMap, changes: list[Change], law: bool) -> RankResult:
    from semlang.checks.identification.field import residue

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
    for group in (loadings, of("residual variance"), of("variance"), of("covariance", "residual covariance")):
        for i, p in enumerate(group):
            for q in group[i + 1 :]:
                yield Change("equate", (p, q), 0.0, _equated(names, p, q))
    for p in of("covariance", "residual covariance"):
        yield Change("drop covariance", (p,), 0.0, _fixed(names, p, 0))
    for p in of("path"):
        yield Change("drop path", (p,), 0.0, _fixed(names, p, 0))
    for p in of("variance"):
        yield Change("drop variance", (p,), 0.0, _fixed(names, p, 0))
    for p in of("residual variance", "quantity"):
        yield Change("fix", (p,), 1.0, _fixed(names, p, 1))


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
