"""Latent classes and mass points: the verdict from the rank of the response probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from semlang.checks.identification.constraints import Constraints, NotAlgebraic
from semlang.checks.identification.field import Ints, P, echelon, null_space
from semlang.checks.identification.measured_classes import Identify, identify_measured_classes
from semlang.checks.identification.mixture_moments import Mixture
from semlang.checks.identification.names import Names
from semlang.checks.identification.normal_mixtures import identify_normal_mixture
from semlang.checks.identification.nullsets import null_sets
from semlang.checks.identification.report import IDENTIFIED, NOT_IDENTIFIED, UNDETERMINED, Identification, Reason
from semlang.checks.latent_classes import kruskal
from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable

DRAWS = 3
MOST_CLASSES = 64


def is_mixture(graphs: Sequence[ModelGraph]) -> bool:
    """Return whether a model has discrete latent variables."""
    return any(v.kind.discrete for g in graphs for v in g.table.latents)


def identify_mixture(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    names: Names,
    designs: Sequence[Design] | None,
    identify: Identify,
) -> Identification:
    """Return the verdict on a model with latent classes, for generic covariates and large clusters or for data.

    `identify` returns the verdict on a model without any.
    """
    unknown = _unsupported(table, graphs)
    if unknown:
        settled = identify_normal_mixture(table, names, designs) or identify_measured_classes(table, identify)
        if settled is not None:
            return settled
        why = f"{unknown} With data, a fit tells whether the likelihood is flat at its maximum."
        return Identification(UNDETERMINED, why, n_free=table.n_parameters)
    try:
        constraints = Constraints(table)
        best: tuple[int, int, Ints, Ints] | None = None
        n = table.n_parameters
        for draw in range(DRAWS):
            rng = np.random.default_rng([17, draw])
            theta = constraints.solve(rng.integers(2, P, n))
            side = constraints.rows(theta)
            parts = [
                Mixture(table, g, theta, rng, None if designs is None else designs[i]).jacobian(n + 8)
                for i, g in enumerate(graphs)
            ]
            reduced, pivots = echelon(np.concatenate([side, *parts]))
            n_side = len(echelon(side)[1]) if len(side) else 0
            if best is None or len(pivots) > best[0]:
                best = len(pivots), n_side, null_space(reduced, pivots, n), theta
            if best[0] == n:
                break
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
    n = null.shape[0]
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


def _unsupported(table: ParameterTable, graphs: Sequence[ModelGraph]) -> str:
    kinds = {"binomial", "ordinal", "gaussian", "lognormal", "poisson", "multinomial"}
    classes = {v.key: v for v in table.latents if v.kind.discrete and "classes" in v.arguments}
    if any(len(v.arguments.get("joint", ())) > 1 for v in classes.values()):
        return "Mass points of several variables together are not known to this check."
    for v in table.latents:
        if v.key not in classes:
            return f"'{v.key}' is {v.kind.described} latent variable beside latent classes: not known to this check."
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
        if row.source and row.op != "~~" and row.source not in classes:
            return f"'{row.lhs} {row.op} {row.rhs}' joins classes and other variables: not known to this check."
        if row.op == "~~" and row.target != row.source and not (row.parameter < 0 and not row.ustart):
            return f"'{row.lhs} ~~ {row.rhs}' within classes is not known to this check."
        if any(c.response for c in row.via):
            return f"'{row.lhs} {row.op} {row.rhs}': an observed response as a cause beside latent classes."
        if row.moderators or (row.quantity and row.quantity not in ("sigma", "mass")):
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
    holds, total = kruskal(sizes, c)
    if holds:
        return f"Kruskal's condition holds ({total} >= 2 x {c} + 2): generically identified as a whole, up to labels."
    return ""
