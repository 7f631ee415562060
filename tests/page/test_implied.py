"""What parameter values imply, against what data drawn with them say and against other programs' functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from semlang.data.sheet import read_sheet
from semlang.page.files import GALLERY, gallery
from semlang.page.implied import implied
from semlang.source import Source

ONE = "options: std.lv = true\nf =~ x1 + x2 + x3\n"


def test_moments_of_one_factor() -> None:
    values = {"f =~ x1": 0.9, "f =~ x2": 0.5, "f =~ x3": -0.4, "x1 ~~ x1": 0.3, "x1 ~1": 2.0}
    found = implied(Source(ONE), None, values)["moments"]
    loadings = np.array([0.9, 0.5, -0.4])
    np.testing.assert_allclose(found["covariances"], np.outer(loadings, loadings) + np.diag([0.3, 0.5, 0.5]))
    assert found["means"] == [2.0, 0.0, 0.0]


def test_values_without_a_distribution_are_said() -> None:
    answer = implied(Source("x ~~ y"), None, {"x ~~ y": 5.0})
    assert answer["moments"] is None
    assert "no distribution" in answer["why"]


def test_curves_and_information_of_a_two_parameter_item() -> None:
    text = "options: std.lv = true\na :: binomial(logit)\nb :: binomial(probit)\nc :: binomial(logit)\nf =~ a + b + c\n"
    answer = implied(Source(text), None, {"f =~ a": 1.7, "a ~1": -0.5, "f =~ b": 0.8, "b ~1": 0.2})
    grid = np.array(answer["grid"])
    a, b, _ = answer["items"]
    p = stats.logistic.cdf(1.7 * grid - 0.5)
    np.testing.assert_allclose(a["curves"][1], p, atol=1e-6)
    np.testing.assert_allclose(a["information"], 1.7**2 * p * (1 - p), atol=1e-6)  # Birnbaum (1968)
    q = stats.norm.cdf(0.8 * grid + 0.2)
    np.testing.assert_allclose(
        b["information"], 0.64 * stats.norm.pdf(0.8 * grid + 0.2) ** 2 / (q * (1 - q)), atol=1e-6
    )


def test_categories_add_up_to_one() -> None:
    text = (GALLERY / "graded-response.sem").read_text()
    sheet = read_sheet("d", (GALLERY / "graded-response.csv").read_text())
    items = implied(Source(text), sheet)["items"]
    assert [len(i["curves"]) for i in items] == [4] * 5
    for i in items:
        np.testing.assert_allclose(np.sum(i["curves"], axis=0), 1.0, atol=4e-6)
        # the information is the sum of (dp/df)^2 / p; differences over a grid of 0.1 err by a few thousandths
        slopes = np.gradient(np.array(i["curves"]), 0.1, axis=1)
        np.testing.assert_allclose(i["information"][1:-1], (slopes**2 / i["curves"]).sum(0)[1:-1], atol=0.01)


@pytest.mark.parametrize("name", [m["name"] for m in gallery()])
def test_every_model_of_the_gallery_has_sliders(name: str) -> None:
    model = next(m for m in gallery() if m["name"] == name)
    for sheet in (None, read_sheet("d", (GALLERY / model["data"]).read_text())):
        answer = implied(Source(model["text"]), sheet)
        assert answer["parameters"]
        assert all(p["low"] <= p["value"] <= p["high"] for p in answer["parameters"])
    if model["topic"] in ("Factor analysis", "Structural equations", "Change"):
        assert answer["moments"], answer["why"]
    if model["topic"] == "Item response" and name != "sequential-items":
        assert answer["items"]
