r"""Rank of the information where only the shape of a distribution could identify: probabilities of small tables.

The law of a subset of responses is P(y_S) = E prod_i p_i(y_i | nu_i) with nu_S ~ N(mu, C). Its derivatives follow from
the heat equation of the normal density (Price 1958),

    dP / dmu_i = E p_i' prod p,    dP / dC_ij = E p_i' p_j' prod p (i != j),    dP / dC_ii = E p_i'' prod p / 2,

and the chain rule through mu(theta) and C(theta). Singular values of the stacked, scaled derivatives decide.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.categories import NOISE, Categories, categories
from semlang.checks.identification.moments import Block
from semlang.checks.identification.rank import MomentMap, RankResult
from semlang.checks.identification.typical import typical_point
from semlang.matrices.reduced import Linear
from semlang.model.table import Covariate, Product

Floats = NDArray[np.float64]
_Entry = tuple[tuple[str, int], Sequence[Linear], int]
LARGEST = 80
MOST_ROWS = 40
MOST_SUBSETS = 24
FULL, DEFICIENT = 3e-7, 1e-9
NODES = {0: 1, 1: 61, 2: 31, 3: 19}


@dataclass(frozen=True)
class InformationRank:
    """What the shape of the distribution says: `full`, `deficient` or neither; singular values; why."""

    full: bool
    deficient: bool
    why: str
    smallest: float = 0.0
    largest: float = 0.0


def information_rank(moments: MomentMap, found: RankResult) -> InformationRank:
    """Return the rank of the information about all parameters at typical points.

    Parameters
    ----------
    moments : MomentMap
    found : RankResult
        The deficient rank of the second moments.
    """
    if moments.n > LARGEST:
        return InformationRank(False, False, f"Whether shape identifies {moments.n} parameters was not computed.")
    if any(r.op == "==" for r in moments.table.relations):
        return InformationRank(False, False, "Whether shape identifies a model with constraints was not computed.")
    best: tuple[float, float, int, int] = (0.0, 1.0, 0, 0)
    for draw in range(3):
        rows = _all_rows(moments, np.random.default_rng([41, draw]))
        if rows is None:
            return InformationRank(False, False, "The shape of these distributions is not known to this check.")
        if rows.shape[0] == 0:
            return InformationRank(False, True, "nothing is observed.")
        norms = np.linalg.norm(rows, axis=0)
        if np.any(norms == 0):
            return InformationRank(False, True, "some parameters do not enter the distribution of the data.")
        values = np.linalg.svd(rows / np.maximum(norms, 1e-300), compute_uv=False)
        rank = int((values > DEFICIENT * values[0]).sum())
        smallest = float(values[-1]) if rows.shape[0] >= moments.n else 0.0
        if smallest / values[0] >= best[0] / best[1]:
            best = (smallest, float(values[0]), rank, rows.shape[0])
    smallest, largest, rank, n_rows = best
    if smallest > FULL * largest:
        return InformationRank(True, False, "", smallest, largest)
    if smallest <= DEFICIENT * largest or rank < moments.n:
        short = min(rank, n_rows)
        why = f"the distribution of the data has rank {short} for {moments.n} free parameters."
        return InformationRank(False, True, why, smallest, largest)
    why = f"Shape may identify it, but the smallest singular value ({smallest / largest:.0e}) is too small to tell."
    return InformationRank(False, False, why, smallest, largest)


def _all_rows(moments: MomentMap, rng: np.random.Generator) -> Floats | None:
    theta = typical_point(moments.table, rng)
    parts: list[Floats] = []
    for block in moments.blocks:
        part = _Tables(moments, block, theta, rng).rows()
        if part is None:
            return None
        parts.append(part)
    return np.concatenate(parts)


class _Tables:
    def __init__(self, moments: MomentMap, block: Block, theta: Floats, rng: np.random.Generator) -> None:
        self.moments, self.block, self.form, self.theta, self.rng = moments, block, block.form, theta, rng
        self.variables = [moments.table.variables[k] for k in block.form.responses]
        slots, d_slots = block.form.jacobian(theta)
        self.slots, self.d_slots = slots, d_slots
        self.psi = block.form.psi.matrix(theta)
        self.theta_matrix = block.form.theta.matrix(theta)

    def rows(self) -> Floats | None:
        units = self._structure()
        n, k = units[0].size, len(self.form.responses)
        present = self.block.sample.present
        items = [(r, i) for r in range(n) for i in range(k) if present[r % len(present), i]]
        out: list[Floats] = []
        picker = random.Random(5)
        for unit in range(int(units[-1].max()) + 1):
            members = [(r, i) for r, i in items if units[-1][r] == unit]
            if not members:
                continue
            subsets = [s for s in itertools.combinations(members, min(3, len(members))) if self._closed(s)]
            subsets = subsets or [s for s in itertools.combinations(members, min(2, len(members))) if self._closed(s)]
            for subset in _some(subsets, picker):
                table = self._table(subset, units)
                if table is None:
                    return None
                out.append(table)
        return np.concatenate(out) if out else np.zeros((0, self.theta.size))

    def _closed(self, subset: Sequence[tuple[int, int]]) -> bool:
        """Return whether the subset holds every discrete response whose value is a covariate of another one."""
        return all((r, t) in subset for r, k in subset for t in self._needs[k])

    def _structure(self) -> list[NDArray[np.int64]]:
        """Return units of the sample's structure and draw typical covariates."""
        sample = self.block.sample
        per_top = 1 << (len(sample.units) - 1)
        constant = all(not p for p in sample.values)
        n = per_top * (1 if constant else max(3, min(16, 2 + self.theta.size // 2)))
        self._base: dict[object, Floats] = {}
        self._n = n
        index = {key: i for i, key in enumerate(self.form.responses)}
        self._needs: list[set[int]] = [set() for _ in self.form.responses]
        for k, c, _ in self.form.mean_cells.tolist():
            for f in self.form.mean_columns[c]:
                if f.response and f.column in index and self.variables[index[f.column]].kind.name == "binomial":
                    self._needs[k].add(index[f.column])
        if sample.numbers is not None:
            return [np.unique(u[:MOST_ROWS], return_inverse=True)[1] for u in sample.units]  # numbers without gaps
        return [np.arange(n) // 2**h for h in range(len(sample.units))]

    def _value(self, product: Product, r: int, given: Mapping[tuple[int, str], float]) -> float:
        """Return a product of covariates in a row; `given` are values of responses of the subset."""
        numbers = self.block.sample.numbers
        if numbers is not None and not any(c.response and (r, c.column) in given for c in product):
            return float(numbers[product][r])
        out = 1.0
        for c in product:
            known = numbers is not None and (c,) in numbers and (r, c.column) not in given
            out *= float(numbers[c,][r]) if known and numbers is not None else self._factor(c, r, given)
        return out

    def _factor(self, c: Covariate, r: int, given: Mapping[tuple[int, str], float]) -> float:
        if c.function == "power" and c.argument is not None:
            root = self._factor(Covariate(c.column, response=c.response), r, given)
            return float(np.sign(root) * abs(root) ** float(c.argument))
        if c.response and (r, c.column) in given:
            return given[r, c.column]
        key = (c.function == "level", c.column)
        if key not in self._base:
            binary = c.response and self.moments.table.variables[c.column].kind.name == "binomial"
            draw = self.rng.random if c.function == "level" else self.rng.normal
            self._base[key] = self.rng.integers(0, 2, self._n).astype(float) if binary else draw(size=self._n)
        value = float(self._base[key][r])
        if c.function == "level":
            return float((value + sum(map(ord, str(c.argument))) % 7 / 7) % 1 < 0.35)
        return value

    def _table(self, subset: Sequence[tuple[int, int]], units: list[NDArray[np.int64]]) -> Floats | None:
        """Return derivatives of the table of a subset; discrete causes in it take each of their values in turn."""
        places = {i: (r, k) for i, (r, k) in enumerate(subset) for q, m in subset if q == r and k in self._needs[m]}
        parts: list[Floats] = []
        for values in itertools.product((0, 1), repeat=len(places)):
            given = {(r, self.form.responses[k]): float(v) for (r, k), v in zip(places.values(), values, strict=True)}
            table = self._conditional(subset, units, given, dict(zip(places, values, strict=True)))
            if table is None:
                return None
            parts.append(table)
        return np.concatenate(parts)

    def _conditional(
        self,
        subset: Sequence[tuple[int, int]],
        units: list[NDArray[np.int64]],
        given: Mapping[tuple[int, str], float],
        chosen: Mapping[int, int],
    ) -> Floats | None:
        n_p, s = self.theta.size, len(subset)
        mu, d_mu = np.zeros(s), np.zeros((s, n_p))
        loads, d_loads = np.zeros((s, len(self.form.disturbances))), np.zeros((s, len(self.form.disturbances), n_p))
        for i, (r, k) in enumerate(subset):
            for kk, c, slot in self.form.mean_cells.tolist():
                if kk == k:
                    weight = self._value(self.form.mean_columns[c], r, given)
                    mu[i] += weight * self.slots[slot]
                    d_mu[i] += weight * self.d_slots[slot]
            for kk, a, j, slot in self.form.loading_cells.tolist():
                if kk == k:
                    weight = self._value(self.form.random_columns[a], r, given)
                    loads[i, j] += weight * self.slots[slot]
                    d_loads[i, j] += weight * self.d_slots[slot]
        c, d_c = self._covariance(subset, units, loads, d_loads)
        nodes, weights = _nodes(mu, c)
        items: list[Categories] = []
        maps: list[list[_Entry]] = []
        for i, (r, k) in enumerate(subset):
            thresholds = self.form.thresholds.get(k, ())
            modelled = {name: a for (kk, name), a in self.form.quantities.items() if kk == k}
            found = categories(
                self.variables[k],
                nodes[i],
                [self._linear(t, r, given) for t in thresholds],
                {name: self._linear(a, r, given) for name, a in modelled.items()},
            )
            if found is None:
                return None
            items.append(found.only(chosen[i]) if i in chosen else found)
            entries: list[_Entry] = [(("threshold", t), a, r) for t, a in enumerate(thresholds)]
            maps.append(entries + [((name, 0), a, r) for name, a in modelled.items()])
        return self._differentiate(items, maps, weights, d_mu, d_c, given)

    def _differentiate(
        self,
        items: list[Categories],
        maps: list[list[_Entry]],
        weights: Floats,
        d_mu: Floats,
        d_c: Floats,
        given: Mapping[tuple[int, str], float],
    ) -> Floats:
        s = len(items)
        p = [it.p for it in items]
        expected = _expected(p, weights)
        out = np.zeros((expected.size, self.theta.size))
        for i in range(s):
            out += np.outer(_expected([*p[:i], items[i].first, *p[i + 1 :]], weights), d_mu[i])
            out += np.outer(_expected([*p[:i], items[i].second, *p[i + 1 :]], weights) / 2, d_c[i, i])
            for j in range(i):
                mixed = [items[q].first if q in (i, j) else p[q] for q in range(s)]
                out += np.outer(_expected(mixed, weights), d_c[i, j])
            for key, addends, r in maps[i]:
                if key in items[i].aux:
                    slope = _expected([*p[:i], items[i].aux[key], *p[i + 1 :]], weights)
                    for a in addends:
                        if a.parameter >= 0:
                            out[:, a.parameter] += slope * self._value(a.via, r, given)
        scaled: Floats = out / np.sqrt(np.maximum(expected, 1e-8))[:, None]
        return scaled

    def _covariance(
        self, subset: Sequence[tuple[int, int]], units: list[NDArray[np.int64]], loads: Floats, d_loads: Floats
    ) -> tuple[Floats, Floats]:
        n_p, s = self.theta.size, len(subset)
        level = np.array(self.block.disturbance_levels, dtype=int)
        c, d_c = np.zeros((s, s)), np.zeros((s, s, n_p))
        psi, residual = self.form.psi, self.form.theta
        for i, (r, k) in enumerate(subset):
            for j, (q, m) in enumerate(subset):
                shared = np.array([units[lv][r] == units[lv][q] for lv in level], dtype=float)
                masked = self.psi * shared[:, None] * shared[None, :] if level.size else self.psi
                c[i, j] = loads[i] @ masked @ loads[j]
                d_c[i, j] = (masked @ loads[j]) @ d_loads[i] + (masked @ loads[i]) @ d_loads[j] if level.size else 0.0
                for a, b, p in zip(psi.i.tolist(), psi.j.tolist(), psi.parameter.tolist(), strict=True):
                    if p >= 0 and shared[a] and shared[b]:
                        more = loads[i, a] * loads[j, b]
                        d_c[i, j, p] += more if a == b else more + loads[i, b] * loads[j, a]
                if r == q:
                    c[i, j] += self.theta_matrix[k, m]
                    for a, b, p in zip(
                        residual.i.tolist(), residual.j.tolist(), residual.parameter.tolist(), strict=True
                    ):
                        if p >= 0 and {a, b} == {k, m}:
                            d_c[i, j, p] += 1.0
                if i == j and self.variables[k].kind.name in ("gaussian", "lognormal"):
                    c[i, j] -= NOISE**2
        return c, d_c

    def _linear(self, addends: Sequence[Linear], r: int, given: Mapping[tuple[int, str], float]) -> float:
        return float(
            sum(
                (self.theta[a.parameter] if a.parameter >= 0 else a.value) * self._value(a.via, r, given)
                for a in addends
            )
        )


def _some(subsets: list[tuple[tuple[int, int], ...]], picker: random.Random) -> list[tuple[tuple[int, int], ...]]:
    """Return all subsets, or of many some: half of them with two responses of one row, which tell most of a row."""
    if len(subsets) <= MOST_SUBSETS:
        return subsets
    within = [s for s in subsets if len({r for r, _ in s}) < len(s)]
    chosen = picker.sample(within, min(len(within), MOST_SUBSETS // 2))
    rest = [s for s in subsets if s not in set(chosen)]
    return chosen + picker.sample(rest, min(len(rest), MOST_SUBSETS - len(chosen)))


def _expected(factors: list[Floats], weights: Floats) -> Floats:
    """Return E prod of factors (categories x ... flattened)."""
    out = factors[0] * weights
    for f in factors[1:]:
        out = (out[:, None, :] * f[None, :, :]).reshape(-1, weights.size)
    total: Floats = out.sum(axis=-1)
    return total


def _nodes(mu: Floats, c: Floats) -> tuple[Floats, Floats]:
    """Return nodes (S, Q) and weights of N(mu, C); C may be singular."""
    values, vectors = np.linalg.eigh(c)
    keep = values > 1e-12
    root = vectors[:, keep] * np.sqrt(values[keep])
    d = int(keep.sum())
    x, w = np.polynomial.hermite_e.hermegauss(NODES[d])
    grid = np.stack([g.ravel() for g in np.meshgrid(*[x] * d)]) if d else np.zeros((0, 1))
    weights = np.prod(np.stack([g.ravel() for g in np.meshgrid(*[w / w.sum()] * d)]), axis=0) if d else np.ones(1)
    return mu[:, None] + root @ grid, weights
