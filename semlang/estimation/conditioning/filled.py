"""Responses that predict others and are missing: their values are states that the likelihood is summed over.

With m missing in a record, L = sum over its categories (or integral over its values) of L(data with m filled in). The
density of m itself is in the leaf, so that a state has no further weight. Categories are summed; a gaussian predictor
takes nodes m_q = centre + scale v_q in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semlang.data.covariates import Filling, ProductColumns
from semlang.data.design import Design
from semlang.data.missing_predictors import has_states
from semlang.estimation.conditioning.flags import Flags, anywhere, of_units
from semlang.estimation.expansion import contributing
from semlang.estimation.frame import FramedColumns
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, ParameterTable, Product, Variable

__all__ = [
    "Fill",
    "are_missing",
    "assuming_filled",
    "counted",
    "filled",
    "fills_of",
    "in_rows",
    "integrates",
    "missing_where_needed",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Fill:
    """A response that is missing where it predicts another.

    Parameters
    ----------
    key, level : str
    states : tuple of (code, Filling)
        The value of the response and of its column in each category; a gaussian response has one, a value that occurs.
    gaussian : bool
    centre : (n_rows,) floats
        Where the nodes of a gaussian response begin: its regression on its covariates.
    scale : float
        SD about `centre`.
    """

    key: str
    level: str
    states: tuple[tuple[float, Filling], ...]
    gaussian: bool
    centre: Floats
    scale: float


def predictors_of(forms: Sequence[ReducedForm]) -> tuple[str, ...]:
    """Return the responses whose observed values are covariates of others."""
    own = set(forms[0].responses)
    names = {c.column for form in forms for n in form.needed for p in n for c in p if c.response}
    return tuple(k for k in forms[0].responses if k in names & own)


def fills_of(table: ParameterTable, forms: Sequence[ReducedForm], design: Design) -> tuple[Fill, ...]:
    """Return the responses of a group that are missing where something that they predict is observed.

    Parameters
    ----------
    table : ParameterTable
    forms : sequence of ReducedForm
        Of the responses, one for each combination of the states of discrete latent variables.
    design : Design
    """
    able = [k for k in predictors_of(forms) if np.isnan(design.responses[k]).any() and has_states(table.variables[k])]
    if not able:
        return ()
    found = [_fill(table, forms[0], design, table.variables[k], able) for k in able]
    mask = missing_where_needed(forms, design, found)
    return tuple(f for f in found if mask[f.key].any())


def are_missing(table: ParameterTable, graph: ModelGraph, design: Design, lift: bool) -> tuple[Fill, ...]:
    """Return the responses of a model without discrete variables that an engine would have to fill in.

    Parameters
    ----------
    lift : bool
        Whether gaussian predictors are disturbances of their own, and so integrated out by the engine itself.
    """
    return fills_of(table, [reduced_form(graph, lift=lift)], design)


def integrates(table: ParameterTable, graph: ModelGraph, design: Design, lift: bool) -> bool:
    """Return whether a closed form has every response that has a density, where predictors are missing.

    With gaussian predictors as disturbances of their own, a response needs all covariates of these, too. Where one is
    missing and the predictor is observed, its density given the predictor is still there.
    """
    if not lift:
        return not are_missing(table, graph, design, lift)
    form, own = reduced_form(graph, lift=True), reduced_form(graph, lift=False)
    if form.needed == own.needed:
        return not are_missing(table, graph, design, lift)
    fills = fills_of(table, [own], design)
    columns = assuming_filled([own], design, fills) if fills else design.columns
    for k, key in enumerate(own.responses):
        here = ~np.isnan(design.responses[key]) & _all_known([own], columns, k, design.n_rows)
        lifted = _all_known([form], design.columns, form.responses.index(key), design.n_rows)
        if (here & ~lifted).any():
            return False
    return True


def _fill(table: ParameterTable, form: ReducedForm, design: Design, v: Variable, able: Sequence[str]) -> Fill:
    columns = _columns(design)
    y = of_units(design.responses[v.key], design, v.level)
    nothing = np.zeros(design.n_rows)
    if v.kind.name == "gaussian":
        seen = np.flatnonzero(~np.isnan(y) & columns.known(v.key))
        value = y[seen[0]] if seen.size else 0.0
        centre, scale = _regression(form, design, v.key, able)
        return Fill(v.key, v.level, ((value, columns.filling(v.key, seen, value)),), True, centre, scale)
    names = design.categories.get(v.key, ()) or ("0", "1")
    k = form.responses.index(v.key)
    shared = len(table.groups) > 1 and len(form.thresholds.get(k, names[1:])) + 1 == len(names)
    states = []
    for code in range(len(names)):
        seen = np.flatnonzero((y == code) & columns.known(v.key))
        if seen.size or shared:
            states.append((float(code), columns.filling(v.key, seen, float(code), names[code])))
    return Fill(v.key, v.level, tuple(states), False, nothing, 1.0)


def _regression(form: ReducedForm, design: Design, key: str, able: Sequence[str]) -> tuple[Floats, float]:
    """Return the fitted values of a response by least squares, and the residual SD."""
    k = form.responses.index(key)
    used = sorted({int(c) for r, c, _ in form.mean_cells.tolist() if r == k} | {0})
    X = np.stack([design.columns[form.mean_columns[c]] for c in used], axis=1)
    y = design.responses[key]
    seen = ~np.isnan(y) & ~np.isnan(X).any(axis=1)
    mean = np.array([x[~np.isnan(x)].mean() if not np.isnan(x).all() else 0.0 for x in X.T])
    size = np.array([x[~np.isnan(x)].std() if not np.isnan(x).all() else 0.0 for x in X.T])
    Z = (np.where(np.isnan(X), mean, X) - mean) / np.where(size > 0.0, size, 1.0)
    level = float(y[seen].mean()) if seen.any() else 0.0
    b = np.linalg.lstsq(Z[seen], y[seen] - level, rcond=None)[0]
    sd = float((y[seen] - level - Z[seen] @ b).std()) if seen.any() else 0.0
    return level + Z @ b, sd if sd > 0.0 else 1.0


def in_rows(fill: Fill, rows: Ints | slice) -> Fill:
    """Return what is filled in some records."""
    return replace(fill, centre=fill.centre[rows])


def missing_where_needed(forms: Sequence[ReducedForm], design: Design, fills: Sequence[Fill]) -> dict[str, Flags]:
    """Return the records of the units in which each response has to be filled in.

    A response is filled in where it is missing, its own covariates are known, and something that it predicts is
    observed or has to be filled in itself.
    """
    keys = [f.key for f in fills]
    gone = {f.key: np.isnan(of_units(design.responses[f.key], design, f.level)) for f in fills}
    columns = assuming_filled(forms, design, fills)
    known = {key: _all_known(forms, columns, k, design.n_rows) for k, key in enumerate(forms[0].responses)}
    on = {key: _dependents(forms, key) for key in keys}
    mask = {f.key: gone[f.key] & known[f.key] for f in fills}
    for _ in keys:
        for f in fills:
            needed = np.zeros(design.n_rows, dtype=bool)
            for k in on[f.key]:
                here = ~np.isnan(design.responses[k]) & known[k]
                needed |= here | mask[k] if k in mask else here
            mask[f.key] = mask[f.key] & anywhere(needed, design, f.level)
    return mask


def _dependents(forms: Sequence[ReducedForm], key: str) -> tuple[str, ...]:
    """Return the responses whose distributions depend on the value of a response."""
    return tuple(
        r
        for k, r in enumerate(forms[0].responses)
        if any(c.response and c.column == key for form in forms for p in form.needed[k] for c in p)
    )


def _all_known(forms: Sequence[ReducedForm], columns: Mapping[Product, Floats], k: int, n: int) -> Flags:
    out: Flags = np.ones(n, dtype=bool)
    for p in dict.fromkeys(p for form in forms for p in form.needed[k]):
        if p in columns:  # nodes are always known
            out &= ~np.isnan(columns[p])
    return out


def assuming_filled(forms: Sequence[ReducedForm], design: Design, fills: Sequence[Fill]) -> Mapping[Product, Floats]:
    """Return the covariates as they are known once responses are filled in: NaN where one can't be."""
    columns = _columns(design)
    keys = {f.key: k for k, r in enumerate(forms[0].responses) for f in fills if f.key == r}
    able = {f.key: np.isnan(of_units(design.responses[f.key], design, f.level)) for f in fills}
    gone = dict(able)
    out: ProductColumns | FramedColumns = columns
    for _ in range(len(fills) + 1):
        out = columns
        for f in fills:
            out = out.filled(f.key, able[f.key], f.states[0][1])
        able = {key: gone[key] & _all_known(forms, out, k, design.n_rows) for key, k in keys.items()}
    return out


def counted(table: ParameterTable, form: ReducedForm, design: Design) -> Flags:
    """Return which records have a response that counts, missing predictors filled in."""
    fills = fills_of(table, [form], design)
    if fills:
        design = replace(design, columns=assuming_filled([form], design, fills))
    return contributing(form, design)


def filled(design: Design, fill: Fill, where: Flags, code: float, value: Filling) -> Design:
    """Return the design with a value for a response where it is missing."""
    y = design.responses[fill.key]
    first = where
    if fill.level != ROWS:
        first = where & (np.diff(design.clusters[fill.level], prepend=-1) != 0)
    responses = {**design.responses, fill.key: np.where(first, code, y)}
    return replace(design, responses=responses, columns=_columns(design).filled(fill.key, where, value))


def _columns(design: Design) -> ProductColumns | FramedColumns:
    assert isinstance(design.columns, ProductColumns | FramedColumns)
    return design.columns
