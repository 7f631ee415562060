"""The gradient is that of the value for every density of the kernels' table in every structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from study import STRUCTURES, Parameters, intercepts
from truths import LEFT, TRUTHS, Truth

import semlang as sl
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.grid.shared_grid import SharedGrid
from semlang.estimation.grid.suits import FAMILIES
from semlang.estimation.kernels.families import ENTRIES

PAIRS = [(e.family, e.link) for e in ENTRIES if e.family not in LEFT]
RECORDS = 48
POSITIVE = ("identity", "sqrt", "reciprocal")
"""Links of positive means whose linear predictors have to be positive."""


def of_link(family: str, link: str) -> Truth:
    """Return a truth with another link, at which all means are positive."""
    truth = replace(TRUTHS[family], link=link)
    normal = family.split()[-1] in ("gaussian", "lognormal")
    if link in (("reciprocal",) if normal else POSITIVE):
        return replace(truth, intercepts=((3.0,), (2.0,)), slope=0.2, sd=0.15)
    return truth


def product(truth: Truth, rng: np.random.Generator) -> tuple[str, Parameters, dict[str, np.ndarray]]:
    """Two factors of two gaussian responses and their product."""
    f = rng.normal(size=(RECORDS, 2))
    columns = {f"g{j + 1}": f[:, j // 2] + 0.6 * rng.normal(size=RECORDS) for j in range(4)}
    true: Parameters = {(f"g{j}", "~1", "", 0): 0.0 for j in range(1, 5)}
    true |= {(f"g{j}", "~~", f"g{j}", 0): 0.36 for j in range(1, 5)}
    true |= {("f1", "=~", "g2", 0): 1.0, ("f2", "=~", "g4", 0): 1.0, ("f1", "~~", "f2", 0): 0.1}
    true |= {("f1", "~~", "f1", 0): 0.8, ("f2", "~~", "f2", 0): 1.1}
    text = "f1 =~ g1 + g2\nf2 =~ g3 + g4\n" + truth.declared("y")
    slopes = np.array([0.3, 0.2, 0.1]) * truth.sd
    for target in truth.targets("y"):
        text += f"{target} ~ f1 + f2 + f1:f2\n"
        true |= {(target, "~", name, 0): b for name, b in zip(("f1", "f2", "f1:f2"), slopes, strict=True)}
    nu = np.array(truth.intercepts[0]) + (np.column_stack([f, f[:, 0] * f[:, 1]]) @ slopes)[:, None]
    columns |= truth.draw(rng, nu, truth.link, "y")
    return text, true | intercepts(truth, "y", truth.intercepts[0]) | truth.own("y"), columns


EVERY = {**STRUCTURES, "product": product, "grid": STRUCTURES["one level"]}


def cases() -> Iterator[object]:
    """Yield every density in every structure; beside the first link of a family those with one level are enough."""
    seen: set[str] = set()
    for family, link in PAIRS:
        for structure in EVERY:
            if structure != "grid" or family in FAMILIES:
                quick = family not in seen or structure == "one level"
                marks = () if quick else (pytest.mark.slow,)
                yield pytest.param(family, link, structure, marks=marks, id=f"{family}-{link}-{structure}")
        seen.add(family)


@pytest.mark.parametrize(("family", "link", "structure"), list(cases()))
def test_gradient_is_that_of_the_value(family: str, link: str, structure: str) -> None:
    rng = np.random.default_rng(5)
    text, true, columns = EVERY[structure](of_link(family, link), rng)
    while any(np.unique(y[:RECORDS]).size == 1 for k, y in columns.items() if k.startswith("y")):  # all guessed
        text, true, columns = EVERY[structure](of_link(family, link), rng)
    model, designs, _ = sl.Model(text).bind(pd.DataFrame(columns)[:RECORDS])
    table = model.parameter_table
    objective = assemble(
        table, model.graphs, designs, Constraints(table), True, 5, 1, engines=["shared grid"] * (structure == "grid")
    )  # fmt: skip
    assert isinstance(objective.members[0], SharedGrid) == (structure == "grid")
    theta = np.full(table.n_parameters, np.nan)
    for row in table.rows:
        if row.parameter >= 0:
            value = true[row.lhs, row.op, row.rhs, row.klass]
            theta[row.parameter] = value * rng.uniform(0.9, 1.1) + 0.02 * (value == 0.0)
    assert np.isfinite(theta).all()
    z = objective.z(objective.within.coordinates(theta))
    objective.move(z)
    gradient = objective.value_and_gradient(z)[1]
    h = 1e-4  # of order four: an error of h^4 = 1e-16 beside rounding of 1e-13 / h
    differences = np.empty_like(gradient)
    for k, e in enumerate(np.eye(z.size) * h):
        near = objective.value(z + e) - objective.value(z - e)
        differences[k] = (8.0 * near - (objective.value(z + 2 * e) - objective.value(z - 2 * e))) / (12.0 * h)
    assert np.abs(gradient - differences).max() < 1e-6 * max(1.0, np.abs(gradient).max())
