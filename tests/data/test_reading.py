"""Reading data: every bad file gives one finding, and good files are read as they are meant."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semlang.data.reading import FILE_SLUGS, read_data

BAD = {
    "empty": (b"", "empty-data"),
    "blank lines": (b"\n\n", "empty-data"),
    "no rows": (b"a,b\n", "empty-data"),
    "no header": (b"1,2\n3,4\n", "no-header"),
    "same names": (b"a,a\n1,2\n", "duplicate-columns"),
    "long row": (b"a,b\n1,2\n1,2,3\n", "extra-fields"),
    "long first row": (b"a,b\n1,2,3\n1,2\n", "extra-fields"),
    "row names as R writes them": (b"a,b\nr1,1,2\nr2,3,4\n", "extra-fields"),
    "spaces": (b"a b c\n1 2 3\n4 5 6\n", "no-separator"),
    "latin-1": (b"a,b\n1,\xe9\n", "not-utf8"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "not-utf8"),
    "zeros": (b"a\0b,c\n1,2\n", "unreadable-file"),
    "open quote": (b'a,b\n1,"x\n', "malformed-rows"),
    "variables in rows": (b"x1,3.5,4.5,3.5,2.5\nx2,1,1,2,2\n", "transposed-data"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_give_one_finding(case: str, tmp_path: Path) -> None:
    content, slug = BAD[case]
    path = tmp_path / "d.csv"
    path.write_bytes(content)
    frame, found = read_data(path)
    assert frame is None
    assert [d.slug for d in found] == [slug]
    assert found[0].is_error
    assert "d.csv" in found[0].message


def test_file_problems_are_told_from_problems_of_content(tmp_path: Path) -> None:
    assert {s for _, s in BAD.values()} & FILE_SLUGS == {"not-utf8", "unreadable-file"}
    for path in (tmp_path / "none.csv", tmp_path):
        _, found = read_data(path)
        assert [d.slug in FILE_SLUGS for d in found] == [True]


def test_missing_file_proposes_a_neighbour(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("a\n1\n")
    _, found = read_data(str(tmp_path / "score.csv"))
    assert found[0].slug == "missing-file"
    assert "scores.csv" in found[0].help[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,x\n2,y\n", {"a": [1, 2], "b": ["x", "y"]}),
        ("\ufeffa,b\n1,x\n", {"a": [1], "b": ["x"]}),
        ("a;b\n1,5;2\n2,5;3\n", {"a": [1.5, 2.5], "b": [2, 3]}),
        ("a\tb\n1\t2\n", {"a": [1], "b": [2]}),
        ('"a, b",c\n1,"x, y"\n', {"a, b": [1], "c": ["x, y"]}),
        ("a,b\n1,None\n", {"a": [1], "b": ["None"]}),
        ("a,b\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
        ("\n\na,b\n1,2\n", {"a": [1], "b": [2]}),
        ("größe,重さ\n1,2\n", {"größe": [1], "重さ": [2]}),
        ("a, b\n1, 2\n", {"a": [1], "b": [2]}),
    ],
)
def test_texts_are_read(text: str, expected: dict[str, list[object]], tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(text, encoding="utf-8")
    frame, found = read_data(path)
    assert found == ()
    assert frame is not None
    assert frame.to_dict("list") == expected


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "."])
def test_missing_values(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(f"a,b\n1,1\n{cell},2\n")
    frame, _ = read_data(path)
    assert frame is not None
    assert np.isnan(frame["a"].iloc[1])


@pytest.mark.parametrize("suffix", [".parquet", ".dta", ".sav"])
def test_packed_files_hold_what_was_written(suffix: str, tmp_path: Path) -> None:
    data = pd.DataFrame({"y": [1.0, np.nan, 3.5], "g": ["a", "b", "a"]})
    path = tmp_path / f"d{suffix}"
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
        data.to_parquet(path)
    elif suffix == ".dta":
        data.to_stata(path, write_index=False)
    else:
        pyreadstat = pytest.importorskip("pyreadstat")
        pyreadstat.write_sav(data, str(path))
    frame, found = read_data(path)
    assert found == ()
    assert frame is not None
    assert frame["g"].tolist() == ["a", "b", "a"]
    np.testing.assert_array_equal(frame["y"], data["y"])
    path.write_bytes(b"no such thing")
    assert [d.slug for d in read_data(path)[1]] == ["unreadable-file"]


def test_missing_package_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "d.sav"
    path.write_bytes(b"x")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    _, found = read_data(path)
    assert [d.slug for d in found] == ["missing-extra"]
    assert found[0].help == ('pip install "semlang[files]"',)


def test_frames_pass_through_and_tables_convert() -> None:
    data = pd.DataFrame({"a": [1, 2]})
    assert read_data(data)[0] is data

    class Table:
        def to_pandas(self) -> pd.DataFrame:
            return data

    assert read_data(Table())[0] is data
    frame, found = read_data({"a": [1, 2]})
    assert frame is not None
    assert found == ()
    assert [d.slug for d in read_data(5)[1]] == ["not-a-table"]
    assert [d.slug for d in read_data(data.iloc[:0])[1]] == ["empty-data"]
    assert [d.slug for d in read_data(pd.concat([data, data], axis=1))[1]] == ["duplicate-columns"]


def test_names_that_are_numbers_become_text_in_a_copy() -> None:
    data = pd.DataFrame({1: [1, 2], "b": [3, 4]})
    frame, _ = read_data(data)
    assert frame is not None
    assert list(frame.columns) == ["1", "b"]
    assert list(data.columns) == [1, "b"]


def test_pandas_is_imported_when_needed() -> None:
    import subprocess

    code = "import sys, semlang.data.reading, semlang.data.binding; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_reading_is_fast(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    n = 100_000
    columns = {k: rng.normal(size=n).round(4) for k in "abc"} | {k: rng.integers(0, 9, n) for k in "de"}
    path = tmp_path / "d.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        read_data(path)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1
