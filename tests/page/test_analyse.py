"""What the page shows of a text is what the command line says of it, whatever the text."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from semlang.analysis import analyse as analyse_text
from semlang.api import Model, compare
from semlang.data.sheet import read_sheet
from semlang.errors import SemlangError
from semlang.model.listing import table_rows
from semlang.page import analyse as module
from semlang.page.analyse import analyse, drawing
from semlang.page.compared import compared
from semlang.page.text_model import text_model
from semlang.source import Source

ROOT = Path(__file__).resolve().parents[2]
CORPUS = sorted((ROOT / "tests" / "corpus").rglob("*.sem"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.sem"))


def _described() -> ModuleType:
    spec = importlib.util.spec_from_file_location("described", Path(__file__).parent / "described.py")
    assert spec is not None
    assert spec.loader is not None
    out = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(out)
    return out


SCHEMA = json.loads((Path(module.__file__).parent / "schema.json").read_text(encoding="utf-8"))
PROBLEMS = _described().problems


def differences(source: Source) -> list[str]:
    """Return in what the answer on a text is not as described, or not what the command line prints."""
    answer = json.loads(json.dumps(analyse(source), allow_nan=False))
    out = [*PROBLEMS(answer, SCHEMA, SCHEMA), *(f"{f['view']}: {f['problem']}" for f in answer["failed"])]
    analysis = analyse_text(source, reader=lambda path: (None, ()))  # the page reads the data by itself
    found, model = analysis.findings, analysis.model
    same = {"findings": [d.to_json() | {"fix": None} for d in found]}
    shown: dict[str, Any] = {"findings": [{k: v for k, v in f.items() if k not in ("from", "to")} | {"fix": None}
                                          for f in answer["findings"]]}  # fmt: skip
    if model is not None:
        same["table"] = table_rows(model.parameter_table)
        same["words"] = model.explain().splitlines()
        groups = range(len(model.parameter_table.groups))
        try:
            same["matrices"] = [model.group_matrices(g).to_json() for g in groups]
            same["equations"] = [model.group_matrices(g).equations() for g in groups]
            same["identification"] = [model.identify(simulate=False).to_json()]  # a browser compiles nothing
        except SemlangError:
            assert any(d.is_error for d in found)
    if answer["table"]:
        shown["table"] = [{k: v for k, v in r.items() if k not in ("parameter", "from", "to")}
                          for r in answer["table"]["rows"]]  # fmt: skip
        shown["words"] = [w["text"] for w in answer["words"]]
    if answer["matrices"]:
        shown["matrices"] = [[{k: v for k, v in m.items() if k != "ids"} for m in g["matrices"]]
                             for g in answer["matrices"]]  # fmt: skip
        shown["equations"] = answer["equations"]
    if answer["identification"]:
        shown["identification"] = [{k: v for k, v in answer["identification"].items() if k not in ("text", "set_ids")}]
    same = json.loads(json.dumps(same))
    return [*out, *(name for name in {*same, *shown} if same.get(name) != shown.get(name))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name + "-" + p.stem)
def test_examples_are_shown_as_the_command_line_says(path: Path) -> None:
    source = Source(path.read_text(encoding="utf-8"), str(path))
    assert differences(source) == []
    answer = analyse(source)
    assert answer["ok"]
    assert answer["diagram"][0]["nodes"]


def test_some_of_the_corpus_is_shown_as_the_command_line_says() -> None:
    """One text in forty; `test_the_whole_corpus` takes all."""
    wrong = {p.name: d for p in CORPUS[::40] if (d := differences(_source(p)))}
    assert len(CORPUS) > 500
    assert wrong == {}


@pytest.mark.slow
def test_the_whole_corpus() -> None:
    wrong = {str(p.relative_to(ROOT)): d for p in CORPUS if (d := differences(_source(p)))}
    assert wrong == {}


def _source(path: Path) -> Source:
    return Source(path.read_text(encoding="utf-8", errors="replace"), str(path))


def test_every_beginning_of_a_text_has_an_answer() -> None:
    """As somebody types: no view ever fails, and places lie in the text."""
    text = "f =~ x1 + a*x2 + x3\ng[school] =~ x{1..3}\nf ~ z + g\nx1 :: binomial(logit)\n"
    for end in range(len(text) + 1):
        answer = analyse(text[:end])
        assert PROBLEMS(json.loads(json.dumps(answer)), SCHEMA, SCHEMA) == []
        assert answer["failed"] == []
        spots = [s for s in (*answer["findings"], *(answer["table"] or {"rows": []})["rows"]) if s["from"] is not None]
        assert all(0 <= s["from"] <= s["to"] <= end for s in spots)


def test_places_count_code_points_of_this_text_alone(tmp_path: Path) -> None:
    (tmp_path / "part.sem").write_text("g =~ y1 + y2 + y3\n", encoding="utf-8")
    text = '# 😀 ü\nf =~ x1 + x2 + x3\ninclude: "part.sem"\ng ~ f\n'
    answer = analyse(Source(text, str(tmp_path / "m.sem")))
    places = {(r["lhs"], r["op"], r["rhs"]): (r["from"], r["to"]) for r in answer["table"]["rows"]}
    assert text[slice(*places["f", "=~", "x2"])] == "x2"
    assert places["g", "=~", "y2"] == (None, None)
    assert text[slice(*places["g", "~", "f"])] == "f"


def test_what_fails_by_a_mistake_of_the_program_is_named_and_the_rest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr(module, "diagrams", broken)
    answer = analyse("f =~ x1 + x2 + x3")
    assert answer["failed"] == [{"view": "diagram", "problem": "ZeroDivisionError: no such luck"}]
    assert answer["diagram"] is None
    assert not answer["ok"]
    assert answer["identification"]["verdict"] == "identified"


def test_sets_that_move_together_name_their_rows() -> None:
    answer = analyse("f =~ x1 + x2")
    rows = {r["id"]: f"{r['lhs']} {r['op']} {r['rhs']}" for r in answer["table"]["rows"]}
    assert [{rows[i] for i in s} for s in answer["identification"]["set_ids"]] == [
        {" ".join(t) for t in s} for s in answer["identification"]["sets"]
    ]
    assert answer["identification"]["sets"]


def test_arrows_name_their_rows_and_their_text() -> None:
    text = "f =~ x1 + a*x2 + x3"
    answer = analyse(text)
    rows = {r["id"]: (r["lhs"], r["op"], r["rhs"]) for r in answer["table"]["rows"]}
    arrows = {(e["source"], e["target"]): e for e in answer["diagram"][0]["edges"]}
    assert [rows[i] for i in arrows["f", "x2"]["rows"]] == [("f", "=~", "x2")]
    assert "x2" in text[slice(*arrows["f", "x2"]["span"])]


def test_columns_of_the_data_count() -> None:
    sheet = read_sheet("d.csv", "x1,x2,x3\n1,2,low\n2,1,high\n,3,low\n")
    answer = analyse("f =~ x1 + x2 + x33", sheet)
    assert [f["slug"] for f in answer["findings"]] == ["unknown-column"]
    assert answer["table"]
    assert analyse("f =~ x1 + x2 + x3", sheet)["ok"]
    rows = analyse("x1 ~ x2 + factor(x3)", sheet)["table"]["rows"]
    assert "x3=low" in [r["rhs"] for r in rows]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name + "-" + p.stem)
def test_marks_in_equations_name_rows_and_change_nothing_else(path: Path) -> None:
    source = Source(path.read_text(encoding="utf-8"), str(path))
    answer = analyse(source, drawn=False)
    ids = {r["id"] for r in answer["table"]["rows"]}
    free = {r["id"] for r in answer["table"]["rows"] if r["op"] == "=~" and r["parameter"] >= 0}
    model = text_model(source)
    plains = [model.group_matrices(g).latex() for g in range(len(answer["equations"]))]
    for plain, marked in zip(plains, answer["marked_equations"], strict=True):
        seen = {int(i) for i in re.findall(r"\\htmlData\{ids=(\d+)\}", marked)}
        assert seen <= ids
        assert free <= seen
        assert unmarked(marked) == plain


def unmarked(latex: str) -> str:
    """Take marks away, whose braces balance."""
    while (start := latex.find(r"\htmlData{")) >= 0:
        inner = latex.index("}", start) + 2
        end, depth = inner, 1
        while depth:
            depth += {"{": 1, "}": -1}.get(latex[end], 0)
            end += 1
        latex = latex[:start] + latex[inner : end - 1] + latex[end:]
    return latex


def test_the_diagram_can_wait() -> None:
    text = "f =~ x1 + x2 + x3"
    first, whole = analyse(text, drawn=False), analyse(text)
    assert first == whole | {"diagram": None}
    assert drawing(Source(text)) == whole["diagram"]
    assert drawing(Source("f =~ =")) is None


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        ("y ~ x1 + x2", "y ~ x1 + 0*x2", "b nested in a"),
        ("y ~ x\nz ~ y", "x ~ y\ny ~ z", None),
        ("y =~ ", "y ~ x", None),
    ],
)
def test_two_models_are_compared_as_by_the_command_line(a: str, b: str, relation: str | None) -> None:
    found = compared(Source(a), Source(b))
    if relation is None:
        assert found["why"]
    else:
        assert found["relation"] == relation
    if found["relation"] is not None:
        assert found == compare(Model(a), Model(b)).to_json()


def test_a_sheet_stands_in_the_place_of_the_data_that_the_text_names(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("y,g\n1,a\n2,b\n3,c\n")
    source = Source('data: "d.csv"\ny ~ factor(g)\n', str(tmp_path / "m.sem"))
    answer = analyse(source, read_sheet("other.csv", "y,g\n1,p\n2,q\n3,q\n"))
    assert "\\mathit{g=q}" in answer["marked_equations"][0].replace(r"\_", "_")
    assert "g=b" not in json.dumps(answer)


@pytest.mark.parametrize(
    "text", ["y :: ordinal(probit)\ny | t1\nsigma(y) ~ x", "y ~ 1", "y ~~ y", "y :: poisson(log)\ny ~ 1"]
)
def test_a_model_without_arrows_between_variables_is_drawn(text: str) -> None:
    answer = analyse(text)
    assert answer["failed"] == []
    assert [n["key"] for n in answer["diagram"][0]["nodes"]] == ["y"]
