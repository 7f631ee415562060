"""Identification by simulation: it agrees with exact verdicts, and decides where there are none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.checks.identification import Identification
from semlang.checks.identification.unknown_categories import without_thresholds
from semlang.results.simulated_rank import FEW, identify_by_simulation, simulated_frame

FOLDER = Path(__file__).parents[1] / "corpus" / "identification"
EVERY = sorted(p for p in FOLDER.glob("*.sem") if "verdict: shape" not in p.read_text(encoding="utf-8"))


def simulated(text: str) -> Identification:
    """The verdict of simulation alone, on a frame that is made up."""
    model = sl.Model(text)
    unknown = without_thresholds(model.parameter_table)
    table = model._table_with(dict.fromkeys(unknown, FEW)) if unknown else model.parameter_table
    bound, designs, _ = model.bind(simulated_frame(table))
    return identify_by_simulation(bound.parameter_table, bound.graphs, designs, Identification("undetermined", ""))


@pytest.mark.parametrize("path", EVERY[::3], ids=lambda p: p.stem)
def test_it_agrees_with_what_is_known(path: Path) -> None:
    agree(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in EVERY if p not in EVERY[::3]], ids=lambda p: p.stem)
def test_it_agrees_with_the_rest(path: Path) -> None:
    agree(path)


def agree(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = dict(re.findall(r"^# ([a-z ]+): (.*)$", text, flags=re.MULTILINE))
    found = simulated(text)
    assert found.verdict == known["verdict"], found.render()
    if "unidentified" in known:
        assert {" ".join(t).strip() for t in found.unidentified} == {
            s.strip() for s in known["unidentified"].split(",")
        }


ITEMS = "i{1..6} :: binomial(logit)\n"
MIXED = "c :: class(2)\n" + ITEMS + "f =~ 1*i{1..6}\n"

DECIDED = {
    # Hedeker, Mermelstein and Demirtas (2008), Biometrics 64
    "location-scale": ("y ~ x + u[id]\nsigma(y) ~ 1 + x + v[id]\nu ~~ v", "identified", set()),
    # the path of v and its standard deviation are one number
    "location-scale without a unit": (
        "y ~ x + (1|id)\nsigma(y) ~ 1 + NA*v[id]", "not identified", {"sigma(y) ~ v[id]", "v[id] ~~ v[id]"}
    ),
    "factor in a scale without a unit": (
        "f =~ NA*x1 + x2 + x3\ny ~ x\nsigma(y) ~ 1 + f", "not identified",
        {"f =~ x1", "f =~ x2", "f =~ x3", "sigma(y) ~ f", "f ~~ f"},
    ),
    "random thresholds": ("y :: ordinal(logit)\ny ~ x + u[id]\ny | t1 + t2 ~ v[id]", "identified", set()),
    "random shape": ("y :: gamma(log)\ny ~ x + u[id]\nshape(y) ~ 1 + v[id]", "identified", set()),
    # Rost (1990), Applied Psychological Measurement 14; three items have seven probabilities for eight parameters
    "mixture of Rasch models": (MIXED + "c =~ i{1..6}", "identified", set()),
    "mixture of Rasch models, three items": (
        (MIXED + "c =~ i{1..6}").replace("6", "3"), "not identified",
        {"i1 ~1", "i2 ~1", "i3 ~1", "f ~~ f", "c ~1"},
    ),
    # the origin of the factor in the second class
    "mixture with free means": (
        MIXED + "i1 + i2 + i3 + i4 + i5 + i6 + f ~ c", "not identified",
        {"i1 ~1", "i2 ~1", "i3 ~1", "i4 ~1", "i5 ~1", "i6 ~1", "f ~1"},
    ),
    "growth mixture of counts": (
        "y{1..4} :: poisson(log)\nc :: class(2)\ni =~ 1*y{1..4}\n"
        "s =~ 0*y1 + 1*y2 + 2*y3 + 3*y4\ny{1..4} ~ 0*1\ni + s ~ c",
        "identified", set(),
    ),
    "two class variables and a factor": (
        ITEMS + "c1 :: class(2)\nc2 :: class(2)\nc1 =~ i{1..3}\nc2 =~ i{4..6}\nf =~ x1 + x2 + x3\nc1 ~ f",
        "identified", set(),
    ),
    "joint mass points": ("a[id] + b[id] :: masspoints(2)\ny ~ x + a + b:x", "identified", set()),
    "product of factors of items": (
        ITEMS + "d :: binomial(logit)\nf =~ i{1..3}\ng =~ i{4..6}\nd ~ f + g + f:g", "identified", set()
    ),
    "product of a factor and a school's effect": ("f =~ x1 + x2 + x3\ny ~ f + u[school] + u:f", "identified", set()),
    "zeros that differ between people": ("y :: poisson(log)\ny ~ x\nzero(y) ~ 1 + v[id]", "identified", set()),
    "mixture of adjacent items": ("c :: class(2)\no{1..4} :: adjacent\nc =~ o{1..4}", "identified", set()),
}  # fmt: skip


@pytest.mark.parametrize("name", list(DECIDED))
def test_it_decides_what_moments_do_not(name: str) -> None:
    text, verdict, moving = DECIDED[name]
    found = sl.Model(text).identify()
    assert found.verdict == verdict, found.render()
    assert {" ".join(t).strip() for t in found.unidentified} == moving
    assert found.n_free - found.rank == (verdict == "not identified")
    assert "scores of simulated units" in found.why
    assert sl.Model(text).identify(simulate=False).verdict == "undetermined"


def test_data_count() -> None:
    """Responses are drawn for the designs of the data, repeatedly where these are few."""
    text = "y ~ x + u[id]\nsigma(y) ~ 1 + v[id]\n"
    frame = simulated_frame(sl.Model(text).parameter_table)
    assert sl.Model(text).identify(frame[frame.id <= 5]).verdict == "identified"
    found = sl.Model(text).identify(frame.assign(x=1.0))
    assert found.verdict == "not identified"
    assert {t[1:] for t in found.unidentified} == {("~1", ""), ("~", "x")}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("".join(f"y{k} ~ x\nsigma(y{k}) ~ 1 + u{k}[id]\n" for k in (1, 2, 3, 4)), "dimensions of integration"),
        ("y{1..40} ~ x + z\ny1 ~ u[id]\nsigma(y1) ~ 1 + v[id]\n", "parameters"),
    ],
)
def test_what_takes_too_long_says_so(text: str, why: str) -> None:
    found = sl.Model(text).identify()
    assert found.verdict == "undetermined"
    assert why in found.why


def test_a_fit_knows_the_verdict() -> None:
    """What simulation decides is an error of the fit where nothing settles it, and no finding where all is settled."""
    three = (MIXED + "c =~ i{1..6}").replace("6", "3")
    rng = np.random.default_rng(2)
    c = rng.random(400) < 0.5
    data = pd.DataFrame({f"i{k}": (rng.random(400) < np.where(c, 0.8, 0.3)) * 1 for k in (1, 2, 3)})
    with pytest.raises(sl.FitError) as problem:
        sl.Model(three).fit(data)
    (found,) = [d for d in problem.value.diagnostics if d.is_error]
    assert found.slug == "not-identified"
    assert "rank 7 of 8" in found.notes[0]
    assert sl.Model(three).fit(data, force=True, se="none").n_free == 8
    y = rng.normal(size=400)
    scale = sl.Model("y ~ 1 + u[id]\nsigma(y) ~ 1 + v[id]").fit(data.assign(y=y, id=np.arange(400) // 4))
    assert "identification-undetermined" not in {d.slug for d in scale.diagnostics}
