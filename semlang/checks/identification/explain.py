"""Which rule settles each parameter."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.checks.identification.formula import formulas
from semlang.checks.identification.halftrek import half_trek
from semlang.checks.identification.indicators import measured, pure_indicators
from semlang.checks.identification.instruments import instrument, is_bow_free
from semlang.checks.identification.latent_factor import latent_factor_half_trek
from semlang.checks.identification.names import Names
from semlang.checks.identification.rank import MomentMap, RankResult
from semlang.checks.identification.report import Reason
from semlang.checks.identification.structure import Structure, structure
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable

RANK = "rank"
LARGEST = 40
"""Largest number of nodes of a structural part on which the path rules are tried."""


def reasons(
    table: ParameterTable, graphs: Sequence[ModelGraph], moments: MomentMap, names: Names, found: RankResult
) -> list[Reason]:
    """Return a reason for each identified parameter; the rank alone where no rule settles it."""
    moving = set(found.moving)
    rule: dict[int, str] = {}
    closed = {}
    for graph, block in zip(graphs, moments.blocks, strict=True):
        for p, r in {**_plain(names, graph), **rules(graph)}.items():
            rule.setdefault(p, r)
        if len(graphs) == 1 and not any(r.op == "==" for r in table.relations):
            closed = formulas(block, names)
    out: list[Reason] = []
    for p in range(moments.n):
        if p in moving or not names.rows(p):
            continue
        formula = closed.get(p)
        out.append(
            Reason(
                names.triple(p),
                names.text(p),
                rule.get(p, RANK),
                formula.text if formula else "",
                formula.latex if formula else "",
            )
        )
    return out


def rules(graph: ModelGraph) -> dict[int, str]:
    """Return the structural rule that settles each parameter of a graph, for those that a rule settles.

    The measurement part comes first: a latent variable with a scale and enough indicators is as good as observed
    (two-step rule, Bollen 1989, p. 328). Then the paths among such variables: recursive and bow-free, instruments, the
    half-trek criterion; else the latent-factor half-trek criterion on the observed variables.
    """
    s = structure(graph)
    if s is None:
        return {}
    out: dict[int, str] = {}
    settled = measured(s)
    for f, (rule, indicators) in settled.items():
        for y in indicators:
            _note(out, s.edges[f, y][0], f"{rule} for {f}")
            if y not in s.known and y in s.variances:
                _note(out, s.variances[y][0], f"{rule} for {f}")
        if not s.parents(f) and not s.siblings(f) and not any(t == f for _, t in s.covariates):
            _note(out, s.variances[f][0], f"{rule} for {f}")
    if set(settled) == set(s.latent):
        _paths(s, settled, out)
    else:
        _hidden(s, out)
    return out


def _note(out: dict[int, str], p: int, rule: str) -> None:
    if p >= 0:
        out.setdefault(p, rule)


def _paths(s: Structure, settled: dict[str, tuple[str, tuple[str, ...]]], out: dict[int, str]) -> None:
    """Apply the rules for path models to variables that are observed or as good as observed."""
    gone = {y for f in s.latent for y in pure_indicators(s, f)}
    inside = [v for v in s.nodes if v not in gone]
    if len(inside) > LARGEST or any(y in pair for y in gone for pair in s.joint if pair & set(inside)):
        return
    if any(v in s.known for v in inside):
        return
    covariates = list(dict.fromkeys(f"({x})" for x, y in s.covariates if y in inside))
    nodes = [*covariates, *inside]
    edges = [e for e in s.edges if e[0] in inside and e[1] in inside]
    edges += [(f"({x})", y) for x, y in s.covariates if y in inside]
    joint = [pair for pair in s.joint if pair <= set(inside)]
    if is_bow_free(edges, joint):
        rule = "two-step rule" if not edges else "recursive bow-free rule" if joint else "recursive rule"
        solved: dict[str, str] = dict.fromkeys(nodes, rule)
    else:
        among = [frozenset((a, b)) for i, a in enumerate(covariates) for b in covariates[:i]]
        solved = dict.fromkeys(half_trek(nodes, edges, [*joint, *among]), "half-trek criterion")
        for a, b in edges:
            z = instrument(a, b, nodes, edges, [*joint, *among])
            p = s.edges.get((a, b), s.covariates.get((a.strip("()"), b), (-1, 0.0)))[0]
            if z is not None and z != a:
                _note(out, p, f"instrument {z.strip('()')}")
    for (a, b), (p, _) in s.edges.items():
        if a in inside and b in solved:
            _note(out, p, solved[b])
    for (_, b), (p, _) in s.covariates.items():
        if b in solved and b in inside:
            _note(out, p, solved[b])
    if set(nodes) <= set(solved):
        whole = next(iter(solved.values()), "recursive rule")
        for v in inside:
            if v in s.variances:
                _note(out, s.variances[v][0], whole)
        for pair in joint:
            _note(out, s.joint[pair][0], whole)


def _hidden(s: Structure, out: dict[int, str]) -> None:
    """Apply the latent-factor half-trek criterion where the latent variables are independent sources."""
    if any(s.parents(f) for f in s.latent) or s.joint or s.covariates or s.known:
        return
    if any(s.edges[e][0] < 0 and e[0] in s.observed for e in s.edges):
        return
    solved = latent_factor_half_trek(s.observed, s.latent, s.edges)
    for (a, b), (p, _) in s.edges.items():
        if a in s.observed and b in solved:
            _note(out, p, "latent-factor half-trek criterion")


def _plain(names: Names, graph: ModelGraph) -> dict[int, str]:
    """Return rules for intercepts, thresholds and regressions that nothing hidden disturbs."""
    out: dict[int, str] = {}
    for p in graph.paths:
        if p.parameter < 0 or p.source:
            continue
        if not p.via:
            out[p.parameter] = "mean rule"
        elif not p.observed and not any(q.causes for q in graph.into(p.target) if not q.is_zero):
            out[p.parameter] = "regression rule"
    for row in graph.thresholds:
        if row.parameter >= 0:
            out[row.parameter] = "threshold rule"
    return out
