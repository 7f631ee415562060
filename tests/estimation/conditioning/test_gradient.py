"""The gradient is that of the value while nodes stand still, and scores sum to it, for every structure."""

from __future__ import annotations

import numpy as np
import pytest
from conditional_models import MODELS


@pytest.mark.parametrize("text", MODELS.values(), ids=MODELS)
def test_gradient_and_scores(conditional, units, text):
    at = conditional(text, units, points=5)
    value, gradient = at.objective.value_and_gradient(at.z)
    differences = np.empty_like(gradient)
    h = 1e-4  # of order four: an error of h^4 ~ 1e-16 beside rounding of 1e-13 / h
    for k in range(at.z.size):
        e = np.zeros(at.z.size)
        e[k] = h
        near = at.objective.value(at.z + e) - at.objective.value(at.z - e)
        far = at.objective.value(at.z + 2 * e) - at.objective.value(at.z - 2 * e)
        differences[k] = (8 * near - far) / (12 * h)
    assert np.abs(gradient - differences).max() < 1e-6 * max(1.0, np.abs(gradient).max())
    again, scores = at.objective.value_and_scores(at.z)
    assert again == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(scores.sum(axis=0), gradient, atol=1e-7 * max(1.0, np.abs(gradient).max()))
    for p in at.member.posterior(at.x).classes.values():
        known = p[~np.isnan(p[:, 0])]
        np.testing.assert_allclose(known.sum(axis=1), 1.0)
