"""Nothing that a fit says depends on the unit or origin of a variable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl


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


@pytest.mark.parametrize(("a", "s"), [(1.5e9, 1e7), (2015.0, 3.0), (0.0, 1e4), (1.5e9, 1.0)])
@pytest.mark.parametrize("text", ["y ~ 1 + x + (1 + x | g)", "b :: binomial(logit)\nb ~ 1 + x + (1 + x | g)"])
def test_origin_of_random_slope(bind, slopes, text, a, s):
    """With x = a + s z: the intercept is that at x = 0, and Psi = T Psi' T'."""
    one = bind(text, slopes).fit()
    other = bind(text, slopes.assign(x=a + s * slopes.x)).fit()
    assert slugs(one) == slugs(other) == []
    assert other.loglik == pytest.approx(one.loglik, abs=2e-5)
    b = one.theta
    T = np.array([[1.0, -a / s], [0.0, 1.0 / s]])
    psi = T @ np.array([[b[2], b[3]], [b[3], b[4]]]) @ T.T
    expected = np.array([b[0] - a / s * b[1], b[1] / s, psi[0, 0], psi[1, 0], psi[1, 1], *b[5:]])
    assert other.theta == pytest.approx(expected, rel=2e-3)


def test_frequencies_in_the_sandwich(slopes):
    """Units with a frequency, written out, have the same standard errors, with clusters of the text and without."""
    data = slopes.assign(k=1 + slopes.g % 3)
    out = pd.concat([rows.assign(g=10 * g + i) for g, rows in data.groupby("g") for i in range(1 + g % 3)])
    for text, many in (("y ~ 1 + (1 | g)", "g"), ("b :: binomial(logit)\nb ~ 1 + (1 | g)", "g"), ("y ~ 1 + x", "rows")):
        written = out if many == "g" else data.loc[data.index.repeat(data.k)]
        for se in ("robust", "opg"):
            one = sl.Model(f"{text}\nfrequency: {many} = k").fit(data, se=se)
            other = sl.Model(text).fit(written, se=se)
            assert one.estimate.n_top == other.estimate.n_top
            assert np.diag(one.vcov) == pytest.approx(np.diag(other.vcov), rel=1e-4)
