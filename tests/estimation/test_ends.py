"""Loops that end without success say so, and soon (docs/design/ends.md)."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit
from scipy.stats import norm

from semlang import Model, NotConvergedWarning
from semlang.estimation.member import Infeasible
from semlang.estimation.optimize import STALLED, maximise

INPUTS = Path(__file__).parent / "inputs"


def test_a_climb_that_an_edge_stops_ends_where_that_is_asked_for():
    """The maximum lies at z = 1, nothing beyond 0.5 is looked at: steps would be halved for ever."""
    count = 0

    def value_and_gradient(z):
        nonlocal count
        count += 1
        if z[0] > 0.5:
            raise Infeasible("outside of what is looked at")
        return float(-50.0 * (z[0] - 1.0) ** 2), -100.0 * (z - 1.0)

    objective = SimpleNamespace(value_and_gradient=value_and_gradient)
    found = maximise(objective, np.zeros(1), inverse=np.eye(1), stall=1e-5)
    assert not found.converged
    assert 0.4 < found.z[0] <= 0.5
    assert count < 20 * (STALLED + 1)


def test_a_ridge_is_named():
    """One gaussian and one binary indicator: their covariance, and of the rest the shape of the link alone.

    Along the ridge the link goes from the logit of ``y`` (loading towards 0) to a probit (loading without bound), and
    the log-likelihood from -146.504798 to -146.504503 (scipy, both regressions and the values between).
    """
    data = pd.read_csv(INPUTS / "unequal.csv")
    with pytest.warns(NotConvergedWarning):
        fit = Model("cluster: c\nb1 :: binomial(logit)\nf =~ y + b1").fit(data)
    sign, y, n = 2.0 * data.b1 - 1.0, data.y, len(data)
    gaussian = -0.5 * n * (np.log(2 * np.pi * y.var(ddof=0)) + 1.0)
    logit, probit = (
        gaussian - minimize(lambda p, f=f: -f(sign * (p[0] + p[1] * y)).sum(), np.zeros(2)).fun
        for f in (log_expit, norm.logcdf)
    )
    assert logit - 1e-6 <= fit.loglik <= probit + 1e-6
    (finding,) = [d for d in fit.diagnostics if d.is_error]
    assert finding.slug == "not-converged"
    assert all(f"'{name}'" in finding.message for name in ("f =~ b1", "y ~~ y", "f ~~ f"))


@pytest.mark.slow
def test_too_many_factors_of_binary_items_end_soon_with_a_name():
    """A bifactor model of nine items with one factor: a loading runs away."""
    rng = np.random.default_rng(1)
    f, a, c = rng.normal(size=300), rng.uniform(0.8, 2, 9), rng.normal(0, 1, 9)
    y = (rng.uniform(size=(300, 9)) < 1 / (1 + np.exp(-(f[:, None] * a + c)))).astype(int)
    text = """y{1..9} :: binomial(logit)
options: std.lv = true
g =~ y{1..9}
s1 =~ y1 + y2 + y3
s2 =~ y4 + y5 + y6
s3 =~ y7 + y8 + y9
g ~~ 0*s1 + 0*s2 + 0*s3
s1 ~~ 0*s2 + 0*s3
s2 ~~ 0*s3
"""
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = Model(text).fit(pd.DataFrame(y, columns=[f"y{i}" for i in range(1, 10)]))
    assert time.process_time() - began < 60.0  # 6 seconds, beside compiling; it was no end in 15 minutes
    assert not fit.converged
    (finding,) = [d for d in fit.diagnostics if d.is_error]
    assert finding.slug == "not-converged"
    assert "s1 =~ y1" in finding.message or "g =~ y1" in finding.message
