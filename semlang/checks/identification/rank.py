"""Rank of the moments' Jacobian at generic points, its null space, and the blocks of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from semlang.checks.identification.constraints import Constraints
from semlang.checks.identification.field import Ints, P, echelon, null_space
from semlang.checks.identification.moments import Block, jacobian
from semlang.checks.identification.responses import Margin, margin
from semlang.checks.identification.sample import design_sample, generic_sample
from semlang.data.design import Design
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ParameterTable, Product

DRAWS = 3
"""Points at which a deficient rank is confirmed."""


@dataclass(frozen=True)
class RankResult:
    """Rank of a Jacobian and its null space at a point.

    Parameters
    ----------
    rank : int
        Rank of the moments and the constraints together.
    n : int
        Number of parameters.
    n_constraints : int
        Rank of the constraints alone.
    theta : (P,) elements of the field
    null : (P, n - rank) elements of the field
        A basis of the directions that leave all moments as they are.
    """

    rank: int
    n: int
    n_constraints: int
    theta: Ints
    null: Ints

    @property
    def full(self) -> bool:
        """Whether the parameters are locally identified at generic points."""
        return self.rank == self.n

    @property
    def moving(self) -> tuple[int, ...]:
        """Parameters that are not identified: those with a non-zero row in the null space."""
        return tuple(int(p) for p in np.flatnonzero(self.null.any(axis=1)))


class MomentMap:
    """What the data identify, as a map of the parameters; its rank can be asked under changes of the model.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
        One a group.
    designs : sequence of Design, optional
        Data bound to the model, one a group.
    seed : int
    """

    def __init__(
        self,
        table: ParameterTable,
        graphs: Sequence[ModelGraph],
        designs: Sequence[Design] | None = None,
        seed: int = 1,
        budget: int = 120,
    ) -> None:
        self.table, self.seed = table, seed
        self.n = table.n_parameters
        self.forms = tuple(reduced_form(g, lift=True) for g in graphs)
        self.blocks = tuple(
            _block(table, form, None if designs is None else designs[i], seed + i, budget)
            for i, form in enumerate(self.forms)
        )

    @property
    def margins(self) -> Mapping[str, Margin]:
        """Margins by response."""
        return {k: m for b in self.blocks for k, m in zip(b.form.responses, b.margins, strict=True)}

    @property
    def exhaustive(self) -> bool:
        """Whether the distribution of the data depends on the parameters through these moments alone."""
        return all(m.exhaustive for m in self.margins.values()) and not any(b.blind for b in self.blocks)

    @property
    def complete(self) -> bool:
        """Whether the sample left out no distinct design of the data."""
        return all(b.sample.complete for b in self.blocks)

    def rank(
        self,
        values: Mapping[int, int] | None = None,
        fixed: Sequence[int] = (),
        equal: tuple[tuple[int, int], ...] = (),
        law: bool = False,
        draws: int = DRAWS,
    ) -> RankResult:
        """Return the largest rank over several random points.

        Parameters
        ----------
        values : mapping from parameter to element of the field, optional
            Parameters that take a given value at the point.
        fixed : sequence of int
            Parameters that are constants (at their value in `values`).
        equal : tuple of (int, int)
            Pairs of parameters that are set equal besides the model's constraints.
        law : bool
            Whether the moments are those of the linear predictors.
        draws : int

        Raises
        ------
        NotAlgebraic
            If a constraint is no rational function.
        """
        values = dict(values or {})
        constraints = Constraints(self.table, equal)
        best: RankResult | None = None
        for draw in range(draws):
            rng = np.random.default_rng([self.seed, draw])
            theta = rng.integers(2, P, self.n)
            for p, v in values.items():
                theta[p] = v % P
            theta = constraints.solve(theta, frozenset(values))
            rows = constraints.rows(theta)
            held = np.zeros((len(fixed), self.n), dtype=np.int64)
            held[np.arange(len(fixed)), list(fixed)] = 1
            side = np.concatenate([rows, held])
            n_side = len(echelon(side)[1]) if len(side) else 0
            parts = [jacobian(b, theta, self.n + 8, rng, law) for b in self.blocks]
            reduced, pivots = echelon(np.concatenate([side, *parts]))
            found = RankResult(len(pivots), self.n, n_side, theta, null_space(reduced, pivots, self.n))
            if best is None or found.rank > best.rank:
                best = found
            if best.full:
                break
        assert best is not None
        return best


def _block(table: ParameterTable, form: ReducedForm, design: Design | None, seed: int, budget: int) -> Block:
    variables = table.variables
    height = {level: i for i, level in enumerate(table.levels)}
    margins = tuple(
        margin(variables[key], frozenset(name for (k, name) in form.quantities if k == i))
        for i, key in enumerate(form.responses)
    )
    response_levels = tuple(height[variables[key].level] for key in form.responses)
    products: list[Product] = [*form.mean_columns, *form.random_columns]
    addends = [a for rows in form.thresholds.values() for linear in rows for a in linear]
    addends += [a for linear in form.quantities.values() for a in linear]
    products += [a.via for a in addends]
    if design is None:
        sample = generic_sample(
            products,
            [*response_levels, len(table.clusters)],
            frozenset(k for k in form.responses if variables[k].kind.name == "binomial"),
            _clusters(form, margins, products, len(table.clusters)),
            seed,
        )
    else:
        sample = design_sample(design, products, form.responses, table.clusters, budget, seed)
    return Block(
        form,
        margins,
        tuple(height[d.level] for d in form.disturbances),
        response_levels,
        sample,
        _blind(table, form),
    )


def _clusters(form: ReducedForm, margins: Sequence[Margin], products: Sequence[Product], n_levels: int) -> int:
    """Return how many top-level units of generic covariates show every monomial of them."""
    distinct = set(products) - {()}
    if not distinct:
        return 1
    rows = len(distinct) + 2
    if any(c.function == "level" for p in distinct for c in p):
        rows = 4 * rows
    a = len(form.random_columns)
    pairs = a * (a + 1) // 2 + 1 if a > 1 else 1
    modelled = any(addend.via for linear in form.quantities.values() for addend in linear)
    curved = modelled or (a > 1 and any(m.standardised for m in margins))
    if curved:
        rows = max(rows, min(form.n_parameters + 2, 3 * (len(distinct) + pairs) + 4))
    return max(ceil(rows / (1 << n_levels)), pairs + 1)


def _blind(table: ParameterTable, form: ReducedForm) -> frozenset[tuple[int, int]]:
    """Return effects of discrete endogenous responses that only the shape of the joint distribution identifies.

    The effect of a binary y1 on y2 beside correlated disturbances is identified by the curvature of E(y2 | x) in the
    covariates of y1 (Heckman 1978; Wilde 2000); without any covariate of y1 it is not.
    """
    moving: dict[int, set[int]] = {}
    for k, _, j, _ in form.loading_cells.tolist():
        moving.setdefault(k, set()).add(j)
    psi = {frozenset((i, j)) for i, j in zip(form.psi.i.tolist(), form.psi.j.tolist(), strict=True)}
    varied = {
        k
        for k, c, _ in form.mean_cells.tolist()
        if form.mean_columns[c] and not any(f.response for f in form.mean_columns[c])
    }
    index = {key: k for k, key in enumerate(form.responses)}
    out: set[tuple[int, int]] = set()
    for k, c, _ in form.mean_cells.tolist():
        for factor in form.mean_columns[c]:
            t = index.get(factor.column) if factor.response else None
            if t is None or t == k or t in varied or table.variables[factor.column].kind.name == "gaussian":
                continue
            joint = any(frozenset((i, j)) in psi for i in moving.get(k, ()) for j in moving.get(t, ()))
            if joint:
                out.add((k, c))
    return frozenset(out)
