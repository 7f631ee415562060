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


def mixed(n: int = 240) -> pd.DataFrame:
    """Return data of two classes, items with categories, durations, and a predictor that is missing for some."""
    rng = np.random.default_rng(5)
    c, x, f = rng.random(n) < 0.45, rng.normal(size=n), rng.normal(size=n)
    frame = pd.DataFrame({f"b{k}": (rng.random(n) < np.where(c, 0.8, 0.25)).astype(int) for k in range(4)})
    for k in range(4):
        frame[f"o{k}"] = np.digitize(1.2 * f + rng.logistic(size=n), [-1.0, 1.0])
    u = np.stack([np.zeros(n), 0.8 * x, 0.5 - x]) + rng.gumbel(size=(3, n))
    frame["party"] = np.array(["a", "b", "c"])[u.argmax(axis=0)]
    time, end = rng.exponential(size=n) * np.exp(-0.5 * x), rng.exponential(2.0, size=n)
    frame["time"], frame["event"] = np.minimum(time, end), (time <= end).astype(int)
    m = 0.5 * x + rng.normal(size=n)
    frame["y"] = 0.7 * m + rng.normal(size=n)
    frame["m"] = np.where(np.arange(n) % 5 == 0, np.nan, m)
    frame["k"] = rng.poisson(np.exp(0.2 + 0.6 * c))
    return frame.assign(x=x, w=rng.uniform(0.5, 2.0, n), g=np.repeat(np.arange(n // 6), 6))


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
    "classes": ("b{0..3} :: binomial(logit)\nc :: class(2)\nc =~ b{0..3}\nc ~ x", mixed),
    "mass points": ("k :: poisson(log)\nu :: masspoints(2)\nk ~ 1 + x + u", mixed),
    "nominal": ("party :: multinomial(base=a)\nparty ~ x", mixed),
    "adjacent": ("o{0..3} :: adjacent(logit)\nf =~ o{0..3}", mixed),
    "survival": ("time :: weibull(event=event)\ntime ~ x + (1 | g)", mixed),
    "missing predictor": ("y ~ m + x\nm ~ x", mixed),
    "weights": ("weights: w\ny ~ x", mixed),
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
    if name not in ("classes", "mass points"):
        pd.testing.assert_frame_equal(loaded.standardized(), fit.standardized())
    for kind in ("marginal", "conditional", "linear"):
        pd.testing.assert_frame_equal(loaded.predict(kind=kind), fit.predict(kind=kind))
    pd.testing.assert_frame_equal(loaded.simulate(seed=3), fit.simulate(seed=3), check_dtype=False)
    pd.testing.assert_frame_equal(loaded.augment(), fit.augment(), check_dtype=False)  # texts are objects in a file
    assert loaded.to_json() == fit.to_json()
    if name == "missing predictor":  # its records are not known one by one
        assert loaded.unit_logliks is fit.unit_logliks is None
        return
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


def with_checksum(content: dict[str, Any]) -> str:
    """Return a file as another version would have written it: its checksum is right."""
    from semlang.results.stored import _checksum

    return json.dumps(content | {"checksum": _checksum(content)})


def without_a_field(text: str) -> str:
    content = json.loads(text)
    del content["estimate"]["n_rows_read"]
    return with_checksum(content)


def with_a_field(text: str) -> str:
    content = json.loads(text)
    content["estimate"]["temperature"] = 1.0
    return with_checksum(content)


def without_a_part(text: str) -> str:
    content = json.loads(text)
    del content["data"]
    return with_checksum(content)


def other_schema(text: str) -> str:
    return json.dumps(json.loads(text) | {"schema": "semlang.fit/99"})


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        (cut, "not-a-fit"),
        (edited, "edited-fit"),
        (other_schema, "other-version"),
        (without_a_field, "other-version"),
        (with_a_field, "other-version"),
        (without_a_part, "other-version"),
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


def test_columns_of_several_kinds_of_values(tmp_path: Path) -> None:
    """What is no number, text or truth value is kept as text, and nothing else is."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40)})
    frame["k"] = pd.Series([True, None, 3, "three"] * 10, dtype=object)
    frame["when"] = pd.Series([pd.Timestamp(2020, 1, 1), None] * 20, dtype=object)
    sl.Model("y ~ x + factor(k)\ny ~ factor(when)").fit(frame, threads=1, force=True).save(tmp_path / "fit.json")
    kept = sl.load(tmp_path / "fit.json").origin.recipe.frame
    assert kept["k"].tolist() == frame["k"].tolist()
    assert [type(v) for v in kept["k"]] == [type(v) for v in frame["k"]]
    assert kept["when"].tolist() == ["2020-01-01 00:00:00", None] * 20
