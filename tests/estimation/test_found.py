"""Inputs that were found by use, with their right values: a sheet of them lies beside the checkout (``shared``).

What is small and simulated is tested with data of its own in the modules that the mechanisms belong to; here are the
texts and data as they came. Values are lavaan's 0.6-14, lme4's 1.1-31, glmmTMB's and ordinal's of 2026-11-28, exact
integrals where no program has them.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semlang import Fit, Model, SemlangError, read_model


@pytest.fixture(scope="module")
def inputs(shared_folder: Path) -> Path:
    folder = shared_folder / "cases-found" / "inputs"
    if not folder.is_dir():
        pytest.skip("NOT TESTED: the sheet of inputs is not there")
    return folder


def run(inputs: Path, name: str, data: str | None = None, **how: int) -> Fit:
    path = inputs / f"{name}.sem"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if data is None:
            return read_model(path).fit(**how)
        return Model(path.read_text()).fit(pd.read_csv(inputs / f"{data}.csv"), **how)


def slugs(fit: Fit) -> set[str]:
    return {d.slug for d in fit.diagnostics if d.severity.name != "NOTE"}


NONE: set[str] = set()
# input, data, log-likelihood, tolerance (the digits of the reference), free parameters, findings
CASES = [
    ("ri_T3_1", "ri_T3_1", -2715.69, 5e-3, 22, NONE),  # A3
    ("c60a", "c60", -256.0337, 1e-4, 6, NONE),  # A5
    ("prodind", "prodind", -6185.7146, 1e-4, 42, NONE),  # A7
    ("l576", "l576", -938.8458, 1e-4, 7, NONE),  # A8
    ("apim4", None, -452.4409, 1e-4, 9, NONE),  # A11
    ("x-missing", None, -1028.8031, 1e-4, 10, NONE),  # A11
    ("c30", "c30", -236.84, 5e-3, 4, {"variance-at-zero"}),  # A12
    ("c30b", "c30", -236.84, 5e-3, 5, {"variance-at-zero"}),  # A12
    ("l278", "l278", None, 0.0, 18, {"negative-variance"}),  # A12
    ("v8", "v8", -1774.8166, 1e-3, 10, NONE),  # A18: the ladder of points ends at 0.001
    ("u51", "u51", -458.357, 1e-3, 8, NONE),  # A18
    ("c61_day", "c61", -256.0337, 1e-4, 6, NONE),  # B2
    ("c61_inc", "c61", -256.0337, 1e-4, 6, NONE),  # B3
    ("c27", "c27", -536.7468, 1e-4, 6, NONE),  # B4
    ("c9", "c9", -4861.7156, 1e-4, 23, NONE),  # B5
    ("three-level-singular", "three-level-singular", -3621.21, 5e-3, 9, {"correlation-at-one"}),  # B6
    ("c1", "c1", -691.5996, 1e-4, 4, {"coefficient-at-infinity", "variance-at-zero"}),  # B7
    ("c3c", "c3", -890.1979, 1e-4, 10, NONE),  # B8
    pytest.param("riclpm_exp", None, -4249.7834, 1e-3, None, NONE, marks=pytest.mark.slow, id="riclpm_exp"),  # B13
]


@pytest.mark.parametrize(("name", "data", "loglik", "digits", "free", "said"), CASES)
def test_values(inputs, name, data, loglik, digits, free, said):
    fit = run(inputs, name, data)
    assert fit.converged
    if loglik is not None:
        assert fit.loglik == pytest.approx(loglik, abs=digits)
    if free is not None:
        assert fit.n_free == free
    assert slugs(fit) == said


def test_factors_in_products(inputs):
    """A6: 13 parameters; glmmTMB's -307.3094 is Laplace's approximation."""
    fit = run(inputs, "c4", "c4", points=1)
    assert fit.n_free == 13
    assert fit.loglik == pytest.approx(-307.3094, abs=1e-4)


def test_thresholds_of_other_scales(inputs):
    """A9"""
    with pytest.raises(SemlangError) as problem:
        run(inputs, "c14b", "c14")
    assert "different-categories" in [d.slug for d in problem.value.diagnostics]


def test_sampling_weights(inputs):
    """A10: the regression of the factor; robust standard errors, whatever the weights sum to."""
    text, data = (inputs / "c65.sem").read_text(), pd.read_csv(inputs / "c65.csv")
    for times in (1.0, 100.0):
        params = Model(text).fit(data.assign(wt=times * data.wt)).params
        row = params[(params.op == "~") & (params.rhs == "w")].iloc[0]
        assert row.se == pytest.approx(0.0846, abs=1e-4)


@pytest.mark.parametrize(("name", "bic"), [("apim4", 948.69), ("x-missing", 2113.918)])
def test_units_that_contribute(inputs, name, bic):
    """A11"""
    assert run(inputs, name).bic == pytest.approx(bic, abs=5e-3)


def test_negative_variance_between_clusters(inputs):
    """A12"""
    params = run(inputs, "l278", "l278").params
    assert params.est[params.op == "~~"].min() == pytest.approx(-0.0089, abs=1e-4)


@pytest.mark.parametrize("times", [2, 3])
def test_frequencies_of_clusters(inputs, times):
    """A19: robust standard errors are those of the data written out."""
    data = pd.read_csv(inputs / "freq.csv").assign(k=times)
    copies = [data.assign(c=[f"{c}.{k}" for c in data.c]) for k in range(times)]
    text = "options: se = robust\ny ~ 1 + (1 | c)"
    counted, out = (
        Model("frequency: c = k\n" + text).fit(data),
        Model(text).fit(pd.concat(copies, ignore_index=True)),
    )
    np.testing.assert_allclose(counted.params.se, out.params.se, rtol=1e-6)
    if times == 2:
        assert counted.params.se[counted.params.op == "~1"].iloc[0] == pytest.approx(0.1100, abs=1e-4)


def test_a_response_in_small_units(inputs):
    """B3: nothing is said of variances of 1e-10, and the log-likelihood is that of the response times 1e5."""
    data = pd.read_csv(inputs / "c62.csv")
    text = (inputs / "c62ys.sem").read_text()
    small, large = Model(text).fit(data), Model(text).fit(data.assign(ys=1e5 * data.ys))
    assert not slugs(small)
    assert small.loglik == pytest.approx(2507.068, abs=1e-3)  # lmer of the response times 1e5
    assert small.loglik - len(data) * np.log(1e5) == pytest.approx(large.loglik, abs=1e-5)


def test_linked_groups(inputs):
    """B5: means and variances of the groups, the first fixed."""
    params = run(inputs, "c9", "c9").params
    means = params.est[(params.op == "~1") & (params.free > 0)]
    for value in (0.6734, -0.6332, 1.1006, 0.3132):
        assert np.abs(means - value).min() < 1e-3
    variances = params.est[(params.op == "~~") & (params.free > 0)]
    for value in (0.6625, 2.6492, 1.2661, 3.7392):
        assert np.abs(variances - value).min() < 2e-3


def test_contradictory_bounds(inputs):
    """C6"""
    found = Model((inputs / "contr.sem").read_text()).check()
    assert [d.slug for d in found if d.is_error] == ["contradictory-constraints"] * 2
