"""Data in partitions: what is read, which rows stay together, what is known of all of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semlang.data.facts import FrameFacts
from semlang.data.partitions import row_groups
from semlang.data.partitions.held import InProcess
from semlang.data.partitions.merged_facts import MergedFacts
from semlang.data.reading import read_data

pytest.importorskip("pyarrow")

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder: Path, frame: pd.DataFrame, files: int, size: int) -> list[Path]:
    """Write a frame as files of row groups of some size."""
    for old in folder.glob("*.parquet"):
        old.unlink()
    paths = [folder / f"part{k}.parquet" for k in range(files)]
    borders = np.linspace(0, len(frame), files + 1).astype(int)
    for path, (a, b) in zip(paths, pairwise(borders), strict=True):
        frame.iloc[a:b].to_parquet(path, row_group_size=size)
    return paths


@FEW
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    files=st.integers(1, 4),
    size=st.integers(1, 30),
    rows=st.integers(1, 60),
    text=st.booleans(),
)
def test_sorted_rows_stay_in_order_and_units_whole(
    tmp_path: Path, sizes: list[int], files: int, size: int, rows: int, text: bool
) -> None:
    unit = np.repeat(np.arange(len(sizes)), sizes)
    frame = pd.DataFrame({"g": unit.astype(str) if text else unit, "x": np.arange(unit.size)})
    paths = written(tmp_path, frame, files, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_groups, "ROWS", rows)
        parts, split = row_groups.partitioned(paths, "g")
    assert split is None
    read = [row_groups.read_rows(p, ["g", "x"], {}) for p in parts]
    assert [len(f) for f in read] == [p.rows for p in parts]
    assert min(p.rows for p in parts) > 0
    assert pd.concat(read)["x"].tolist() == frame["x"].tolist()
    assert sum(f["g"].nunique() for f in read) == len(sizes)


def test_a_unit_in_two_places_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "ROWS", 4)
    frame = pd.DataFrame({"g": [1, 1, 2, 2, 3, 3, 1, 4], "x": range(8)})
    assert row_groups.partitioned(written(tmp_path, frame, 1, 2), "g")[1] == 1
    frame = pd.DataFrame({"g": [1, 1, 2, 1, 2, 3, 3, 4], "x": range(8)})  # at the border, and again behind it
    parts, split = row_groups.partitioned(written(tmp_path, frame, 2, 4), "g")
    assert split == 2 or len(parts) == 1


def test_one_partition_needs_no_order(tmp_path: Path) -> None:
    frame = pd.DataFrame({"g": [2, 1, 2, 1], "x": range(4)})
    parts, split = row_groups.partitioned(written(tmp_path, frame, 2, 1), "g")
    assert len(parts) == 1
    assert split is None


columns = st.sampled_from(["number", "text", "category", "digits", "truth"])


@FEW
@given(kind=columns, seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 30), min_size=1, max_size=4))
def test_facts_of_the_whole_are_those_of_the_parts(kind: str, seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    values = {
        "number": lambda: rng.choice([-2.0, 0.1, 3.0, 10.0, 2.0], n),
        "text": lambda: rng.choice(["b", "a", "Z", "ä"], n),
        "digits": lambda: rng.choice(["10", "9", "1"], n),
        "truth": lambda: rng.choice([True, False], n),
        "category": lambda: pd.Categorical(rng.choice(["lo", "hi"], n), categories=["lo", "mid", "hi"]),
    }[kind]()
    frame = pd.DataFrame({"c": values, "g": rng.choice(["x", "y", "w"], n)})
    if kind != "truth":
        frame.loc[(rng.random(n) < 0.2) | (frame["g"] == "w"), "c"] = None
    borders = [0, *sorted(cuts), n]
    parts = [frame.iloc[a:b] for a, b in pairwise(borders)]

    def frames(chosen: list[str]) -> InProcess:
        return InProcess.of([p[list(chosen)] for p in parts])

    facts, whole = MergedFacts(("c", "g"), frames), FrameFacts(frame)
    assert facts.levels["c"] == whole.levels["c"]
    assert facts.appearance("c") == whole.appearance("c")
    assert facts.scale("c") == whole.scale("c")
    for group in ("x", "y", "w", "none"):
        assert facts.not_given("c", "g", group) == whole.not_given("c", "g", group)
    grouped, alone = MergedFacts(("c", "g"), frames, "g"), FrameFacts(frame, "g")
    assert grouped.levels["g"] == alone.levels["g"]


def test_values_that_stay_are_computed_once() -> None:
    made: list[int] = []

    def twice(value: int) -> int:
        made.append(value)
        return 2 * value

    held = InProcess.of([1, 2, 3]).map(twice, keep=2)
    assert held.ask(int) == held.ask(int) == [2, 4, 6]
    assert made == [1, 2, 3, 3]


def test_a_pattern_is_read_as_one_table(tmp_path: Path) -> None:
    for k, name in enumerate(("b", "a")):
        (tmp_path / f"{name}.csv").write_text(f"x,y\n{k},1\n")
    frame, found = read_data(tmp_path / "*.csv")
    assert frame is not None
    assert not found
    assert frame["x"].tolist() == [1, 0]
    frame, found = read_data([tmp_path / "b.csv", tmp_path / "no.csv"])
    assert frame is None
    assert found[0].slug == "missing-file"
    frame, found = read_data(tmp_path / "*.parquet")
    assert frame is None
    assert found[0].slug == "missing-file"
