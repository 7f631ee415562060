"""Exact certificates that one gaussian model does not imply what another does: vanishing covariances and tetrads.

A constraint that holds identically in one model and not in the other proves that the second is not nested in the first
(Spirtes, Glymour and Scheines 2000, ch. 6; Drton, Sturmfels and Sullivant 2007). It is evaluated over the prime field.
"""

from __future__ import annotations

import itertools

import numpy as np

from semlang.checks.identification.constraints import Constraints, NotAlgebraic
from semlang.checks.identification.field import Ints, P, matmul
from semlang.checks.identification.program import FieldProgram
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.model.table import ParameterTable

MOST_TETRADS = 9


def constraints_of(table: ParameterTable, graph: ModelGraph) -> tuple[str, ...]:
    """Return covariances, partial covariances and tetrads of a gaussian one-level model that vanish identically."""
    sigma = _sigma(table, graph, 1), _sigma(table, graph, 2)
    if any(s is None for s in sigma):
        return ()
    keys = reduced_form(graph, lift=True).responses
    order = sorted(range(len(keys)), key=lambda i: keys[i])
    found: list[str] = []
    k = len(keys)
    if k > MOST_TETRADS:
        return ()

    def vanishes(value: object) -> bool:
        return all(callable(value) and value(s) % P == 0 for s in sigma)

    for i, j in itertools.combinations(order, 2):
        if vanishes(lambda s, i=i, j=j: int(s[i, j])):
            found.append(f"cov({keys[i]}, {keys[j]}) = 0")
            continue
        for m in order:
            if m not in (i, j) and vanishes(
                lambda s, i=i, j=j, m=m: int(s[i, j]) * int(s[m, m]) - int(s[i, m]) * int(s[j, m])
            ):
                found.append(f"cov({keys[i]}, {keys[j]} | {keys[m]}) = 0")
    for four in itertools.combinations(order, 4):
        for a, b, c, d in ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2)):
            w, x, y, z = (four[q] for q in (a, b, c, d))
            if vanishes(lambda s, w=w, x=x, y=y, z=z: int(s[w, y]) * int(s[x, z]) - int(s[w, z]) * int(s[x, y])):
                n = [keys[q] for q in (w, x, y, z)]
                found.append(f"cov({n[0]}, {n[2]}) cov({n[1]}, {n[3]}) = cov({n[0]}, {n[3]}) cov({n[1]}, {n[2]})")
    return tuple(found)


def _sigma(table: ParameterTable, graph: ModelGraph, seed: int) -> Ints | None:
    form = reduced_form(graph, lift=True)
    if len(form.random_columns) > 1 or len(table.clusters) or form.quantities:
        return None
    theta = np.random.default_rng(seed).integers(2, P, table.n_parameters)
    try:
        theta = Constraints(table).solve(theta)
    except NotAlgebraic:
        return None
    program = FieldProgram(form, theta)
    loading = np.zeros((len(form.responses), len(form.disturbances)), dtype=np.int64)
    for k, _, j, slot in form.loading_cells.tolist():
        loading[k, j] = program.slots[slot]
    psi, residual = program.matrix(form.psi), program.matrix(form.theta)
    return (matmul(matmul(loading, psi), np.ascontiguousarray(loading.T)) + residual) % P
