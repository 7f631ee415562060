"""Tests of fits in files: what is read is what was written, and nothing else is taken for a fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semlang as sl

from .conftest import CFA, HS, holes


def items(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    f = rng.normal(size=n)
    sure = pd.cut(f + rng.logistic(size=n), [-9, -1, 1, 9], labels=["no", "so so", "yes"])
    frame = pd.DataFrame({"sure": pd.Categorical(sure), "right": np.where(f + rng.logistic(size=n) > 0, "y", "n")})
    frame["count"] = rng.poisson(np.exp(0.3 * f))
    frame["arm"], frame["clinic"] = rng.choice(["old", "new"], n), np.repeat([f"c{k}" for k in range(n // 6)], 6)
    return frame


def long() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    f = rng.normal(size=80)
    rows = [(p, i, int(f[p] + rng.logistic() > 0)) for p in range(80) for i in "abcd"]
    return pd.DataFrame(rows, columns=["person", "item", "y"])


MODELS: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {
    "missing": (CFA, lambda: holes(pd.read_csv(HS))),
    "groups": ("groups: school\nf =~ x1 + x2 + x3 + x4", lambda: pd.read_csv(HS)),
    "exploratory": ('efa("e")*f1 + efa("e")*f2 =~ x1 + x2 + x3 + x4 + x5 + x6', lambda: pd.read_csv(HS)),
    "kinds": (
        'sure :: ordinal(logit)\nright :: binomial(logit, success="y")\ncount :: poisson(log)\n'
        "f =~ sure + right + count\nf ~ factor(arm)",
        items,
    ),
    "clusters": ('right :: binomial(logit, success="y")\nright ~ factor(arm) + (1 | clinic)', items),
    "reshaped": ("reshape: y = item, id = person\ny_a :: binomial(logit)\ny_b :: binomial(logit)\n"
                 "y_c :: binomial(logit)\ny_d :: binomial(logit)\nf =~ y_a + y_b + y_c + y_d", long),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_fit_is_the_fit(name: str, tmp_path: Path) -> None:
    text, data = MODELS[name]
    fit = sl.Model(text).fit(data(), threads=1)
    fit.save(tmp_path / "fit.json")
    loaded = sl.load(tmp_path / "fit.json")

    assert loaded.summary() == fit.summary()
    pd.testing.assert_frame_equal(loaded.params, fit.params)
    pd.testing.assert_frame_equal(loaded.vcov, fit.vcov)
    pd.testing.assert_frame_equal(loaded.standardized(), fit.standardized())
    assert loaded.unit_logliks is not None
    assert loaded.unit_logliks == pytest.approx(fit.unit_logliks)
    assert loaded.unit_logliks.sum() == pytest.approx(fit.loglik)


def test_a_loaded_fit_compares_and_tests(fits: dict[str, sl.Fit], tmp_path: Path) -> None:
    fit = fits["equal"]
    fit.save(tmp_path / "fit.json")
    loaded = sl.load(tmp_path / "fit.json")
    assert sl.compare(loaded, fit).relation == "equivalent"
    pd.testing.assert_series_equal(loaded.measures(), fit.measures())
    pd.testing.assert_frame_equal(loaded.modification_indices(), fit.modification_indices())


def cut(text: str) -> str:
    return text[: len(text) // 2]


def edited(text: str) -> str:
    content = json.loads(text)
    content["estimate"]["theta"][0] += 1.0
    return json.dumps(content)


def other_schema(text: str) -> str:
    return json.dumps(json.loads(text) | {"schema": "semlang.fit/99"})


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        (cut, "not-a-fit"),
        (edited, "edited-fit"),
        (other_schema, "other-version"),
        (lambda text: "[]", "not-a-fit"),
        (lambda text: "", "not-a-fit"),
    ],
)
def test_what_is_no_fit(change: Callable[[str], str], slug: str, fits: dict[str, sl.Fit], tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    fits["complete"].save(path)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(sl.FitError) as problem:
        sl.load(path)
    assert [d.slug for d in problem.value.diagnostics] == [slug]


def test_a_fit_of_another_version_says_so(fits: dict[str, sl.Fit], tmp_path: Path, monkeypatch: Any) -> None:
    from semlang.results import stored

    monkeypatch.setattr(stored, "VERSION", "0.0.1")
    fits["complete"].save(tmp_path / "fit.json")
    monkeypatch.undo()
    assert "other-version" in {d.slug for d in sl.load(tmp_path / "fit.json").diagnostics}


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(sl.FitError) as problem:
        sl.load(tmp_path / "nothing.json")
    assert problem.value.diagnostics[0].slug == "missing-file"
