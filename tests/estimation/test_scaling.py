"""Unit-variance coordinates are the same model."""

from __future__ import annotations

import numpy as np
import pytest

from semlang.api import Model
from semlang.estimation.constraints import Constraints
from semlang.estimation.parameters import Parametrisation
from semlang.estimation.scaling import Scaled, rescale
from semlang.matrices.build import reduced_form

MODELS = {
    "correlated": "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nvisual ~ 1 + age\nx1 ~ 0*1",
    "structural": "a =~ x1 + x2 + x3\nb =~ x4 + x5 + x6\nb ~ a + age",
    "higher order": "a =~ x1 + x2 + x3\nb =~ x4 + x5 + x6\nc =~ x7 + x8 + x9\ng =~ a + b + c\ng ~ age",
}


@pytest.mark.parametrize("text", MODELS.values(), ids=MODELS.keys())
def test_same_moments_and_exact_jacobian(text):
    model = Model(text)
    table, graphs = model.parameter_table, model.graphs
    found = rescale(graphs, (), single=())
    assert found is not None
    changed, latents, powers = found
    scaled = Scaled(Parametrisation([reduced_form(g) for g in graphs], only=()), latents, powers)
    rng = np.random.default_rng(1)
    x = rng.uniform(0.3, 0.9, table.n_parameters)
    x[[v.variance.parameter for v in latents]] *= rng.choice([-1.0, 1.0], len(latents))
    theta = scaled.theta(x)
    there, here = reduced_form(changed[0]), reduced_form(graphs[0])

    def moments(form, at):
        slots = form.slots(at)
        L = form.loadings(slots)[:, 0]
        return form.mean(slots), L @ form.psi.matrix(at) @ L.T + form.theta.matrix(at)

    for a, b in zip(moments(there, x), moments(here, theta), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    D = scaled.jacobian(x)
    for k in range(x.size):
        h = np.zeros(x.size)
        h[k] = 1e-6
        expected = (scaled.theta(x + h) - scaled.theta(x - h)) / 2e-6
        np.testing.assert_allclose(D[:, k], expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(scaled.theta(scaled.coordinates(theta)), theta, rtol=1e-12)


def test_shared_loadings_hold_the_scale():
    table = Model("a =~ x1 + l*x2 + x3\nb =~ x4 + l*x5 + x6")
    assert rescale(table.graphs, (), single=()) is None


def test_growth_curves_keep_their_scale():
    model = Model("i =~ 1*t1 + 1*t2 + 1*t3\ns =~ 0*t1 + 1*t2 + 2*t3")
    assert rescale(model.graphs, Constraints(model.parameter_table).pinned, single=()) is None


def test_marker_near_zero_finds_the_higher_maximum(shared_folder):
    """Demo.twolevel with marker y1, where lavaan 0.6 stops at -24190.36."""
    text = "cluster: cluster\nlevel: 1\nfw =~ y1 + y2 + y3 + y4 + y5 + y6\nlevel: 2\nfb =~ y1 + y2 + y3 + y4 + y5 + y6"
    fit = Model(text).fit(str(shared_folder / "reference" / "data" / "demo_twolevel.csv"), se="none", threads=1)
    assert fit.converged
    assert fit.loglik == pytest.approx(-24121.65879, abs=1e-3)
