"""Nothing that a fit says depends on the unit or origin of a variable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def slopes() -> pd.DataFrame:
    """Thirty clusters of six with an intercept and a slope of their own."""
    rng = np.random.default_rng(60)
    g = np.repeat(np.arange(30), 6)
    x = rng.normal(size=g.size)
    u = rng.normal(size=(30, 2)) @ np.array([[1.0, 0.3], [0.0, 0.5]])
    y = 1.0 + 0.5 * x + u[g, 0] + u[g, 1] * x + 0.5 * rng.normal(size=g.size)
    b = (rng.random(g.size) < 1.0 / (1.0 + np.exp(-(0.3 + 0.8 * x + u[g, 0])))).astype(float)
    return pd.DataFrame({"g": g, "x": x, "y": y, "b": b})


def slugs(fit):
    return sorted(d.slug for d in fit.diagnostics)


@pytest.mark.parametrize("s", [1e-8, 1e-5, 1e5, 1e8])
def test_unit_of_response(bind, slopes, s):
    text = "y ~ 1 + x + (1 + x | g)"
    one = bind(text, slopes).fit()
    other = bind(text, slopes.assign(y=slopes.y * s)).fit()
    assert slugs(one) == slugs(other) == []
    assert other.loglik + len(slopes) * np.log(s) == pytest.approx(one.loglik, abs=1e-5)
    powers = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    assert other.theta == pytest.approx(one.theta * s**powers, rel=1e-4)
    assert np.sqrt(np.diag(other.vcov)) == pytest.approx(np.sqrt(np.diag(one.vcov)) * s**powers, rel=1e-3)
