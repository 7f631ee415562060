"""Vectors of labels with empty places, random intercepts by rv(), and what is said of a group alone."""

from __future__ import annotations

import semlang as sl


def test_an_empty_label_says_nothing_of_its_group() -> None:
    model = sl.Model('groups: g\nf =~ c("", "b")*x1 + x2 + x3')
    first = [r for r in model.parameter_table.rows if r.op == "=~" and r.rhs == "x1"]
    assert [(r.label, r.free) for r in first] == [("", 0), ("b", 0)]  # the marker stays fixed in both


def test_a_label_that_names_a_row_is_equal_to_it_in_its_group_alone() -> None:
    rows = sl.Model('groups: g\nf =~ x1 + x2 + c("", "", "f=~x2", "")*x3').parameter_table.rows
    x2 = [r.parameter for r in rows if r.op == "=~" and r.rhs == "x2"]
    x3 = [r.parameter for r in rows if r.op == "=~" and r.rhs == "x3"]
    assert x3[2] == x2[0]
    assert len({*x2, *x3}) == 7


def test_rv_before_the_constant_fixes_the_intercept() -> None:
    rows = sl.Model('cluster: c\ny ~ rv("s")*1').parameter_table.rows
    row = next(r for r in rows if r.op == "~1" and r.lhs == "y")
    assert (row.free, row.source) == (0, "s[c]")


def test_a_missing_scale_names_its_group() -> None:
    model = sl.Model("groups: g\nf =~ c(NA, NA)*x1 + x2 + x3\nf ~~ c(1, NA)*f")
    finding = next(d for d in model.check() if d.slug == "unscaled-latent")
    assert "in group 2" in finding.message
    assert finding.help[0].endswith("f =~ c(NA, 1)*x1")


def test_random_slopes_are_listed_as_in_lavaan() -> None:
    """lavaan 0.6-14, lavaanify(model.type = "sem") of the same text, without the moments of covariates, 2026-11-28."""
    text = 'level: 1\n y ~ rv("s")*x\nlevel: 2\n y ~ w\n s ~ w\n'
    given = {
        ("y", "~", "x", 1, 1), ("y", "~~", "y", 0, 1), ("y", "~", "w", 1, 2), ("s", "~", "w", 1, 2),
        ("s", "=~", "s", 1, 2), ("y", "~~", "y", 0, 2), ("s", "~~", "s", 0, 2),
    }  # fmt: skip
    table = sl.Model(text, cluster="g").table
    found = {(r.lhs, r.op, r.rhs, r.user, r.block) for r in table.itertuples() if r.op != "~1"}
    assert found == given
    (slope,) = table[(table["lhs"] == "s") & (table["op"] == "=~")].itertuples()
    assert (slope.free, slope.ustart) == (0, 0.0)
