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
from collections.abc import Sequence
from math import prod

import numpy as np

from semlang.checks.identification.dual import Dual
from semlang.checks.identification.field import Ints, P
from semlang.checks.identification.sample import Sample, design_sample, generic_sample
from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph
from semlang.model.replaced import place
from semlang.model.table import ParameterTable, Row

MOST_ROWS = 600


class Mixture:
    """One group's response probabilities at a point of the field.

    Parameters
    ----------
    table : ParameterTable
    graph : ModelGraph
    theta : (P,) elements of the field
    rng : Generator
    design : Design, optional
    """

    def __init__(
        self, table: ParameterTable, graph: ModelGraph, theta: Ints, rng: np.random.Generator, design: Design | None
    ) -> None:
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
        self.points = {
            v.key: sorted((r for r in rows if r.target == v.key and not r.quantity), key=lambda r: r.klass)
            for v in table.latents
            if v.kind.name == "masspoints"
        }
        self.masses = {
            key: sorted((r for r in rows if r.target == key and r.quantity == "mass"), key=lambda r: r.klass)
            for key in self.points
        }
        top = max(self.height[table.variables[c].level] for c in self.classes)
        largest = max(self.classes.values())
        products = [r.via for r in rows]
        keys = [v.key for v in self.responses]
        most = 2 * largest + 1 if top else 1
        if design is None:
            n_units = theta.size + 8
            levels = [*[0] * len(keys), 0]
            self.sample: Sample = generic_sample(
                products, levels, frozenset(), most * n_units, int(rng.integers(1 << 30))
            )
            self.units = [list(range(i * most, (i + 1) * most)) for i in range(n_units)]
        else:
            self.sample = design_sample(design, products, keys, table.clusters, MOST_ROWS, 1)
            unit = self.sample.units[top].tolist()
            members: dict[int, list[int]] = {}
            for r, u in enumerate(unit):
                members.setdefault(u, []).append(r)
            self.units = [found[:most] for found in members.values()]

    def jacobian(self, n: int) -> Ints:
        """Return the derivatives of n random functionals (n, P)."""
        return np.stack([self._functional(i) for i in range(max(n, min(2 * len(self.units), 4 * n)))])

    def _functional(self, i: int) -> Ints:
        rows = self.units[i % len(self.units)]
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

        def inside(r: int, chosen: dict[str, int]) -> Dual:
            total = self._constant(0)
            for values in itertools.product(*(range(self.classes[c]) for c in lower)):
                config = {**chosen, **dict(zip(lower, values, strict=True))}
                term = self._membership(lower, config, r, known)
                for k, v in enumerate(self.responses):
                    if self.sample.present[r, k]:
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

    def _constant(self, value: int) -> Dual:
        return Dual.constant(value, self.theta.size)

    def _membership(self, classes: Sequence[str], config: dict[str, int], r: int, known: dict[str, list[int]]) -> Dual:
        out = self._constant(1)
        for c in classes:
            if c in self.points:
                out = out * self._mass(c, config[c])
                continue
            odds = [self._exponential(self.predictor[c], {**config, c: k}, r, 1) for k in range(self.classes[c])]
            total = sum(odds[1:], odds[0])
            out = out * odds[config[c]] * total.reciprocal()
            out = out.times(known[c][config[c]])
        return out

    def _response(self, key: str, config: dict[str, int], r: int, weights: list[int]) -> Dual:
        """Return the weighted sum of the features' expectations given the classes."""
        total = self._constant(weights[0])
        for w, feature in zip(weights[1:], self._features(key, config, r), strict=False):
            total = total + feature.times(w)
        return total

    def _features(self, key: str, config: dict[str, int], r: int) -> list[Dual]:
        v = self.table.variables[key]
        kind, link = v.kind.name, v.link
        order = 2 * prod(self.classes.values()) + 2 if len(self.responses) <= 2 else 4
        order = 3 if len(self.units[0]) > 1 else min(order, 14)
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

    def _shares(self, key: str, config: dict[str, int], r: int) -> list[Dual]:
        """Return the probabilities of the categories of a nominal response, without the base."""
        rows = self.predictor[key]
        named = [c for c in dict.fromkeys(row.category for row in rows) if c] or [""]
        odds = [self._exponential([row for row in rows if row.category in ("", c)], config, r, 1) for c in named]
        total = sum(odds, self._constant(1))
        return [o * total.reciprocal() for o in odds]

    def _powers(self, key: str, config: dict[str, int], r: int, order: int) -> list[Dual]:
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
        own = row.category if row.target in self.classes else ""
        return all(
            config.get(key, -1) == k - 1
            for key, k in ((row.class_variable, row.klass), *row.also, (row.target if own else "", int(own or 0)))
            if key
        )

    def _terms(self, rows: Sequence[Row], config: dict[str, int]) -> list[Row]:
        found = [row for row in rows if self._applies(row, config)]
        own = {place(row) for row in found if row.klass and row.replaces}
        return [row for row in found if row.klass or place(row) not in own]

    def _coefficient(self, row: Row, config: dict[str, int]) -> Dual:
        """Return the coefficient of a row; a path from mass points is multiplied by the location of the point."""
        at = Dual.coefficient(row.parameter, row.ustart or 0.0, self.theta)
        return at * self._location(row.source, config) if row.source in self.points else at

    def _location(self, key: str, config: dict[str, int]) -> Dual:
        """Return a mass point; the last one makes the mean 0 where its row is not free."""
        rows = self.points[key]
        k = config[key]
        if rows[k].parameter >= 0 or rows[k].ustart is not None:
            return self._coefficient(rows[k], config)
        total = self._constant(0)
        for other, row in enumerate(rows):
            if other != k:
                total = total + self._mass(key, other) * self._coefficient(row, config)
        return (total * self._mass(key, k).reciprocal()).times(P - 1)

    def _mass(self, key: str, k: int) -> Dual:
        """Return the probability of a mass point; its rows are taken as odds."""
        free = [Dual.coefficient(r.parameter, r.ustart or 0.0, self.theta) for r in self.masses[key]]
        odds = [self._constant(1), *free]
        total = sum(free, odds[0])
        return odds[k] * total.reciprocal()

    def _linear(self, rows: Sequence[Row], config: dict[str, int], r: int) -> Dual:
        total = self._constant(0)
        for row in self._terms(rows, config):
            total = total + self._coefficient(row, config).times(int(self.sample.values[row.via][r]))
        return total

    def _exponential(self, rows: Sequence[Row], config: dict[str, int], r: int, power: int) -> Dual:
        """Return exp(power x'theta), a monomial in t = exp(theta / SCALE)."""
        value, slope = 1, np.zeros(self.theta.size, dtype=np.int64)
        for row in self._terms(rows, config):
            at = self._coefficient(row, config)
            exponent = power * int(self.sample.exponents[row.via][r]) % (P - 1)
            base = random.Random(f"exp {at.value}").randrange(2, P) if at.value else 1
            value = value * pow(base, exponent, P) % P
            slope = (slope + at.slope * (power * int(self.sample.values[row.via][r]) % P)) % P
        return Dual(value, slope * value % P)

    def _probability(self, rows: Sequence[Row], cuts: Sequence[Row], config: dict[str, int], r: int, link: str) -> Dual:
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
        return Dual(value, nu.slope * slope % P)


def _is_mean(row: Row) -> bool:
    return row.op in ("=~", "~", "~1") and not row.quantity and not row.threshold
