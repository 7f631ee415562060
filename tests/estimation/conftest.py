"""Small data sets, and the way from a text to its likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model
from semlang.data.design import Design
from semlang.estimation.constraints import Constraints
from semlang.estimation.estimate import estimate
from semlang.estimation.likelihood import QuadratureLikelihood
from semlang.estimation.objective import Objective
from semlang.estimation.outcome import Estimate
from semlang.estimation.parameters import Parametrisation
from semlang.matrices.build import reduced_form


@dataclass
class Bound:
    """A model with its data."""

    model: Model
    designs: tuple[Design, ...]

    @property
    def table(self):
        return self.model.parameter_table

    def objective(self, points: int = 7, threads: int = 1, factored: bool = True) -> Objective:
        """The log-likelihood by quadrature, whatever the kinds."""
        forms = [reduced_form(g, lift=False) for g in self.model.graphs]
        constraints = Constraints(self.table)
        pinned = constraints.pinned if factored else range(self.table.n_parameters)
        parametrisation = Parametrisation(forms, pinned)
        members = [
            QuadratureLikelihood(form, design, self.table.variables, self.table.levels, f, points, threads)
            for form, design, f in zip(forms, self.designs, parametrisation.factored, strict=True)
        ]
        return Objective(members, parametrisation, constraints)

    def fit(self, **options) -> Estimate:
        return estimate(self.table, self.model.graphs, self.designs, **({"threads": 1} | options))


@pytest.fixture(scope="session")
def bind() -> Callable[..., Bound]:
    """Return a function from text and frame to a bound model."""

    def function(text: str, frame: pd.DataFrame, **options) -> Bound:
        model, designs, _ = Model(text, **options).bind(frame)
        return Bound(model, designs)

    return function


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """Return 3-level data with responses of every kind, unbalanced, some missing."""
    rng = np.random.default_rng(5)
    schools = np.repeat(np.arange(7), rng.integers(1, 5, 7))
    persons = np.repeat(np.arange(schools.size), rng.integers(1, 6, schools.size))
    n = persons.size
    u = rng.normal(size=7)[schools[persons]] * 0.5 + rng.normal(size=schools.size)[persons] * 0.7
    data = {"school": schools[persons], "person": persons, "x": rng.normal(size=n), "z": rng.uniform(0.5, 2.0, n)}
    nu = 0.3 + 0.4 * data["x"] + u
    for k in range(1, 4):
        own = nu + 0.4 * rng.normal(size=n)
        data[f"g{k}"] = own + rng.normal(size=n)
        data[f"b{k}"] = (rng.random(n) < 1 / (1 + np.exp(-own))).astype(float)
        data[f"p{k}"] = rng.poisson(np.exp(np.minimum(own, 3.0))).astype(float)
        data[f"o{k}"] = np.digitize(own + rng.logistic(size=n), [-1.0, 0.3, 1.5]).astype(float)
        data[f"m{k}"] = rng.binomial(4, 1 / (1 + np.exp(-own))).astype(float)
        data[f"s{k}"] = 4.0 + own + 0.5 * rng.normal(size=n)
    data["w"] = rng.normal(size=schools.size)[persons]
    data["size"] = np.full(n, 4.0)
    out = pd.DataFrame(data)
    for name in ("g2", "b2", "p2", "o2", "m2"):
        out.loc[rng.random(n) < 0.15, name] = np.nan
    return out


def differences(function: Callable[[np.ndarray], float], at: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """Return the gradient by central differences of order six."""
    out = np.empty(at.size)
    for k in range(at.size):
        e = np.zeros(at.size)
        e[k] = step
        d = [function(at + j * e) - function(at - j * e) for j in (1, 2, 3)]
        out[k] = (45 * d[0] - 9 * d[1] + d[2]) / (60 * step)
    return out


@pytest.fixture(scope="session")
def gradient_by_differences() -> Callable[..., np.ndarray]:
    """Return `differences`."""
    return differences


def permuted(design: Design, order: np.ndarray) -> Design:
    """Return a design with its records in another order (units must stay contiguous)."""
    return replace(
        design,
        responses={k: v[order] for k, v in design.responses.items()},
        columns={k: v[order] for k, v in design.columns.items()},
        clusters={k: v[order] for k, v in design.clusters.items()},
        row=design.row[order],
    )
