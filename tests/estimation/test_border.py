"""Singular covariance matrices: the maximum on the border, by every engine, with a warning and the SEs that exist.

Data are simulated; values are those of lme4 1.1-31 (2026-11-28, ``REML = FALSE``, bobyqa with ``rhoend = 1e-9``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model

INPUTS = Path(__file__).parent / "inputs"
TWO = "cluster: {0}/{1}\n{2} ~ 1 + {3} + (1 + {3} | {1}) + (1 + {3} | {0})\n"
CASES = {
    "three levels, gaussian": ("three_levels.csv", TWO.format("school", "class", "math", "ses"), None, -3621.210043),
    "rank two of three": ("rank_two.csv", "y ~ 1 + x + z + (1 + x + z | g)", None, -423.8401793),
    "logit, Laplace": ("logit_slopes.csv", "y :: binomial(logit)\ny ~ 1 + x + (1 + x | g)", 1, -304.2320003),
    "poisson, Laplace": ("poisson_slopes.csv", "y :: poisson(log)\n" + TWO.format("s", "c", "y", "t"), 1, -504.1024095),
}
SLUGS = {"correlation-at-one", "singular-covariance"}


@pytest.mark.parametrize("case", CASES)
def test_maximum_on_the_border(case):
    file, text, points, loglik = CASES[case]
    fit = Model(text).fit(pd.read_csv(INPUTS / file), points=points)
    assert fit.converged
    assert fit.loglik == pytest.approx(loglik, abs=1e-4)
    slugs = {d.slug for d in fit.diagnostics}
    assert slugs & SLUGS
    assert "empirically-unidentified" not in slugs  # the border is said once, not as flat directions, too
    fixed = fit.params.query("op in ('~', '~1') and se > 0")
    assert np.isfinite(fixed.se).all()
    assert len(fixed) >= 2


def test_estimates_are_those_of_lme4():
    file, text, _, _ = CASES["rank two of three"]
    params = Model(text).fit(pd.read_csv(INPUTS / file)).params.set_index("name")
    expected = {
        "y.1[g] ~~ y.1[g]": 0.8100365, "y.1[g] ~~ y.x[g]": 0.0240319, "y.1[g] ~~ y.z[g]": -0.338564,
        "y.x[g] ~~ y.x[g]": 0.7521168, "y.x[g] ~~ y.z[g]": 0.514107, "y.z[g] ~~ y.z[g]": 0.507135,
        "y ~ x": 0.4236109, "y ~ z": -0.1374297, "y ~1": 1.0314162,
    }  # fmt: skip
    for name, value in expected.items():
        assert params.est[name] == pytest.approx(value, abs=2e-4)
    # lme4's standard errors are given the variance parameters, these are not: a little larger
    for name, se in {"y ~ x": 0.1928890, "y ~ z": 0.1754692, "y ~1": 0.2017459}.items():
        assert params.se[name] == pytest.approx(se, rel=0.01)


def test_standard_errors_are_those_of_the_model_of_that_rank():
    """Two effects that correlate perfectly are one with a loading."""
    file, text, _, _ = CASES["logit, Laplace"]
    frame = pd.read_csv(INPUTS / file)
    singular = Model(text).fit(frame)
    one = Model("cluster: g\ny :: binomial(logit)\nu[g] :: normal\nu ~~ 1*u\ny ~ 1 + x + NA*u + u:x").fit(frame)
    assert one.loglik == pytest.approx(singular.loglik, abs=1e-5)
    a, b = (fit.params.set_index("name") for fit in (singular, one))
    for name in ("y ~ x", "y ~1"):
        assert a.se[name] == pytest.approx(b.se[name], rel=1e-3)
