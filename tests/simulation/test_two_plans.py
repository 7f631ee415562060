"""Random models evaluated by two plans give one log-likelihood and one gradient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermegauss
from study import STRUCTURES, Parameters
from truths import TRUTHS, studied

import semlang as sl
from semlang.estimation.assemble import assemble
from semlang.estimation.constraints import Constraints
from semlang.estimation.grid.shared_grid import SharedGrid
from semlang.estimation.grid.suits import FAMILIES

RECORDS = 60


class At:
    """A model at parameters by name: its log-likelihood, and the derivatives by name."""

    def __init__(
        self, text: str, frame: pd.DataFrame, true: Mapping[tuple[str, str, str, int], float], points: int = 9,
        quadrature: bool = True, shared: bool = False,
    ) -> None:  # fmt: skip
        model, designs, _ = sl.Model(text).bind(frame)
        table = model.parameter_table
        self.objective = assemble(
            table,
            model.graphs,
            designs,
            Constraints(table),
            quadrature,
            points,
            1,
            engines=["shared grid"] * shared,
            scaled=False,
        )
        names = {r.parameter: (r.lhs, r.op, r.rhs, r.klass) for r in table.rows if r.parameter >= 0}
        theta = np.array([true[names[p]] for p in range(table.n_parameters)])
        z = self.objective.z(self.objective.within.coordinates(theta))
        self.objective.move(z)
        self.value, gradient = self.objective.value_and_gradient(z)
        slopes = np.linalg.lstsq(self.objective.jacobian(z).T, gradient, rcond=None)[0]
        self.gradient = {names[p]: float(slopes[p]) for p in range(table.n_parameters)}


def agree(one: At, other: At, tolerance: float) -> None:
    """Compare values, and derivatives in the parameters that both have."""
    assert other.value == pytest.approx(one.value, abs=tolerance * max(1.0, abs(one.value)))
    size = max(map(abs, one.gradient.values()))
    for name in one.gradient.keys() & other.gradient.keys():
        assert other.gradient[name] == pytest.approx(one.gradient[name], abs=10.0 * tolerance * max(1.0, size)), name


def random_model(rng: np.random.Generator, families: list[str]) -> tuple[str, Parameters, pd.DataFrame, str, str]:
    """Return text, parameters near the true ones, data, family and structure."""
    family = families[rng.integers(len(families))]
    structure = ("none", "one level", "two levels")[rng.integers(3)]
    text, true, columns = STRUCTURES[structure](TRUTHS[family], rng)
    true = {name: value * (1.0 if name[1] == "|" else rng.uniform(0.7, 1.3)) for name, value in true.items()}
    return text, true, pd.DataFrame(columns)[:RECORDS], family, structure


def equal_classes(seed: int) -> None:
    """One class, or two with the same parameters, are no class."""
    rng = np.random.default_rng(seed)
    text, true, frame, family, structure = random_model(rng, studied())
    frame = frame.assign(w=rng.normal(size=len(frame)))
    first = TRUTHS[family].targets("y1" if structure == "one level" else "y")[0]
    level = "[g]" if structure == "two levels" else ""
    without = At(text, frame, true)
    for classes in (1, 2):
        mixture = f"{text}\nc{level} :: class({classes})\n{first} ~ 0*c@1:w\n"
        agree(without, At(mixture, frame, true | {(f"c{level}", "~1", "", 1): rng.normal()}), 1e-9)


def grid_and_nodes(seed: int) -> None:
    """Shared nodes are adaptive quadrature at 31 points."""
    rng = np.random.default_rng(seed)
    family = sorted(FAMILIES)[rng.integers(len(FAMILIES))]
    text, true, columns = STRUCTURES["one level"](TRUTHS[family], rng)
    frame = pd.DataFrame(columns)[:RECORDS]
    true = {name: value * rng.uniform(0.7, 1.3) if name[1] != "|" else value for name, value in true.items()}
    shared = At(text, frame, true, shared=True)
    assert isinstance(shared.objective.members[0], SharedGrid)
    agree(At(text, frame, true, points=31), shared, 1e-5)  # the grid's own error, tests/estimation/grid


def mass_points_and_quadrature(seed: int) -> None:
    """Mass points at Gauss-Hermite nodes, with its weights, are quadrature."""
    rng = np.random.default_rng(seed)
    families = studied()
    family = families[rng.integers(len(families))]
    text, true, columns = STRUCTURES["two levels"](TRUTHS[family], rng)
    frame = pd.DataFrame(columns)[:RECORDS]
    z, w = hermegauss(31)
    sd = 0.6 * np.sqrt(true["u[g]", "~~", "u[g]", 0])
    normal = true | {("u[g]", "~~", "u[g]", 0): sd**2}
    points = {("u[g]", "~1", "", k + 1): sd * z[k] for k in range(31)}
    points |= {("mass(u[g])", "~1", "", k + 1): float(np.log(w[k] / w[-1])) for k in range(30)}
    one, other = At(text, frame, normal, points=31), At(f"u[g] :: masspoints(31)\n{text}", frame, true | points)
    agree(one, other, 1e-5)  # nodes that stay where the prior is, a third of an SD apart


def nodes_and_closed_form(seed: int) -> None:
    """A product with coefficient 0: a factor known by nodes gives what the closed form does."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 4, 2)
    names = [[f"x{k}{j}" for j in range(size)] for k, size in enumerate(sizes)]
    text = "".join(f"f{k} =~ {' + '.join(own)}\n" for k, own in enumerate(names)) + "y ~ f0 + f1"
    frame = pd.DataFrame(rng.normal(size=(RECORDS, sizes.sum() + 1)), columns=[*names[0], *names[1], "y"])
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    true: Parameters = {(v, "~~", v, 0): rng.uniform(0.4, 1.2) for v in (*frame, "f0", "f1")}
    true |= {(v, "~1", "", 0): rng.normal(0.0, 0.3) for v in frame}
    true |= {(f"f{k}", "=~", v, 0): rng.uniform(0.6, 1.4) for k in (0, 1) for v in names[k][1:]}
    true |= {("y", "~", "f0", 0): rng.normal(), ("y", "~", "f1", 0): rng.normal(), ("f0", "~~", "f1", 0): 0.2}
    closed = At(text, frame, true, quadrature=False)
    agree(closed, At(text + " + 0*f0:f1", frame, true, points=21), 1e-8)


PLANS = (equal_classes, grid_and_nodes, mass_points_and_quadrature, nodes_and_closed_form)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("plans", PLANS, ids=lambda f: f.__name__)
def test_two_plans_are_one_answer(plans, seed: int) -> None:
    plans(seed)


@pytest.mark.slow
def test_two_plans_are_one_answer_for_many() -> None:
    """Two hundred models."""
    wrong = []
    for seed in range(10, 60):
        for plans in PLANS:
            try:
                plans(seed)
            except AssertionError as problem:
                wrong.append(f"{plans.__name__}({seed}): {str(problem).splitlines()[0]}")
    assert not wrong, wrong
