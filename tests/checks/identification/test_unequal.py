"""Clusters of unequal sizes: what is cut from the data is numbered anew, and the answer is that of the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model

TEXTS = {
    "mixed": "cluster: c\nb1 :: binomial(logit)\nf =~ y + b1\n",
    "random intercept": "b1 :: binomial(probit)\nb1 ~ x + (1 | c)\n",
    "two clusters": "cluster: d/c\nb1 + b2 :: binomial(logit)\nf =~ 1*b1 + 1*b2\nb1 ~ u[c] + v[d]\n",
}


def data(sizes: list[int], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    c = np.repeat(np.arange(len(sizes)), sizes)
    n = c.size
    frame = pd.DataFrame({"c": c, "d": c // 3, "y": rng.normal(size=n).round(3), "x": rng.normal(size=n).round(2)})
    for name in ("b1", "b2"):
        frame[name] = (rng.random(n) < 0.5).astype(int)
    return frame


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("sizes", [[1, 20, 2, 19, 3, 18, 4], [30, 1, 1, 1, 1, 30, 2]], ids=str)
def test_the_verdict_with_data_is_that_of_the_model(text: str, sizes: list[int]) -> None:
    """67 rows and more, of which 40 are taken for the shape of the distribution."""
    model = Model(text)
    assert model.identify(data(sizes, 1)).verdict == model.identify().verdict
