"""Guessing, slipping and zeros that levels of a factor make certain or impossible: limits, said by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl

N = 800
ITEMS = "i{1..5} :: binomial(logit)\nf =~ i{1..5}\n"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Return items, a count, and a factor of two levels."""
    rng = np.random.default_rng(4)
    f = rng.normal(size=N)
    p = 1 / (1 + np.exp(-(1.2 * f[:, None] - 0.3 * np.arange(5))))
    out = pd.DataFrame((rng.random((N, 5)) < p) * 1.0, columns=[f"i{j}" for j in range(1, 6)])
    return out.assign(c=np.where(rng.random(N) < 0.5, "a", "b"), k=rng.poisson(3.0, N) * 1.0)


@pytest.mark.parametrize(
    ("quantity", "certain", "order"), [("guess", 1.0, "ab"), ("slip", 0.0, "ab"), ("guess", 1.0, "ba")]
)
def test_a_level_that_decides_an_item(quantity: str, certain: float, order: str, data: pd.DataFrame) -> None:
    """Where it decides, the item says nothing; where it has no part, the item is a plain one: so is the likelihood."""
    decided = data.c == order[0]
    fit = sl.Model(f"{ITEMS}{quantity}(i1) ~ factor(c)").fit(
        data.assign(i1=data.i1.where(~decided, certain)), threads=1
    )
    limit = sl.Model(ITEMS).fit(data.assign(i1=data.i1.where(~decided)), threads=1)
    assert fit.converged
    assert fit.loglik == pytest.approx(limit.loglik, abs=1e-4)  # where a logit is held 2e-8 are left of it
    (said,) = [d.message for d in fit.diagnostics if d.slug == "probability-at-limit"]
    assert f"{quantity}(i1)" in said
    free = fit.params.set_index("name")
    same = limit.params.set_index("name")
    assert free.est[same.index].to_numpy() == pytest.approx(same.est.to_numpy(), abs=1e-3)
    assert free.se[same.index].to_numpy() == pytest.approx(same.se.to_numpy(), rel=1e-3, nan_ok=True)


def test_a_level_without_counts(data: pd.DataFrame) -> None:
    """All zeros in one level, no more than poisson ones in the other."""
    empty = data.c == "a"
    rng = np.random.default_rng(1)
    k = pd.Series(1.0 + rng.binomial(5, 0.4, N)).where(~empty, 0.0)  # no zeros at all in the other one
    fit = sl.Model("k :: poisson\nk ~ 1\nzero(k) ~ factor(c)").fit(data.assign(k=k), threads=1)
    assert fit.converged
    plain = sl.Model("k :: poisson\nk ~ 1").fit(data.assign(k=k)[~empty], threads=1)
    assert fit.loglik == pytest.approx(plain.loglik, abs=1e-4)
    assert "probability-at-limit" in {d.slug for d in fit.diagnostics}
