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


def test_other_differences_are_no_ranges() -> None:
    for text in ("y ~ v3-v1", "y ~ x1-z2"):
        with pytest.raises(sl.ModelError) as problem:
            sl.Model(text)
        assert "a range is written v{" not in problem.value.diagnostics[0].message


def test_a_level_block_without_a_cluster_names_a_column_of_the_data() -> None:
    data = pd.DataFrame({"y": range(12), "x": [3, 1, 2] * 4, "school": [1, 1, 1, 2, 2, 2] * 2})
    with pytest.raises(sl.DataError, match="cluster: school"):
        sl.Model("level: 1\ny ~ x\nlevel: 2\ny ~ 1").fit(data)
