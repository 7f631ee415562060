"""Forms that are linked by common items: items that a group was not given have no rows there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, roots_hermitenorm

import semlang as sl
from semlang.errors import SemlangError

ITEMS = {"A": (1, 2, 3), "B": (2, 3, 4, 5), "C": (3, 5, 6)}


def forms(n: int = 150, seed: int = 4) -> pd.DataFrame:
    """Binary items of three groups, each with its own items, linked by common ones."""
    rng = np.random.default_rng(seed)
    parts = []
    for mean, (label, items) in zip((0.0, 0.5, -0.5), ITEMS.items(), strict=True):
        ability = rng.normal(mean, 1.2, n)
        part = {f"i{k}": np.where(rng.random(n) < expit(ability - 0.3 * (k - 3)), 1.0, 0.0) for k in items}
        parts.append(pd.DataFrame({"form": label, **part}))
    return pd.concat(parts, ignore_index=True)[["form", *(f"i{k}" for k in range(1, 7))]]


TOGETHER = "groups: form\ni{1..6} :: binomial(logit)\ntheta =~ 1*i{1..6}\n" + "".join(
    f"i{k} ~ c(m{k}, m{k}, m{k})*1\n" for k in range(1, 7)
)
TOGETHER += "theta ~ c(0, NA, NA)*1\ntheta ~~ theta\n"


def apart() -> str:
    lines = ["groups: form", "i{1..6} :: binomial(logit)"]
    for label, items in ITEMS.items():
        lines += [f"group: {label}", "theta =~ " + " + ".join(f"1*i{k}" for k in items)]
        lines += [f"i{k} ~ m{k}*1" for k in items]
        lines += ["theta ~ 0*1" if label == "A" else "theta ~ NA*1", "theta ~~ theta"]
    return "\n".join(lines) + "\n"


def test_items_of_some_groups_are_estimated_in_both_spellings() -> None:
    data = forms()
    one, other = sl.Model(TOGETHER).fit(data), sl.Model(apart()).fit(data)
    assert one.converged
    assert one.n_free == other.n_free == 6 + 2 + 3
    assert one.loglik == pytest.approx(other.loglik, abs=1e-8)
    assert not [d for d in one.diagnostics if d.is_error]


def test_loglikelihood_is_that_of_the_items_given() -> None:
    data = forms()
    fit = sl.Model(TOGETHER).fit(data)
    value = dict(zip(fit.params["name"], fit.params["est"], strict=True))
    x, w = roots_hermitenorm(61)
    w = w / w.sum()
    total = 0.0
    for label, items in ITEMS.items():
        mean = 0.0 if label == "A" else value[f"theta ~1 ({label})"]
        eta = mean + np.sqrt(value[f"theta ~~ theta ({label})"]) * x
        y = data.loc[data["form"] == label, [f"i{k}" for k in items]].to_numpy()
        nu = np.array([value[f"m{k}"] for k in items])[:, None] + eta
        p = expit(nu)
        terms = np.where(y[:, :, None] == 1, p, 1 - p).prod(axis=1)
        total += np.log(terms @ w).sum()
    assert fit.loglik == pytest.approx(total, abs=2e-4)  # 61 nodes at the origin beside adaptive ones


def test_columns_left_out_of_a_groups_model_are_not_used() -> None:
    data = forms()
    more = data.copy()
    rows = more["form"] == "A"
    more.loc[rows, "i6"] = np.tile([0.0, 1.0], int(rows.sum()) // 2)  # given, but not in the model of the group
    assert sl.Model(apart()).fit(more).loglik == pytest.approx(sl.Model(apart()).fit(data).loglik, abs=1e-8)


def test_gaussian_columns_of_some_groups() -> None:
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"g": np.repeat(["a", "b"], 100), "x": rng.normal(size=200)})
    data["y1"], data["y2"] = data["x"] + rng.normal(size=200), rng.normal(size=200)
    data.loc[data["g"] == "b", "y2"] = np.nan
    fit = sl.Model("groups: g\ny1 ~ x\ny2 ~ 1\ny1 ~~ 0*y2").fit(data)
    alone = [sl.Model("y1 ~ x").fit(data[data["g"] == g]).loglik for g in "ab"]
    assert fit.n_free == 3 + 3 + 2
    second = sl.Model("y2 ~ 1").fit(data[data["g"] == "a"]).loglik
    assert fit.loglik == pytest.approx(sum(alone) + second, abs=1e-6)


def test_an_item_without_any_value_is_still_a_finding() -> None:
    data = forms().assign(i6=np.nan)
    with pytest.raises(SemlangError) as caught:
        sl.Model(TOGETHER).fit(data)
    assert {"constant-response", "empty-column"} & {d.slug for d in caught.value.diagnostics}


def test_equal_loadings_begin_with_the_first_group_that_has_them() -> None:
    text = "groups: g\noptions: group.equal = [loadings]\ngroup: a\nf =~ y1 + y2 + y3\ngroup: b\nf =~ y1 + y2 + y3 + y4"
    text += "\ngroup: c\nf =~ y1 + y2 + y3 + y4\n"
    rows = [r for r in sl.Model(text).parameter_table.rows if r.op == "=~" and r.rhs == "y4"]
    assert [r.group for r in rows] == [2, 3]
    assert rows[0].parameter == rows[1].parameter
