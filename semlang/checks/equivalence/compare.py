"""Equivalent, nested or neither: two models for the same responses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semlang.checks.equivalence.certificates import constraints_of
from semlang.checks.equivalence.reach import reaches
from semlang.checks.identification.constraints import NotAlgebraic
from semlang.checks.identification.moment_system import MomentSystem
from semlang.checks.identification.rank import MomentMap
from semlang.checks.identification.responses import margin
from semlang.graph.build import build_graphs
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable
from semlang.shown import Shown

EQUIVALENT, A_IN_B, B_IN_A = "equivalent", "a nested in b", "b nested in a"
NEITHER, UNDETERMINED = "neither", "undetermined"
LARGEST = 150


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """How two models are related.

    Parameters
    ----------
    relation : str
        ``equivalent``, ``a nested in b``, ``b nested in a``, ``neither`` or ``undetermined``.
    why : str
        The certificate, or the reason of a refusal.
    dimensions : (int, int) or None
        Numbers of independent moments that each model can move.
    df : int or None
        Difference of the dimensions.
    """

    relation: str
    why: str
    dimensions: tuple[int, int] | None = None

    @property
    def df(self) -> int | None:
        """Degrees of freedom of a likelihood-ratio test, where the models are nested."""
        if self.dimensions is None or self.relation not in (A_IN_B, B_IN_A):
            return None
        return abs(self.dimensions[0] - self.dimensions[1])

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``semlang compare --json`` prints as its result."""
        return {
            "relation": self.relation,
            "why": self.why,
            "dimensions": list(self.dimensions) if self.dimensions else None,
            "df": self.df,
        }

    def __str__(self) -> str:
        return f"{self.relation}\n  {self.why}"


def compare(
    table_a: ParameterTable,
    table_b: ParameterTable,
    graphs_a: Sequence[ModelGraph] | None = None,
    graphs_b: Sequence[ModelGraph] | None = None,
) -> Comparison:
    """Decide whether two models are equivalent, nested or neither, before any data are seen.

    The dimension of each model is the exact rank of its moments. A model of larger dimension is not nested in one of
    smaller dimension, nor in one that implies a vanishing covariance, partial covariance or tetrad that it does not
    imply itself. Otherwise the second is fitted to the moments of the first at random points over the complex numbers,
    where a discrepancy at machine precision and an included tangent space mean that the first is nested.

    Parameters
    ----------
    table_a, table_b : ParameterTable
    graphs_a, graphs_b : sequence of ModelGraph, optional
        Built where they are not given.

    References
    ----------
    Bentler and Satorra (2010), Psychological Methods 15, 111-123.
    """
    reason = _refuse(table_a, table_b)
    if reason:
        return Comparison(UNDETERMINED, reason)
    try:
        one, two = graphs_a or build_graphs(table_a), graphs_b or build_graphs(table_b)
        ranks = [MomentMap(t, g).rank() for t, g in ((table_a, one), (table_b, two))]
        a, b = MomentSystem(table_a, one), MomentSystem(table_b, two)
    except (NotAlgebraic, ValueError) as problem:
        return Comparison(UNDETERMINED, f"{problem}.")
    if max(a.n, b.n) > LARGEST:
        return Comparison(UNDETERMINED, f"Models with more than {LARGEST} parameters are not compared.")
    dims = ranks[0].rank - ranks[0].n_constraints, ranks[1].rank - ranks[1].n_constraints
    exhaustive = all(margin(v).exhaustive for v in (*table_a.responses, *table_b.responses))
    implied = [
        set(constraints_of(t, g[0])) if exhaustive and len(g) == 1 else set()
        for t, g in ((table_a, one), (table_b, two))
    ]
    only = sorted(implied[0] - implied[1]), sorted(implied[1] - implied[0])
    forward = dims[0] <= dims[1] and not only[1] and _inside(a, b)
    backward = dims[1] <= dims[0] and not only[0] and (forward if dims[0] == dims[1] and forward else _inside(b, a))
    relation = EQUIVALENT if forward and backward else A_IN_B if forward else B_IN_A if backward else NEITHER
    return Comparison(relation, _why(relation, dims, only, exhaustive), dims)


def _inside(a: MomentSystem, b: MomentSystem) -> bool:
    found = reaches(a, b)
    return found.reached and found.tangent


def _why(relation: str, dims: tuple[int, int], only: tuple[list[str], list[str]], exhaustive: bool) -> str:
    what = "moments" if exhaustive else "second moments"
    kind = "" if exhaustive else " This is about second moments; the shapes of the distributions may differ."
    proof = [f" {name} alone implies {found[0]}." for name, found in zip("ab", only, strict=True) if found]
    if relation == EQUIVALENT:
        return f"Both have dimension {dims[0]}, and each reproduces the {what} of the other at generic points.{kind}"
    if relation in (A_IN_B, B_IN_A):
        small, large = ("a", "b") if relation == A_IN_B else ("b", "a")
        certificate = proof[0] if small == "a" and only[0] else proof[-1] if small == "b" and only[1] else ""
        return (
            f"{large} reproduces the {what} of {small} at generic points, and has {abs(dims[0] - dims[1])} more "
            f"({max(dims)} against {min(dims)}).{certificate}{kind}"
        )
    return f"Neither reproduces the {what} of the other (dimensions {dims[0]} and {dims[1]}).{''.join(proof)}{kind}"


def _refuse(a: ParameterTable, b: ParameterTable) -> str:
    """Return why two models can not be compared, or ''."""
    one, two = ({v.key: v for v in t.responses} for t in (a, b))
    missing = sorted(one.keys() ^ two.keys())
    if missing:
        where = "b" if missing[0] in one else "a"
        columns = b.columns() if missing[0] in one else a.columns()
        as_covariate = " (there it is a covariate)" if missing[0] in columns else ""
        return f"'{missing[0]}' is no response of {where}{as_covariate}: the models are about different data."
    for key, v in one.items():
        w = two[key]
        if (v.kind.name, v.link, v.level) != (w.kind.name, w.link, w.level):
            return f"'{key}' is {v.kind.name}({v.link}) in a and {w.kind.name}({w.link}) in b."
        if not margin(v).supported:
            return f"The moments of {v.kind.described} response ('{key}') are not known to this check."
        if margin(v).hidden or "guess" in v.arguments:
            return f"The distribution of '{key}' is not determined by its moments."
    if a.groups != b.groups or a.group_column != b.group_column:
        return "The groups differ."
    if a.clusters != b.clusters and a.clusters and b.clusters:
        return "The clusters differ."
    for table in (a, b):
        for row in table.rows:
            if row.klass or row.category or row.moderators or row.op == "<~" or (row.op == "~*~" and row.free):
                return f"'{row.lhs} {row.op} {row.rhs}' is outside linear models, whose moments are not known."
        if any(v.kind.discrete for v in table.latents):
            return "Models with discrete latent variables are not compared."
    return ""
