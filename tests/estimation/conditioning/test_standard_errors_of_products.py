"""Standard errors of products of latent variables do not depend on where the climb began or how it went on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

TEXT = "f =~ a1 + a2 + a3\ng =~ b1 + b2 + b3\ny ~ f + g + f:g"


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 400
    f, g = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], n).T
    data = {f"a{k}": f + rng.normal(size=n) * 0.7 for k in (1, 2, 3)}
    data |= {f"b{k}": g + rng.normal(size=n) * 0.7 for k in (1, 2, 3)}
    return pd.DataFrame(data).assign(y=0.5 * f + 0.4 * g + 0.4 * f * g + rng.normal(size=n))


def test_from_the_start_values_and_from_near_the_maximum() -> None:
    data, model = frame(), sl.Model(TEXT)
    fit = model.fit(data, threads=1)
    free = fit.params[fit.params["free"] > 0]
    for nudge in (0.0, 0.02, -0.05):
        start = {name: value * (1.0 + nudge) for name, value in zip(free["name"], free["est"], strict=True)}
        again = model.fit(data, threads=1, start=start)
        assert again.loglik == pytest.approx(fit.loglik, abs=1e-5)
        assert again.params["se"].to_numpy(float) == pytest.approx(
            fit.params["se"].to_numpy(float), rel=1e-4, nan_ok=True
        )
