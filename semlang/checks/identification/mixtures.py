r"""Latent classes: the rank of the table of response probabilities (or moments), exactly.

Given classes c responses are independent: the joint distribution is sum_c pi_c prod_k P(y_k | c). A functional of it,

    phi = sum_c pi_c(x) prod_rk ( w_rk0 + w_rk1 E(f_1(y_rk) | c, x) + w_rk2 E(f_2(y_rk) | c, x) + ... ),

is random in its weights w and in the covariates x; P + 8 of them have the rank of the whole table (as in `moments`).
The features f are indicators of categories, powers of a gaussian response, factorial powers of a count. With
t = exp(theta), logits are monomials in t and everything is rational; for other links the value and the slope of the
link at each point are random numbers, a generic link. Classes of higher levels multiply over the rows of their unit.

References
----------
Goodman (1974), Biometrika 61, 215-231; Allman, Matias and Rhodes (2009), Annals of Statistics 37, 3099-3132.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from semlang.checks.identification.constraints import Constraints, NotAlgebraic
from semlang.checks.identification.field import Ints, P, echelon, inverse, null_space, residue
from semlang.checks.identification.names import Names
from semlang.checks.identification.nullsets import null_sets
from semlang.checks.identification.report import IDENTIFIED, NOT_IDENTIFIED, UNDETERMINED, Identification, Reason
from semlang.checks.identification.sample import Sample, generic_sample
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable, Row

DRAWS = 3
MOST_CLASSES = 64


def is_mixture(graphs: Sequence[ModelGraph]) -> bool:
    """Return whether a model has discrete latent variables."""
    return any(v.kind.name in ("class", "masspoints") for g in graphs for v in g.table.latents)


def identify_mixture(table: ParameterTable, graphs: Sequence[ModelGraph], names: Names) -> Identification:
    """Return the verdict on a model with latent classes."""
    unknown = _unsupported(table, graphs)
    if unknown:
        return Identification(UNDETERMINED, unknown, n_free=table.n_parameters)
    try:
        constraints = Constraints(table)
        best: tuple[int, int, Ints, Ints] | None = None
        for draw in range(DRAWS):
            rng = np.random.default_rng([17, draw])
            theta = constraints.solve(rng.integers(2, P, table.n_parameters))
            side = constraints.rows(theta)
            parts = [_Mixture(table, g, theta, rng).jacobian(table.n_parameters + 8) for g in graphs]
            reduced, pivots = echelon(np.concatenate([side, *parts]))
            n_side = len(echelon(side)[1]) if len(side) else 0
            if best is None or len(pivots) > best[0]:
                best = len(pivots), n_side, null_space(reduced, pivots, table.n_parameters), theta
    except NotAlgebraic as problem:
        return Identification(UNDETERMINED, f"{problem}.", n_free=table.n_parameters)
    assert best is not None
    rank, n_side, null, theta = best
    return _report(table, graphs, names, rank, n_side, null, theta)


def _report(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    names: Names,
    rank: int,
    n_side: int,
    null: Ints,
    theta: Ints,
) -> Identification:
    n = table.n_parameters
    cells = _cells(table, graphs)
    df = None if cells is None else cells - (rank - n_side)
    moving = [int(p) for p in np.flatnonzero(null.any(axis=1))]
    fixed = [p for p in range(n) if p not in set(moving) and names.rows(p)]
    rules = tuple(Reason(names.triple(p), names.text(p), "rank of the response probabilities") for p in fixed)
    if rank == n:
        why = f"The Jacobian of the response probabilities has full rank {rank - n_side}, up to the labels of classes."
        kruskal = _kruskal(table, graphs)
        if kruskal:
            why += f" {kruskal}"
        return Identification(
            IDENTIFIED, why, n - n_side, rank - n_side, df, identified=tuple(names.triple(p) for p in fixed),
            rules=rules, n_moments=cells,
        )  # fmt: skip
    if cells is not None and cells < n - n_side:
        why = f"The table has {cells} independent probabilities for {n - n_side} free parameters (counting rule)."
    else:
        why = (
            f"The Jacobian of the response probabilities has rank {rank - n_side} for {n - n_side} free parameters"
            + ("." if cells is None else f", though there are {cells} probabilities.")
        )
    sets = null_sets(null, theta)
    return Identification(
        NOT_IDENTIFIED, why, n - n_side, rank - n_side, df,
        unidentified=tuple(names.triple(p) for p in moving if names.rows(p)),
        identified=tuple(names.triple(p) for p in fixed),
        sets=tuple(tuple(names.triple(p) for p in s.parameters) for s in sets),
        directions=tuple(s.words(names) for s in sets),
        rules=rules, parameters=tuple(moving), n_moments=cells,
        set_names=tuple(tuple(names.text(p) for p in s.parameters) for s in sets),
        identified_names=tuple(names.text(p) for p in fixed),
    )  # fmt: skip


@dataclass(frozen=True)
class _Dual:
    value: int
    slope: Ints

    def __mul__(self, other: _Dual) -> _Dual:
        slope = (self.slope * other.value + other.slope * self.value) % P
        return _Dual(self.value * other.value % P, slope)

    def __add__(self, other: _Dual) -> _Dual:
        return _Dual((self.value + other.value) % P, (self.slope + other.slope) % P)

    def times(self, c: int) -> _Dual:
        return _Dual(self.value * c % P, self.slope * (c % P) % P)

    def reciprocal(self) -> _Dual:
        r = inverse(self.value)
        return _Dual(r, (P - self.slope) * r % P * r % P)


class _Mixture:
    def __init__(self, table: ParameterTable, graph: ModelGraph, theta: Ints, rng: np.random.Generator) -> None:
        self.table, self.theta, self.rng = table, theta, rng
        self.responses = list(table.responses)
        self.classes = {v.key: int(v.arguments["classes"]) for v in table.latents}
        self.height = {level: i for i, level in enumerate(table.levels)}
        rows = [r for r in table.rows if r.group == graph.group and r.target in table.variables and not r.exo]
        self.predictor = {
            v.key: [r for r in rows if r.target == v.key and _is_mean(r)] for v in table.variables.values()
        }
        self.residual = {
            v.key: [r for r in rows if r.op == "~~" and r.target == v.key == r.source] for v in self.responses
        }
        self.sigma = {v.key: [r for r in rows if r.quantity == "sigma" and r.target == v.key] for v in self.responses}
        self.cuts = {v.key: [r for r in rows if r.threshold and r.target == v.key] for v in self.responses}
        top = max(self.height[table.variables[c].level] for c in self.classes)
        largest = max(self.classes.values())
        self.rows_per_unit = 2 * largest + 1 if top else 1
        self.sample: Sample = generic_sample(
            [r.via for r in rows],
            [*[0] * len(self.responses), 0],
            frozenset(),
            self.rows_per_unit * (theta.size + 8),
            int(rng.integers(1 << 30)),
        )

    def jacobian(self, n: int) -> Ints:
        """Return the derivatives of n random functionals (n, P)."""
        return np.stack([self._functional(i) for i in range(n)])

    def _functional(self, i: int) -> Ints:
        rows = [(i * self.rows_per_unit + r) % self.sample.n for r in range(self.rows_per_unit)]
        by_level: dict[int, list[str]] = {}
        for c in self.classes:
            by_level.setdefault(self.height[self.table.variables[c].level], []).append(c)
        weights = {
            (r, v.key): [int(w) for w in self.rng.integers(1, P, 2 * 8 + 1)] for r in rows for v in self.responses
        }
        known = {
            c: [int(w) for w in self.rng.integers(1, P, n)]
            if "observed" in self.table.variables[c].arguments
            else [1] * n
            for c, n in self.classes.items()
        }
        upper = [c for level, cs in by_level.items() if level > 0 for c in cs]
        lower = by_level.get(0, [])

        def inside(r: int, chosen: dict[str, int]) -> _Dual:
            total = self._constant(0)
            for values in itertools.product(*(range(self.classes[c]) for c in lower)):
                config = {**chosen, **dict(zip(lower, values, strict=True))}
                term = self._membership(lower, config, r, known)
                for v in self.responses:
                    term = term * self._response(v.key, config, r, weights[r, v.key])
                total = total + term
            return total

        total = self._constant(0)
        for values in itertools.product(*(range(self.classes[c]) for c in upper)):
            chosen = dict(zip(upper, values, strict=True))
            term = self._membership(upper, chosen, rows[0], known)
            for r in rows:
                term = term * inside(r, chosen)
            total = total + term
        return total.slope

    # ---------------------------------------------------------------- parts

    def _constant(self, value: int) -> _Dual:
        return _Dual(value % P, np.zeros(self.theta.size, dtype=np.int64))

    def _membership(self, classes: Sequence[str], config: dict[str, int], r: int, known: dict[str, list[int]]) -> _Dual:
        out = self._constant(1)
        for c in classes:
            odds = [self._exponential(self.predictor[c], {**config, c: k}, r, 1) for k in range(self.classes[c])]
            total = odds[0]
            for o in odds[1:]:
                total = total + o
            out = out * odds[config[c]] * total.reciprocal()
            out = out.times(known[c][config[c]])
        return out

    def _response(self, key: str, config: dict[str, int], r: int, weights: list[int]) -> _Dual:
        """Return the weighted sum of the features' expectations given the classes."""
        total = self._constant(weights[0])
        for w, feature in zip(weights[1:], self._features(key, config, r), strict=False):
            total = total + feature.times(w)
        return total

    def _features(self, key: str, config: dict[str, int], r: int) -> list[_Dual]:
        v = self.table.variables[key]
        kind, link = v.kind.name, v.link
        order = 2 * prod(self.classes.values()) + 2 if len(self.responses) <= 2 else 4
        order = min(order, 14)
        match kind:
            case "gaussian" | "lognormal":
                return self._powers(key, config, r, order)
            case "poisson":
                return [self._exponential(self.predictor[key], config, r, h + 1) for h in range(min(order, 8))]
            case "multinomial":
                return self._shares(key, config, r)
            case "binomial":
                return [self._probability(self.predictor[key], [], config, r, link)]
            case _:
                cuts = sorted({row.threshold for row in self.cuts[key]})
                moved = [[row for row in self.cuts[key] if row.threshold == t] for t in cuts]
                return [self._probability(self.predictor[key], m, config, r, link) for m in moved]

    def _shares(self, key: str, config: dict[str, int], r: int) -> list[_Dual]:
        """Return the probabilities of the categories of a nominal response, without the base."""
        rows = self.predictor[key]
        named = [c for c in dict.fromkeys(row.category for row in rows) if c] or [""]
        odds = [self._exponential([row for row in rows if row.category in ("", c)], config, r, 1) for c in named]
        total = self._constant(1)
        for o in odds:
            total = total + o
        return [o * total.reciprocal() for o in odds]

    def _powers(self, key: str, config: dict[str, int], r: int, order: int) -> list[_Dual]:
        """Return E y, E y^2, ... by m_(h+1) = mu m_h + h s2 m_(h-1)."""
        mu = self._linear(self.predictor[key], config, r)
        if self.sigma[key]:
            s2 = self._exponential(self.sigma[key], config, r, 2)
        else:
            s2 = self._linear(self.residual[key], config, r)
        out = [self._constant(1), mu]
        for h in range(1, order):
            out.append(mu * out[h] + s2.times(h) * out[h - 1])
        return out[1:]

    def _applies(self, row: Row, config: dict[str, int]) -> bool:
        return row.klass == 0 or config.get(row.class_variable, -1) == row.klass - 1

    def _terms(self, rows: Sequence[Row], config: dict[str, int]) -> list[Row]:
        return [row for row in rows if self._applies(row, config)]

    def _linear(self, rows: Sequence[Row], config: dict[str, int], r: int) -> _Dual:
        value, slope = 0, np.zeros(self.theta.size, dtype=np.int64)
        for row in self._terms(rows, config):
            x = int(self.sample.values[row.via][r])
            at = int(self.theta[row.parameter]) if row.parameter >= 0 else residue(row.ustart or 0.0)
            value = (value + at * x) % P
            if row.parameter >= 0:
                slope[row.parameter] = (slope[row.parameter] + x) % P
        return _Dual(value, slope)

    def _exponential(self, rows: Sequence[Row], config: dict[str, int], r: int, power: int) -> _Dual:
        """Return exp(power x'theta), a monomial in t = exp(theta / SCALE)."""
        value, slope = 1, np.zeros(self.theta.size, dtype=np.int64)
        for row in self._terms(rows, config):
            exponent = power * int(self.sample.exponents[row.via][r]) % (P - 1)
            value = value * pow(self._base(row), exponent, P) % P
            if row.parameter >= 0:
                x = power * int(self.sample.values[row.via][r]) % P
                slope[row.parameter] = (slope[row.parameter] + x) % P
        return _Dual(value, slope * value % P)

    def _base(self, row: Row) -> int:
        if row.parameter < 0:
            return 1 if not row.ustart else random.Random(f"={row.ustart}").randrange(2, P)
        return random.Random(f"{row.parameter}:{int(self.theta[row.parameter])}").randrange(2, P)

    def _probability(
        self, rows: Sequence[Row], cuts: Sequence[Row], config: dict[str, int], r: int, link: str
    ) -> _Dual:
        """Return P(y > cut | classes)."""
        if link in ("", "logit"):
            odds = self._exponential(rows, config, r, 1)
            if cuts:
                odds = odds * self._exponential(cuts, config, r, 1).reciprocal()
            return odds * (odds + self._constant(1)).reciprocal()
        nu = self._linear(rows, config, r)
        if cuts:
            nu = nu + self._linear(cuts, config, r).times(P - 1)
        seed = hashlib.sha256(f"{link}:{nu.value}".encode()).digest()
        value, slope = (int.from_bytes(seed[i : i + 8], "big") % P for i in (0, 8))
        return _Dual(value, nu.slope * slope % P)


def _is_mean(row: Row) -> bool:
    return row.op in ("=~", "~", "~1") and not row.quantity and not row.threshold and not row.source


def _unsupported(table: ParameterTable, graphs: Sequence[ModelGraph]) -> str:
    kinds = {"binomial", "ordinal", "gaussian", "lognormal", "poisson", "multinomial"}
    classes = {v.key: v for v in table.latents if v.kind.name == "class"}
    for v in table.latents:
        if v.key not in classes:
            return f"'{v.key}' is a {v.kind.name} latent variable beside latent classes: not known to this check."
    if prod(int(v.arguments["classes"]) for v in classes.values()) > MOST_CLASSES:
        return f"More than {MOST_CLASSES} combinations of classes."
    for v in table.responses:
        many = v.kind.name == "binomial" and v.arguments.get("trials", 1) not in (1, 1.0, None)
        if v.kind.name not in kinds or many or v.level != "rows":
            return (
                f"A {v.kind.name} response ('{v.name}') of this form beside latent classes is not known to this check."
            )
    for row in table.rows:
        if row.target not in table.variables or row.exo:
            continue
        if row.source and row.op != "~~":
            return f"'{row.lhs} {row.op} {row.rhs}' joins classes and other variables: not known to this check."
        if row.op == "~~" and row.target != row.source and not (row.parameter < 0 and not row.ustart):
            return f"'{row.lhs} ~~ {row.rhs}' within classes is not known to this check."
        if any(c.response for c in row.via):
            return f"'{row.lhs} {row.op} {row.rhs}': an observed response as a cause beside latent classes."
        if row.moderators or (row.quantity and row.quantity != "sigma"):
            return f"'{row.lhs} {row.op} {row.rhs}' beside latent classes is not known to this check."
    return ""


def _sizes(table: ParameterTable) -> list[int] | None:
    """Return numbers of categories where all responses are categorical and nothing depends on covariates."""
    out: list[int] = []
    for v in table.responses:
        if v.kind.name == "binomial":
            out.append(2)
        elif v.kind.name == "multinomial":
            out.append(1 + len({r.category for r in table.rows if r.target == v.key and r.category} or {""}))
        elif v.kind.name == "ordinal":
            out.append(1 + max((r.threshold for r in table.rows if r.target == v.key), default=0))
        else:
            return None
    return None if any(r.via for r in table.rows if r.target in table.variables) else out


def _cells(table: ParameterTable, graphs: Sequence[ModelGraph]) -> int | None:
    """Return the number of independent probabilities, or None."""
    sizes = _sizes(table)
    if sizes is None or table.clusters or any("observed" in v.arguments for v in table.latents):
        return None
    return len(graphs) * (prod(sizes) - 1)


def _kruskal(table: ParameterTable, graphs: Sequence[ModelGraph]) -> str:
    """Return a sentence where Kruskal's condition gives generic global identifiability (Allman et al., theorem 4)."""
    sizes = _sizes(table)
    if sizes is None or len(table.latents) != 1 or len(sizes) < 3 or len(sizes) > 12 or table.clusters:
        return ""
    c = int(table.latents[0].arguments["classes"])
    least: Callable[[Sequence[int]], int] = lambda group: min(c, prod(group))  # noqa: E731
    order = sorted(sizes, reverse=True)
    groups: list[list[int]] = [[], [], []]
    for size in order:
        min(groups, key=lambda g: prod(g)).append(size)
    total = sum(least(g) for g in groups)
    if total >= 2 * c + 2:
        return f"Kruskal's condition holds ({total} >= 2 x {c} + 2): generically identified as a whole, up to labels."
    return ""
