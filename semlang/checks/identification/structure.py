"""The mixed graph on which structural rules work: directed paths, correlated disturbances, covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from semlang.checks.identification.responses import margin
from semlang.graph.model_graph import ModelGraph

Pair = frozenset[str]


@dataclass(frozen=True)
class Structure:
    """One group's model as a mixed graph.

    Parameters
    ----------
    observed, latent : tuple of str
        Keys of responses and latent variables.
    edges : mapping from (cause, effect) to (parameter, fixed value)
        Directed paths between them, none fixed at 0.
    joint : mapping from {a, b} to (parameter, fixed value)
        Covariances of disturbances.
    variances : mapping from key to (parameter, fixed value)
    covariates : mapping from (covariate, effect) to (parameter, fixed value)
    intercepts : mapping from key to parameter
    known : frozenset of str
        Responses whose residual variance is known.
    """

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    edges: Mapping[tuple[str, str], tuple[int, float]]
    joint: Mapping[Pair, tuple[int, float]] = field(default_factory=dict)
    variances: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    covariates: Mapping[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    intercepts: Mapping[str, int] = field(default_factory=dict)
    known: frozenset[str] = frozenset()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Latent variables, then responses."""
        return (*self.latent, *self.observed)

    def parents(self, node: str) -> tuple[str, ...]:
        """Return direct causes."""
        return tuple(a for a, b in self.edges if b == node)

    def children(self, node: str) -> tuple[str, ...]:
        """Return direct effects."""
        return tuple(b for a, b in self.edges if a == node)

    def siblings(self, node: str) -> tuple[str, ...]:
        """Return variables with a correlated disturbance."""
        return tuple(next(iter(pair - {node})) for pair in self.joint if node in pair)

    def sources(self, node: str) -> frozenset[str]:
        """Return the variable and its causes, direct and indirect; covariates are named ``(x)``."""
        found, stack = {node}, [node]
        while stack:
            at = stack.pop()
            for a in self.parents(at):
                if a not in found:
                    found.add(a)
                    stack.append(a)
        found |= {f"({x})" for x, y in self.covariates if y in found}
        return frozenset(found)

    def linked(self, a: str, b: str) -> bool:
        """Return whether a trek joins two variables, so that their covariance is not 0 at generic points."""
        one, two = self.sources(a), self.sources(b)
        if one & two:
            return True
        return any(frozenset((i, j)) in self.joint for i in one for j in two)


def structure(graph: ModelGraph) -> Structure | None:
    """Return the mixed graph of a model at one level without random slopes, else None."""
    table = graph.table
    if graph.others or graph.quantities or len({v.level for v in table.variables.values()}) > 1:
        return None
    if any(r.op == "==" for r in table.relations):
        return None
    edges: dict[tuple[str, str], tuple[int, float]] = {}
    covariates: dict[tuple[str, str], tuple[int, float]] = {}
    intercepts: dict[str, int] = {}
    used: list[int] = []
    for p in graph.paths:
        if p.is_zero:
            continue
        used.append(p.parameter)
        if p.source and not p.via:
            edges[p.source, p.target] = p.parameter, p.value
        elif not p.source and len(p.observed) == 1 and len(p.via) == 1 and p.via[0].function == "identity":
            edges[p.via[0].column, p.target] = p.parameter, p.value
        elif p.source or p.observed:
            return None
        elif p.via:
            covariates[":".join(c.name for c in p.via), p.target] = p.parameter, p.value
        elif p.parameter >= 0:
            intercepts[p.target] = p.parameter
    joint: dict[Pair, tuple[int, float]] = {}
    variances: dict[str, tuple[int, float]] = {}
    for c in graph.covariances:
        if c.is_zero:
            continue
        used.append(c.parameter)
        if c.a == c.b:
            variances[c.a] = c.parameter, c.value
        else:
            joint[frozenset((c.a, c.b))] = c.parameter, c.value
    free = [p for p in used if p >= 0]
    if len(free) != len(set(free)):
        return None  # equal parameters: the rules hold for graphs whose coefficients vary freely
    margins = {v.key: margin(v) for v in table.responses}
    if any(margins[a].standardised for a, _ in edges if a in margins):
        return None  # a discrete response as a cause
    return Structure(
        tuple(v.key for v in table.responses),
        tuple(v.key for v in table.latents),
        edges,
        joint,
        variances,
        covariates,
        intercepts,
        frozenset(k for k, m in margins.items() if m.residual != "theta"),
    )
