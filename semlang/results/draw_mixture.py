"""Draws from models with discrete latent variables and products: states first, then the model given them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.assemble import with_last_points
from semlang.estimation.conditioning.conditions import Conditions, conditions
from semlang.graph.build import build_graph
from semlang.graph.condition import membership
from semlang.model.table import ROWS, ParameterTable
from semlang.results.draw_group import Drawn, Normals, draw_group, of_first

__all__ = ["Mixing"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Mixing:
    """A conditional model at given parameters.

    Parameters
    ----------
    table : ParameterTable
    theta : (P,) floats

    Raises
    ------
    FitError
        ``not-simulated``.
    """

    def __init__(self, table: ParameterTable, theta: Floats) -> None:
        self.table, self.theta = with_last_points(table, theta)
        self._of: dict[int, Conditions] = {}
        upper = {v.key: v for v in table.responses if v.level != ROWS}
        used = {c.column for row in table.rows for c in row.via if c.response}
        for key in upper.keys() & used:
            raise FitError(
                [error("not-simulated", f"'{key}' of a higher level predicts others, beside classes or products",
                       table.source, upper[key].span, help="take the mean of a latent variable of that level instead")]
            )  # fmt: skip

    def draw(self, group: int, design: Design, rng: np.random.Generator) -> Drawn:
        """Return draws of one group, states among the latent variables; see `draw_group`."""
        if group not in self._of:
            self._of[group] = conditions(self.table, group)
        c = self._of[group]
        whole = replace(design, observed={})
        normals = Normals(design, rng)
        states = self._states(c, group, whole, normals, rng)
        out, nothing = Drawn(), np.full(design.n_rows, np.nan)
        for configuration in c.configurations:
            here = np.ones(design.n_rows, dtype=bool)
            for axis, i in enumerate(configuration.index):
                here &= states[axis] == i
            if not here.any():
                continue
            new = draw_group(configuration.graph, whole, self.theta, normals, rng)
            for of, found in ((out.responses, new.responses), (out.event, new.event), (out.latent, new.latent)):
                for key, values in found.items():
                    of[key] = np.asarray(np.where(here, values, of.get(key, nothing)), dtype=np.float64)
        for v in self.table.responses:
            if v.level != ROWS and v.level in design.clusters:
                for of in (out.responses, out.event):
                    if v.key in of:
                        of[v.key] = of_first(of[v.key], design, v.level)
        for axis, key in enumerate(c.discrete):
            if self.table.variables[key].kind.name == "class":
                out.latent[key] = np.asarray(states[axis] + 1.0, dtype=np.float64)
        return out

    def _states(
        self, c: Conditions, group: int, design: Design, normals: Normals, rng: np.random.Generator
    ) -> list[Ints]:
        """Return the state, from 0, of each discrete variable by record."""
        n = design.n_rows
        states = [np.zeros(n, dtype=np.int64) for _ in c.discrete]
        done: list[int] = []
        for axis in self._order(c, group):
            key, size = c.discrete[axis], c.sizes[axis]
            p = np.zeros((size, n))
            for given in c.configurations:
                if any(i for a, i in enumerate(given.index) if a not in done):
                    continue
                here = np.ones(n, dtype=bool)
                for a in done:
                    here &= states[a] == given.index[a]
                if not here.any():
                    continue
                graph = build_graph(membership(self.table, key, given.states), group)
                nu = draw_group(graph, design, self.theta, normals, rng).responses
                logits = np.stack([*(nu[f"{key}@{k}"] for k in range(1, size)), np.zeros(n)])
                p[:, here] = softmax(logits, axis=0)[:, here]
            level = c.levels[axis]
            unit = np.arange(n) if level == ROWS else design.clusters[level]
            u = rng.random(design.n_units(level))[unit]
            if level != ROWS:
                p = np.stack([of_first(q, design, level) for q in p])
            states[axis] = np.asarray((u > np.cumsum(p, axis=0)[:-1]).sum(axis=0), dtype=np.int64)
            done.append(axis)
        return states

    def _order(self, c: Conditions, group: int) -> list[int]:
        """Return the discrete variables, those that others depend on first."""
        on: list[set[int]] = []
        for axis, key in enumerate(c.discrete):
            named = {
                v
                for row in self.table.rows
                if row.target == key and row.group == group
                for v, _ in ((row.class_variable, row.klass), *row.also)
            }
            on.append({a for a, k in enumerate(c.discrete) if k in named and a != axis})
        out: list[int] = []
        while len(out) < len(on):
            out.append(next(a for a in range(len(on)) if a not in out and on[a] <= set(out)))
        return out
