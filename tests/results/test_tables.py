"""Tests of tables as they leave the program."""

from __future__ import annotations

import math

import pytest

import semlang as sl
from semlang.results.table import Table

from .conftest import ROOT

TABLE = Table(("lhs", "est", "p"), (("a_1 | b", 0.5, 1e-9), ("c", None, math.nan)), ("50 % of it",), "Title")


def test_shapes() -> None:
    assert TABLE.text() == "Title\nlhs         est       p\na_1 | b  0.5000  <0.001\nc\nnote: 50 % of it"
    assert TABLE.markdown().splitlines()[2:5] == [
        "| lhs | est | p |",
        "| --- | ---: | ---: |",
        "| a_1 \\| b | 0.5000 | <0.001 |",
    ]
    latex = TABLE.latex()
    assert r"a\_1 \textbar{} b & 0.5000 & \textless{}0.001 \\" in latex
    assert [latex.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert '<td class="number">0.5000</td>' in TABLE.html()
    assert TABLE.json()["rows"][1] == {"lhs": "c", "est": None, "p": None}
    assert TABLE.frame()["est"].isna().tolist() == [False, True]


def test_tidy_and_glance(fits: dict[str, sl.Fit]) -> None:
    fit = fits["complete"]
    tidy, glance = fit.tidy().set_index("term"), fit.glance()
    row = tidy.loc["visual =~ x2"]
    assert row["conf.low"] == pytest.approx(row["estimate"] - 1.959964 * row["std.error"])
    assert row["std.all"] == pytest.approx(0.4236, abs=1e-4)
    assert len(glance) == 1
    assert glance.loc[0, "cfi"] == pytest.approx(0.9306, abs=1e-4)
    assert glance.loc[0, "nobs"] == 301


def test_augment(fits: dict[str, sl.Fit]) -> None:
    """Fitted values and residuals add up to the responses, missing ones aside."""
    out = fits["missing"].augment()
    assert (out[".fitted.x1"] + out[".resid.x1"]).to_numpy() == pytest.approx(out["x1"].to_numpy(), nan_ok=True)
    assert out[".fitted.x1"].notna().all()
    assert ".visual" in out


def test_journal_tables(fits: dict[str, sl.Fit]) -> None:
    assert "RMSEA 0.092 [0.071, 0.114]" in fits["complete"].to_latex()
    assert "std.all" in fits["complete"].to_markdown(standardized=True)
    assert fits["complete"].to_html().startswith("<table>")


def test_augment_of_successes_in_trials() -> None:
    """Residuals are in successes: trials times the probability is taken off."""
    fit = sl.read_model(ROOT / "examples" / "cbpp" / "model.sem").fit(threads=1)
    out, p = fit.augment(), fit.predict(kind="conditional").iloc[:, 0]
    assert out[".fitted"].to_numpy() == pytest.approx((p * out["size"]).to_numpy())
    assert out[".resid"].to_numpy() == pytest.approx((out["incidence"] - out[".fitted"]).to_numpy())


@pytest.mark.parametrize(
    ("levels", "groups", "shown"),
    [
        (("rows", ""), ("", ""), ["lhs", "label", "est"]),
        (("rows", "school"), ("", ""), ["lhs", "level", "label", "est"]),
        (("rows", "rows"), ("", "b"), ["lhs", "group", "label", "est"]),
    ],
)
def test_columns_that_say_nothing_are_not_printed(
    levels: tuple[str, str], groups: tuple[str, str], shown: list[str]
) -> None:
    """One level and one group need no column; what else is empty stands."""
    rows = tuple(("x", level, group, "", 1.0) for level, group in zip(levels, groups, strict=True))
    table = Table(("lhs", "level", "group", "label", "est"), rows)
    assert table.text().splitlines()[0].split() == shown
    assert table.html().count("<th>") == table.markdown().splitlines()[0].count("|") - 1 == len(shown)
    assert list(table.frame().columns) == ["lhs", "level", "group", "label", "est"]


def test_counts_alone_are_printed_without_decimals() -> None:
    table = Table(("est", "df", "n"), ((1.0, 2.0, 40.0), (0.5, 1.5, 7.0)))
    assert [line.split() for line in table.text().splitlines()[1:]] == [
        ["1.0000", "2", "40"],
        ["0.5000", "1.5000", "7"],
    ]
