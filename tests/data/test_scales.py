"""Thresholds are boundaries of a scale: categories that a response never takes do not shift them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.errors import SemlangError

TEXT = """options: std.lv = true
y1 + y2 :: ordinal(logit{scale})
f =~ a*y1 + a*y2
y1 + y2 | t1*t1 + t2*t2 + t3*t3 + t4*t4
"""
SCALE = ", categories=[1, 2, 3, 4, 5]"


def answers(n: int = 300) -> pd.DataFrame:
    """Two items of one scale; the first is never answered by 1, the second never by 5."""
    rng = np.random.default_rng(3)
    latent = rng.normal(size=n)[:, None] + rng.logistic(size=(n, 2))
    y = 1 + (latent[:, :, None] > np.array([-1.5, -0.5, 0.5, 1.5])).sum(axis=2)
    return pd.DataFrame({"y1": np.maximum(y[:, 0], 2), "y2": np.minimum(y[:, 1], 4)})


def test_shared_thresholds_need_one_scale() -> None:
    with pytest.raises(SemlangError) as caught:
        sl.Model(TEXT.format(scale="").replace(" + t4*t4", "")).fit(answers())
    finding = caught.value.diagnostics[0]
    assert finding.slug == "different-categories"
    assert "categories=[1, 2, 3, 4, 5]" in finding.help[0]


def test_declared_categories_and_categoricals_align_thresholds() -> None:
    data = answers()
    declared = sl.Model(TEXT.format(scale=SCALE)).fit(data)
    levels = {y: pd.Categorical(data[y], categories=[1, 2, 3, 4, 5], ordered=True) for y in data}
    categorical = sl.Model(TEXT.format(scale="")).fit(pd.DataFrame(levels))
    assert declared.loglik == pytest.approx(categorical.loglik, abs=1e-9)
    rows = [(r.target, r.rhs, r.threshold) for r in declared.table.rows if r.op == "|"]
    assert rows == [
        ("y1", "t2", 1), ("y1", "t3", 2), ("y1", "t4", 3), ("y2", "t1", 1), ("y2", "t2", 2), ("y2", "t3", 3)
    ]  # fmt: skip


def test_aligned_thresholds_are_equal_to_free_ones_under_constraints() -> None:
    data = answers()
    shared = sl.Model(TEXT.format(scale=SCALE)).fit(data)
    free = TEXT.format(scale="").split("y1 + y2 |")[0] + "y1 | b2*t1 + b3*t2 + b4*t3\ny2 | c1*t1 + c2*t2 + c3*t3\n"
    constrained = sl.Model(free + "b2 == c2\nb3 == c3\n").fit(data)
    assert shared.n_free == constrained.n_free == 5
    assert shared.loglik == pytest.approx(constrained.loglik, abs=1e-5)


def test_declared_categories_without_sharing_give_the_order_alone() -> None:
    data = answers().replace({"y1": {2: "low", 3: "mid", 4: "high", 5: "top"}})
    plain = sl.Model("y1 :: ordinal(logit)\ny1 ~ y2").fit(answers())
    named = sl.Model('y1 :: ordinal(logit, categories=["none", "low", "mid", "high", "top"])\ny1 ~ y2').fit(data)
    assert named.loglik == pytest.approx(plain.loglik, abs=1e-8)
    assert named.designs[0].categories["y1"] == ("low", "mid", "high", "top")
    assert not [d for d in named.diagnostics if d.slug == "alphabetical-order"]


def test_a_value_outside_the_declared_categories_is_a_finding() -> None:
    with pytest.raises(SemlangError) as caught:
        sl.Model("y1 :: ordinal(logit, categories=[2, 3, 4])\ny1 ~ y2").fit(answers())
    assert caught.value.diagnostics[0].slug == "unknown-category"
