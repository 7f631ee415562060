"""Binding: what a design holds, and what it does not depend on."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semlang.data.binding import bind
from semlang.data.design import Design
from semlang.data.facts import FrameFacts
from semlang.model.elaborate import elaborate
from semlang.model.table import Covariate
from semlang.source import Source
from semlang.syntax.parser import parse

TEXT = """cluster: school/class
y :: binomial(logit)
z :: gaussian(level=school)
y ~ x + factor(g) + x:w + x^2 + (1 + x | school/class)
z ~ v
"""


def frame(n: int = 60, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(n // 10), 10)
    return pd.DataFrame(
        {
            "school": school,
            "class": rng.integers(1, 4, n),
            "y": rng.integers(0, 2, n),
            "x": rng.normal(size=n),
            "w": rng.normal(size=n),
            "g": rng.choice(["a", "b", "c"], n),
            "z": school * 1.5 + 1,
            "v": (school * 7 % 5).astype(float),
        }
    )


def rows_of(design: Design) -> pd.DataFrame:
    """Return everything a design holds, one row an original row, in their order."""
    parts: dict[str, Any] = {f"response {k}": v for k, v in design.responses.items() if k != "z"}
    parts |= {f"product {[c.name for c in p]}": design.columns[p] for p in design.columns}
    parts |= {f"first of {k}": firsts(design.clusters[k], design.row) for k in design.clusters}
    return pd.DataFrame(parts, index=design.row).sort_index()


def firsts(codes: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Name every unit by its first row in the file."""
    first = np.full(codes.max() + 1, row.max() + 1)
    np.minimum.at(first, codes, row)
    return first[codes]


def test_rows_of_a_unit_are_contiguous_and_numbered_from_0(bound: Callable[..., Any]) -> None:
    (design,), found = bound(TEXT, frame())
    assert [d.slug for d in found] == ["clusters-not-nested"]
    assert list(design.clusters) == ["class", "school"]
    for codes in design.clusters.values():
        assert set(np.diff(codes)) <= {0, 1}
        assert codes[0] == 0
    pairs = frame().groupby(["school", "class"]).ngroups
    assert design.n_units("class") == pairs
    assert design.n_units("school") == 6
    assert design.n_units("rows") == 60
    inside = pd.DataFrame({"c": design.clusters["class"], "row": design.row}).groupby("c")["row"]
    assert inside.apply(lambda r: r.is_monotonic_increasing).all()


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(60)))
def test_permuting_rows_permutes_the_design(order: list[int]) -> None:
    from_file, shuffled = _bind(frame()), _bind(frame().iloc[order])
    a, b = rows_of(from_file), rows_of(shuffled)
    b.index = np.array(order)[b.index]
    columns = [c for c in a if not c.startswith("first")]
    pd.testing.assert_frame_equal(a[columns], b.sort_index()[columns])
    for level in from_file.clusters:
        first, second = (np.empty(60, int), np.empty(60, int))
        first[from_file.row] = from_file.clusters[level]
        second[np.array(order)[shuffled.row]] = shuffled.clusters[level]
        assert len(set(zip(first, second, strict=True))) == from_file.n_units(level) == shuffled.n_units(level)
    assert sorted(from_file.responses["z"][~np.isnan(from_file.responses["z"])]) == sorted(
        shuffled.responses["z"][~np.isnan(shuffled.responses["z"])]
    )


def test_binding_twice_is_identical_and_leaves_the_frame_alone() -> None:
    data = frame()
    before = data.copy(deep=True)
    first, second = _bind(data), _bind(data)
    pd.testing.assert_frame_equal(rows_of(first), rows_of(second))
    pd.testing.assert_frame_equal(data, before)
    for array in (*first.responses.values(), *first.clusters.values()):
        assert array.flags.writeable


def test_identifiers_of_any_sort_give_the_same_units() -> None:
    data = frame()
    expected = _bind(data)
    for school in (
        data["school"].astype(float),
        "s" + data["school"].astype(str),
        pd.Categorical(data["school"], categories=range(9, -1, -1)),
        data["school"].astype("Int64"),
    ):
        design = _bind(data.assign(school=school))
        for level, codes in expected.clusters.items():
            np.testing.assert_array_equal(design.clusters[level], codes)


def test_products_are_computed_from_columns() -> None:
    data = frame()
    design = _bind(data)
    x, w = Covariate("x"), Covariate("w")
    sorted_ = data.iloc[design.row]
    np.testing.assert_array_equal(design.columns[()], 1.0)
    np.testing.assert_allclose(design.columns[(x, w)], sorted_["x"] * sorted_["w"])
    np.testing.assert_allclose(design.columns[(Covariate("x", "power", 2.0),)], sorted_["x"] ** 2)
    np.testing.assert_array_equal(design.columns[(Covariate("g", "level", "b"),)], sorted_["g"] == "b")
    new = (Covariate("x", "power", 3.0), Covariate("g", "level", "c"), w)
    np.testing.assert_allclose(design.columns[new], sorted_["x"] ** 3 * (sorted_["g"] == "c") * sorted_["w"])
    assert new in design.columns
    assert (Covariate("nowhere"),) not in design.columns
    assert () in set(design.columns)


def test_missing_values_stay_missing() -> None:
    data = frame()
    data.loc[3, "x"] = np.nan
    data.loc[4, "g"] = None
    data.loc[5, "y"] = np.nan
    design = _bind(data)
    at = {row: k for k, row in enumerate(design.row)}
    assert np.isnan(design.columns[(Covariate("x"), Covariate("w"))][at[3]])
    assert np.isnan(design.columns[(Covariate("g", "level", "b"),)][at[4]])
    assert np.isnan(design.responses["y"][at[5]])
    assert sum(np.isnan(design.responses["y"])) == 1


def test_a_response_of_a_cluster_stands_in_the_first_row_of_its_units() -> None:
    data = frame()
    data.loc[0, "z"] = np.nan
    design = _bind(data)
    kept = ~np.isnan(design.responses["z"])
    assert kept.sum() == 6
    assert (np.flatnonzero(kept) == np.flatnonzero(np.r_[True, np.diff(design.clusters["school"]) > 0])).all()
    np.testing.assert_allclose(design.responses["z"][kept], 1.5 * np.arange(6) + 1)


@pytest.mark.parametrize(
    ("declared", "values", "coded", "categories"),
    [
        ("binomial(logit)", [0, 1, None, 1], [0, 1, np.nan, 1], ("0", "1")),
        ('binomial(logit, success="Y")', ["Y", "N", None, "Y"], [1, 0, np.nan, 1], ("N", "Y")),
        ('binomial(logit, success="True")', [True, False, True, True], [1, 0, 1, 1], ("False", "True")),
        ("binomial(logit, success=2)", [1, 2, 2, None], [0, 1, 1, np.nan], ("1", "2")),
        ("ordinal(logit)", [3, 1, 2, None], [2, 0, 1, np.nan], ("1", "2", "3")),
        ("ordinal(logit)", [2.0, 0.5, 1.0, 2.0], [2, 0, 1, 2], ("0.5", "1", "2")),
        ("multinomial", ["b", "c", "a", None], [1, 2, 0, np.nan], ("a", "b", "c")),
        ("poisson(log)", [0, 3, 2, None], [0, 3, 2, np.nan], None),
        ("gaussian", [0.5, 3, 2, None], [0.5, 3, 2, np.nan], None),
    ],
)
def test_responses_are_coded(
    declared: str, values: list[Any], coded: list[float], categories: Any, bound: Callable[..., Any]
) -> None:
    data = pd.DataFrame({"y": values, "x": [0.1, 0.2, 0.4, 0.3]})
    (design,), found = bound(f"y :: {declared}\ny ~ x\n", data)
    assert not [d for d in found if d.is_error]
    np.testing.assert_array_equal(design.responses["y"], coded)
    assert design.categories.get("y") == categories


def test_trials_exposure_and_their_missing_values(bound: Callable[..., Any]) -> None:
    data = pd.DataFrame({"y": [1, 0, 2], "n": [2, np.nan, 5], "t": [1.5, 2, np.nan], "c": [4, 0, 1]})
    (design,), _ = bound("y :: binomial(logit, trials=n)\nc :: poisson(log, exposure=t)\ny ~ 1\nc ~ 1\n", data)
    np.testing.assert_array_equal(design.responses["y"], [1, np.nan, 2])
    np.testing.assert_array_equal(design.trials["y"], [2, 1, 5])
    np.testing.assert_array_equal(design.responses["c"], [4, 0, np.nan])
    np.testing.assert_array_equal(design.exposure["c"], [1.5, 2, 1])
    assert design.dropped == {"missing trials of y": 1, "missing exposure of c": 1}


def test_an_observed_response_on_the_right_is_its_value(bound: Callable[..., Any]) -> None:
    data = pd.DataFrame({"m": [5, 7, 6], "t": ["no", "yes", "no"], "y": [1.0, 3.0, 2.5]})
    text = 'm :: poisson(log)\nt :: binomial(logit, success="yes")\nm ~ 1\nt ~ 1\ny ~ m + t\n'
    (design,), _ = bound(text, data)
    np.testing.assert_array_equal(design.columns[(Covariate("m", response=True),)], [5, 7, 6])
    np.testing.assert_array_equal(design.columns[(Covariate("t", response=True),)], [0, 1, 0])


def test_groups_are_split_in_order_of_the_table(bound: Callable[..., Any]) -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": ["b", "a"] * 10, **{k: rng.normal(size=20) for k in ("x1", "x2", "x3")}})
    designs, found = bound("groups: g\nf =~ x1 + x2 + x3\n", data)
    assert found == []
    assert [d.group for d in designs] == ["b", "a"] or [d.group for d in designs] == ["a", "b"]
    for design in designs:
        assert (data["g"].iloc[design.row] == design.group).all()
        np.testing.assert_array_equal(design.responses["x1"], data["x1"].iloc[design.row])


def test_frequencies_and_weights_by_level(bound: Callable[..., Any]) -> None:
    data = frame().assign(n=2, w2=lambda d: d["school"] + 0.5)
    text = "cluster: school\nfrequency: rows = n\nweights: school = w2\ny :: binomial(logit)\ny ~ x + (1 | school)\n"
    (design,), found = bound(text, data)
    assert found == []
    np.testing.assert_array_equal(design.frequency["rows"], 2.0)
    np.testing.assert_array_equal(design.weights["school"], data["w2"].iloc[design.row])


def test_long_data_become_wide(bound: Callable[..., Any]) -> None:
    wide = pd.DataFrame(np.random.default_rng(3).integers(0, 2, (30, 3)), columns=["y_1", "y_2", "y_3"])
    wide["p"], wide["age"] = range(30), np.arange(30) % 7
    long = wide.melt(["p", "age"], value_name="y", var_name="item")
    long["item"] = long["item"].str[2:].astype(int)
    text = "reshape: y = item, id = p\ny_{1..3} :: binomial(logit)\nf =~ y_{1..3}\nf ~ age\n"
    (design,), found = bound(text, long.sample(frac=1, random_state=1).drop(index=5))
    assert found == []
    assert design.n_rows == 30
    assert np.isnan(np.concatenate(list(design.responses.values()))).sum() == 1
    ages = design.columns[(Covariate("age"),)]
    assert sorted(ages) == sorted(wide["age"])


@pytest.mark.slow
def test_binding_is_fast_and_small() -> None:
    n = 100_000
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n // 10), 10),
            "y": rng.integers(0, 2, n),
            **{k: rng.normal(size=n) for k in ("x1", "x2", "x3", "x4")},
        }
    )
    model, _ = parse(Source("y :: binomial(logit)\ny ~ x1 + x2 + x3 + x4 + (1 + x1 | id)\n"))
    table, _ = elaborate(model, facts=FrameFacts(data)).answer
    assert table is not None
    bind(table, data)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        bind(table, data)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.03
    tracemalloc.start()
    kept = bind(table, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept
    assert peak < 1.8 * data.memory_usage().sum()


def _bind(data: pd.DataFrame) -> Design:
    model, _ = parse(Source(TEXT))
    table, _ = elaborate(model, facts=FrameFacts(data)).answer
    assert table is not None
    designs, found = bind(table, data)
    assert not [d for d in found if d.is_error], found
    return designs[0]
