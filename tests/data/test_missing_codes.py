"""Numbers that look like codes of missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semlang.api import Model

X = np.random.default_rng(4).normal(size=(120, 3)).round(2)


def warned(column: np.ndarray, text: str = "y ~ x") -> list[str]:
    """Return the messages about a response."""
    frame = pd.DataFrame({"y": column, "x": X[:, 0], "z": X[:, 1]})
    return [d.message for d in Model(text).check(frame) if d.slug == "missing-code"]


@pytest.mark.parametrize(
    ("values", "code", "n"),
    [(1 + np.arange(120) % 5, -99, 7), (X[:, 2], -999, 3), (X[:, 2], -99, 1), (20 + np.arange(120) % 40, 999, 4),
     (np.arange(120) % 2, -9, 2)],
)  # fmt: skip
def test_codes_are_found(values: np.ndarray, code: float, n: int) -> None:
    y = values.astype(float)
    y[5 : 5 + n] = code
    assert warned(y) == [f"'y' is {code:g} in {n} row{'s' if n > 1 else ''}, which looks like a missing code"]
    assert warned(X[:, 2], "z ~ x") == []


def test_a_code_in_an_ordinal_response_and_in_a_covariate() -> None:
    y = (1 + np.arange(120) % 4).astype(float)
    y[::17] = -99
    assert len(warned(y, "y :: ordinal(logit)\ny ~ x")) == 1
    assert len(warned(y, "z ~ y")) == 1


@pytest.mark.parametrize(
    "values",
    [np.linspace(-120, 120, 120).round(), 900 + np.arange(120.0), np.r_[999.0, np.arange(119.0)], np.full(120, np.nan)],
)
def test_numbers_among_others_are_values(values: np.ndarray) -> None:
    y = values.copy()
    if np.isfinite(y).all():
        y[y == -99] = -99
    assert warned(y) == []
