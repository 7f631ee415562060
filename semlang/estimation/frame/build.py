"""The frame of a model: all choices that there are, less those that leave something behind which has no place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semlang.data.centring import NOTHING, Monomial, monomial, parts, powers
from semlang.data.design import Design
from semlang.estimation.conditioning.limits import of_levels
from semlang.estimation.frame.columns import Standard
from semlang.estimation.frame.framed import Frame
from semlang.estimation.frame.measures import Measures, split
from semlang.estimation.frame.remainders import placed, to_components, to_loadings, to_thresholds
from semlang.estimation.frame.sums import CONSTANT, Choice, Sum
from semlang.estimation.kernels.families import MIXTURES
from semlang.graph.model_graph import ModelGraph, Path
from semlang.model.table import Covariate, ParameterTable, Product, Row

__all__ = ["frame"]

Floats = NDArray[np.float64]

FIXED, RANDOM = ("centre", "scale", "factor"), ("slope", "narrow", "slope factor")
"""Names of the choices for coefficients and for random slopes."""

GENTLE = frozenset(("centre", "slope", "factor", "slope factor"))
"""Choices that are given up first: without its mean a covariate is still scaled."""


class Spread(NamedTuple):
    """A term of a covariate of the frame, multiplied out, and the choices that it depends on."""

    monomial: Monomial
    factor: float
    choices: set[Choice]


def frame(
    table: ParameterTable, graphs: Sequence[ModelGraph], designs: Sequence[Design], pinned: Collection[int]
) -> Frame | None:
    """Return the model with centred and scaled covariates, or None where none can be.

    Parameters
    ----------
    table : ParameterTable
    graphs, designs : sequences, one a group
    pinned : collection of int
        Parameters in constraints or with bounds: they stay what they are.
    """
    builder = _Builder(table, graphs, designs, pinned)
    return builder.build() if builder.choices else None


class _Builder:
    """Begins with every choice there is and gives up those that shared, fixed or constrained parameters rule out."""

    def __init__(
        self, table: ParameterTable, graphs: Sequence[ModelGraph], designs: Sequence[Design], pinned: Collection[int]
    ) -> None:
        self.table, self.graphs, self.designs, self.pinned = table, tuple(graphs), tuple(designs), pinned
        self.measures = Measures(self.designs)
        self.beside: dict[tuple[int, str], dict[Monomial, Path]] = {}
        self.slope: dict[tuple[int, str], Path] = {}
        self.choices: set[Choice] = set()
        origins = self._origins()
        for g, graph in enumerate(self.graphs):
            for i, path in enumerate(graph.paths):
                if path.parameter >= 0 and self.measures.vary(path.via):
                    self._choose(FIXED, g, i, path.via)
                elif path.parameter < 0 and path.value and path.source and self.measures.vary(path.via):
                    self._find_slope(g, graph, path)
            for name, rows in (("thresholds", graph.thresholds), ("quantities", graph.quantities)):
                for i, row in enumerate(rows):
                    if row.quantity in MIXTURES and of_levels(row):  # may be without bound, one level apart from others
                        continue
                    if row.parameter >= 0 and not row.source and self.measures.vary(row.via):
                        self._choose(FIXED, g, (name, i), row.via)
            self.choices |= {Choice("origin", g, key) for key in graph.responses if origins.get(key)}
        self.origins = origins

    def _choose(self, names: tuple[str, str, str], g: int, place: Hashable, via: Product) -> None:
        """Centre and scale a product, and centre its factors where it has several."""
        centre, scale, factor = names
        self.choices |= {Choice(centre, g, place), Choice(scale, g, place)}
        factors = powers(split(via)[0])
        if sum(powers(via).values()) > 1:
            self.choices |= {Choice(factor, g, (place, c)) for c in factors if self.measures.factor(c)[1] > 0.0}

    def _origins(self) -> dict[str, float]:
        """Means of gaussian responses that nothing depends on."""
        causes = {k for graph in self.graphs for p in graph.paths for k in p.observed}
        causes |= {c.column for graph in self.graphs for row in (*graph.thresholds, *graph.quantities) for c in row.via}
        out: dict[str, float] = {}
        for v in self.table.variables.values():
            plain = v.is_gaussian
            if v.role != "response" or not plain or v.key in causes or v.arguments:
                continue
            found = [d.summary(v.key) for d in self.designs if v.key in d.responses]
            known = sum(s.known for s in found)
            if known:
                out[v.key] = sum(s.known * s.mean for s in found) / known
        return out

    def _find_slope(self, g: int, graph: ModelGraph, path: Path) -> None:
        """A random slope acts by one fixed path; beside it there may be random effects that it covaries with."""
        if graph.table.variables[path.source].role == "response" or len(graph.out_of(path.source)) != 1:
            return
        self.slope[g, path.source] = path
        beside = self.beside[g, path.source] = {}
        for other in graph.into(path.target):
            if other.source and other.source != path.source and other.parameter < 0 and other.value:
                joined = any({c.a, c.b} == {other.source, path.source} and c.parameter >= 0 for c in graph.covariances)
                if joined and len(graph.out_of(other.source)) == 1:
                    beside.setdefault(monomial(other.via), other)
        self._choose(RANDOM, g, path.source, path.via)

    # ------------------------------------------------------------------ what the table's parameters become

    def build(self) -> Frame | None:
        """Give up choices until every parameter has one expression; return the frame."""
        while lost := self._without_partner():
            self.choices -= lost
        while True:
            sums = [self._sums(g, graph) for g, graph in enumerate(self.graphs)]
            lost = self._conflicts(sums)
            if not lost:
                break
            self.choices -= lost
        if not self.choices:
            return None
        n = self.table.n_parameters
        A, b = np.eye(n), np.zeros(n)
        products: dict[tuple[int, int, int], float] = {}
        for own, _ in sums:
            for (parameter, _), found in own.items():
                if parameter >= 0:
                    A[parameter] = 0.0
                    b[parameter] = found.terms.get(CONSTANT, 0.0)
                    for q, value in found.terms.items():
                        if isinstance(q, tuple):
                            products[parameter, q[0], q[1]] = value
                        elif q != CONSTANT:
                            A[parameter, q] = value
        changed: dict[Covariate, Standard] = {}
        graphs = tuple(self._graph(g, graph, changed) for g, graph in enumerate(self.graphs))
        origins = tuple(
            {key: origin for key, origin in self.origins.items() if Choice("origin", g, key) in self.choices}
            for g in range(len(self.graphs))
        )
        added = tuple((*which, value) for which, value in products.items())
        out = Frame(graphs, (), A, b, added, changed, origins)
        return replace(out, designs=tuple(out.design(g, design) for g, design in enumerate(self.designs)))

    def _standard(self, names: tuple[str, str, str], g: int, place: Hashable, via: Product) -> Standard | None:
        """Return the covariate that stands for a product in one place, None where it is left as it is."""
        chosen, factor = [Choice(name, g, place) in self.choices for name in names[:2]], names[2]
        factors = powers(split(via)[0]).items()
        moved = {c: Choice(factor, g, (place, c)) in self.choices for c, _ in factors}
        if not (any(chosen) or any(moved.values())):
            return None
        about = tuple((c, n, self.measures.factor(c)[0] if moved[c] else 0.0) for c, n in factors)
        mean, deviation = self.measures.of(about)
        size = deviation if chosen[0] else float(np.hypot(mean, deviation))
        return Standard(about, mean if chosen[0] else 0.0, size if chosen[1] and deviation else 1.0)

    def _spread(self, names: tuple[str, str, str], g: int, place: Hashable, via: Product) -> Iterator[Spread]:
        """Yield the terms of what stands for a product in one place, multiplied out; the product itself first."""
        centre, scale, factor = names
        standard = self._standard(names, g, place, via) if via else None
        if standard is None:
            yield Spread(monomial(via), 1.0, set())
            return
        kept = tuple(powers(split(via)[1]).items())
        scaled = {Choice(scale, g, place)} & self.choices
        for part in parts(standard.about):
            left = set(scaled)
            if part.moved:  # without the factor that is nearest to zero there is no such term
                left.add(Choice(factor, g, (place, min(part.moved, key=self.measures.distance))))
            yield Spread(part.monomial.union(kept), part.factor / standard.scale, left)
        if standard.origin:
            whole = Choice(centre, g, place)
            yield Spread(NOTHING.union(kept), -standard.origin / standard.scale, {whole, *scaled})

    def _transformation(self, g: int, graph: ModelGraph) -> dict[str, list[tuple[str, float, set[Choice]]]]:
        """Return T by columns: which variables a variable of the frame is a part of, with factors."""
        out: dict[str, list[tuple[str, float, set[Choice]]]] = {k: [(k, 1.0, set())] for k in graph.table.variables}
        for (group, key), path in self.slope.items():
            if group != g:
                continue
            first, *others = self._spread(RANDOM, g, key, path.via)
            out[key] = [(key, first.factor, first.choices)]
            for rest, factor, choices in others:
                beside = self.beside[g, key][rest]
                out[key].append((beside.source, factor * path.value / beside.value, choices))
        return out

    def _without_partner(self) -> set[Choice]:
        """Return the choices of random slopes that leave something to a random effect that is not there."""
        lost: set[Choice] = set()
        for (g, key), path in self.slope.items():
            _, *others = self._spread(RANDOM, g, key, path.via)
            for rest, _, choices in others:
                if rest not in self.beside[g, key]:
                    lost |= {c for c in choices if c.what in GENTLE}
        return lost

    def _sums(self, g: int, graph: ModelGraph) -> tuple[dict[tuple[int, Hashable], Sum], set[Choice]]:
        """Return each element (parameter, place) of the table as a sum of those in the frame; what has no place."""
        T = self._transformation(g, graph)
        found: dict[Hashable, Sum] = defaultdict(lambda: Sum({}, set()))

        def spread(
            kind: Hashable, target: str, source: str, via: Product, p: int, value: float, place: Hashable
        ) -> None:
            slope = source and (g, source) in self.slope  # its covariate and its variable change together
            plain = slope or not via
            terms = [Spread(monomial(via), 1.0, set())] if plain else list(self._spread(FIXED, g, place, via))
            for t, factor, choices in T[target]:
                coefficient = factor * (1.0 if p >= 0 else value)
                for rest, part, own in terms:
                    found[kind, t, source, rest].add(max(p, CONSTANT), coefficient * part, own | choices)

        elements: list[tuple[int, float, Hashable]] = []
        for i, path in enumerate(graph.paths):
            spread("path", path.target, path.source, path.via, path.parameter, path.value, i)
            elements.append((path.parameter, path.value, ("path", path.target, path.source, monomial(path.via))))
        for name, rows in (("thresholds", graph.thresholds), ("quantities", graph.quantities)):
            for i, row in enumerate(rows):
                kind = (name, row.threshold, row.quantity)
                spread(kind, row.target, row.source, row.via, row.parameter, row.ustart or 0.0, (name, i))
                elements.append((row.parameter, row.ustart or 0.0, (kind, row.target, row.source, monomial(row.via))))
        for key, origin in self.origins.items():
            if Choice("origin", g, key) in self.choices:
                found["path", key, "", NOTHING].add(CONSTANT, origin, {Choice("origin", g, key)})
        for c in graph.covariances:
            for left, right in ((c.a, c.b), (c.b, c.a))[: 1 + (c.a != c.b)]:
                for a, f, one in T[left]:
                    for b, h, two in T[right]:
                        value = f * h * (1.0 if c.parameter >= 0 else c.value)
                        if a <= b:
                            found["covariance", a, b].add(max(c.parameter, CONSTANT), value, one | two)
            elements.append((c.parameter, c.value, ("covariance", *sorted((c.a, c.b)))))
        to_loadings(graph, found, elements)
        to_thresholds(graph, found, elements)
        to_components(graph, found, elements)
        return placed(found, elements)

    def _conflicts(self, sums: Sequence[tuple[dict[tuple[int, Hashable], Sum], set[Choice]]]) -> set[Choice]:
        """Return choices to give up: those that a fixed, shared or constrained parameter rules out, centres first."""
        lost: set[Choice] = set()
        first: dict[int, Sum] = {}
        for own, misplaced in sums:
            lost |= misplaced
            for (parameter, _), found in own.items():
                if parameter in self.pinned and not found.equals({parameter: 1.0}):
                    lost |= found.choices
                one = first.setdefault(parameter, found)
                if not found.equals(one.terms):
                    lost |= found.choices | one.choices
        gentle = {c for c in lost if c.what in GENTLE}
        return gentle or lost

    # ------------------------------------------------------------------ the model in the frame

    def _graph(self, g: int, graph: ModelGraph, changed: dict[Covariate, Standard]) -> ModelGraph:
        """Return a graph whose paths go through the covariates of the frame; note these."""

        def through(names: tuple[str, str, str], place: Hashable, via: Product) -> Product:
            standard = self._standard(names, g, place, via)
            if standard is None:
                return via
            changed[standard.name] = standard
            return (standard.name, *split(via)[1])

        def path(i: int, p: Path) -> Path:
            slope = p.source and (g, p.source) in self.slope
            return p._replace(via=through(RANDOM, p.source, p.via) if slope else through(FIXED, i, p.via))

        def rows(name: str, given: Sequence[Row]) -> tuple[Row, ...]:
            return tuple(r._replace(via=through(FIXED, (name, i), r.via)) for i, r in enumerate(given))

        if not any(c.group == g and c.what != "origin" for c in self.choices):
            return graph
        new = replace(
            graph,
            paths=tuple(path(i, p) for i, p in enumerate(graph.paths)),
            thresholds=rows("thresholds", graph.thresholds),
            quantities=rows("quantities", graph.quantities),
        )
        for name in ("responses", "latents", "causes", "orders"):
            new.__dict__[name] = getattr(graph, name)
        return new
