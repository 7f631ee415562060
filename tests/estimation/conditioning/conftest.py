"""Members of conditional models at given parameters, and small data for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.estimation.conditioning.assemble import conditional_members
from semlang.estimation.constraints import Constraints
from semlang.estimation.objective import Objective

sys.path.insert(0, str(Path(__file__).parent))  # models that several modules read


@pytest.fixture(scope="session")
def units() -> pd.DataFrame:
    """Return 72 rows in 9 schools with binary, gaussian, ordinal and count responses, some missing."""
    rng = np.random.default_rng(1)
    n = 72
    d = pd.DataFrame({"school": np.repeat(np.arange(9), 8), "x": rng.normal(size=n), "z": rng.uniform(0.5, 2, n)})
    u = rng.normal(size=9)[d.school]
    for k in range(1, 5):
        d[f"b{k}"] = (rng.random(n) < 0.5 + 0.2 * np.tanh(u)).astype(float)
        d[f"g{k}"] = rng.normal(size=n) + u
        d[f"p{k}"] = rng.poisson(1.5, n).astype(float)
        d[f"o{k}"] = rng.integers(0, 3, n).astype(float)
    d.loc[rng.random(n) < 0.1, "b2"] = np.nan
    d.loc[rng.random(n) < 0.1, "x"] = np.nan
    d["gold"] = np.where(rng.random(n) < 0.3, rng.integers(1, 3, n), np.nan)
    d["m"] = np.where(rng.random(n) < 0.25, np.nan, d.z + rng.normal(size=n))
    d["fr"] = np.where(d.school % 2 == 0, 2.0, 1.0)
    return d


@pytest.fixture(scope="session")
def conditional() -> Callable[..., SimpleNamespace]:
    """Return a function from a text, data and parameters by name to the member, its coordinates and the table."""

    def function(text: str, frame: pd.DataFrame, values=None, points: int = 7, seed: int = 3) -> SimpleNamespace:
        model, designs, _ = Model(text).bind(frame)
        table = model.parameter_table
        constraints = Constraints(table)
        members, parametrisation = conditional_members(table, designs, constraints.pinned, points, 1)
        objective = Objective(members, parametrisation, constraints)
        theta = random_theta(table, seed)
        for row in table.rows:
            if row.parameter >= 0 and values is not None:
                name = f"{row.lhs}{row.op}{row.rhs}" + (f"@{row.klass}" if row.klass else "")
                theta[row.parameter] = values[name]
        x = parametrisation.coordinates(theta)
        for m in members:
            m.move(x)
        return SimpleNamespace(
            model=model, table=table, designs=designs, member=members[0], objective=objective, x=x, theta=theta,
            z=objective.z(x),
        )  # fmt: skip

    return function


def random_theta(table, seed: int) -> np.ndarray:
    """Return parameters at which every density is defined."""
    rng = np.random.default_rng(seed)
    theta = np.zeros(table.n_parameters)
    for row in table.rows:
        if row.parameter < 0:
            continue
        value = 0.4 * rng.normal()
        if row.op == "~~":
            value = 0.6 + 0.3 * rng.random() if row.target == row.source else 0.1
        elif row.op == "=~":
            value = 0.9 + 0.2 * rng.normal()
        elif row.threshold and not row.via:
            value = -1.0 + 1.2 * (row.threshold - 1) + 0.1 * rng.normal()
        theta[row.parameter] = value
    return theta
