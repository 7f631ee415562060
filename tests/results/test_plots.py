"""Tests of plots: what is drawn is what the results say; a plot that has no meaning is a finding."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang

from .conftest import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def lsat() -> sl.Fit:
    return sl.read_model(EXAMPLES / "lsat" / "model.sem").fit(threads=1)


@pytest.fixture(scope="module")
def sleep() -> sl.Fit:
    return sl.read_model(EXAMPLES / "sleepstudy" / "model.sem").fit(threads=1)


def test_curves_and_points(lsat: sl.Fit) -> None:
    ax = lsat.plot.icc("item3")
    curve, points = ax.get_lines()
    table = lsat.curves("item3")
    assert curve.get_ydata() == pytest.approx(table["1"].to_numpy())
    # Shares weighted by the posterior lie on the curve of a model that holds, but for chance.
    expected = np.interp(points.get_xdata(), table.index, table["1"])
    assert points.get_ydata() == pytest.approx(expected, abs=0.06)
    assert len(lsat.plot.icc().get_lines()) == 5


def test_information(lsat: sl.Fit) -> None:
    ax = lsat.plot.information()
    assert ax.get_lines()[-1].get_ydata() == pytest.approx(lsat.information()["test"].to_numpy())


def test_wright_map(lsat: sl.Fit) -> None:
    drawn = {t.get_text() for t in lsat.plot.wright().texts}
    assert {f"item{k}" for k in range(1, 6)} <= drawn


def test_caterpillar(sleep: sl.Fit) -> None:
    ax = sleep.plot.caterpillar()
    (_, points) = ax.get_lines()
    assert points.get_ydata() == pytest.approx(np.sort(sleep.scores()["Subject"]["Reaction.1"].to_numpy()))
    assert sleep.plot.caterpillar("Reaction.Days").get_ylabel() == "Reaction.Days"


def test_trajectories(sleep: sl.Fit) -> None:
    ax = sleep.plot.trajectories(units=5)
    assert ax.get_xlabel() == "Days"
    mean = ax.get_lines()[-1]
    assert mean.get_ydata() == pytest.approx(sleep.predict()["Reaction"][:10].to_numpy())


def test_profile(sleep: sl.Fit) -> None:
    ax = sleep.plot.profile("Reaction ~ Days", points=5)
    profile, wald = ax.get_lines()[:2]
    assert np.max(profile.get_ydata()) == 0.0
    assert (profile.get_ydata() >= wald.get_ydata() - 1e-6).all()


def test_residuals(fits: dict[str, sl.Fit], sleep: sl.Fit) -> None:
    picture = fits["complete"].plot.residuals().images[0]
    given = fits["complete"].residuals("standardized").drop(columns="mean").to_numpy()
    assert np.ma.filled(picture.get_array(), np.nan) == pytest.approx(given, nan_ok=True)
    assert sleep.plot.residuals().get_xlabel() == "fitted"


def test_nodes(lsat: sl.Fit) -> None:
    points = lsat.plot.quadrature(0).get_lines()[-1]
    assert len(points.get_xdata()) >= lsat.estimate.points


def test_classes() -> None:
    rng = np.random.default_rng(1)
    c = rng.random(200) < 0.4
    p = np.where(c[:, None], [0.9, 0.8, 0.85], [0.2, 0.1, 0.3])
    frame = pd.DataFrame((rng.random((200, 3)) < p).astype(int), columns=["a", "b", "d"])
    kinds = "".join(f"{v} :: binomial(logit)\n" for v in "abd")
    fit = sl.Model(kinds + "c :: class(2)\na ~ c\nb ~ c\nd ~ c").fit(frame, threads=1)
    lines = fit.plot.classes().get_lines()
    assert len(lines) == 2
    means = np.sort(np.stack([line.get_ydata() for line in lines]), axis=0)
    assert means[1] == pytest.approx([0.9, 0.8, 0.85], abs=0.15)
    assert means[0] == pytest.approx([0.2, 0.1, 0.3], abs=0.15)


def test_axes_of_others(lsat: sl.Fit) -> None:
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert lsat.plot.icc("item1", ax=ax) is ax


@pytest.mark.parametrize(
    ("draw", "slug"),
    [
        (lambda plot: plot.icc("x1"), "not-for-this-model"),
        (lambda plot: plot.icc(), "not-for-this-model"),
        (lambda plot: plot.wright(), "not-for-this-model"),
        (lambda plot: plot.caterpillar(), "not-for-this-model"),
        (lambda plot: plot.trajectories(), "not-for-this-model"),
        (lambda plot: plot.classes(), "no-classes"),
        (lambda plot: plot.quadrature(), "not-for-this-model"),
        (lambda plot: plot.profile("a"), "unknown-label"),
    ],
)
def test_plots_without_meaning(draw: Callable[[Any], Any], slug: str, fits: dict[str, sl.Fit]) -> None:
    with pytest.raises(sl.FitError) as problem:
        draw(fits["complete"].plot)
    assert [d.slug for d in problem.value.diagnostics] == [slug]


def test_matplotlib_is_imported_by_plots_alone() -> None:
    code = (
        "import sys, semlang as sl; fit = sl.read_model('model.sem').fit(threads=1);"
        "fit.summary(); fit.to_json(); fit.plot;"
        "assert 'matplotlib' not in sys.modules; fit.plot.caterpillar(); assert 'matplotlib' in sys.modules;"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=EXAMPLES / "sleepstudy", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_command(sleep: sl.Fit, tmp_path: Path) -> None:
    fit, out = tmp_path / "fit.json", tmp_path / "out.svg"
    sleep.save(fit)
    assert CliRunner().invoke(semlang, ["plot", "caterpillar", str(fit), "-o", str(out)]).exit_code == 0
    assert "<svg" in out.read_text(encoding="utf-8")
    wrong = CliRunner().invoke(semlang, ["plot", "icc", str(fit), "-o", str(out), "--json"])
    assert wrong.exit_code == 1
    assert "not-for-this-model" in wrong.stdout
    assert CliRunner().invoke(semlang, ["plot", "icc", str(fit), "-o", str(tmp_path / "out.xyz")]).exit_code == 2
