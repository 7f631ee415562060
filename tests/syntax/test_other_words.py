"""Words of R and Mplus in the middle of a statement: the finding says what to type, and what it says is right."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import semlang as sl

CASES = {
    "b ~ x, family = binomial": ("other-program", "b :: binomial"),
    "y ~ x, std.lv = TRUE": ("other-program", "options: std.lv = TRUE"),
    'y ~ x, data = "d.csv"': ("other-program", 'data: "file.csv"'),
    "cbind(b, p) ~ x": ("other-program", "b :: binomial(logit, trials=n)"),
    "f =~ v1-v3": ("minus-before-term", "v{1..3}"),
    "y ~ item08 - item10": ("minus-before-term", "item{08..10}"),
}


@pytest.mark.parametrize("text", CASES)
def test_what_to_type(text: str) -> None:
    slug, instead = CASES[text]
    with pytest.raises(sl.ModelError) as problem:
        sl.Model(text)
    found = problem.value.diagnostics[0]
    assert found.slug == slug
    assert instead in str(found)
    if instead != 'data: "file.csv"':
        rest = "" if "::" not in instead else f"\n{instead[0]} ~ x"
        whole = re.sub(r"^(v|item)\{", r"f =~ \1{", instead) + rest
        assert sl.Model(whole + ("\ny ~ x" if instead.startswith("options") else ""))


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("x1:x4 :: binomial(logit)\nf =~ x{1..4}", "not-a-variable"),
        ("x1-x4 :: binomial(logit)\nf =~ x{1..4}", "not-a-name"),
        ("f =~ x1 to x4", "missing-plus"),
        ("f =~ x1 - x4", "minus-before-term"),
    ],
)
def test_ranges_of_other_programs_are_mended(text: str, slug: str) -> None:
    with pytest.raises(sl.ModelError) as problem:
        sl.Model(text)
    found = problem.value.diagnostics[0]
    (edit,) = found.fix
    assert (found.slug, edit.text) == (slug, "x{1..4}")
    mended = sl.Model(text[: edit.span.start] + edit.text + text[edit.span.end :])
    assert mended.table.query("op == '=~'").rhs.to_list() == ["x1", "x2", "x3", "x4"]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("f =~ x1 + x2\ng =~ x3 + x4\nf ~~ c:g", "c*g"),
        ("f =~ x1 + x2\nx3 ~~ a:f", "a*f"),
        ("cluster: g\ny ~ 1 + u[g]\nu ~~ v:u", "v*u"),
    ],
)
def test_a_label_with_a_colon_is_no_product(text: str, right: str) -> None:
    with pytest.raises(sl.ModelError) as problem:
        sl.Model(text)
    found = problem.value.diagnostics[0]
    assert found.slug == "latent-in-product"
    (edit,) = found.fix
    assert edit.text == right
    mended = text[: edit.span.start] + right + text[edit.span.end :]
    assert right[0] in sl.Model(mended).table.label.to_list()


@pytest.mark.parametrize("text", ["f ~~ f:c", "c:f ~ x4", "f ~~ 2*c:f", "c:f ~ 1", "f:x4 ~~ x5"])
def test_products_of_latent_variables_have_no_equation(text: str) -> None:
    with pytest.raises(sl.ModelError) as problem:
        sl.Model("f =~ x1 + x2 + x3\n" + text)
    assert [d.slug for d in problem.value.diagnostics if d.is_error] == ["latent-in-product"]
    assert not problem.value.diagnostics[0].fix


@pytest.mark.parametrize("text", ["y ~ x + f:x", "y ~ f:f", "y ~~ x:z\nx ~ 1", "g =~ x1:z1 + x2:z2 + y", "x:z ~ y"])
def test_other_products_are_left_alone(text: str) -> None:
    model = sl.Model("f =~ v1 + v2 + v3\n" + text)
    assert "latent-in-product" not in [d.slug for d in model.check()]


@pytest.mark.parametrize("text", ["y ~ factor(a)*factor(b)", "y ~ factor(a)*x", "y ~ scale(x)*z"])
def test_crossed_factors_of_r(text: str) -> None:
    with pytest.raises(sl.ModelError) as problem:
        sl.Model(text)
    assert problem.value.diagnostics[0].slug == "unknown-modifier"
    assert "a + b + a:b" in problem.value.diagnostics[0].help[0]
    assert sl.Model("y ~ factor(a) + factor(b) + factor(a):factor(b)")


def test_other_differences_are_no_ranges() -> None:
    for text in ("y ~ v3-v1", "y ~ x1-z2"):
        with pytest.raises(sl.ModelError) as problem:
            sl.Model(text)
        assert "a range is written v{" not in problem.value.diagnostics[0].message


def test_a_level_block_without_a_cluster_names_a_column_of_the_data() -> None:
    data = pd.DataFrame({"y": range(12), "x": [3, 1, 2] * 4, "school": [1, 1, 1, 2, 2, 2] * 2})
    with pytest.raises(sl.DataError, match="cluster: school"):
        sl.Model("level: 1\ny ~ x\nlevel: 2\ny ~ 1").fit(data)
