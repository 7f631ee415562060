"""Diagrams of fits: what stands at an arrow is what stands in the tables."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import semlang as sl


@pytest.fixture(scope="module")
def fit() -> sl.Fit:
    """Return a regression with p values in all four classes."""
    rng = np.random.default_rng(12)
    x = np.linalg.qr(np.column_stack([np.ones(100), rng.normal(size=(100, 5))]))[0][:, 1:] * 10.0
    frame = pd.DataFrame(x[:, :4], columns=["a", "b", "c", "d"])
    # coefficients have standard error 0.1 whatever the sample: z is 1.5, 2.3, 2.9, 4
    frame["y"] = 0.15 * x[:, 0] + 0.23 * x[:, 1] + 0.29 * x[:, 2] + 0.4 * x[:, 3] + x[:, 4] * 1.0
    return sl.Model("y ~ a + b + c + d").fit(frame, threads=1)


def labels(fit: sl.Fit, **options: object) -> dict[str, str]:
    edges = fit.draw(**options).spec.edges
    return {e.source[-1]: e.label.replace("−", "-") for e in edges if e.target == "y" and e.source}


def test_stars_are_those_of_the_p_values(fit: sl.Fit) -> None:
    p = fit.params.set_index("name")["p"]
    wanted = {x: "*" * sum(p[f"y ~ {x}"] < limit for limit in (0.05, 0.01, 0.001)) for x in "abcd"}
    assert set(wanted.values()) == {"", "*", "**", "***"}
    assert {x: re.sub(r"[^*]", "", label) for x, label in labels(fit, stars=True).items()} == wanted


def test_values_are_those_of_the_tables(fit: sl.Fit) -> None:
    estimates = fit.params.set_index("name")["est"]
    standardized = fit.standardized().set_index("rhs")["est.std"]
    assert labels(fit, digits=3) == {x: f"{estimates[f'y ~ {x}']:.3f}" for x in "abcd"}
    assert labels(fit, what="std", digits=3) == {x: f"{standardized[x]:.3f}" for x in "abcd"}


@pytest.mark.parametrize(("level", "is_one"), [(0.0, False), (0.05, True), (0.95, True), (1.0, False)])
def test_levels_of_intervals(fit: sl.Fit, level: float, is_one: bool) -> None:
    """The ends stand behind the estimate: those of `confint` at that level."""
    if not is_one:
        with pytest.raises(sl.SemlangError, match="not a level between 0 and 1"):
            fit.draw(ci=level)
        return
    ends = fit.confint(level=level).set_index("name")
    for x, label in labels(fit, ci=level, digits=3).items():
        assert re.findall(r"-?\d+\.\d+", label)[1:] == [f"{v:.3f}" for v in ends.loc[f"y ~ {x}", ["lower", "upper"]]]
