"""Parameter tables of small texts: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

from semlang.api import Model
from semlang.model.elaborate import elaborate, flat
from semlang.model.facts import DataFacts
from semlang.model.table import Covariate, ParameterTable, Row
from semlang.source import Source
from semlang.syntax.parser import parse


def table_of(text: str, **arguments: Any) -> ParameterTable:
    model, found = parse(Source(text))
    assert not [f for f in found if f.is_error]
    table, more = elaborate(model, **arguments).answer
    assert table is not None, [f.message for f in more]
    return table


def row(table: ParameterTable, text: str, group: int = 1, level: int = 0, klass: int = 0) -> Row:
    """Return the row that is called ``lhs op rhs``."""
    found = [
        r
        for r in table.rows
        if f"{r.lhs} {r.op} {r.rhs}".strip() == text and r.group == group and r.level == level and r.klass == klass
    ]
    assert len(found) == 1, [f"{r.lhs} {r.op} {r.rhs}" for r in table.rows]
    return found[0]


def absent(table: ParameterTable, text: str) -> bool:
    return all(f"{r.lhs} {r.op} {r.rhs}".strip() != text for r in table.rows)


def test_first_loading_is_the_marker() -> None:
    t = table_of("f =~ a*x1 + x2 + x3")
    assert (row(t, "f =~ x1").free, row(t, "f =~ x1").ustart, row(t, "f =~ x1").rule) == (0, 1.0, "marker loading")
    assert row(t, "f =~ x2").rule == "written"
    assert t.n_parameters == 9


def test_every_row_has_a_rule_and_a_place() -> None:
    t = table_of("f =~ x1 + x2\ny :: binomial\ny ~ f + z + (1 | school)\nu1 | t1\nu1 ~ f")
    assert all(r.rule and r.span is not None for r in t.rows)


def test_equal_labels_are_one_parameter() -> None:
    t = table_of("f =~ x1 + a*x2 + a*x3\nx1 ~~ v*x1\nx2 ~~ v*x2")
    assert row(t, "f =~ x2").parameter == row(t, "f =~ x3").parameter
    assert row(t, "f =~ x2").free != row(t, "f =~ x3").free
    assert row(t, "x1 ~~ x1").parameter == row(t, "x2 ~~ x2").parameter


def test_label_of_a_fixed_row_fixes_the_others() -> None:
    t = table_of("f =~ a*x1 + a*x2 + x3")
    assert (row(t, "f =~ x2").free, row(t, "f =~ x2").ustart) == (0, 1.0)


def test_equal_names_a_row() -> None:
    t = table_of("f =~ x1 + x2\ng =~ x3 + equal('f=~x2')*x4")
    assert row(t, "g =~ x4").parameter == row(t, "f =~ x2").parameter >= 0


def test_bounds_leave_the_constraints() -> None:
    t = table_of("x1 ~~ v*x1\nv > 0\nv < 3*2")
    assert (row(t, "x1 ~~ x1").lower, row(t, "x1 ~~ x1").upper, t.relations) == (0.0, 6.0, ())


def test_chains_are_pairs() -> None:
    t = table_of("y ~ a*x + b*z + c*w\na == b == c")
    assert [r.text for r in t.relations] == ["a == b", "b == c"]


def test_random_effect_has_first_path_one() -> None:
    t = table_of("treat :: binomial\nvisits :: poisson\ntreat ~ z + u[person]\nvisits ~ treat + u")
    assert row(t, "treat ~ u[person]").ustart == 1.0
    assert row(t, "visits ~ u[person]").free > 0
    assert row(t, "u[person] ~~ u[person]").rule == "variance of a random effect"
    assert row(t, "visits ~ treat").via == (Covariate("treat", response=True),)
    assert t.clusters == ("person",)


def test_std_lv_does_not_touch_random_effects() -> None:
    t = table_of("f =~ x1 + x2 + x3\nf ~ u[g]", options={"std_lv": True})
    assert row(t, "f ~~ f").ustart == 1.0
    assert row(t, "f =~ x1").free > 0
    assert row(t, "u[g] ~~ u[g]").free > 0


def test_bar_becomes_latent_variables() -> None:
    t = table_of("y ~ x + (1 + x | school)")
    slope = row(t, "y ~ y.x[school]:x")
    assert (slope.ustart, slope.source, slope.via) == (1.0, "y.x[school]", (Covariate("x"),))
    assert row(t, "y.1[school] ~~ y.x[school]").free > 0
    assert absent(table_of("y ~ x + (1 + x || school)"), "y.1[school] ~~ y.x[school]")


def test_nested_bar_has_both_levels() -> None:
    t = table_of("y ~ (1 | school/class)")
    assert t.clusters == ("class", "school")
    assert row(t, "y.1[class] ~~ y.1[class]").free > 0
    assert row(t, "y.1[school] ~~ y.1[school]").free > 0


def test_cluster_argument_wins() -> None:
    t = table_of("cluster: b\ny ~ x", cluster="b/a")
    assert t.clusters == ("a", "b")


def test_two_level_blocks_mean_components() -> None:
    t = table_of("cluster: school\nlevel: 1\nfw =~ y1 + y2 + y3\nlevel: 2\nfb =~ y1 + y2 + y3\nfb =~ z")
    assert t.variables["y1[school]"].role == "component"
    assert t.variables["z"].level == "school"
    assert row(t, "fb =~ y1", level=2).target == "y1[school]"
    assert row(t, "y1 ~1", level=1).ustart == 0.0
    assert row(t, "y1 ~1", level=2).free > 0
    assert row(t, "fb ~~ fb", level=2).target == "fb[school]"


def test_response_of_a_higher_level() -> None:
    t = table_of("cluster: school\ny4 + y5 :: gaussian(level=school)\nclimate[school] =~ y4 + y5\nclimate ~ w")
    assert t.variables["y4"].level == "school"
    assert row(t, "climate[school] ~ w").target == "climate[school]"


def test_residual_covariances_join_plain_gaussian_responses() -> None:
    assert not absent(table_of("y1 + y2 ~ x"), "y1 ~~ y2")
    assert absent(table_of("y1 ~ x\ny2 ~ x + (1 | g)"), "y1 ~~ y2")
    assert absent(table_of("y2 :: binomial\ny1 + y2 ~ x"), "y1 ~~ y2")


def test_kinds_have_what_they_have() -> None:
    t = table_of("b :: binomial\no :: ordinal\ng :: gamma\nb + o + g ~ x")
    assert absent(t, "b ~~ b")
    assert absent(t, "o ~1")
    assert row(t, "shape(g) ~1").quantity == "shape"


def test_sigma_takes_the_place_of_the_residual_variance() -> None:
    t = table_of("y ~ x\nsigma(y) ~ 1 + male")
    assert absent(t, "y ~~ y")
    assert row(t, "sigma(y) ~ male").target == "y"
    assert not absent(table_of("y ~ x\nsigma(y) ~ male"), "sigma(y) ~1")


FACTS = DataFacts(("y", "x", "g", "s"), {"g": ("a", "b", "c"), "y": ("1", "2", "3", "4"), "s": ("Pasteur", "Grant")})


def test_factor_makes_dummies() -> None:
    t = table_of("x ~ factor(g)", facts=FACTS)
    assert [r.rhs for r in t.rows if r.op == "~"] == ["g=b", "g=c"]
    assert [r.rhs for r in table_of("x ~ factor(g, base='b')", facts=FACTS).rows if r.op == "~"] == ["g=a", "g=c"]
    assert [r.rhs for r in table_of("x ~ 0 + factor(g)", facts=FACTS).rows if r.op == "~"] == ["g=a", "g=b", "g=c"]
    assert [r.via[0].function for r in table_of("x ~ factor(g)").rows if r.op == "~"] == ["factor"]


def test_thresholds_from_the_data() -> None:
    t = table_of("y :: ordinal\ny ~ x\ny | t1 ~ x", facts=FACTS)
    assert [r.rhs for r in t.rows if r.op == "|"] == ["t1", "t2", "t3"]
    assert (row(t, "y|t1 ~ x").threshold, row(t, "y|t1 ~ x").target) == (1, "y")


def test_multinomial_has_rows_per_category() -> None:
    t = table_of("g :: multinomial(base=b)\ng ~ x", facts=FACTS)
    assert [(r.lhs, r.op, r.category) for r in t.rows] == [
        ("g@a", "~", "a"),
        ("g@c", "~", "c"),
        ("g@a", "~1", "a"),
        ("g@c", "~1", "c"),
    ]


def test_classes_have_intercepts_of_their_own() -> None:
    t = table_of("c :: class(2)\na + b :: binomial\nc =~ a + b\nc ~ age")
    assert [(r.lhs, r.klass) for r in t.rows if r.op == "~1"] == [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)]
    t = table_of("c :: class(2)\nclass c: 1\ny ~ x\nclass c: 2\ny ~ 1\n")
    assert row(t, "y ~ x", klass=1).class_variable == "c"
    assert row(t, "y ~1", klass=1).rule == "automatic intercept"
    assert row(t, "c ~1", klass=1).rule == "class membership"


def test_groups_in_order_of_appearance() -> None:
    t = table_of("groups: s\nf =~ y + c(Grant=a, Pasteur=b)*x", facts=FACTS)
    assert t.groups == ("Pasteur", "Grant")
    assert (row(t, "f =~ x").label, row(t, "f =~ x", group=2).label) == ("b", "a")


def test_group_equal() -> None:
    t = table_of("f =~ x1 + x2 + x3", n_groups=2, options={"group.equal": ["loadings", "intercepts"]})
    assert row(t, "f =~ x2").parameter == row(t, "f =~ x2", group=2).parameter
    assert (row(t, "f ~1").free, row(t, "f ~1", group=2).free > 0) == (0, True)
    t = table_of("f =~ x1 + x2 + x3", n_groups=2, options={"group.equal": "loadings", "group.partial": "f=~x2"})
    assert row(t, "f =~ x2").parameter != row(t, "f =~ x2", group=2).parameter


@pytest.mark.parametrize(
    ("defaults", "free"), [("sem", {"x1 ~1", "f ~~ f"}), ("growth", {"f ~1", "f ~~ f"}), ("lavaan", set())]
)
def test_defaults_of_lavaans_functions(defaults: str, free: set[str]) -> None:
    t = table_of("f =~ 1*x1 + 1*x2 + 1*x3", defaults=defaults)
    assert {n for n in ("x1 ~1", "f ~1", "f ~~ f") if row(t, n).free} == free


def test_effects_coding() -> None:
    t = table_of("f =~ x1 + x2 + x3", options={"effect_coding": "loadings"})
    assert [r.text for r in t.relations] == [".p1. + .p2. + .p3. == 3"]


def test_arguments_win_over_the_file() -> None:
    text = "options: std.lv = true, defaults = growth\nf =~ x1 + x2"
    assert row(table_of(text), "f ~~ f").ustart == 1.0
    t = table_of(text, options={"std_lv": False, "defaults": "sem"})
    assert row(t, "f ~~ f").free > 0
    assert row(t, "x1 ~1").free > 0


def test_fixed_x_false_models_the_covariates() -> None:
    t = table_of("options: fixed.x = false\ny ~ x + z")
    assert row(t, "x ~~ z").free > 0
    assert t.variables["x"].role == "response"


def test_flat_is_as_written() -> None:
    rows = flat(parse(Source("f =~ NA*x1 + a*x2 + start(0.5)*x3\ny ~ c(1, 2)*x"))[0])
    assert [(r["fixed"], r["label"], r["start"]) for r in rows] == [
        ("NA", "", ""),
        ("", "a", ""),
        ("", "", "0.5"),
        ("1;2", "", ""),
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("sigma(y) ~ x", {("sigma(y)", "~", "x"), ("sigma(y)", "~1", ""), ("y", "~1", "")}),
        ("y :: gamma(log)\nshape(y) ~ x", {("shape(y)", "~", "x"), ("shape(y)", "~1", ""), ("y", "~1", "")}),
        ("y :: poisson\nzero(y) ~ x", {("zero(y)", "~", "x"), ("zero(y)", "~1", ""), ("y", "~1", "")}),
    ],
)
def test_a_parameter_of_a_distribution_makes_a_response(text, rows):
    """What has a distribution has a mean, too, whether or not the text says more of it."""
    table = Model(text).parameter_table
    assert {(r.lhs, r.op, r.rhs) for r in table.rows} == rows
    assert table.n_parameters == 3


def test_instruments_are_listed_and_change_nothing() -> None:
    """Maximum likelihood has no use for them: rows fixed at 0, no parameter more."""
    text = "y ~ x\nx ~ z1 + z2\n"
    plain, told = Model(text), Model(text + "y |~ z1 + z2\n")
    rows = told.table[told.table["op"] == "|~"]
    assert rows[["lhs", "rhs", "free", "ustart"]].to_numpy().tolist() == [["y", "z1", 0, 0.0], ["y", "z2", 0, 0.0]]
    assert told.parameter_table.n_parameters == plain.parameter_table.n_parameters
