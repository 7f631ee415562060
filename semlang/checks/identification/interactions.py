r"""Products of latent variables: the rank of all moments up to the third, exactly.

With ``eta ~ f1:f2`` every response is a polynomial of normal disturbances. Its moments follow from Isserlis' theorem,

    E(z_1 z_2 ... z_2m) = sum over pairings of prod psi_ij,

and are polynomials of the parameters again. A random functional E(A B C), with A, B and C random affine combinations of
the responses at random values of the covariates, holds moments of the orders 0 to 3; P + 8 of them have the rank of all
of these (see `moments`). Second moments alone confound the product's coefficient with residual variances (Kenny and
Judd 1984, Psychological Bulletin 96, 201-210); third moments tell them apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semlang.checks.identification.constraints import Constraints, NotAlgebraic
from semlang.checks.identification.dual import Dual
from semlang.checks.identification.field import Ints, P, echelon, matmul, null_space
from semlang.checks.identification.names import Names
from semlang.checks.identification.nullsets import null_sets
from semlang.checks.identification.report import IDENTIFIED, NOT_IDENTIFIED, UNDETERMINED, Identification, Reason
from semlang.checks.identification.sample import generic_sample
from semlang.graph.model_graph import ModelGraph
from semlang.graph.order import causes_first
from semlang.model.table import ParameterTable, Row

Monomial = tuple[int, ...]
Polynomial = dict[Monomial, Dual]

MOST_MONOMIALS = 34


def has_products(graphs: Sequence[ModelGraph]) -> bool:
    """Return whether a path is a product of latent variables."""
    return any(row.moderators for g in graphs for row in g.others)


def identify_products(table: ParameterTable, graphs: Sequence[ModelGraph], names: Names) -> Identification:
    """Return the verdict on a gaussian model with products of latent variables."""
    unknown = _unsupported(table, graphs)
    if unknown:
        return Identification(UNDETERMINED, unknown, n_free=table.n_parameters)
    idle = _idle(table, names)
    best: tuple[int, Ints, Ints, int] | None = None
    try:
        constraints = Constraints(table)
        for draw in range(2):
            rng = np.random.default_rng([23, draw])
            theta = constraints.solve(rng.integers(2, P, table.n_parameters))
            held = np.zeros((len(idle), table.n_parameters), dtype=np.int64)
            held[np.arange(len(idle)), idle] = 1
            side = np.concatenate([constraints.rows(theta), held])
            parts = [_Moments(table, g, theta, rng).jacobian(table.n_parameters + 8) for g in graphs]
            reduced, pivots = echelon(np.concatenate([side, *parts]))
            n_side = len(echelon(side)[1]) if len(side) else 0
            if best is None or len(pivots) > best[0]:
                best = len(pivots), null_space(reduced, pivots, table.n_parameters), theta, n_side
            if best[0] == table.n_parameters:
                break
    except NotAlgebraic as problem:
        return Identification(UNDETERMINED, f"{problem}.", n_free=table.n_parameters)
    assert best is not None
    rank, null, theta, n_side = best
    free = table.n_parameters - n_side
    moving = {int(p) for p in np.flatnonzero(null.any(axis=1))}
    fixed = [p for p in range(table.n_parameters) if p not in moving and p not in idle and names.rows(p)]
    rules = tuple(Reason(names.triple(p), names.text(p), "rank of moments up to the third") for p in fixed)
    if not moving:
        why = f"The Jacobian of all moments up to the third has full rank {free}; products are not normal."
        known = tuple(names.triple(p) for p in fixed)
        return Identification(IDENTIFIED, why, free, rank - n_side, identified=known, rules=rules)
    sets = null_sets(null, theta)
    exact = all(found.how != "joint" for found in sets)  # a change of unit or origin leaves the whole distribution
    verdict = NOT_IDENTIFIED if exact else UNDETERMINED
    why = f"Moments up to the third have rank {rank - n_side} for {free} free parameters; no higher ones were tried."
    return Identification(
        verdict, why, free, rank - n_side,
        unidentified=tuple(names.triple(p) for p in sorted(moving)),
        parameters=tuple(sorted(moving)),
        identified=tuple(names.triple(p) for p in fixed),
        sets=tuple(tuple(names.triple(p) for p in s.parameters) for s in sets),
        directions=tuple(s.words(names) for s in sets),
        rules=rules,
    )  # fmt: skip


class _Moments:
    def __init__(self, table: ParameterTable, graph: ModelGraph, theta: Ints, rng: np.random.Generator) -> None:
        self.table, self.graph, self.theta, self.rng = table, graph, theta, rng
        self.zeta = {key: i for i, key in enumerate(table.variables)}
        self.psi: dict[tuple[int, int], Dual] = {}
        for c in graph.covariances:
            if not c.is_zero:
                i, j = sorted((self.zeta[c.a], self.zeta[c.b]))
                self.psi[i, j] = self._number(c.parameter, c.value)
        self.products = [row for row in graph.others if row.moderators]
        products = [*(p.via for p in graph.paths), *(row.via for row in self.products)]
        plain = not any(products)
        n = 1 if plain else theta.size + 8
        heights = [0] * len(graph.responses)
        self.sample = generic_sample(products, [*heights, 0], frozenset(), n, int(rng.integers(1 << 30)))
        self._known: dict[Monomial, Dual] = {}
        self._responses = [self._polynomials(r) for r in range(n)]
        self.monomials = sorted({m for polys in self._responses for poly in polys for m in poly} | {()})
        if len(self.monomials) > MOST_MONOMIALS:
            raise NotAlgebraic("The products of latent variables have too many terms for this check")

    def jacobian(self, n: int) -> Ints:
        """Return derivatives of n random functionals E(A B C)."""
        k, size = len(self.monomials), self.theta.size
        tensor = np.zeros((k, k, k), dtype=np.int64)
        slopes = np.zeros((k, k, k, size), dtype=np.int64)
        for i in range(k):
            for j in range(k):
                for m in range(k):
                    if i <= j <= m:
                        e = self._expected(tuple(sorted(self.monomials[i] + self.monomials[j] + self.monomials[m])))
                        for a, b, c in {(i, j, m), (i, m, j), (j, i, m), (j, m, i), (m, i, j), (m, j, i)}:
                            tensor[a, b, c] = e.value
                            slopes[a, b, c] = e.slope
        flat, flat_slopes = tensor.reshape(k, k * k), slopes.reshape(k * k * k, size)
        out = []
        for f in range(n):
            forms = [self._combination(f % len(self._responses)) for _ in range(3)]
            total = np.zeros(size, dtype=np.int64)
            for one, two, three in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
                pair = (forms[two][0][:, None] * forms[three][0][None, :] % P).reshape(-1, 1)
                total = (total + matmul(matmul(flat, pair).T, forms[one][1])[0]) % P
            values = [form[0] for form in forms]
            triple = ((values[0][:, None] * values[1] % P)[:, :, None] * values[2] % P).reshape(1, -1)
            out.append((total + matmul(triple, flat_slopes)[0]) % P)
        return np.stack(out)

    def _combination(self, r: int) -> tuple[Ints, Ints]:
        index = {m: i for i, m in enumerate(self.monomials)}
        value = np.zeros(len(index), dtype=np.int64)
        slope = np.zeros((len(index), self.theta.size), dtype=np.int64)
        value[index[()]] = int(self.rng.integers(1, P))
        for poly in self._responses[r]:
            w = int(self.rng.integers(1, P))
            for m, d in poly.items():
                value[index[m]] = (value[index[m]] + w * d.value) % P
                slope[index[m]] = (slope[index[m]] + w * d.slope) % P
        return value, slope

    def _polynomials(self, r: int) -> list[Polynomial]:
        """Return the responses as polynomials of the disturbances at a row of covariates."""
        terms: dict[str, Polynomial] = {}
        causes = {k: list(v) for k, v in self.graph.causes.items()}
        for row in self.products:
            causes[row.target] += [c for c in (row.source, *row.moderators) if c not in causes[row.target]]
        for key in causes_first({k: tuple(v) for k, v in causes.items()}):
            i = self.zeta[key]
            out: Polynomial = {(i,): Dual.constant(1, self.theta.size)} if any(i in pair for pair in self.psi) else {}
            for path in self.graph.into(key):
                if path.is_zero:
                    continue
                weight = self._number(path.parameter, path.value)
                one: Polynomial = {(): Dual.constant(1, self.theta.size)}
                source = terms[path.source] if path.source else one
                observed = [terms[k] for k in path.observed]
                x = int(self.sample.values[path.via][r]) if not observed else 1
                _accumulate(out, _product([source, *observed]), weight.times(x))
            for row in self.products:
                if row.target == key:
                    weight = self._number(row.parameter, row.ustart or 0.0)
                    x = int(self.sample.values[row.via][r])
                    _accumulate(out, _product([terms[c] for c in (row.source, *row.moderators)]), weight.times(x))
            terms[key] = out
        return [terms[k] for k in self.graph.responses]

    def _expected(self, m: Monomial) -> Dual:
        """Return E of a product of disturbances (Isserlis 1918)."""
        if m not in self._known:
            total = Dual.constant(1 if not m else 0, self.theta.size)
            if m and len(m) % 2 == 0:
                for q in range(1, len(m)):
                    pair = self.psi.get((m[0], m[q]))
                    if pair is not None:
                        total = total + pair * self._expected(m[1:q] + m[q + 1 :])
            self._known[m] = total
        return self._known[m]

    def _number(self, p: int, value: float) -> Dual:
        return Dual.coefficient(p, value, self.theta)


def _product(factors: Sequence[Polynomial]) -> Polynomial:
    out = dict(factors[0])
    for factor in factors[1:]:
        new: Polynomial = {}
        for m, a in out.items():
            for q, b in factor.items():
                key = tuple(sorted(m + q))
                new[key] = new[key] + a * b if key in new else a * b
        out = new
    return out


def _accumulate(out: Polynomial, more: Polynomial, weight: Dual) -> None:
    for m, d in more.items():
        out[m] = out[m] + d * weight if m in out else d * weight


def _idle(table: ParameterTable, names: Names) -> list[int]:
    """Return parameters of rows about products as variables of their own (lavaan's), which the model does not use."""
    return [
        p for p in range(table.n_parameters) if names.rows(p) and all(_is_idle(table, row) for row in names.rows(p))
    ]


def _is_idle(table: ParameterTable, row: Row) -> bool:
    return row.target not in table.variables or bool(row.op == "~~" and row.source not in table.variables)


def _unsupported(table: ParameterTable, graphs: Sequence[ModelGraph]) -> str:
    if not all(v.is_gaussian for v in table.responses):
        return "Products of latent variables with responses that are not gaussian are not known to this check."
    if len({v.level for v in table.variables.values()}) > 1:
        return "Products of latent variables in several levels are not known to this check."
    for graph in graphs:
        for row in graph.others:
            if _is_idle(table, row):
                continue
            if not row.moderators or row.target not in table.variables or row.klass or row.category:
                return f"'{row.lhs} {row.op} {row.rhs}' is a term outside this check."
            if any(c not in table.variables for c in (row.source, *row.moderators)):
                return f"'{row.lhs} {row.op} {row.rhs}' is a term outside this check."
        if graph.quantities or any(len(p.via) > 1 for p in graph.paths if p.observed):
            return "A modelled variance beside products of latent variables is not known to this check."
    return ""
