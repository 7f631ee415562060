"""The exact rank against a numerical rank at 50 digits, computed on its own from RAM matrices."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import mpmath
import pytest

from semlang.checks.identification.rank import MomentMap
from semlang.graph.build import build_graphs
from semlang.model.table import ParameterTable


def _agreement() -> ModuleType:
    spec = importlib.util.spec_from_file_location("agreement", Path(__file__).with_name("test_agreement.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATORS = _agreement()


def numerical_rank(table: ParameterTable, seed: int) -> int:
    """Rank of d(mean, slopes, Sigma)/dtheta at a random point, (I - A)^-1 S (I - A)^-T with 50 digits."""
    mpmath.mp.dps = 50
    rng = random.Random(seed)
    theta = [mpmath.mpf(rng.uniform(0.3, 1.7)) * rng.choice((-1, 1)) for _ in range(table.n_parameters)]
    nodes = list(table.variables)
    covariates = sorted({c.column for r in table.rows for c in r.via if not c.response})
    n, q = len(nodes), len(covariates) + 1
    a, s, g = mpmath.zeros(n), mpmath.zeros(n), mpmath.zeros(n, q)
    where: list[list[tuple[str, int, int]]] = [[] for _ in theta]
    for r in table.rows:
        if r.target not in nodes or r.exo:
            continue
        value = theta[r.parameter] if r.parameter >= 0 else mpmath.mpf(r.ustart or 0)
        i = nodes.index(r.target)
        if r.op == "~~":
            j = nodes.index(r.source)
            s[i, j] = s[j, i] = value
            spot = ("s", i, j)
        elif r.source or (r.via and r.via[0].response):
            j = nodes.index(r.source or r.via[0].column)
            a[i, j] = value
            spot = ("a", i, j)
        else:
            j = covariates.index(r.via[0].column) + 1 if r.via else 0
            g[i, j] = value
            spot = ("g", i, j)
        if r.parameter >= 0:
            where[r.parameter].append(spot)
    inverse = (mpmath.eye(n) - a) ** -1
    rows = [i for i, k in enumerate(nodes) if table.variables[k].role == "response"]
    total = inverse * s * inverse.T
    columns = []
    for spots in where:
        d_sigma, d_mean = mpmath.zeros(n), mpmath.zeros(n, q)
        for kind, i, j in spots:
            e = mpmath.zeros(n)
            e[i, j] = 1
            if kind == "a":
                x = inverse * e * total
                d_sigma += x + x.T
                d_mean += inverse * e * inverse * g
            elif kind == "s":
                e[j, i] = 1
                d_sigma += inverse * e * inverse.T
            else:
                f = mpmath.zeros(n, q)
                f[i, j] = 1
                d_mean += inverse * f
        columns.append(
            [d_sigma[i, j] for k, i in enumerate(rows) for j in rows[: k + 1]]
            + [d_mean[i, c] for i in rows for c in range(q)]
        )
    return _rank([list(c) for c in columns])


def _rank(m: list[list[mpmath.mpf]]) -> int:
    """Gaussian elimination with full pivoting; entries below 1e-35 are 0."""
    rank = 0
    m = [row[:] for row in m]
    while m and m[0]:
        value, i, j = max((abs(v), i, j) for i, row in enumerate(m) for j, v in enumerate(row))
        if value < mpmath.mpf(10) ** -35:
            break
        pivot = m.pop(i)
        for row in m:
            if row[j]:
                f = row[j] / pivot[j]
                for k in range(len(row)):
                    row[k] -= f * pivot[k]
        for row in m:
            del row[j]
        rank += 1
    return rank


def compare(seed: int) -> None:
    text = GENERATORS.KINDS[seed % 3](random.Random(10_000 + seed))
    table = GENERATORS.table_of(text)
    exact = MomentMap(table, build_graphs(table)).rank().rank
    assert exact == numerical_rank(table, seed), text


def test_agrees_with_fifty_digits() -> None:
    for seed in range(24):
        compare(seed)


@pytest.mark.slow
def test_agrees_with_fifty_digits_on_500_models() -> None:
    for seed in range(500):
        compare(seed)
