"""Names of parameters: unique, the same everywhere, and found again however they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from semlang.api import Model, read_model
from semlang.errors import FitError, ModelError
from semlang.estimation.start import user_values
from semlang.model.parameter_names import parameter_names, parameters_by_name, row_name, tight

ROOT = Path(__file__).parents[2]
TEXTS = sorted((*ROOT.glob("tests/corpus/good/*/*.sem"), *ROOT.glob("examples/*/*.sem")))
TWO_LEVEL = "cluster: school\nlevel: 1\nf =~ y1 + y2 + y3\nlevel: 2\nf =~ y1 + y2 + y3\n"


def names(text: str, **options: object) -> tuple[str, ...]:
    return parameter_names(Model(text, **options).parameter_table)


def test_in_the_corpus_every_parameter_has_a_name_of_its_own_that_finds_it() -> None:
    for path in TEXTS:
        try:
            table = read_model(path).parameter_table
        except ModelError:
            continue
        known = parameter_names(table)
        assert len(set(known)) == table.n_parameters, path
        by_name = parameters_by_name(table)
        for row in table.rows:
            if row.parameter >= 0:
                assert by_name[tight(known[row.parameter])] == [row.parameter], path


def test_a_name_is_the_label_or_the_statement() -> None:
    assert names("f =~ x1 + a*x2 + x3\nx1 ~ 1") [:3] == ("a", "f =~ x3", "x1 ~1")  # fmt: skip


def test_level_group_and_class_tell_rows_apart() -> None:
    assert {"f =~ y2", "f =~ y2 (school)", "y1 ~1 (school)"} <= set(names(TWO_LEVEL))
    assert {"y ~ x (1)", "y ~ x (2)"} <= set(names("y ~ x", n_groups=2))
    table = Model("c :: class(2)\nc =~ y1 + y2 + y3").parameter_table
    assert {"y1 ~1 (class 1)", "y1 ~1 (class 2)"} <= {row_name(table, row) for row in table.rows}


def test_a_bracket_says_the_level() -> None:
    assert "u[school] ~~ u[school]" in names("y ~ x + u[school]")


def test_a_parameter_of_all_groups_has_no_group() -> None:
    text = "groups: g\noptions: group.equal = [loadings]\nf =~ x1 + x2 + x3"
    known = names(text, n_groups=2)
    assert "f =~ x2" in known
    assert "x1 ~~ x1 (1)" in known


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("f=~y2", ["f =~ y2"]),
        ("f =~ y2 (school)", ["f =~ y2 (school)"]),
        ("y1 ~~ y1(school)", ["y1 ~~ y1 (school)"]),
        ("y2 ~1", ["y2 ~1 (school)"]),
    ],
)
def test_start_values_find_names(key: str, meant: list[str]) -> None:
    table = Model(TWO_LEVEL).parameter_table
    known = parameter_names(table)
    assert [known[k] for k in user_values(table, {key: 2.0})] == meant


def test_start_values_of_a_statement_hold_in_all_groups_and_a_named_group_wins() -> None:
    table = Model("y ~ x", n_groups=2).parameter_table
    known = parameter_names(table)
    found = {known[k]: v for k, v in user_values(table, {"y ~ x (2)": 5.0, "y~x": 1.0}).items()}
    assert found == {"y ~ x (1)": 1.0, "y ~ x (2)": 5.0}


def test_sides_of_a_covariance_may_be_exchanged() -> None:
    table = Model("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6").parameter_table
    assert user_values(table, {"g ~~ f": 0.2}) == user_values(table, {"f ~~ g": 0.2})


@pytest.mark.parametrize(("key", "near"), [("f =~ x22", "f =~ x2"), ("visual", "fit.params"), ("f =~ x1", "f =~ x2")])
def test_start_values_for_nothing_are_refused(key: str, near: str) -> None:
    """Also those of a fixed loading: it would have no effect."""
    table = Model("f =~ x1 + x2 + x3").parameter_table
    with pytest.raises(FitError) as problem:
        user_values(table, {key: 1.0})
    (finding,) = problem.value.diagnostics
    assert finding.slug == "unknown-start"
    assert near in finding.help[0]
