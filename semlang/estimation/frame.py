"""Covariates centred and scaled inside the estimation, and the exact way back to the parameters of the table.

With x = m + s x', a term b x of a linear predictor is b' x' where b' = s b, and its intercept (or each of its
thresholds) takes b m. A random slope u x with an intercept u0 beside it is u' x' where u' = s u, and u0' = u0 + m u:
their covariance matrix changes by Psi = T Psi' T'. A response y = o + y' gives o to its intercept. All of that is
linear in the parameters,

    theta = A theta' + b,

but for products of two: a latent variable without an intercept that is regressed on x leaves m times its slope, times
its loadings, to the intercepts of the responses that it acts on. In either case
the log-likelihood is the same number. Where nothing free takes what a covariate's mean leaves behind (no intercept,
a fixed or shared one, one in a constraint), the covariate is scaled alone, or left as it is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import Filling, ProductColumns
from semlang.data.design import Design
from semlang.estimation.parameters import Parametrisation
from semlang.estimation.scaling import Scaled
from semlang.graph.model_graph import ModelGraph, Path
from semlang.model.table import Covariate, ParameterTable, Product, Row

__all__ = ["Frame", "Framed", "FramedColumns", "frame"]

Floats = NDArray[np.float64]

CONSTANT = -1
"""Stands for no parameter in an expression."""

Term = Any
"""A parameter, or a pair: the product of a loading and a parameter."""


class Choice(NamedTuple):
    """What is done to a covariate in one place, or to a response.

    ``centre`` and ``scale`` of a path or row, ``slope`` and ``narrow`` (the same with a random slope), ``origin``.
    """

    what: str
    group: int
    place: Hashable


@dataclass
class _Sum:
    """A parameter of the table as a sum of those in the frame, and the choices that it depends on."""

    terms: dict[Term, float]
    choices: set[Choice]

    def add(self, parameter: Term, value: float, choices: Collection[Choice] = ()) -> None:
        """Add value times a parameter."""
        if value:
            self.terms[parameter] = self.terms.get(parameter, 0.0) + value
            self.choices |= set(choices)

    def add_all(self, other: _Sum, factor: float, times: int = CONSTANT) -> None:
        """Add factor times another sum, also times a parameter."""
        for parameter, value in other.terms.items():
            term: Term = parameter
            if times != CONSTANT:
                term = times if parameter == CONSTANT else (times, parameter)
            self.add(term, factor * value, other.choices)

    def equals(self, other: Mapping[Any, float]) -> bool:
        """Return whether two sums are the same but for rounding."""
        return all(
            math.isclose(self.terms.get(k, 0.0), other.get(k, 0.0), rel_tol=1e-12)
            for k in self.terms.keys() | other.keys()
        )


class FramedColumns(Mapping[Product, Floats]):
    """The columns of a design, and those in the frame."""

    def __init__(
        self, raw: Mapping[Product, Floats], changed: Mapping[Covariate, tuple[Product, float, float]]
    ) -> None:
        self._raw, self._changed = raw, changed
        self._known: dict[Product, Floats] = {}

    def __getitem__(self, product: Product) -> Floats:
        changed = [c for c in product if c in self._changed]
        if not changed:
            return self._raw[product]
        if product not in self._known:
            out = self._raw[tuple(c for c in product if c not in self._changed)]
            for c in changed:
                source, origin, scale = self._changed[c]
                out = out * ((self._raw[source] - origin) / scale)
            self._known[product] = out
        return self._known[product]

    def filled(self, name: str, where: NDArray[np.bool_], value: Filling) -> FramedColumns:
        """Return the columns with one value of a column in some rows."""
        assert isinstance(self._raw, ProductColumns)
        return FramedColumns(self._raw.filled(name, where, value), self._changed)

    def known(self, name: str) -> NDArray[np.bool_]:
        """Return the rows in which a column is known."""
        assert isinstance(self._raw, ProductColumns)
        return self._raw.known(name)

    def filling(self, name: str, rows: NDArray[np.int64], number: float, level: str = "") -> Filling:
        """Return what a column holds in the first of some rows; where there are none, a number and a level."""
        assert isinstance(self._raw, ProductColumns)
        return self._raw.filling(name, rows, number, level)

    def __iter__(self) -> Iterator[Product]:
        return iter(dict.fromkeys([*self._raw, *((c,) for c in self._changed), *self._known]))

    def __len__(self) -> int:
        return len(list(iter(self)))


@dataclass(frozen=True)
class Frame:
    """A model in the frame, and the way back.

    Parameters
    ----------
    graphs, designs : tuples, one a group
    A : (P, P) floats
    b : (P,) floats
        theta = A theta' + b + products.
    products : tuple of (int, int, int, float)
        A parameter takes so many times the product of two others, which have no products of their own.
    """

    graphs: tuple[ModelGraph, ...]
    designs: tuple[Design, ...]
    A: Floats
    b: Floats
    products: tuple[tuple[int, int, int, float], ...] = ()

    def _added(self, inside: Floats) -> Floats:
        out = np.zeros(inside.size)
        for p, i, j, value in self.products:
            out[p] += value * inside[i] * inside[j]
        return out

    def theta(self, inside: Floats) -> Floats:
        """Return the table's parameters."""
        return np.asarray(self.A @ inside + self.b + self._added(inside))

    def inside(self, theta: Floats) -> Floats:
        """Return the parameters in the frame."""
        first: Floats = np.asarray(np.linalg.solve(self.A, theta - self.b), dtype=np.float64)
        if not self.products:
            return first
        return np.asarray(first - np.linalg.solve(self.A, self._added(first)), dtype=np.float64)

    def jacobian(self, inside: Floats) -> Floats:
        """Return dtheta/dtheta' (P, P)."""
        out = self.A.copy()
        for p, i, j, value in self.products:
            out[p, i] += value * inside[j]
            out[p, j] += value * inside[i]
        return out

    def carried(
        self, inside: Floats, vcov: Floats | None, scores: Floats | None
    ) -> tuple[Floats, Floats | None, Floats | None]:
        """Return the table's parameters, their covariance matrix and the scores of the top-level units.

        Parameters without a variance (NaN) have none in the table either, unless others are a part of them.
        """
        A = self.jacobian(inside)
        if vcov is not None:
            unknown = np.isnan(np.diagonal(vcov))
            lost = ~((A != 0.0) @ ~unknown)
            vcov = A @ np.where(unknown[:, None] | unknown, 0.0, vcov) @ A.T
            vcov[lost], vcov[:, lost] = np.nan, np.nan
        return self.theta(inside), vcov, None if scores is None else scores @ np.asarray(np.linalg.inv(A))


class Framed:
    """A parametrisation of the model in the frame, carried on to the table's parameters.

    Parameters
    ----------
    inner : Parametrisation or Scaled
    frame : Frame
    """

    def __init__(self, inner: Parametrisation | Scaled, frame: Frame) -> None:
        self.inner, self.frame = inner, frame
        self.n_parameters = inner.n_parameters
        self.factored, self.blocks = inner.factored, inner.blocks

    def theta(self, x: Floats) -> Floats:
        """Return the table's parameters."""
        return self.frame.theta(self.inner.theta(x))

    def coordinates(self, theta: Floats) -> Floats:
        """Return coordinates of parameters."""
        return self.inner.coordinates(self.frame.inside(theta))

    def jacobian(self, x: Floats) -> Floats:
        """Return dtheta/dx (P, P)."""
        return np.asarray(self.frame.jacobian(self.inner.theta(x)) @ self.inner.jacobian(x))


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
        self.measures: dict[Product, tuple[float, float]] = {}
        self.partner: dict[tuple[int, str], Path] = {}
        self.slope: dict[tuple[int, str], Path] = {}
        self.choices: set[Choice] = set()
        origins = self._origins()
        for g, graph in enumerate(self.graphs):
            for i, path in enumerate(graph.paths):
                if path.parameter >= 0 and self._measured(path.via):
                    self.choices |= {Choice("centre", g, i), Choice("scale", g, i)}
                elif path.parameter < 0 and path.value and path.source and self._measured(path.via):
                    self._find_slope(g, graph, path)
            for name, rows in (("thresholds", graph.thresholds), ("quantities", graph.quantities)):
                for i, row in enumerate(rows):
                    if row.parameter >= 0 and not row.source and self._measured(row.via):
                        self.choices |= {Choice("centre", g, (name, i)), Choice("scale", g, (name, i))}
            self.choices |= {Choice("origin", g, key) for key in graph.responses if origins.get(key)}
        self.origins = origins

    def _origins(self) -> dict[str, float]:
        """Means of gaussian responses that nothing depends on."""
        causes = {k for graph in self.graphs for p in graph.paths for k in p.observed}
        causes |= {c.column for graph in self.graphs for row in (*graph.thresholds, *graph.quantities) for c in row.via}
        out: dict[str, float] = {}
        for v in self.table.variables.values():
            plain = v.kind.name == "gaussian" and v.link in ("", "identity")
            if v.role != "response" or not plain or v.key in causes or v.arguments:
                continue
            values = np.concatenate([d.responses[v.key] for d in self.designs if v.key in d.responses])
            known = values[~np.isnan(values)]
            if known.size:
                out[v.key] = float(known.mean())
        return out

    def _measured(self, via: Product) -> bool:
        """Whether a product of covariates has a mean and a standard deviation; they are those of all groups."""
        if not via or any(c.response or c.function in ("offset", "factor") for c in via):
            return False
        if via not in self.measures:
            values = np.concatenate([d.columns[via] for d in self.designs])
            known = values[np.isfinite(values)]
            origin, scale = (float(known.mean()), float(known.std())) if known.size else (0.0, 0.0)
            self.measures[via] = (origin, scale if scale > 1e-13 * abs(origin) else 0.0)
        return self.measures[via][1] > 0.0

    def _find_slope(self, g: int, graph: ModelGraph, path: Path) -> None:
        """A random slope acts by one fixed path; beside it there may be a random intercept that it covaries with."""
        if graph.table.variables[path.source].role == "response" or len(graph.out_of(path.source)) != 1:
            return
        self.slope[g, path.source] = path
        self.choices.add(Choice("narrow", g, path.source))
        for other in graph.into(path.target):
            if other.source and other.source != path.source and not other.via and other.parameter < 0 and other.value:
                joined = any({c.a, c.b} == {other.source, path.source} and c.parameter >= 0 for c in graph.covariances)
                if joined and len(graph.out_of(other.source)) == 1:
                    self.partner[g, path.source] = other
                    self.choices.add(Choice("slope", g, path.source))
                    return

    # ------------------------------------------------------------------ what the table's parameters become

    def build(self) -> Frame | None:
        """Give up choices until every parameter has one expression; return the frame."""
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
        changed = self._products()
        graphs = tuple(self._graph(g, graph) for g, graph in enumerate(self.graphs))
        designs = tuple(self._design(g, design, changed) for g, design in enumerate(self.designs))
        return Frame(graphs, designs, A, b, tuple((*which, value) for which, value in products.items()))

    def _measure(self, g: int, place: Hashable, via: Product) -> tuple[float, float, set[Choice]]:
        """Return the origin and scale of a covariate in one place, and the choices made for it."""
        centre, scale = Choice("centre", g, place), Choice("scale", g, place)
        used = {c for c in (centre, scale) if c in self.choices}
        m, s = self.measures.get(via, (0.0, 1.0))
        return m if centre in used else 0.0, s if scale in used else 1.0, used

    def _transformation(self, g: int, graph: ModelGraph) -> dict[str, list[tuple[str, float, set[Choice]]]]:
        """Return T by columns: which variables a variable of the frame is a part of, with factors."""
        out: dict[str, list[tuple[str, float, set[Choice]]]] = {k: [(k, 1.0, set())] for k in graph.table.variables}
        for (group, key), path in self.slope.items():
            if group != g or Choice("narrow", g, key) not in self.choices:
                continue
            m, s = self.measures[path.via]
            out[key] = [(key, 1.0 / s, {Choice("narrow", g, key)})]
            if Choice("slope", g, key) in self.choices:
                beside = self.partner[g, key]
                both = {Choice("slope", g, key), Choice("narrow", g, key)}
                out[key].append((beside.source, -path.value * m / (beside.value * s), both))
        return out

    def _sums(self, g: int, graph: ModelGraph) -> tuple[dict[tuple[int, Hashable], _Sum], set[Choice]]:
        """Return each element (parameter, place) of the table as a sum of those in the frame; what has no place."""
        T = self._transformation(g, graph)
        found: dict[Hashable, _Sum] = defaultdict(lambda: _Sum({}, set()))

        def spread(
            kind: Hashable, target: str, source: str, via: Product, p: int, value: float, place: Hashable
        ) -> None:
            m, s, used = self._measure(g, place, via)
            slope = source and (g, source) in self.slope
            for t, factor, choices in T[target]:
                coefficient = factor * (1.0 if p >= 0 else value)
                parameter = p if p >= 0 else CONSTANT
                if slope:  # its covariate and its variable change together
                    found[kind, t, source, via].add(parameter, coefficient, choices)
                    continue
                found[kind, t, source, via].add(parameter, coefficient / s, used | choices)
                found[kind, t, source, ()].add(parameter, -coefficient * m / s, used | choices)

        elements: list[tuple[int, float, Hashable]] = []
        for i, path in enumerate(graph.paths):
            spread("path", path.target, path.source, path.via, path.parameter, path.value, i)
            elements.append((path.parameter, path.value, ("path", path.target, path.source, path.via)))
        for name, rows in (("thresholds", graph.thresholds), ("quantities", graph.quantities)):
            for i, row in enumerate(rows):
                kind = (name, row.threshold, row.quantity)
                spread(kind, row.target, row.source, row.via, row.parameter, row.ustart or 0.0, (name, i))
                elements.append((row.parameter, row.ustart or 0.0, (kind, row.target, row.source, row.via)))
        for key, origin in self.origins.items():
            if Choice("origin", g, key) in self.choices:
                found["path", key, "", ()].add(CONSTANT, origin, {Choice("origin", g, key)})
        for c in graph.covariances:
            for left, right in ((c.a, c.b), (c.b, c.a))[: 1 + (c.a != c.b)]:
                for a, f, one in T[left]:
                    for b, h, two in T[right]:
                        value = f * h * (1.0 if c.parameter >= 0 else c.value)
                        if a <= b:
                            found["covariance", a, b].add(max(c.parameter, CONSTANT), value, one | two)
            elements.append((c.parameter, c.value, ("covariance", *sorted((c.a, c.b)))))
        self._to_loadings(graph, found, elements)
        self._to_thresholds(graph, found, elements)
        self._to_components(graph, found, elements)
        return self._placed(found, elements)

    @staticmethod
    def _to_loadings(
        graph: ModelGraph, found: dict[Hashable, _Sum], elements: Sequence[tuple[int, float, Hashable]]
    ) -> None:
        """What a latent variable without a free intercept leaves behind, the responses that it acts on take."""
        free = {key for parameter, _, key in elements if parameter >= 0}
        for latent in graph.latents:
            key = ("path", latent, "", ())
            rest, paths = found.get(key), graph.out_of(latent)
            if rest is None or key in free or not rest.choices or not paths:
                continue
            if any(p.target not in graph.responses or p.via for p in paths):
                continue
            for p in paths:
                value = 1.0 if p.parameter >= 0 else p.value
                found["path", p.target, "", ()].add_all(rest, value, max(p.parameter, CONSTANT))
            written = sum(value for _, value, place in elements if place == key)
            found[key] = _Sum({CONSTANT: written} if written else {}, set())

    @staticmethod
    def _to_thresholds(
        graph: ModelGraph, found: dict[Hashable, _Sum], elements: list[tuple[int, float, Hashable]]
    ) -> None:
        """Where a response with thresholds has no free intercept, all its thresholds take what is left behind."""
        free = {key for parameter, _, key in elements if parameter >= 0}
        for target in dict.fromkeys(row.target for row in graph.thresholds):
            key = ("path", target, "", ())
            rest = found.get(key)
            if rest is None or key in free or not rest.choices:
                continue
            for row in graph.thresholds:
                if row.target == target and not row.via and not row.source:
                    found[("thresholds", row.threshold, row.quantity), target, "", ()].add_all(rest, -1.0)
            value = sum(v for _, v, k in elements if k == key)
            found[key] = _Sum({CONSTANT: value} if value else {}, set())

    @staticmethod
    def _to_components(
        graph: ModelGraph, found: dict[Hashable, _Sum], elements: Sequence[tuple[int, float, Hashable]]
    ) -> None:
        """Where a response, or a part of it, has no intercept, another part that acts on nothing else has it."""
        written = {key for _, _, key in elements}
        free = {key for parameter, _, key in elements if parameter >= 0}

        def alone(key: str, response: str) -> bool:
            return all(p.target == response and not p.via and p.value == 1.0 for p in graph.out_of(key))

        for v in graph.table.variables.values():
            key, response = ("path", v.key, "", ()), v.response or v.key
            rest = found.get(key)
            if rest is None or key in written or not rest.choices or not (v.key == response or alone(v.key, response)):
                continue
            for other in graph.table.latents:
                new = ("path", other.key, "", ())
                if other.response == response and new in free and alone(other.key, response):
                    found[new].add_all(found.pop(key), 1.0)
                    break

    @staticmethod
    def _placed(
        found: Mapping[Hashable, _Sum], elements: Sequence[tuple[int, float, Hashable]]
    ) -> tuple[dict[tuple[int, Hashable], _Sum], set[Choice]]:
        """Match sums with elements; return those of free ones, and the choices of sums that no element can be."""
        count: dict[Hashable, int] = defaultdict(int)
        for _, _, key in elements:
            count[key] += 1
        own: dict[tuple[int, Hashable], _Sum] = {}
        lost: set[Choice] = set()
        for parameter, value, key in elements:
            total = found.get(key, _Sum({}, set()))
            if count[key] > 1 and total.choices:
                lost |= total.choices
            elif parameter >= 0:
                own[parameter, key] = total if count[key] == 1 else _Sum({parameter: 1.0}, set())
            elif not total.equals({CONSTANT: value} if value else {}):
                lost |= total.choices
        for key, total in found.items():
            if key not in count and any(total.terms.values()):
                lost |= total.choices
        return own, lost

    def _conflicts(self, sums: Sequence[tuple[dict[tuple[int, Hashable], _Sum], set[Choice]]]) -> set[Choice]:
        """Return choices to give up: those that a fixed, shared or constrained parameter rules out, centres first."""
        lost: set[Choice] = set()
        first: dict[int, _Sum] = {}
        for own, misplaced in sums:
            lost |= misplaced
            for (parameter, _), found in own.items():
                if parameter in self.pinned and not found.equals({parameter: 1.0}):
                    lost |= found.choices
                one = first.setdefault(parameter, found)
                if not found.equals(one.terms):
                    lost |= found.choices | one.choices
        gentle = {c for c in lost if c.what in ("centre", "slope")}
        return gentle or lost

    # ------------------------------------------------------------------ the model in the frame

    def _changed(self, g: int, place: Hashable, via: Product) -> Covariate | None:
        """Return the covariate that stands for a product in one place, None where it is left as it is."""
        m, s, used = self._measure(g, place, via)
        return _named(via, m, s) if used else None

    def _slope_changed(self, g: int, path: Path) -> Covariate | None:
        if (g, path.source) not in self.slope or Choice("narrow", g, path.source) not in self.choices:
            return None
        m, s = self.measures[path.via]
        return _named(path.via, m if Choice("slope", g, path.source) in self.choices else 0.0, s)

    def _products(self) -> dict[Covariate, tuple[Product, float, float]]:
        """Return the covariates of the frame: where they come from, their origin and scale."""
        out: dict[Covariate, tuple[Product, float, float]] = {}
        for via, (m, s) in self.measures.items():
            for origin, scale in ((m, s), (0.0, s), (m, 1.0)):
                out[_named(via, origin, scale)] = (via, origin, scale)
        return out

    def _graph(self, g: int, graph: ModelGraph) -> ModelGraph:
        def path(i: int, p: Path) -> Path:
            new = self._slope_changed(g, p) or self._changed(g, i, p.via)
            return p if new is None else p._replace(via=(new,))

        def rows(name: str, given: Sequence[Row]) -> tuple[Row, ...]:
            changed = [self._changed(g, (name, i), row.via) for i, row in enumerate(given)]
            return tuple(r if c is None else r._replace(via=(c,)) for r, c in zip(given, changed, strict=True))

        new = replace(
            graph,
            paths=tuple(path(i, p) for i, p in enumerate(graph.paths)),
            thresholds=rows("thresholds", graph.thresholds),
            quantities=rows("quantities", graph.quantities),
        )
        for name in ("responses", "latents", "causes", "orders"):
            new.__dict__[name] = getattr(graph, name)
        return new

    def _design(self, g: int, design: Design, changed: Mapping[Covariate, tuple[Product, float, float]]) -> Design:
        moved = {
            key: y - self.origins[key] if Choice("origin", g, key) in self.choices else y
            for key, y in design.responses.items()
        }
        return replace(design, responses=moved, columns=FramedColumns(design.columns, changed))


def _named(via: Product, origin: float, scale: float) -> Covariate:
    """Return the covariate that stands for a product less its origin, over its scale."""
    return Covariate(":".join(c.name for c in via), "inside", f"{origin!r} {scale!r}")
