"""``y ~ x + y[g]``: the part of a response that varies over clusters, as a term of its own response."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model


@pytest.mark.parametrize("text", ["y ~ x + y[g]", "y ~ y[g]", "b :: binomial(logit)\nb ~ 1 + b[g]"])
def test_a_component_has_a_variance(text: str) -> None:
    """Its path is part of the response and has no row; without the variance the term would be dropped."""
    rows = [(r.lhs, r.op, r.rhs) for r in Model(text).parameter_table.rows]
    name = text.split("~")[-1].split()[-1]
    assert (name, "~~", name) in rows
    assert (name.split("[")[0], "~1", "") in rows


def test_three_ways_to_write_a_random_intercept() -> None:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(12), 5)
    frame = pd.DataFrame({"g": g, "y": rng.normal(size=12)[g] + rng.normal(size=60)})
    values = [Model(f"y ~ 1 + {term}").fit(frame, se="none").loglik for term in ("y[g]", "u[g]", "(1 | g)")]
    assert values == pytest.approx([values[0]] * 3, abs=1e-6)
