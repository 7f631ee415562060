"""The identification report: as data, as JSON and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semlang.checks.identification.names import Triple
from semlang.shown import Shown

IDENTIFIED, SHAPE_ONLY, NOT_IDENTIFIED, UNDETERMINED = "identified", "shape only", "not identified", "undetermined"


@dataclass(frozen=True)
class Reason:
    """The rule that settles a parameter, and its value as a formula of what is observed.

    Parameters
    ----------
    parameter : (lhs, op, rhs)
    name : str
        The parameter in words.
    rule : str
    formula, latex : str
        Closed form, '' where none was derived.
    """

    parameter: Triple
    name: str
    rule: str
    formula: str = ""
    latex: str = ""


@dataclass(frozen=True, repr=False)
class Identification(Shown):
    """What is known about a model's identification.

    Parameters
    ----------
    verdict : str
        ``identified``, ``shape only``, ``not identified`` or ``undetermined``.
    why : str
        The reason in a sentence or two.
    n_free : int
        Length of the parameter vector less the number of independent equality constraints.
    rank : int
        Rank of the Jacobian of what the data identify, on the constraints.
    df : int or None
        Degrees of freedom: moments less rank; None where the number of moments is not defined.
    only_if : tuple of str
        Conditions outside which identification fails.
    unidentified, identified : tuple of (lhs, op, rhs)
        Parameters that are not, and that are determined all the same.
    sets : tuple
        Minimal sets of parameters that move together, each a tuple of (lhs, op, rhs).
    directions : tuple of str
        How each set moves, in words.
    repairs : tuple of dict
        Verified repairs, the mildest first.
    rules : tuple of Reason
    notes : tuple of str
        What else was found: necessary rules that fail, what was not searched.
    parameters : tuple of int
        Indices of the unidentified parameters.
    set_names, identified_names : tuple
        `sets` and `identified` in words, with group, level and class where needed.
    n_moments : int or None
    counting : mapping
        Numbers of ``moments`` and ``parameters`` by kind.
    """

    verdict: str
    why: str
    n_free: int = 0
    rank: int = 0
    df: int | None = None
    only_if: tuple[str, ...] = ()
    unidentified: tuple[Triple, ...] = ()
    identified: tuple[Triple, ...] = ()
    sets: tuple[tuple[Triple, ...], ...] = ()
    directions: tuple[str, ...] = ()
    repairs: tuple[dict[str, Any], ...] = ()
    rules: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    parameters: tuple[int, ...] = ()
    set_names: tuple[tuple[str, ...], ...] = ()
    identified_names: tuple[str, ...] = ()
    n_moments: int | None = None
    counting: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether a fit may proceed: not where the model is known not to be identified."""
        return self.verdict != NOT_IDENTIFIED

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``semlang identify --json`` prints as its result."""
        return {
            "verdict": self.verdict,
            "only_if": list(self.only_if),
            "df": self.df,
            "n_free": self.n_free,
            "rank": self.rank,
            "unidentified": [list(t) for t in self.unidentified],
            "sets": [[list(t) for t in s] for s in self.sets],
            "repairs": [dict(r) for r in self.repairs],
            "rules": [
                {"parameter": list(r.parameter), "rule": r.rule, "formula": r.formula, "latex": r.latex}
                for r in self.rules
            ],
            "why": self.why,
            "directions": list(self.directions),
            "identified": [list(t) for t in self.identified],
            "n_moments": self.n_moments,
            "counting": {k: dict(v) for k, v in self.counting.items()},
            "notes": list(self.notes),
        }

    def render(self) -> str:
        """Return the report as text for a terminal."""
        out = [self._headline()]
        out.append(f"  {self.why}")
        if self.df is not None and self.n_moments is not None:
            out.append(f"  {self.n_free} free parameters, {self.n_moments} moments, rank {self.rank}, df {self.df}")
        else:
            out.append(f"  {self.n_free} free parameters, rank {self.rank}")
        for what, parts in self.counting.items():
            shown = ", ".join(f"{n} {name if n > 1 else name.removesuffix('s')}" for name, n in parts.items())
            out.append(f"    {what}: {shown}")
        if self.sets:
            out.append("")
            out.append("These move together, and the data can not tell:")
            named = self.set_names or tuple(tuple(_text(t) for t in s) for s in self.sets)
            for s, words in zip(named, self.directions, strict=True):
                out.append(f"  {{{', '.join(s)}}}")
                out.append(f"      {words}")
        if self.sets and self.identified:
            out.append("")
            out.append("Identified all the same: " + ", ".join(self.identified_names or map(_text, self.identified)))
        if self.repairs:
            out.append("")
            out.append("Any of these makes the model identified (verified):")
            out += [f"  {r['text']}" for r in self.repairs]
        if self.rules and self.verdict == IDENTIFIED:
            out.append("")
            out.append("Why:")
            width = max(len(r.name) for r in self.rules)
            for r in self.rules:
                out.append(f"  {r.name:<{width}}  {r.rule}" + (f": {r.formula}" if r.formula else ""))
        if self.notes:
            out.append("")
            out += [f"note: {n}" for n in self.notes]
        return "\n".join(out)

    def _headline(self) -> str:
        if self.verdict == IDENTIFIED and self.only_if:
            return "identified only if " + " and ".join(self.only_if)
        return {SHAPE_ONLY: "identified by shape only"}.get(self.verdict, self.verdict)

    def __str__(self) -> str:
        return self.render()


def _text(t: Triple) -> str:
    return f"{t[0]} ~ 1" if t[1] == "~1" else f"{t[0]} {t[1]} {t[2]}"
