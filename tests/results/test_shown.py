"""What a console and a notebook show of everything public."""

from __future__ import annotations

from pathlib import Path

import pytest

import semlang as sl

HS = Path(__file__).parents[2] / "examples" / "holzinger-swineford" / "holzinger-swineford.csv"
TEXT = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\n"


@pytest.fixture(scope="module")
def shown() -> dict[str, object]:
    model, other = sl.Model(TEXT), sl.Model(TEXT + "visual ~~ 0*textual\n")
    return {
        "model": model,
        "identification": model.identify(),
        "plan": model.plan(),
        "comparison": sl.compare(model, other),
        "finding": sl.Model("f =~ x1 + x2").check()[0],
        "matrices": model.matrices,
        "converted": model.convert("mplus"),
        "fit": model.fit(HS, threads=1),
        "comparison of fits": sl.compare(model.fit(HS, threads=1), other.fit(HS, threads=1)),
    }


def test_repr_is_one_line(shown: dict[str, object]) -> None:
    for name, value in shown.items():
        assert "\n" not in repr(value), name
        assert len(repr(value)) < 250, name
        assert repr(value).startswith("<semlang."), name


def test_a_notebook_shows_the_whole(shown: dict[str, object]) -> None:
    for name, value in shown.items():
        assert "<" in value._repr_html_(), name
    assert "df 8" in shown["identification"]._repr_html_()
    assert "not-identified" in shown["finding"]._repr_html_()
    assert "likelihood ratio" in shown["comparison of fits"]._repr_html_()


def test_equations_are_set(shown: dict[str, object]) -> None:
    equations = shown["model"].equations()
    assert isinstance(equations, str)
    assert equations._repr_latex_() == equations
