"""A fit that is interrupted gives the best point so far; a checkpoint file lets it go on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.diagnostics import error
from semlang.errors import FitError, NotConvergedWarning
from semlang.estimation import checkpoint
from semlang.estimation.climb import Climb
from semlang.estimation.objective import Objective
from semlang.estimation.setting import Setting

TEXT = "y :: binomial(logit)\ny ~ 1 + x + (1 + x | g)"


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(80), 10)
    x, u = rng.normal(size=g.size), rng.normal(size=(80, 2))
    p = 1 / (1 + np.exp(-(0.3 + 0.5 * x + u[g, 0] + u[g, 1] * x)))
    return pd.DataFrame({"g": g, "x": x, "y": (rng.random(g.size) < p).astype(int)})


def interrupted(data: pd.DataFrame, after: int, path: Path | None = None) -> tuple[sl.Fit, list[str]]:
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if sum(line.startswith("iteration") for line in lines) == after:
            raise KeyboardInterrupt

    with pytest.warns(NotConvergedWarning, match="interrupted"):
        fit = sl.Model(TEXT).fit(data, threads=1, progress=tell, checkpoint=path)
    return fit, lines


def test_an_interrupted_fit_is_the_best_point_so_far_and_says_so() -> None:
    data = frame()
    whole = sl.Model(TEXT).fit(data, threads=1)
    fit, _ = interrupted(data, 4)
    assert not fit.converged
    assert fit.summary().startswith("NOT CONVERGED: the fit was interrupted")
    assert fit.loglik < whole.loglik
    assert np.isnan(fit.params["se"].astype(float)).all()
    early, _ = interrupted(data, 1)
    assert early.loglik <= fit.loglik


def test_a_checkpoint_is_resumed(tmp_path: Path) -> None:
    data, path = frame(), tmp_path / "fit.checkpoint"
    whole = sl.Model(TEXT).fit(data, threads=1)
    fit, _ = interrupted(data, 5, path)
    held = json.loads(path.read_text())
    assert held["loglik"] == pytest.approx(fit.loglik, abs=1e-12)
    assert set(held["parameters"]) == set(fit.params.loc[fit.params["free"] > 0, "name"])
    again = sl.Model(TEXT).fit(data, threads=1, checkpoint=path)
    assert again.converged
    assert again.loglik == pytest.approx(whole.loglik, abs=1e-6)
    assert len(again.estimate.log) < len(whole.estimate.log)  # it does not begin anew


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"of": 1, "parameters": {"a": "b"}}'])
def test_a_file_that_is_no_checkpoint_is_a_finding(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(FitError) as caught:
        sl.Model(TEXT).fit(frame(), checkpoint=path)
    assert [d.slug for d in caught.value.diagnostics] == ["unusable-checkpoint"]
    assert path.read_text() == content


def test_a_checkpoint_of_other_data_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    sl.Model(TEXT).fit(frame(), threads=1, checkpoint=path)
    with pytest.raises(FitError, match="another model or of other data"):
        sl.Model(TEXT).fit(frame().assign(y=lambda d: 1 - d["y"]), checkpoint=path)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        (TEXT, lambda d: d.assign(x=d["x"] + 1e-9)),
        (TEXT, lambda d: d.assign(g=d["g"].where(d["g"] > 0, 1))),
        (TEXT.replace("logit", "probit"), lambda d: d),
        ("weights: w\n" + TEXT, lambda d: d.assign(w=1.5)),
    ],
)
def test_a_checkpoint_of_other_covariates_units_links_and_weights(text, change, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    sl.Model(TEXT).fit(frame(), threads=1, checkpoint=path, se="none")
    with pytest.raises(FitError, match="another model or of other data"):
        sl.Model(text).fit(change(frame()), checkpoint=path)


def test_a_checkpoint_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    sl.Model(TEXT).fit(frame(), threads=1, checkpoint=path, se="none")
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 1}))
    with pytest.raises(FitError, match="another version"):
        sl.Model(TEXT).fit(frame(), checkpoint=path)


def test_a_checkpoint_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before the fit; where the disk is full at its end the fit is there."""
    with pytest.raises(FitError) as caught:
        sl.Model(TEXT).fit(frame(), checkpoint=tmp_path / "no" / "c.json")
    assert [d.slug for d in caught.value.diagnostics] == ["unwritable-file"]
    full = error("unwritable-file", "no space left on device")
    monkeypatch.setattr(checkpoint, "write_file", lambda path, data: full)
    fit = sl.Model(TEXT).fit(frame(), threads=1, checkpoint=tmp_path / "c.json", se="none")
    assert fit.converged
    assert [(d.slug, d.is_error) for d in fit.diagnostics if d.slug == "unwritable-file"] == [
        ("unwritable-file", False)
    ]


def test_a_fit_is_resumed_in_the_coordinates_it_was_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a point on one road the others do not begin: they have start values of their own."""
    text, path = "z ~ x + (1 | g)", tmp_path / "c.json"
    data = frame().assign(z=lambda d: d["x"] + np.random.default_rng(2).normal(size=len(d)) + 0.1 * (d["g"] % 7))
    whole = sl.Model(text).fit(data, threads=1, checkpoint=path)
    held = json.loads(path.read_text())
    assert held["road"] == 0
    path.write_text(json.dumps({**held, "road": 1}))
    roads: list[dict[str, bool]] = []
    real = Setting.objective

    def objective(self: Setting, **road: bool) -> Objective:
        roads.append(road)
        return real(self, **road)

    monkeypatch.setattr(Setting, "objective", objective)
    again = sl.Model(text).fit(data, threads=1, checkpoint=path)
    assert roads == [{}, {"scaled": False, "factored": True}]
    assert again.loglik == pytest.approx(whole.loglik, abs=1e-8)
    assert json.loads(path.read_text())["road"] == 1


MASSES = "y :: binomial(logit)\nu[g] :: masspoints\ny ~ x + u[g]"


@pytest.mark.slow
def test_mass_points_are_found_with_a_checkpoint(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    x, u = rng.normal(size=800), np.repeat(rng.choice([-3.0, 0.0, 3.0], 80), 10)
    y = (rng.random(800) < 1 / (1 + np.exp(-(0.5 * x + u)))).astype(int)
    data, path = frame().assign(x=x, y=y), tmp_path / "c.json"
    without = sl.Model(MASSES).fit(data, threads=1, se="none")
    assert without.params["name"].str.startswith("u[g] ~1").sum() > 2
    fit = sl.Model(MASSES).fit(data, threads=1, checkpoint=path, se="none")
    assert len(fit.params) == len(without.params)
    assert fit.loglik == pytest.approx(without.loglik, abs=1e-4)


def test_an_interrupt_ends_the_search_for_mass_points() -> None:
    fits: list[str] = []

    def tell(line: str) -> None:
        fits.append(line)
        if len(fits) == 4:
            raise KeyboardInterrupt

    with pytest.warns(NotConvergedWarning, match="interrupted"):
        fit = sl.Model(MASSES).fit(frame(), threads=1, se="none", progress=tell)
    assert fit.estimate.interrupted
    assert len(fits) == 4


def test_who_fits_again_and_again_is_interrupted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = sl.Model("y ~ x").fit(frame(), threads=1)
    real = Climb.run

    def stopped(self: Climb) -> None:
        real(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Climb, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        fit.bootstrap(3, processes=1)
    with pytest.raises(KeyboardInterrupt):
        fit.confint(method="profile")


def test_warnings_come_before_the_fit_and_compiling_is_counted() -> None:
    data = frame().assign(o=np.random.default_rng(1).integers(0, 30, 800))
    lines: list[str] = []
    fit = sl.Model("o :: ordinal(logit)\no ~ x").fit(data, threads=1, progress=lines.append, se="none", points=1)
    first = next(k for k, line in enumerate(lines) if line.startswith("warning[many-categories]"))
    assert first < next(k for k, line in enumerate(lines) if line.startswith("iteration"))
    assert fit.estimate.compiling >= 0.0


def test_a_kernel_that_is_not_in_the_cache_is_announced_once() -> None:
    from semlang.estimation.kernels.compilation import Compilation

    told: list[str] = []
    compilation = Compilation()
    compilation.tell = told.append
    compilation.missing()
    compilation.missing()
    assert compilation.misses == 2
    assert len(told) == 1
    assert told[0].startswith("compiling kernels")
