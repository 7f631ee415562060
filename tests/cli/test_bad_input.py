"""Mistakes of users: exactly one finding each, at the right place, with an exit status; never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HS = (
    "x1,x2,x3,x4,g\n"
    + "\n".join(
        f"{1.0 + 0.37 * (i % 7)},{2.0 + 0.21 * (i % 5) + 0.1 * (i % 7)},"
        f"{0.3 * (i % 11)},{0.2 * (i % 3) + 0.1 * (i % 13)},{i // 4}"
        for i in range(60)
    )
    + "\n"
)
CFA = "f =~ x1 + x2 + x3\n"


def run(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, dict, str]:
    """Run the command line with --json; return exit status, the object and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "semlang", *arguments, "--json"],
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=240,
        check=False,
    )
    err = done.stderr.decode()
    assert "Traceback" not in err, err
    return done.returncode, json.loads(done.stdout.decode()), err


def slugs(answer: dict, severity: str = "error") -> list[str]:
    """Return the slugs of an answer's findings of one severity."""
    return [d["slug"] for d in answer["diagnostics"] if d["severity"] == severity]


MODEL_FILES = {
    "empty": (b"", 1, "empty-model"),
    "only comments": (b"# nothing\n! here\n\n", 1, "empty-model"),
    "not UTF-8": (b"f =~ x1 + \xff\xfe\n", 2, "not-utf8"),
}


@pytest.mark.parametrize("case", MODEL_FILES)
def test_model_file(tmp_path: Path, case: str) -> None:
    text, status, slug = MODEL_FILES[case]
    (tmp_path / "m.sem").write_bytes(text)

    code, answer, _ = run(tmp_path, "check", "m.sem")

    assert (code, slugs(answer)) == (status, [slug])
    assert answer["ok"] is False


def test_missing_model_file(tmp_path: Path) -> None:
    code, answer, _ = run(tmp_path, "check", "nowhere.sem")

    assert (code, slugs(answer)) == (2, ["missing-file"])


NEWCOMERS = {
    # text, slug, line, columns of the caret
    "misspelt column": ("f =~ x1 + x2 + x33\n", "unknown-column", 1, (16, 19)),
    "operator left out": ("f x1 + x2 + x3\n", "missing-operator", 1, (3, 5)),
    "plus left out": ("f =~ x1 x2 + x3\n", "missing-plus", 1, (9, 11)),
    "wrong operator": ("f =- x1 + x2 + x3\n", "unknown-operator", 1, (3, 5)),
    "not identified": ("f =~ x1 + x2\n", "not-identified", 1, (11, 13)),
    "feedback loop": ("x1 ~ x2\nx2 ~ x1\n", "cyclic-paths", 2, (6, 8)),
    "text column": ("x1 ~ word\n", "text-column", 1, (6, 10)),
    "lme4 bar left open": ("x1 ~ x2 + (1|g\n", "unclosed-bracket", 1, (11, 12)),
    "lower level as cause": ("cluster: g\nf =~ x1 + x2 + x3\nx4 ~ u[g]\nu[g] ~ f\n", "downward-path", 4, (8, 9)),
    "person and item axes exchanged": ("f =~ x1 + x2 + x3\n", "transposed-data", None, None),
    "unscaled": ("f =~ NA*x1 + x2 + x3\n", "unscaled-latent", 1, (6, 11)),
    "wide characters": ("# 因子\n因子 =~ x1 x2 + x3\n", "missing-plus", 2, (10, 12)),
}


@pytest.mark.parametrize("case", NEWCOMERS)
def test_newcomers_mistake(tmp_path: Path, case: str) -> None:
    """Exactly one finding, at its place, with a help; exit status 1; nothing is fitted."""
    text, slug, line, columns = NEWCOMERS[case]
    (tmp_path / "m.sem").write_text(text, encoding="utf-8")
    rows = [line.split(",") for line in HS.strip().splitlines()]
    if slug == "transposed-data":
        rows = [["item", *(f"p{i}" for i in range(60))], *(list(c) for c in zip(*rows, strict=True))]
    else:
        rows = [[*row, "word" if i == 0 else "yes" if i % 2 else "no"] for i, row in enumerate(rows)]
    (tmp_path / "d.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")

    code, answer, err = run(tmp_path, "fit", "m.sem", "--data", "d.csv", "-o", "out.json")

    serious = [d for d in answer["diagnostics"] if d["severity"] != "note"]
    assert code == 1
    assert [d["slug"] for d in serious] == [slug], serious
    (finding,) = serious
    assert finding["severity"] == "error"
    assert finding["help"], finding
    if line is not None:
        assert (finding["start"]["line"], finding["end"]["line"]) == (line, line)
        assert (finding["start"]["column"], finding["end"]["column"]) == columns
        assert f" --> m.sem:{line}:{columns[0]}\n" in err
    assert answer["result"] is None
    assert not (tmp_path / "out.json").exists()


def with_column(values: list[str], name: str = "x1") -> str:
    """Return the data with one column replaced by texts, recycled."""
    lines = HS.strip().splitlines()
    head = lines[0].split(",")
    k = head.index(name)
    out = [lines[0]]
    for i, line in enumerate(lines[1:]):
        cells = line.split(",")
        cells[k] = values[i % len(values)]
        out.append(",".join(cells))
    return "\n".join(out) + "\n"


DATA = {
    "no header": (HS.split("\n", 1)[1], CFA, "no-header"),
    "duplicate columns": (HS.replace("x4", "x1", 1), CFA, "duplicate-columns"),
    "text in a numeric column": (with_column(["1.5", "abc", "2"]), CFA, "text-column"),
    "text column": (with_column(["low", "high"]), CFA, "text-column"),
    "infinity": (with_column(["1", "2", "inf", "0.5"]), CFA, "infinite-value"),
    "empty cluster id": (with_column(["1", "2", "", "3"], "g"), "x1 ~ x2 + (1 | g)\n", "missing-cluster"),
    "one category": (with_column(["1"], "x4"), "x4 :: binomial(logit)\nx4 ~ x1 + (1 | g)\n", "constant-response"),
    "no variance": (with_column(["1"], "x2"), CFA, "constant-response"),
    "empty file": ("", CFA, "empty-data"),
}


@pytest.mark.parametrize("case", DATA)
def test_data(tmp_path: Path, case: str) -> None:
    data, text, slug = DATA[case]
    (tmp_path / "m.sem").write_text(text)
    (tmp_path / "d.csv").write_text(data)

    code, answer, _ = run(tmp_path, "fit", "m.sem", "--data", "d.csv", "-o", "out.json")

    assert (code, slugs(answer)) == (1, [slug])
    assert not (tmp_path / "out.json").exists()


def test_missing_data_file(tmp_path: Path) -> None:
    (tmp_path / "m.sem").write_text(CFA)

    code, answer, _ = run(tmp_path, "fit", "m.sem", "--data", "nowhere.csv")

    assert (code, slugs(answer)) == (2, ["missing-file"])


def test_transposed_data(tmp_path: Path) -> None:
    columns = [line.split(",") for line in HS.strip().splitlines()]
    (tmp_path / "d.csv").write_text(
        "\n".join(",".join(row) for row in zip(*columns, strict=True)).replace("x1,", "item,", 0)
    )
    (tmp_path / "m.sem").write_text(CFA)

    code, answer, _ = run(tmp_path, "fit", "m.sem", "--data", "d.csv")

    assert code == 1
    assert len(slugs(answer)) == 1, answer["diagnostics"]


def test_every_parameter_fixed(tmp_path: Path) -> None:
    (tmp_path / "m.sem").write_text("options: defaults = lavaan\nx1 ~ 2*1 + 0.5*x2\nx1 ~~ 1*x1\n")
    (tmp_path / "d.csv").write_text(HS)

    code, answer, _ = run(tmp_path, "fit", "m.sem", "--data", "d.csv")

    assert (code, slugs(answer)) == (1, ["nothing-free"])


def test_more_parameters_than_clusters_is_a_warning(tmp_path: Path) -> None:
    lines = HS.strip().splitlines()
    rows = [",".join([*line.split(",")[:4], str(i // 20)]) for i, line in enumerate(lines[1:])]
    (tmp_path / "d.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    (tmp_path / "m.sem").write_text("x1 ~ x2 + x3 + x4 + (1 | g)\n")

    _, answer, _ = run(tmp_path, "fit", "m.sem", "--data", "d.csv")

    assert "few-clusters" in slugs(answer, "warning")


def test_separation_is_found(tmp_path: Path) -> None:
    """A covariate that separates the responses makes the likelihood increase for ever."""
    rows = "\n".join(f"{i % 2},{i % 2},{i // 5}" for i in range(60))
    (tmp_path / "d.csv").write_text("y,x,g\n" + rows + "\n")
    (tmp_path / "m.sem").write_text("y :: binomial(logit)\ny ~ x\n")

    code, answer, _ = run(tmp_path, "fit", "m.sem", "--data", "d.csv")

    assert code == 1
    assert slugs(answer) == ["unbounded-likelihood"]


def test_wrong_option(tmp_path: Path) -> None:
    (tmp_path / "m.sem").write_text(CFA)

    code, answer, _ = run(tmp_path, "fit", "m.sem", "--pionts", "7")

    assert (code, slugs(answer)) == (2, ["usage"])
    assert answer["ok"] is False


def test_standard_input(tmp_path: Path) -> None:
    code, answer, _ = run(tmp_path, "table", "-", stdin=CFA.encode())

    assert code == 0
    assert answer["schema"] == "semlang.table/1"
    assert [r["free"] for r in answer["result"]["rows"] if r["op"] == "=~"] == [0, 1, 2]
