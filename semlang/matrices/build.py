"""From the graph to the reduced form: latent variables are substituted from the causes down."""

from __future__ import annotations

import numpy as np

from semlang.graph.model_graph import ModelGraph, Path
from semlang.graph.order import causes_first, triangular_order
from semlang.matrices.products import Products
from semlang.matrices.reduced import Cells, Disturbance, Linear, Predictor, ReducedForm
from semlang.model.table import Product, Row, Variable

_MEAN = -1
_Terms = dict[tuple[Product, int], int]  # (product of covariates, number of zeta or _MEAN) -> slot
_Addends = dict[tuple[Product, int], list[tuple[int, int, float]]]  # (slot, parameter, constant)


def reduced_form(graph: ModelGraph, lift: bool = False) -> ReducedForm:
    """Return nu as functions of covariates and disturbances alone.

    Parameters
    ----------
    graph : ModelGraph
    lift : bool
        Whether gaussian responses on which other variables are regressed become disturbances of their own
        (RAM); else their observed values are covariates. A gaussian response whose residual is correlated with
        a latent variable is lifted in any case.

    Raises
    ------
    ValueError
        If the paths are cyclic.
    """
    return _known(graph, lift, graph.responses)


def whole_form(graph: ModelGraph, lift: bool = True) -> ReducedForm:
    """Return the reduced form of all variables: latent variables and components stand among the responses.

    Moments and scores of latent variables are read from it; it is no likelihood.

    Parameters
    ----------
    graph : ModelGraph
    lift : bool
        As for `reduced_form`.
    """
    return _known(graph, lift, tuple(graph.table.variables))


def form_of(graph: ModelGraph, of: tuple[str, ...]) -> ReducedForm:
    """Return the reduced form of some variables, which stand in the place of the responses."""
    return _known(graph, False, of)


def _known(graph: ModelGraph, lift: bool, of: tuple[str, ...]) -> ReducedForm:
    lifted = _lifted(graph, lift)
    sources = lifted if lift else frozenset()
    known = ("reduced form", lifted, sources, of)
    if known not in graph.memo:
        graph.memo[known] = _reduce(graph, lifted, sources, of)
    form: ReducedForm = graph.memo[known]
    return form


def _reduce(graph: ModelGraph, lifted: frozenset[str], sources: frozenset[str], of: tuple[str, ...]) -> ReducedForm:
    disturbances = _disturbances(graph, lifted)
    substitution = _Substitution(graph, sources, [d.key for d in disturbances])
    mean_columns: dict[Product, int] = {(): 0}
    random_columns: dict[Product, int] = {(): 0}
    mean_cells: list[tuple[int, int, int]] = []
    loading_cells: list[tuple[int, int, int, int]] = []
    offsets: dict[int, tuple[Product, ...]] = {}
    predictors = [Predictor(k, c) for k, key in enumerate(of) for c in substitution.categories.get(key, ())]
    terms = [substitution.terms[key] for key in of]
    terms += [substitution.categories[of[p.response]][p.category] for p in predictors]
    for k, of_predictor in enumerate(terms):
        for (product, j), slot in of_predictor.items():
            if j == _MEAN:
                mean_cells.append((k, mean_columns.setdefault(product, len(mean_columns)), slot))
            else:
                loading_cells.append((k, random_columns.setdefault(product, len(random_columns)), j, slot))
    for k, key in enumerate(of):
        if key in substitution.offsets:
            offsets[k] = tuple(substitution.offsets[key])
    index = {key: k for k, key in enumerate(of)}
    quantities, thresholds, random = _further(graph, index, substitution)
    number = {d.key: j for j, d in enumerate(disturbances)}
    return ReducedForm(
        responses=of,
        disturbances=disturbances,
        mean_columns=tuple(mean_columns),
        random_columns=tuple(random_columns),
        n_parameters=graph.table.n_parameters,
        program=np.array([line[:3] for line in substitution.lines], dtype=np.int64).reshape(-1, 3),
        constants=np.array([line[3] for line in substitution.lines], dtype=float),
        n_slots=substitution.n_slots,
        mean_cells=np.array(sorted(mean_cells), dtype=np.int64).reshape(-1, 3),
        loading_cells=np.array(sorted(loading_cells), dtype=np.int64).reshape(-1, 4),
        psi=_psi(graph, disturbances),
        theta=_theta(graph, lifted, index),
        quantities=quantities,
        thresholds=thresholds,
        random=random,
        offsets=offsets,
        lifted=tuple(k for k in of if k in lifted),
        predictors=tuple(predictors),
        moderated={
            (max(i, j), min(i, j)): tuple(substitution.further(row)[0][0] for row in rows)
            for (a, b), rows in graph.moderated.items()
            for i, j in [(number.get(a, -1), number.get(b, -1))]
            if i >= 0 and j >= 0
        },
    )


class _Substitution:
    """Terms of every variable, and the program of slots that computes them."""

    def __init__(self, graph: ModelGraph, sources: frozenset[str], disturbances: list[str]) -> None:
        self.lines: list[tuple[int, int, int, float]] = []
        self.n_slots = 1
        self.terms: dict[str, _Terms] = {}
        self.categories: dict[str, dict[str, _Terms]] = {}
        self.offsets: dict[str, list[Product]] = {}
        self._sources = sources
        self._known: dict[tuple[tuple[int, int, float], ...], int] = {((0, -1, 1.0),): 0}
        self._products = Products(row.via for row in graph.table.rows)
        self._components = {v.key: v.response for v in graph.table.latents if v.role == "component"}
        self._within: dict[str, _Terms] = {}
        zeta = {key: j for j, key in enumerate(disturbances)}
        for key in causes_first(graph.causes):
            addends: _Addends = {((), zeta[key]): [(0, -1, 1.0)]} if key in zeta else {}
            response = graph.table.variables[key]
            if named := list(dict.fromkeys(p.category for p in graph.into(key) if p.category)):
                self.terms[key] = {}
                self.categories[key] = {c: self._of_category(graph.into(key), c) for c in named}
                continue
            plain = response.role == "response" and not response.kind.nominal and key not in zeta
            components = [p for p in graph.into(key) if self._components.get(p.source) == key]
            for path in graph.into(key):
                if plain and _is_offset(path):
                    self.offsets.setdefault(key, []).append(path.via)
                elif not path.is_zero and path not in components:
                    self._add(addends, path)
            if components:
                self._within[key] = self._slots(addends)
            for path in components:
                self._add(addends, path)
            self.terms[key] = self._slots(addends)

    def _of_category(self, paths: tuple[Path, ...], category: str) -> _Terms:
        """Return the terms of the linear predictor of one category of a nominal response."""
        addends: _Addends = {}
        for path in paths:
            if path.category in ("", category) and not path.is_zero:
                self._add(addends, path)
        return self._slots(addends)

    def further(self, row: Row) -> tuple[tuple[Linear, ...], bool]:
        """Return the addends that a row gives a quantity or threshold, and whether it also depends on disturbances."""
        value = 0.0 if row.parameter >= 0 else row.ustart or 0.0
        if not row.source:
            return (Linear(row.parameter, value, row.via),), False
        path = Path(row.target, row.source, row.via, "regression", row.parameter, value, row)
        if path.is_zero:
            return (), False
        addends: _Addends = {}
        self._times(addends, path, row.via, self.terms[row.source])
        terms = self._slots(addends)
        known = tuple(Linear(-1, 0.0, product, slot) for (product, j), slot in terms.items() if j == _MEAN)
        return known, any(j != _MEAN for _, j in terms)

    def _slots(self, addends: _Addends) -> _Terms:
        slots = {term: self._slot(lines) for term, lines in addends.items()}
        return {term: slot for term, slot in slots.items() if slot >= 0}

    def _add(self, addends: _Addends, path: Path) -> None:
        """Add a path; inside lavaan's level blocks a response on the right stands for its part of that level."""
        source, via = path.source, path.via
        inside = path.row is not None and path.row.level == 1 and len(path.observed) == 1
        if not source and len(path.observed) == 1 and path.observed[0] in self._sources:
            factor = next(c for c in via if c.response)
            if factor.function == "identity":
                source, via = factor.column, tuple(c for c in via if c is not factor)
                if inside and source in self._within:
                    return self._times(addends, path, via, self._within[source])
        self._times(addends, path, via, self.terms[source] if source else {((), _MEAN): 0})
        if inside and not source:
            via = tuple(c for c in via if not c.response)
            for component in (c for c, response in self._components.items() if response == path.observed[0]):
                minus = {term: self._slot([(slot, -1, -1.0)]) for term, slot in self.terms[component].items()}
                self._times(addends, path, via, minus)
        return None

    def _times(self, addends: _Addends, path: Path, via: Product, terms: _Terms) -> None:
        for (product, j), slot in terms.items():
            new = self._products.times(via, product)
            if new is not None:
                coefficient = (slot, path.parameter, 0.0 if path.parameter >= 0 else path.value)
                addends.setdefault((new, j), []).append(coefficient)

    def _slot(self, addends: list[tuple[int, int, float]]) -> int:
        """Return the slot of a sum of coefficient x slot, -1 where it is 0; equal sums share a slot."""
        constants: dict[int, float] = {}
        for frm, p, c in addends:
            if p < 0:
                constants[frm] = constants.get(frm, 0.0) + c
        free = [a for a in addends if a[1] >= 0]
        lines = tuple(sorted(free + [(frm, -1, c) for frm, c in constants.items() if c != 0]))
        if not lines:
            return -1
        if len(lines) == 1 and lines[0][1:] == (-1, 1.0):
            return lines[0][0]
        if lines not in self._known:
            self._known[lines] = self.n_slots
            self.lines += [(self.n_slots, *line) for line in lines]
            self.n_slots += 1
        return self._known[lines]


def _is_offset(path: Path) -> bool:
    offset = any(c.function == "offset" for c in path.via)
    return offset and path.parameter < 0 and path.value == 1 and not path.source


def liftable(graph: ModelGraph, variable: Variable) -> bool:
    """Return whether a response may be lifted: it is gaussian with identity link and one variance."""
    return (
        variable.role == "response"
        and variable.is_linear
        and not any(row.target == variable.key and row.quantity for row in graph.quantities)
    )


def _lifted(graph: ModelGraph, lift: bool) -> frozenset[str]:
    known = ("lifted", lift)
    if known not in graph.memo:
        graph.memo[known] = _find_lifted(graph, lift)
    found: frozenset[str] = graph.memo[known]
    return found


def _find_lifted(graph: ModelGraph, lift: bool) -> frozenset[str]:
    able = {v.key for v in graph.table.variables.values() if liftable(graph, v)}
    found: set[str] = set()
    if lift:
        for path in graph.paths:
            if not path.source and len(path.observed) == 1 and not path.is_zero:
                factor = next(c for c in path.via if c.response)
                if factor.function == "identity":
                    found.add(factor.column)
    latent = set(graph.latents)
    found &= able
    while True:
        more = {
            end
            for c in graph.covariances
            if c.a != c.b and not c.is_zero
            for end, other in ((c.a, c.b), (c.b, c.a))
            if end in able and end not in found and (other in latent or other in found)
        }
        if not more:
            return frozenset(found)
        found |= more


def _disturbances(graph: ModelGraph, lifted: frozenset[str]) -> tuple[Disturbance, ...]:
    """Return the zetas that are not fixed at 0, in the order of B.

    At each level those stand first that move distributions by more than linear predictors: they will be conditioned on,
    and so will what stands before them in the factor of Psi.
    """
    level = {v.key: v.level for v in graph.table.variables.values()}
    members = {k for k in level if k in lifted or _is_continuous(graph.table.variables[k])}
    moving = {end for c in graph.covariances if not c.is_zero and level[c.a] == level.get(c.b) for end in (c.a, c.b)}
    order = [key for key in triangular_order(graph, members) if key in moving]
    first = _moving_distributions(graph)
    order.sort(key=lambda key: (graph.table.levels.index(level[key]), key not in first))
    return tuple(Disturbance(key, level[key]) for key in order)


def _moving_distributions(graph: ModelGraph) -> set[str]:
    """Return the latent variables that thresholds and distributions' own parameters depend on."""
    found: set[str] = set()
    waiting = [row.source for row in (*graph.thresholds, *graph.quantities) if row.source in graph.latents]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += [c for c in graph.causes[key] if c in graph.latents]
    return found


def _is_continuous(variable: Variable) -> bool:
    return variable.role != "response" and not variable.kind.discrete


def _psi(graph: ModelGraph, disturbances: tuple[Disturbance, ...]) -> Cells:
    index = {d.key: j for j, d in enumerate(disturbances)}
    level = {d.key: d.level for d in disturbances}
    entries = [
        (index[c.a], index[c.b], c.parameter, c.value)
        for c in graph.covariances
        if c.a in index and c.b in index and level[c.a] == level[c.b] and not c.is_zero
    ]
    return Cells.of((len(index), len(index)), entries, symmetric=True)


def _theta(graph: ModelGraph, lifted: frozenset[str], index: dict[str, int]) -> Cells:
    variables = graph.table.variables
    entries = [
        (index[c.a], index[c.b], c.parameter, c.value)
        for c in graph.covariances
        if not c.is_zero
        and all(k in index and k not in lifted and variables[k].kind.residual for k in (c.a, c.b))
        and variables[c.a].level == variables[c.b].level
    ]
    return Cells.of((len(index), len(index)), entries, symmetric=True)


def _further(
    graph: ModelGraph, index: dict[str, int], substitution: _Substitution
) -> tuple[
    dict[tuple[int, str], tuple[Linear, ...]],
    dict[int, tuple[tuple[Linear, ...], ...]],
    frozenset[tuple[int, str]],
]:
    """Return quantities, thresholds (tau + x'd), and which of them depend on disturbances."""
    quantities: dict[tuple[int, str], tuple[Linear, ...]] = {}
    thresholds: dict[int, dict[int, list[Linear]]] = {}
    random: set[tuple[int, str]] = set()
    for row in graph.quantities:
        if row.target in index and not graph.table.variables[row.target].is_normal:
            key = index[row.target], row.quantity
            addends, moves = substitution.further(row)
            quantities[key] = (*quantities.get(key, ()), *addends)
            if moves:
                random.add(key)
    for row in graph.scales:
        if row.target in index:
            key, power = (index[row.target], "sigma"), -1.0 if row.op == "~*~" else 0.5
            free = row.parameter >= 0
            value = 0.0 if free else power * float(np.log(row.ustart or 1.0))
            quantities[key] = (*quantities.get(key, ()), Linear(row.parameter, value, (), log=power if free else 0.0))
    for row in sorted(graph.thresholds, key=lambda row: row.op != "|"):  # the threshold itself comes first
        if row.target in index:
            k = index[row.target]
            addends, moves = substitution.further(row)
            thresholds.setdefault(k, {}).setdefault(row.threshold, []).extend(addends)
            if moves:
                random.add((k, "threshold"))
    ordered = {k: tuple(tuple(thresholds[k][t]) for t in sorted(thresholds[k])) for k in sorted(thresholds)}
    return quantities, ordered, frozenset(random)
