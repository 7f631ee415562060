"""What can be written can be checked, identified, planned, drawn, written as equations and estimated."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest

import semlang as sl

TEXTS: dict[str, str] = run_path(str(Path(__file__).with_name("texts.py")))["TEXTS"]
SHAPE = {"guess lab", "guess mod", "slip lab"}
QUICK = [n for n in list(TEXTS)[::8] if n != "mass search"]
"""Fitted in the quick run; the rest in the slow one, together with half of the views."""
SOME = [pytest.param(n, marks=() if k % 2 else (pytest.mark.slow,)) for k, n in enumerate(TEXTS)]


@pytest.mark.parametrize("name", SOME)
def test_views(frame, name):
    model, designs, _ = sl.Model(TEXTS[name]).bind(frame)
    assert not [d for d in model.check(frame) if d.is_error]
    assert model.identify(designs=designs, simulate=False).verdict != "not identified"
    assert model.plan(designs=designs).groups
    assert "not-estimable" not in {d.slug for d in model.check(frame)}
    assert "<svg" in str(model.draw().svg)
    assert model.equations()
    assert model.explain()


@pytest.mark.parametrize("name", QUICK)
def test_fits(frame, name):
    fitted(frame, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in TEXTS if n not in QUICK])
def test_the_rest_fits(frame, name):
    model, designs, _ = sl.Model(TEXTS[name]).bind(frame)
    assert model.identify(designs=designs).verdict == ("shape only" if name in SHAPE else "identified")
    fitted(frame, name)


def fitted(frame, name):
    fit = sl.Model(TEXTS[name]).fit(frame, threads=1)
    assert fit.converged
    assert np.isfinite(fit.loglik)
    assert fit.params.est.notna().all()
