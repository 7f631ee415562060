"""Rows of several files: read at once, and in partitions, they are the same data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semlang as sl
from semlang.data.partitions import binding, opening, row_groups
from semlang.data.stacking import stacked

pytest.importorskip("pyarrow")

TEXT = "y :: binomial(logit)\ny ~ x + factor(c) + (1|g)"
ORDINAL = "o :: ordinal(logit)\no ~ x + (1|g)"
WORDS = ["never", "seldom", "often"]


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(60), 10)
    x, u = rng.normal(size=g.size), rng.normal(size=60)[g]
    eta = 0.5 * x + u
    return pd.DataFrame(
        {
            "g": g, "x": x, "c": np.where(g < 20, "a", rng.choice(list("abc"), g.size)),
            "y": (rng.random(g.size) < 1 / (1 + np.exp(-eta))).astype(int),
            "o": [WORDS[k] for k in np.clip(np.round(eta + rng.logistic(size=g.size)) + 1, 0, 2).astype(int)],
        }
    )  # fmt: skip


def category(column: str, *orders: list[str]):
    def change(k: int, part: pd.DataFrame) -> pd.DataFrame:
        return part.assign(**{column: pd.Categorical(part[column], categories=orders[k])})

    return change


CASES = {
    "as they are": (TEXT, lambda k, f: f),
    "truth values and numbers": (TEXT, lambda k, f: f.assign(y=f["y"].astype(bool)) if k == 0 else f),
    "a type without values": (TEXT, lambda k, f: f.assign(y=None) if k == 1 else f),
    "a file without a column": (TEXT, lambda k, f: f.drop(columns="x") if k == 1 else f),
    "a file without rows": (TEXT, lambda k, f: f.iloc[:0] if k == 1 else f),
    "units as numbers and as text": (TEXT, lambda k, f: f.assign(g=f["g"].astype([int, str, float][k]))),
    "columns in another order": (TEXT, lambda k, f: f[f.columns[:: 1 - 2 * (k % 2)]]),
    "a category in the last file alone": (TEXT, category("c", ["a"], ["b", "a", "c"], ["b", "a", "c"])),
    "categories in orders that differ": (TEXT, category("c", ["a"], ["b", "a", "c"], ["a", "b", "c"])),
    "categories and text": (TEXT, lambda k, f: f.assign(c=f["c"].astype("category")) if k == 0 else f),
    "ordered words": (ORDINAL, category("o", WORDS, WORDS, WORDS)),
    "an order that differs": (ORDINAL, category("o", WORDS[::-1], WORDS, WORDS)),
    "orders that say one together": (ORDINAL, category("o", WORDS, ["never", "seldom", "often", "always"], WORDS)),
}


@pytest.mark.parametrize("case", CASES)
def test_in_partitions_and_at_once(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, change = CASES[case]
    data = frame()
    for k, (first, last) in enumerate([(0, 195), (195, 405), (405, 600)]):  # borders within units
        change(k, data.iloc[first:last]).to_parquet(tmp_path / f"p{k}.parquet", row_group_size=50, index=False)
    files = str(tmp_path / "p*.parquet")
    monkeypatch.setattr(row_groups, "ROWS", 100)
    monkeypatch.setattr(binding, "SAMPLE", 120)
    model = sl.Model(text)
    at_once = model.fit(files, threads=1)
    monkeypatch.setattr(opening, "IN_MEMORY", 0)
    fit = model.fit(files, threads=1)
    assert fit.estimate.plan is not None
    assert "partitions" in str(fit.estimate.plan)
    assert fit.loglik == pytest.approx(at_once.loglik, rel=1e-9)
    assert fit.estimate.theta == pytest.approx(at_once.estimate.theta, abs=1e-4)
    assert fit.estimate.n_rows == at_once.estimate.n_rows
    assert dict(fit.estimate.n_clusters) == dict(at_once.estimate.n_clusters)
    assert {d.slug for d in fit.diagnostics} == {d.slug for d in at_once.diagnostics}
    slugs = {d.slug for d in fit.diagnostics}
    assert ("different-columns" in slugs) == (case == "a file without a column")
    assert ("alphabetical-order" in slugs) == (case == "an order that differs")


def test_a_unit_is_the_same_as_number_and_as_text() -> None:
    together = stacked([pd.DataFrame({"g": [1, 2]}), pd.DataFrame({"g": ["2", None]}), pd.DataFrame({"g": [2.0]})])
    assert together["g"].tolist()[:3] == ["1", "2", "2"]
    assert together["g"].nunique() == 2


def test_rows_without_a_unit_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = frame()
    data.loc[[95, 100, 300], "g"] = np.nan
    data.to_parquet(tmp_path / "p.parquet", row_group_size=50, index=False)
    monkeypatch.setattr(row_groups, "ROWS", 100)
    monkeypatch.setattr(opening, "IN_MEMORY", 0)
    with pytest.raises(sl.errors.DataError) as problem:
        sl.Model(TEXT).fit(tmp_path / "p.parquet")
    assert problem.value.diagnostics[0].slug == "missing-cluster"


def test_robust_standard_errors_by_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the partitions is answered, another one refused before the time of a fit is spent."""
    data = frame().assign(s=lambda f: f["g"] // 5)
    data.to_parquet(tmp_path / "p.parquet", row_group_size=50, index=False)
    model = sl.Model("cluster: s/g\ny :: binomial(logit)\ny ~ x + (1|g)")
    whole = model.fit(data, se="robust", cluster="s", threads=1)
    monkeypatch.setattr(row_groups, "ROWS", 100)
    monkeypatch.setattr(opening, "IN_MEMORY", 0)
    fit = model.fit(tmp_path / "p.parquet", se="robust", cluster="s", threads=1)
    assert fit.params["se"].to_numpy(float) == pytest.approx(whole.params["se"].to_numpy(float), abs=1e-5, nan_ok=True)
    for source, cluster, slug in [
        (tmp_path / "p.parquet", "g", "not-in-partitions"), (data, "school", "unknown-cluster")
    ]:  # fmt: skip
        lines: list[str] = []
        with pytest.raises(sl.FitError) as problem:
            model.fit(source, se="robust", cluster=cluster, progress=lines.append)
        assert [d.slug for d in problem.value.diagnostics if d.is_error] == [slug]
        assert not any(line.startswith("iteration") for line in lines)
    assert "option-without-effect" in {d.slug for d in model.fit(data, cluster="s", threads=1).diagnostics}
