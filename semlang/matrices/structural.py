"""The structural form: linear predictors as functions of latent variables, and these of their disturbances.

The reduced form writes everything by disturbances zeta, so that a response of the last wave of an autoregression
depends on the disturbances of all waves. By the latent variables themselves, less their means given covariates,

    nu_k = sum_c m[k, c] x_c + sum_a sum_j Lambda[k, a, j] d_a eta_j,   eta = T zeta,   T = (I - B)^-1,

it depends on one. Latent variables without a disturbance are functions of others and are substituted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import form_of, reduced_form
from semlang.matrices.reduced import ReducedForm

__all__ = ["StructuralForm", "structural_form"]


@dataclass(frozen=True)
class StructuralForm:
    """One group's model by latent variables.

    Parameters
    ----------
    reduced : ReducedForm
    form : ReducedForm
        Its loadings are those on eta_j, the variable of disturbance j; all else is that of the reduced form.
    latent : ReducedForm
        Its responses are the J variables of the disturbances, its loadings T.
    parents : tuple of tuple of int
        Variables that each one depends on directly, through substituted ones too.
    """

    reduced: ReducedForm
    form: ReducedForm
    latent: ReducedForm
    parents: tuple[tuple[int, ...], ...]


def structural_form(graph: ModelGraph) -> StructuralForm | None:
    """Return the structural form; None where covariates multiply paths between latent variables."""
    known = "structural form"
    if known not in graph.memo:
        graph.memo[known] = _structural(graph)
    found: StructuralForm | None = graph.memo[known]
    return found


def _structural(graph: ModelGraph) -> StructuralForm | None:
    form = reduced_form(graph)
    keys = [d.key for d in form.disturbances]
    number = {key: j for j, key in enumerate(keys)}
    if form.lifted or len(number) < len(keys) or any(p.source and p.via for k in keys for p in graph.into(k)):
        return None
    cut = replace(graph, paths=tuple(p for p in graph.paths if not (p.source and p.target in number)))
    direct = reduced_form(cut)
    own = {j: number[d.key] for j, d in enumerate(direct.disturbances)}
    latent = form_of(graph, tuple(keys))
    if {d.key for d in direct.disturbances} != set(keys) or latent.disturbances != form.disturbances:
        return None
    if (latent.loading_cells[:, 1] > 0).any():
        return None
    shift = form.n_slots - 1
    program = direct.program.copy()
    program[:, :2] += np.where(program[:, :2] > 0, shift, 0)
    columns = {product: a for a, product in enumerate(form.random_columns)}
    cells = []
    for k, a, j, slot in direct.loading_cells.tolist():
        column = columns.setdefault(direct.random_columns[a], len(columns))
        cells.append((k, column, own[j], slot + shift if slot else 0))
    merged = replace(
        form,
        program=np.concatenate([form.program, program]),
        constants=np.concatenate([form.constants, direct.constants]),
        n_slots=form.n_slots + direct.n_slots - 1,
        random_columns=tuple(columns),
        loading_cells=np.array(sorted(cells), dtype=np.int64).reshape(-1, 4),
    )
    return StructuralForm(form, merged, latent, tuple(_parents(graph, key, number) for key in keys))


def _parents(graph: ModelGraph, key: str, number: dict[str, int]) -> tuple[int, ...]:
    found: set[int] = set()
    for path in graph.into(key):
        if path.source and not path.is_zero:
            found |= {number[path.source]} if path.source in number else set(_parents(graph, path.source, number))
    return tuple(sorted(found))
