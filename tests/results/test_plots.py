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
from semlang.results.report import _wanted

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
    assert mean.get_xdata() == pytest.approx(np.arange(10))
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


@pytest.fixture(scope="module")
def examples() -> dict[str, sl.Fit]:
    names = ("nominal", "partial_credit", "survival", "npml")
    return {name: sl.read_model(EXAMPLES / name / "model.sem").fit(threads=1) for name in names}


def test_items_with_ordered_categories(examples: dict[str, sl.Fit]) -> None:
    """Adjacent categories have curves, points and difficulties as cumulative ones have."""
    fit = examples["partial_credit"]
    lines = fit.plot.icc("item2").get_lines()
    table = fit.curves("item2")
    assert len(lines) == 2 * table.shape[1]
    for k, category in enumerate(table.columns):
        curve, points = lines[2 * k : 2 * k + 2]
        assert curve.get_ydata() == pytest.approx(table[category].to_numpy())
        assert points.get_ydata() == pytest.approx(np.interp(points.get_xdata(), table.index, table[category]), abs=0.1)
    # Neighbouring categories are equally likely at the step between them.
    steps = fit.difficulties().query("item == 'item2' and parameter != 'slope'")["est"].to_numpy()
    at = fit.curves("item2", at=steps).to_numpy()
    assert np.diag(at) == pytest.approx(np.diag(at[:, 1:]))
    assert {"item1.1", "item4.3"} <= {t.get_text() for t in fit.plot.wright().texts}


def test_curves_of_one_latent_variable_alone() -> None:
    rng = np.random.default_rng(3)
    f = rng.normal(size=(300, 2))
    frame = pd.DataFrame({f"b{k}": (f[:, k // 3] + rng.logistic(size=300) > 0).astype(int) for k in range(6)})
    text = "".join(f"b{k} :: binomial(logit)\n" for k in range(6)) + "f =~ 1*b0 + 1*b1 + 1*b2\ng =~ 1*b3 + 1*b4 + 1*b5"
    fit = sl.Model(text).fit(frame, threads=1)
    assert [line.get_label() for line in fit.plot.icc().get_lines()] == ["b0", "b1", "b2"]
    assert [line.get_label() for line in fit.plot.icc(latent="g").get_lines()] == ["b3", "b4", "b5"]
    with pytest.raises(sl.FitError, match="'b4' does not depend on 'f'"):
        fit.plot.icc(["b0", "b4"])


def test_nominal_items_and_classes() -> None:
    rng = np.random.default_rng(4)
    c = rng.random(400) < 0.5
    p = np.where(c[:, None], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7])
    drawn = {n: (rng.random((400, 1)) > p.cumsum(axis=1)).sum(axis=1) for n in "xyz"}
    frame = pd.DataFrame({n: np.array(list("abc"))[k] for n, k in drawn.items()})
    kinds = "x + y + z :: multinomial(base=a)\n"
    classes = sl.Model(kinds + "k :: class(2)\nk =~ x + y + z").fit(frame, threads=1).plot.classes()
    assert [t.get_text() for t in classes.get_xticklabels()][:3] == ["x = a", "x = b", "x = c"]
    first = np.sort([line.get_ydata()[0] for line in classes.get_lines()])
    assert first == pytest.approx([0.1, 0.8], abs=0.1)
    with pytest.raises(sl.FitError, match="multinomial"):
        sl.Model(kinds + "k :: class(2)\nk =~ x + y + z").fit(frame, threads=1).plot.residuals()


def test_the_marginal_mean_is_averaged_over_the_other_covariates(examples: dict[str, sl.Fit]) -> None:
    """One line that does not go up and down with whoever is of an age."""
    fit = examples["survival"]
    mean = next(line for line in fit.plot.trajectories().get_lines() if line.get_label() == "marginal mean")
    x, y = mean.get_xdata(), mean.get_ydata()
    assert fit.origin is not None
    frame = fit.origin.recipe.frame
    expected = [fit.predict(frame.assign(age=age))["time"].mean() for age in x[[0, 7, -1]]]
    assert y[[0, 7, -1]] == pytest.approx(expected)
    assert (np.diff(y) < 0).all() or (np.diff(y) > 0).all()


def test_mass_points_are_not_called_classes(examples: dict[str, sl.Fit]) -> None:
    texts = [t.get_text() for t in examples["npml"].plot.classes().get_legend().get_texts()]
    assert [t.split(" (")[0] for t in texts] == ["mass point 1", "mass point 2"]


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        *(("nominal", kind) for kind in ("residuals", "icc", "information", "wright", "caterpillar", "quadrature")),
        *(("survival", kind) for kind in ("residuals", "icc", "information", "wright")),
        *(("partial_credit", kind) for kind in ("caterpillar", "trajectories", "classes")),
        *(("npml", kind) for kind in ("icc", "information", "wright", "caterpillar", "quadrature")),
    ],
)
def test_other_models_have_findings(example: str, kind: str, examples: dict[str, sl.Fit]) -> None:
    with pytest.raises(sl.FitError) as problem:
        getattr(examples[example].plot, kind)()
    assert {d.slug for d in problem.value.diagnostics} <= {"not-for-this-model", "no-classes", "not-predicted"}


def test_groups_are_named(fits: dict[str, sl.Fit]) -> None:
    frame = pd.read_csv(ROOT / "examples" / "holzinger-swineford" / "holzinger-swineford.csv")
    fit = sl.Model("groups: school\nf =~ x1 + x2 + x3 + x4").fit(frame, threads=1)
    tables = fit.residuals("standardized")
    for group in fit.table.groups:
        ax = fit.plot.residuals(group=group)
        assert group in ax.get_title()
        own = tables.loc[group].drop(columns="mean").to_numpy()
        assert np.ma.filled(ax.images[0].get_array(), np.nan) == pytest.approx(own, nan_ok=True)
    with pytest.raises(sl.FitError, match="no group"):
        fit.plot.residuals(group="nowhere")


@pytest.mark.parametrize(
    ("draw", "slug"),
    [
        (lambda plot: plot.icc("x1"), "not-for-this-model"),
        (lambda plot: plot.information(), "not-for-this-model"),
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


def test_at_most_twelve_curves_in_the_picture_of_a_report() -> None:
    rng = np.random.default_rng(3)
    y = rng.random((120, 13)) < 1 / (1 + np.exp(-rng.normal(size=(120, 1))))
    loadings = " + ".join(f"1*i{k}" for k in range(13))
    fit = sl.Model(f"i{{0..12}} :: binomial(logit)\nf =~ {loadings}").fit(
        pd.DataFrame(y.astype(int), columns=[f"i{k}" for k in range(13)]), points=5, se="none", threads=1
    )
    caption, draw = next(_wanted(fit))
    assert caption == "Item characteristic curves, f"
    assert len(draw().get_lines()) == 12
