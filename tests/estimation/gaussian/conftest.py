"""Reduced forms by hand, dense normal densities and differences, shared by the tests of the closed forms."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from semlang.data.design import Design
from semlang.matrices.reduced import Cells, Disturbance, Linear, ReducedForm
from semlang.model.table import Covariate, Product

EMPTY: Product = ()


def times(a: Product, b: Product) -> Product:
    return tuple(sorted(a + b, key=lambda c: c.name))


def column(name: str) -> Product:
    return (Covariate(name),)


class Model:
    """Equations in eta, compiled into a reduced form.

    `latent` lists (key, level), lowest level first and causes last. A coefficient is a float (fixed) or a
    name of a parameter, whose start value is in `starts` under that name.
    """

    def __init__(self, responses: list[str], latent: list[tuple[str, str]]) -> None:
        self.responses, self.latent = responses, latent
        self.starts: dict[str, float] = {}
        self.paths: list[tuple[str, str, Any, Product]] = []
        self.psi: list[tuple[str, str, Any]] = []
        self.theta: list[tuple[str, str, Any]] = []
        self.log_sigma: list[tuple[str, Any, Product]] = []

    def coefficient(self, c: str | float, start: float) -> str | float:
        if isinstance(c, str):
            self.starts.setdefault(c, start)
        return c

    def path(self, to: str, source: str, c: str | float, start: float = 0.5, via: Product = EMPTY) -> Model:
        """to ~ c * source * via (source '' for the constant)."""
        self.paths.append((to, source, self.coefficient(c, start), via))
        return self

    def sigma(self, y: str, c: str | float, start: float = 0.0, via: Product = EMPTY) -> Model:
        """log residual SD of y ~ c * via."""
        self.log_sigma.append((y, self.coefficient(c, start), via))
        return self

    def variance(self, a: str, b: str, c: str | float, start: float = 1.0) -> Model:
        target = self.theta if a in self.responses else self.psi
        target.append((a, b, self.coefficient(c, start)))
        return self

    @property
    def theta0(self) -> np.ndarray:
        return np.array(list(self.starts.values()))

    @property
    def names(self) -> list[str]:
        return list(self.starts)

    def reduced(self) -> ReducedForm:
        index = {name: i for i, name in enumerate(self.starts)}
        place = {key: j for j, (key, _) in enumerate(self.latent)}
        program: list[tuple[int, int, int]] = []
        constants: list[float] = []
        n_slots = 1
        known: dict[str, dict[tuple[Product, int], int]] = {}

        def line(to: int, source: int, c: str | float) -> None:
            program.append((to, source, index[c] if isinstance(c, str) else -1))
            constants.append(0.0 if isinstance(c, str) else float(c))

        for key in [k for k, _ in reversed(self.latent)] + self.responses:
            slots: dict[tuple[Product, int], int] = {}
            if key in place:
                slots[(EMPTY, place[key])] = n_slots
                n_slots += 1
                line(slots[(EMPTY, place[key])], 0, 1.0)
            for to, source, c, via in self.paths:
                if to != key:
                    continue
                parts = known[source] if source else {(EMPTY, -1): 0}
                for (product, j), slot in parts.items():
                    where = (times(product, via), j)
                    if where not in slots:
                        slots[where] = n_slots
                        n_slots += 1
                    line(slots[where], slot, c)
            known[key] = slots
        means: list[Product] = [EMPTY]
        randoms: list[Product] = [EMPTY]
        mean_cells, loading_cells = [], []
        for k, key in enumerate(self.responses):
            for (product, j), slot in known[key].items():
                columns = means if j < 0 else randoms
                if product not in columns:
                    columns.append(product)
                if j < 0:
                    mean_cells.append((k, columns.index(product), slot))
                else:
                    loading_cells.append((k, columns.index(product), j, slot))

        def cells(entries: list[tuple[str, str, Any]], order: list[str]) -> Cells:
            made = [
                (
                    order.index(a),
                    order.index(b),
                    index[c] if isinstance(c, str) else -1,
                    0.0 if isinstance(c, str) else c,
                )
                for a, b, c in entries
            ]
            return Cells.of((len(order), len(order)), made, symmetric=True)

        quantities: dict[tuple[int, str], tuple[Linear, ...]] = {}
        for y, c, via in self.log_sigma:
            key = (self.responses.index(y), "sigma")
            linear = Linear(index[c] if isinstance(c, str) else -1, 0.0 if isinstance(c, str) else c, via)
            quantities[key] = (*quantities.get(key, ()), linear)
        return ReducedForm(
            tuple(self.responses),
            tuple(Disturbance(k, level) for k, level in self.latent),
            tuple(means),
            tuple(randoms),
            len(index),
            np.array(program, dtype=np.int64).reshape(-1, 3),
            np.array(constants),
            n_slots,
            np.array(mean_cells, dtype=np.int64).reshape(-1, 3),
            np.array(loading_cells, dtype=np.int64).reshape(-1, 4),
            cells(self.psi, [k for k, _ in self.latent]),
            cells(self.theta, self.responses),
            quantities,
        )


def design(
    responses: dict[str, np.ndarray],
    columns: dict[str, np.ndarray] | None = None,
    clusters: dict[str, np.ndarray] | None = None,
    reduced: ReducedForm | None = None,
    **more: Any,
) -> Design:
    """Sort by cluster (mapping lowest first) and evaluate the products that the reduced form uses."""
    n = len(next(iter(responses.values())))
    clusters = clusters or {}
    order = np.lexsort([*clusters.values()]) if clusters else np.arange(n)
    columns = {k: v[order] for k, v in (columns or {}).items()}
    products = {EMPTY: np.ones(n)}
    used = [*reduced.mean_columns, *reduced.random_columns] if reduced else []
    used += [a.via for addends in reduced.quantities.values() for a in addends] if reduced else []
    for product in used:
        products[product] = np.prod([np.ones(n), *(columns[c.name] for c in product)], axis=0)
    codes: dict[str, np.ndarray] = {}
    change = np.zeros(n, dtype=bool)
    for name in reversed(list(clusters)):
        c = clusters[name][order]
        change = change | np.r_[False, c[1:] != c[:-1]]
        codes[name] = np.cumsum(change)
    codes = {name: codes[name] for name in clusters}
    sort = {key: {k: v[order] for k, v in value.items()} for key, value in more.items()}
    return Design(n, {k: v[order] for k, v in responses.items()}, products, codes, order, **sort)


def dense(reduced: ReducedForm, data: Design, theta: np.ndarray) -> float:
    """The log density by the covariance matrix of everything that is observed."""
    slots = reduced.slots(theta)
    m, L, psi, res = (
        reduced.mean(slots),
        reduced.loadings(slots),
        reduced.psi.matrix(theta),
        reduced.theta.matrix(theta),
    )
    n, K, J = data.n_rows, len(reduced.responses), len(reduced.disturbances)
    X = np.array([data.columns[p] for p in reduced.mean_columns])
    D = np.array([data.columns[p] for p in reduced.random_columns])
    Z = np.einsum("kaj,ai->kij", L, D).reshape(K * n, J)
    S = np.kron(res, np.eye(n))
    for (k, _), addends in reduced.quantities.items():
        log_sigma = sum((theta[a.parameter] if a.parameter >= 0 else a.value) * data.columns[a.via] for a in addends)
        S[range(k * n, (k + 1) * n), range(k * n, (k + 1) * n)] += np.exp(2 * log_sigma)
    for level in {z.level for z in reduced.disturbances}:
        j = [i for i, z in enumerate(reduced.disturbances) if z.level == level]
        code = np.arange(n) if level == "rows" else data.clusters[level]
        code = np.tile(code, K)
        S += (Z[:, j] @ psi[np.ix_(j, j)] @ Z[:, j].T) * (code[:, None] == code)
    y = np.array([data.responses[k] for k in reduced.responses]).ravel()
    seen = ~np.isnan(y)
    e = (y - (m @ X).ravel())[seen]
    S = S[np.ix_(seen, seen)]
    root = np.linalg.cholesky(S)
    z = np.linalg.solve(root, e)
    return float(-0.5 * (len(e) * np.log(2 * np.pi) + z @ z) - np.log(np.diag(root)).sum())


def gradient_error(engine: Any, theta: np.ndarray) -> float:
    """Largest difference of the gradient from Richardson's differences, relative to the largest component."""
    g = engine.value_and_gradient(theta)[1]
    worst = 0.0
    for k in range(len(theta)):
        h = 2e-3 * max(0.02, abs(theta[k]))

        def central(step: float, k: int = k) -> float:
            x, z = theta.copy(), theta.copy()
            x[k] += step
            z[k] -= step
            return (engine.value(x) - engine.value(z)) / (2 * step)

        d = [central(h * f) for f in (1, 2, 4)]
        r = [(4 * d[0] - d[1]) / 3, (4 * d[1] - d[2]) / 3]
        worst = max(worst, abs(g[k] - (16 * r[0] - r[1]) / 15))
    return worst / float(np.abs(g).max())


def maximise(engine: Any, theta: np.ndarray, tolerance: float = 1e-9) -> tuple[np.ndarray, float, int]:
    """Scoring (expected information, else outer product), then BFGS from its inverse."""
    from semlang.estimation.member import Infeasible

    def information(x: np.ndarray) -> np.ndarray:
        metric = engine.expected_information(x)
        if metric is None:
            s = engine.scores(x)
            metric = s.T @ s
        return metric

    value, g = engine.value_and_gradient(theta)
    evaluations, H, decrement = 1, None, np.inf
    for iteration in range(200):
        scoring = iteration < 8 and decrement > 1e-3
        if scoring:
            metric = information(theta)
            d = np.sqrt(np.maximum(np.diag(metric), 1e-10))
            R = metric / np.outer(d, d)
            try:
                np.linalg.cholesky(R)
            except np.linalg.LinAlgError:
                R = R + 1e-4 * np.eye(len(d))
            H = np.linalg.inv(R) / np.outer(d, d)
        step = H @ g
        decrement = float(g @ step)
        if decrement < tolerance:
            break
        t = 1.0
        while True:
            try:
                new, gn = engine.value_and_gradient(theta + t * step)
                evaluations += 1
                if new >= value + 1e-4 * t * decrement - 1e-12 * abs(value):
                    break
            except Infeasible:
                evaluations += 1
            t *= 0.4
            if t < 1e-10:
                return theta, value, evaluations
        s, y = t * step, g - gn
        sy = float(s @ y)
        if sy > 1e-12 * np.sqrt((s @ s) * (y @ y)):
            Hy = H @ y
            H = H + (1 + (y @ Hy) / sy) * np.outer(s, s) / sy - (np.outer(Hy, s) + np.outer(s, Hy)) / sy
        theta, value, g = theta + s, new, gn
    return theta, value, evaluations


def factor_model(p: int, m: int, starts_from: np.ndarray, level: str = "rows") -> Model:
    """`m` correlated factors of p/m items each, first loadings one, intercepts free."""
    items = [f"y{i + 1}" for i in range(p)]
    factors = [f"f{j + 1}" for j in range(m)]
    model = Model(items, [(f, level) for f in factors])
    mean, var = np.nanmean(starts_from, 1), np.nanvar(starts_from, 1)
    for i, y in enumerate(items):
        j = i * m // p
        first = i == 0 or (i - 1) * m // p != j
        model.path(y, "", f"{y}~1", mean[i])
        model.path(y, factors[j], 1.0 if first else f"{factors[j]}=~{y}", 1.0)
        model.variance(y, y, f"{y}~~{y}", 0.5 * var[i])
    for a in range(m):
        for b in range(a + 1):
            model.variance(factors[a], factors[b], f"{factors[a]}~~{factors[b]}", 0.3 if a == b else 0.0)
    return model


@pytest.fixture(scope="session")
def by_hand() -> types.SimpleNamespace:
    """Builders and checks."""
    return types.SimpleNamespace(
        Model=Model,
        design=design,
        dense=dense,
        gradient_error=gradient_error,
        maximise=maximise,
        factor_model=factor_model,
        column=column,
    )


Builder = Callable[..., Any]
