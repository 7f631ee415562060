"""Every link has one direction: P(y = 1) and P(y > s) rise with the linear predictor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.estimation.distributions import BINARY

DATA = Path(__file__).parent / "inputs" / "links.csv"
"""Simulated: four ordered categories y, b = 1 for the upper two, a covariate x."""

LINKS = ("logit", "probit", "cloglog", "loglog")

# clm of R's ordinal 2022.11.16 (R 4.2.2, 2026-11-28), y ~ x. It states P(y <= s) = F(tau_s - x b), here
# P(y > s) = F(x b - tau_s): its loglog is cloglog here, and the other way round.
CLM = {
    "cloglog": (-177.9173, 0.9286159, 0.127981, (-0.4641913, 0.6576648, 1.669781)),
    "loglog": (-190.8705, 0.5409037, 0.09299596, (-1.292268, -0.1797863, 0.5064213)),
}


@pytest.mark.parametrize("link", LINKS)
def test_binomial_and_ordinal_agree_on_two_categories(link: str) -> None:
    data = pd.read_csv(DATA)
    binary = sl.Model(f"b :: binomial({link})\nb ~ x").fit(data)
    ordered = sl.Model(f"b :: ordinal({link})\nb ~ x").fit(data)
    assert ordered.loglik == pytest.approx(binary.loglik, abs=1e-8)
    slopes = [f.params.query("op == '~' and rhs == 'x'").iloc[0] for f in (binary, ordered)]
    assert slopes[1]["est"] == pytest.approx(slopes[0]["est"], abs=1e-6)
    assert slopes[1]["se"] == pytest.approx(slopes[0]["se"], rel=1e-4)
    assert slopes[0]["est"] > 0  # the data rise with x, whatever the link


@pytest.mark.parametrize("link", CLM)
def test_ordered_categories_as_clm(link: str) -> None:
    loglik, slope, se, thresholds = CLM[link]
    fit = sl.Model(f"y :: ordinal({link})\ny ~ x").fit(pd.read_csv(DATA))
    assert fit.converged
    assert fit.loglik == pytest.approx(loglik, abs=1e-4)
    row = fit.params.query("op == '~'").iloc[0]
    assert row["est"] == pytest.approx(slope, abs=1e-5)
    assert row["se"] == pytest.approx(se, rel=1e-4)
    # steps end at a decrement of 1e-8, that is within 1e-4 standard errors (0.17) of the maximum
    np.testing.assert_allclose(fit.params.query("op == '|'")["est"], thresholds, atol=3e-5)


def test_complementary_log_log_as_glm() -> None:
    # glm of R 4.2.2, binomial("cloglog")
    fit = sl.Model("b :: binomial(cloglog)\nb ~ x").fit(pd.read_csv(DATA))
    assert fit.loglik == pytest.approx(-83.48388, abs=1e-4)
    np.testing.assert_allclose(sorted(fit.params["est"]), [-0.6611313, 0.9603385], atol=1e-5)


@pytest.mark.parametrize("link", BINARY)
def test_inverse_links_rise(link: str) -> None:
    p = BINARY[link](np.linspace(-3.0, 3.0, 61), {})
    assert (np.diff(p) > 0).all()
