"""The graph of one group's model: variables as nodes, rows of the table as paths and covariances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from semlang.model.table import ParameterTable, Product, Row, Variable

if TYPE_CHECKING:
    import networkx as nx


class Path(NamedTuple):
    """An addend of the equation of `target`: coefficient x `source` x product of `via`.

    Parameters
    ----------
    target, source : str
        Keys of variables; `source` is '' for a path from observed covariates or the constant.
    via : Product
        Covariates that multiply the path.
    kind : str
        ``loading``, ``regression``, ``intercept`` or ``component`` (the path 1 from ``y[school]`` to ``y``).
    parameter : int
        Index in the parameter vector, -1 where the path is fixed at `value`.
    row : Row, optional
        None for the path of a component.
    category : str
        Category of a nominal response whose linear predictor it belongs to; '' for all.
    """

    target: str
    source: str
    via: Product
    kind: str
    parameter: int
    value: float
    row: Row | None = None
    category: str = ""

    @property
    def observed(self) -> tuple[str, ...]:
        """Keys of the responses whose observed values multiply the path."""
        return tuple(c.column for c in self.via if c.response)

    @property
    def causes(self) -> tuple[str, ...]:
        """Keys of all variables of the model that the path comes from."""
        return ((self.source,) if self.source else ()) + self.observed

    @property
    def is_zero(self) -> bool:
        """Whether the path is fixed at 0."""
        return self.parameter < 0 and self.value == 0


class Covariance(NamedTuple):
    """A variance (`a` is `b`) or covariance of disturbances.

    One that depends on covariates stands here, too, so that all see which variables vary and which are joined: it is
    `moderated`, its row one of its addends, and `value` no value of its own.
    """

    a: str
    b: str
    parameter: int
    value: float
    row: Row

    @property
    def is_zero(self) -> bool:
        """Whether it is fixed at 0."""
        return self.parameter < 0 and self.value == 0

    @property
    def moderated(self) -> bool:
        """Whether it depends on covariates."""
        return bool(self.row.quantity)


JOINED = 1e-300
"""Stands for a covariance that depends on covariates: not zero, so that it joins its ends, and nothing beside 1."""


@dataclass(frozen=True)
class ModelGraph:
    """The graph of one group.

    Parameters
    ----------
    table : ParameterTable
    group : int
        Number of the group, from 1.
    paths, covariances : tuple
        In order of the table's rows; paths of components stand last.
    thresholds : tuple of Row
        Thresholds and the covariates that move them.
    quantities : tuple of Row
        Rows of the linear predictors of ``sigma(y)``, ``shape(y)``, ...
    others : tuple of Row
        Rows that a linear model has no place for: products of latent variables, composites, classes.
    scales : tuple of Row
        Scales ``y ~*~ y`` and residual variances of ordinal responses that are not fixed at 1.
    """

    table: ParameterTable
    group: int
    paths: tuple[Path, ...]
    covariances: tuple[Covariance, ...]
    thresholds: tuple[Row, ...] = ()
    quantities: tuple[Row, ...] = ()
    others: tuple[Row, ...] = ()
    scales: tuple[Row, ...] = ()

    @cached_property
    def orders(self) -> dict[frozenset[str], tuple[str, ...]]:
        """Triangular orders of sets of variables, by `semlang.graph.order`."""
        return {}

    @cached_property
    def memo(self) -> dict[object, Any]:
        """What later stages derived from the graph, so that they need not do it again."""
        return {}

    def reparametrised(self, paths: tuple[Path, ...], covariances: tuple[Covariance, ...]) -> ModelGraph:
        """Return the graph with other parameters for the same paths and covariances, none of them fixed at 0."""
        new = replace(self, paths=paths, covariances=covariances)
        for name in ("responses", "latents", "causes", "orders"):
            new.__dict__[name] = getattr(self, name)
        return new

    @cached_property
    def moderated(self) -> dict[tuple[str, str], tuple[Row, ...]]:
        """Addends of log standard deviations and covariances of latent variables by their two ends."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.quantities:
            if self.table.variables[row.target].is_normal:
                found.setdefault(row.joins or (row.target, row.target), []).append(row)
        return {ends: tuple(rows) for ends, rows in found.items()}

    @property
    def label(self) -> str:
        """Label of the group, '' where there is one group."""
        return self.table.groups[self.group - 1] if self.group <= len(self.table.groups) else ""

    @property
    def variables(self) -> dict[str, Variable]:
        """Latent variables, components and responses by key, in order of appearance."""
        return dict(self.table.variables)

    @cached_property
    def responses(self) -> tuple[str, ...]:
        """Keys of the responses of the group."""
        return tuple(v.key for v in self.table.responses_of(self.group))

    @cached_property
    def latents(self) -> tuple[str, ...]:
        """Keys of the latent variables and components."""
        return tuple(v.key for v in self.table.latents)

    def height(self, key: str) -> int:
        """Return the number of a variable's level: 0 for rows, 1 for the lowest cluster, ..."""
        return self.table.levels.index(self.table.variables[key].level)

    def into(self, key: str) -> tuple[Path, ...]:
        """Return the paths into a variable."""
        return self._into.get(key, ())

    def out_of(self, key: str) -> tuple[Path, ...]:
        """Return the paths out of a variable, also those that its observed value multiplies."""
        return self._out_of.get(key, ())

    def variance(self, key: str) -> Covariance | None:
        """Return the variance of a variable's disturbance; None where the table has none."""
        return next((c for c in self.covariances if c.a == c.b == key), None)

    @cached_property
    def _into(self) -> dict[str, tuple[Path, ...]]:
        found: dict[str, list[Path]] = {}
        for p in self.paths:
            found.setdefault(p.target, []).append(p)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def _out_of(self) -> dict[str, tuple[Path, ...]]:
        found: dict[str, list[Path]] = {}
        for p in self.paths:
            for key in dict.fromkeys(p.causes):
                found.setdefault(key, []).append(p)
        return {k: tuple(v) for k, v in found.items()}

    @cached_property
    def causes(self) -> dict[str, tuple[str, ...]]:
        """Direct causes of each variable, in order of appearance (paths fixed at 0 do not count)."""
        rank = {key: i for i, key in enumerate(self.table.variables)}
        found: dict[str, set[str]] = {key: set() for key in rank}
        for p in self.paths:
            if not p.is_zero:
                found[p.target].update(k for k in p.causes if k in rank)
        for row in (*self.thresholds, *self.quantities):
            if row.target in found and not (row.free == 0 and row.ustart == 0):
                found[row.target].update(c.column for c in row.via if c.response and c.column in rank)
                if row.source in rank:
                    found[row.target].add(row.source)
        return {key: tuple(sorted(v, key=rank.__getitem__)) for key, v in found.items()}

    @cached_property
    def graph(self) -> nx.MultiDiGraph[str]:
        """The networkx graph.

        Nodes have ``role`` (latent, component, response, covariate), ``level``, ``kind``, ``link`` and
        ``variable``; edges have ``kind`` (loading, regression, component, moderation, threshold, quantity,
        covariance), ``via``, ``row``, ``parameter`` and ``value``. A product of covariates is one node, named
        like ``x:z``. A covariance, which has no direction, is an edge too.
        """
        import networkx

        graph: nx.MultiDiGraph[str] = networkx.MultiDiGraph(group=self.label)
        for v in self.table.variables.values():
            graph.add_node(v.key, role=v.role, level=v.level, kind=v.kind.name, link=v.link, variable=v)
        for source, target, attributes in self._edges():
            if source not in graph:
                graph.add_node(source, role="covariate", level="", kind="", link="", variable=None)
            graph.add_edge(source, target, **attributes)
        return graph

    def _edges(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for p in self.paths:
            about: dict[str, Any] = {"row": p.row, "parameter": p.parameter, "value": p.value}
            if p.source:
                yield p.source, p.target, {"kind": p.kind, "via": p.via, **about}
            yield from _covariate_edges(p.target, p.via, "moderation" if p.source else p.kind, about)
        for kind, rows in (("threshold", self.thresholds), ("quantity", self.quantities)):
            for row in rows:
                about = {"row": row, "parameter": row.parameter, "value": row.ustart or 0.0}
                if row.source in self.table.variables:
                    yield row.source, row.target, {"kind": kind, "via": row.via, **about}
                else:
                    yield from _covariate_edges(row.target, row.via, kind, about)
        for c in self.covariances:
            about = {"row": c.row, "parameter": c.parameter, "value": c.value}
            yield c.a, c.b, {"kind": "covariance", "via": (), **about}


def _covariate_edges(
    target: str, via: Product, kind: str, about: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if not via:
        return
    observed = [c for c in via if c.response]
    if not observed:
        if kind != "moderation":
            yield ":".join(c.name for c in via), target, {"kind": kind, "via": (), **about}
        return
    for i, c in enumerate(observed):
        rest = tuple(o for o in via if o is not c)
        yield c.column, target, {"kind": kind if i == 0 else "moderation", "via": rest, **about}
