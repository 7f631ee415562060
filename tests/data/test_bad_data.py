"""Data that do not fit the model: one mistake, one finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semlang.diagnostics import Severity

N = 24
RNG = np.random.default_rng(5)
GOOD = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "x": RNG.normal(size=N),
        "b": np.arange(N) % 2,
        "o": np.arange(N) % 3 + 1,
        "k": np.arange(N) % 4,
        "n": 5,
        "s": np.arange(N) // 6,
        "c": np.arange(N) // 3,
        "g": np.where(np.arange(N) % 2, "m", "f"),
        "e": 1.0 + np.arange(N),
        "x1": RNG.normal(size=N),
        "x2": RNG.normal(size=N),
        "x3": RNG.normal(size=N),
    }
)


def with_(column: str, rows: Any, value: Any) -> pd.DataFrame:
    """Return the good data with some values of a column changed."""
    frame = GOOD.copy()
    values = frame[column].astype(object)
    values.iloc[rows] = value
    frame[column] = values.infer_objects()
    return frame


LINEAR = "y ~ x\n"
LOGIT = "b :: binomial(logit)\nb ~ x\n"
COUNT = "k :: poisson(log)\nk ~ x\n"
ORDINAL = "o :: ordinal(logit)\no ~ x\n"
TRIALS = "k :: binomial(logit, trials=n)\nk ~ x\n"
RATE = "k :: poisson(log, exposure=e)\nk ~ x\n"
MIXED = "cluster: s/c\ny ~ x + (1 | s/c)\n"
FACTOR = "f =~ x1 + x2 + x3\n"
GROUPS = "groups: g\nf =~ x1 + x2 + x3\n"
AT_SCHOOL = "cluster: s\nz :: gaussian(level=s)\nb :: binomial(logit)\nb ~ x + (1 | s)\nz ~ 1\n"

CASES: dict[str, tuple[str, pd.DataFrame, str, str]] = {
    "misspelt covariate": ("y ~ xx\n", GOOD.drop(columns=["x1", "x2", "x3"]), "unknown-column", "error"),
    "misspelt indicator": ("f =~ x1 + x2 + x33\n", GOOD, "unknown-column", "error"),
    "misspelt cluster": ("y ~ x + (1 | sch)\n", GOOD, "unknown-column", "error"),
    "misspelt group": ("groups: gg\nf =~ x1 + x2 + x3\n", GOOD, "unknown-column", "error"),
    "misspelt factor": ("y ~ factor(gg)\n", GOOD, "unknown-column", "error"),
    "misspelt weight": ("weights: rows = ww\ny ~ x\n", GOOD, "unknown-column", "error"),
    "other data": ("f =~ q1 + q2 + q3 + q4\n", GOOD, "unknown-column", "error"),
    "transposed": (FACTOR, GOOD.T.reset_index(), "transposed-data", "error"),
    "text response": (LINEAR, with_("y", [2, 7], "n.a."), "text-column", "error"),
    "text covariate": ("y ~ g\n", GOOD, "text-column", "error"),
    "text indicator": ("f =~ x1 + x2 + g\n", GOOD, "text-column", "error"),
    "text with factor and without": ("y ~ g + x:g\n", GOOD, "text-column", "error"),
    "infinite response": (LINEAR, with_("y", [3], np.inf), "infinite-value", "error"),
    "infinite covariate": ("y ~ x + x^2\n", with_("x", [3], -np.inf), "infinite-value", "error"),
    "nothing there": (LINEAR, GOOD.assign(x=np.nan), "empty-column", "error"),
    "dates": (LINEAR, GOOD.assign(x=pd.date_range("2020-01-01", periods=N)), "text-column", "error"),
    "log of zero": ("y ~ log(k)\n", GOOD, "outside-domain", "error"),
    "constant response": (LINEAR, GOOD.assign(y=3.0), "constant-response", "error"),
    "constant in a group": (
        GROUPS,
        GOOD.assign(x2=GOOD["x2"].where(GOOD["g"] == "m", 1.0)),
        "constant-response",
        "error",
    ),
    "constant covariate": (LINEAR, GOOD.assign(x=1), "constant-covariate", "warning"),
    "coded 1 and 2": (LOGIT, GOOD.assign(b=GOOD["b"] + 1), "not-binary", "error"),
    "three values": (LOGIT, GOOD.assign(b=GOOD["o"] - 1), "not-binary", "error"),
    "two words": (LOGIT, GOOD.assign(b=GOOD["g"]), "no-success-category", "error"),
    "no such success": (
        'b :: binomial(logit, success="male")\nb ~ x\n',
        GOOD.assign(b=GOOD["g"]),
        "unknown-category",
        "error",
    ),
    "always a success": (LOGIT, GOOD.assign(b=1), "constant-response", "error"),
    "more than the trials": (TRIALS, with_("k", [4], 6), "bad-trials", "error"),
    "part of a success": (TRIALS, with_("k", [4], 0.5), "bad-trials", "error"),
    "part of a trial": (TRIALS, GOOD.assign(n=5.5), "bad-trials", "error"),
    "negative count": (COUNT, with_("k", [4], -1), "not-count", "error"),
    "part of a count": (COUNT, with_("k", [4], 1.5), "not-count", "error"),
    "exposure zero": (RATE, with_("e", [4], 0.0), "bad-exposure", "error"),
    "one category": (ORDINAL, GOOD.assign(o=2), "constant-response", "error"),
    "too many thresholds": ("o | t1 + t2 + t3\no ~ x\n", GOOD, "too-many-thresholds", "error"),
    "empty category": (ORDINAL, GOOD.assign(o=GOOD["o"].replace({3: 4})), "empty-category", "warning"),
    "unused category": (
        ORDINAL,
        GOOD.assign(o=pd.Categorical(GOOD["o"], categories=[1, 2, 3, 9], ordered=True)),
        "empty-category",
        "warning",
    ),
    "words in order of the alphabet": (
        ORDINAL,
        GOOD.assign(o=GOOD["o"].map({1: "low", 2: "middle", 3: "top"})),
        "alphabetical-order",
        "warning",
    ),
    "numbers as categories": ("y :: ordinal(logit)\ny ~ x\n", GOOD, "many-categories", "warning"),
    "no such category": ("o :: multinomial\no@7 ~ x\n", GOOD, "unknown-category", "error"),
    "no such base": ("o :: multinomial(base=7)\no ~ x\n", GOOD, "unknown-level", "error"),
    "no cluster": (MIXED, with_("c", [4, 5], np.nan), "missing-cluster", "error"),
    "empty cluster": (
        MIXED,
        GOOD.assign(c=["c" + str(c) if c else " " for c in GOOD["c"]]),
        "missing-cluster",
        "error",
    ),
    "no cluster of whole numbers": (
        MIXED,
        GOOD.assign(c=GOOD["c"].astype("Int64").mask(GOOD["c"] == 4)),
        "missing-cluster",
        "error",
    ),
    "no group": (GROUPS, with_("g", [4], None), "missing-cluster", "error"),
    "classes of the same number": (MIXED, GOOD.assign(c=GOOD["c"] % 2), "clusters-not-nested", "note"),
    "clusters exchanged": ("cluster: c/s\ny ~ x + (1 | c/s)\n", GOOD, "redundant-cluster", "warning"),
    "one cluster": ("y ~ x + (1 | s)\n", GOOD.assign(s=1), "single-cluster", "warning"),
    "response varies within": (AT_SCHOOL, GOOD.assign(z=GOOD["y"]), "varies-within", "error"),
    "covariate varies within": (
        "cluster: s\nb :: binomial(logit)\nb ~ x + u[s]\nu[s] ~ x1\n",
        GOOD,
        "varies-within",
        "error",
    ),
    "weight varies within": ("cluster: s\nweights: s = e\ny ~ x + (1 | s)\n", GOOD, "varies-within", "error"),
    "negative weight": ("weights: rows = e\ny ~ x\n", with_("e", [4], -1.0), "negative-weight", "error"),
    "no weight": ("frequency: e\ny ~ x\n", with_("e", [4], np.nan), "missing-weight", "error"),
    "units in two groups": (
        "groups: g\ncluster: s\ny ~ x + (1 | s)\n",
        GOOD,
        "cluster-across-groups",
        "warning",
    ),
    "same item twice": ("reshape: y = o, id = s\ny_1 + y_2 ~ 1\n", GOOD, "duplicate-rows", "error"),
    "same name twice": (LINEAR, pd.concat([GOOD, GOOD[["x"]]], axis=1), "duplicate-columns", "error"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_mistake_gives_one_finding(case: str, bound: Callable[..., Any]) -> None:
    text, frame, slug, severity = CASES[case]
    designs, found = bound(text, frame)
    assert [(d.slug, d.severity.value) for d in found] == [(slug, severity)], [d.message for d in found]
    assert bool(designs) == (severity != "error")
    assert found[0].message
    if slug not in ("too-many-thresholds", "unknown-level"):  # found before the data are bound
        assert found[0].label or found[0].help or found[0].notes


@pytest.mark.parametrize("text", [LINEAR, LOGIT, COUNT, ORDINAL, TRIALS, RATE, MIXED, FACTOR, GROUPS])
def test_good_data_have_no_finding(text: str, bound: Callable[..., Any]) -> None:
    designs, found = bound(text, GOOD)
    assert designs
    assert found == []


def test_findings_point_at_the_name_in_the_text(bound: Callable[..., Any]) -> None:
    text = "# x33 is misspelt\nf =~ x1 + x2 + a*x33\n"
    _, (finding,) = bound(text, GOOD)
    assert text[finding.span.start : finding.span.end] == "x33"
    assert finding.span.start > 18
    assert "x3" in finding.help[0]
    assert [e.text for e in finding.fix] in ([], ["x3"])


def test_rows_are_named(bound: Callable[..., Any]) -> None:
    _, (finding,) = bound(LINEAR, with_("y", [2, 7], "n.a."))
    assert "'n.a.' in row 3, 'n.a.' in row 8" in finding.label


def test_what_to_write_is_shown(bound: Callable[..., Any]) -> None:
    _, (finding,) = bound(LOGIT, GOOD.assign(b=GOOD["g"]))
    assert finding.help == ('write  b :: binomial(logit, success="m")',)
    _, (finding,) = bound(LOGIT, GOOD.assign(b=GOOD["b"] + 1))
    assert finding.help == ("write  b :: binomial(logit, success=2)",)


def test_two_mistakes_give_two_findings(bound: Callable[..., Any]) -> None:
    frame = with_("y", [2], "n.a.").assign(x=np.inf)
    _, found = bound(LINEAR, frame)
    assert sorted(d.slug for d in found) == ["infinite-value", "text-column"]
    assert all(d.severity is Severity.ERROR for d in found)
