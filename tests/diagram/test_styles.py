"""Dialects, and what can be chosen about a picture."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang
from semlang.diagram.draw import draw
from semlang.diagram.styles import STYLES
from semlang.errors import SemlangError
from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse

from .geometry import faults, read
from .models import MODELS, table_of
from .test_geometry import TEXTS, numbers

_rng = np.random.default_rng(3)
SMALL = pd.DataFrame(_rng.normal(size=(60, 3)), columns=["x", "y", "y2"])
SMALL["y"] += SMALL["x"]
SMALL["y2"] += SMALL["y"]
GROUPS = "f =~ x1 + c(a, b)*x2 + x3\n"
SOME = ("democracy", "mtmm", "riclpm5", "growth_pred", "nonrec", "second", "twolevel_blocks", "model classes")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", SOME)
def test_dialects_can_be_read(name: str, style: str) -> None:
    table = table_of(TEXTS[name])
    assert not faults(draw(table, style=style).svg)


def test_ram_has_loops_for_variances_and_triangles_for_means() -> None:
    spec = draw(table_of(TEXTS["growth_pred"]), style="ram").spec
    loops = {e.target for e in spec.edges if e.source == e.target}
    assert loops == {"i", "s", "y1", "y2", "y3", "y4"}
    assert all(e.both for e in spec.edges if e.source == e.target)
    assert not [e for e in spec.edges if not e.source]
    assert {e.target for e in spec.edges if e.source == "1"} == {"i", "s"}


def test_lisrel_names_errors_and_goes_to_the_right() -> None:
    spec = draw(table_of(MODELS["democracy"]), style="lisrel").spec
    at = {n.key: n for n in spec.nodes}
    assert {e.label for e in spec.edges if not e.source} == {"ε", "ζ"}
    assert at["ind60"].x < at["x1"].x


def test_what_must_not_be_lost() -> None:
    spec = draw(table_of("y1 ~ y2 + z1\ny2 ~ y1 + z2\ny1 ~~ y2\n")).spec
    pairs = {(e.source, e.target, e.both) for e in spec.edges}
    assert {("y1", "y2", False), ("y2", "y1", False)} <= pairs
    assert [e for e in spec.edges if e.both]
    spec = draw(table_of("f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6\ny ~ f1 + f2 + f1:f2\n")).spec
    arms = {e.source for e in spec.edges if e.target == "f1:f2" and e.headless}
    assert arms == {"f1", "f2"}
    assert [e for e in spec.edges if (e.source, e.target) == ("f1:f2", "y")]
    spec = draw(table_of("c :: class(3)\nu :: masspoints(2)\ny ~ c + u\n")).spec
    assert {n.note for n in spec.nodes if n.shape == "octagon"} == {"3 classes", "2 points"}
    spec = draw(table_of('f =~ x1 + x2 + equal("f=~x2")*x3\n')).spec
    assert [e.label for e in spec.edges if e.source == "f"] == ["1", "(1)", "(1)"]


def test_groups_stand_side_by_side_or_alone() -> None:
    table, _ = elaborate(parse(Source(GROUPS))[0], n_groups=2).answer
    assert table is not None
    both = draw(table)
    assert not faults(both.svg)
    assert [f.label for f in both.spec.frames] == ["group: 1", "group: 2"]
    assert {e.label for e in both.spec.edges} >= {"a", "b"}
    assert "b" not in {e.label for e in draw(table, group=1).spec.edges}
    assert draw(table, group="2").spec.title == "group: 2"
    with pytest.raises(SemlangError) as problem:
        draw(table, group=3)
    assert problem.value.diagnostics[0].slug == "not-a-choice"


def test_options() -> None:
    table = table_of(MODELS["democracy"])
    values = numbers(table)
    one = next(e for e in draw(table, estimates=values, digits=4).spec.edges if e.target == "x2" and e.source)
    assert re.fullmatch(r"−?\d\.\d{4}", one.label)
    marked = draw(table, estimates=values, stars={r.id: "**" for r in table.rows}).spec
    assert any(e.label.endswith("**") for e in marked.edges)
    assert not any(e.label for e in draw(table, show="none").spec.edges)
    assert all(e.source for e in draw(table, residuals=False).spec.edges)
    assert not any(e.both for e in draw(table, covariances=False).spec.edges)
    right = {n.key: n for n in draw(table, direction="right").spec.nodes}
    assert right["dem60"].x < right["y1"].x
    long = draw(table_of("f =~ " + " + ".join(f"a_very_long_name_{k}" for k in range(4))), wrap=8).spec
    assert max(len(line) for n in long.nodes for line in n.label.split("\n")) <= 8
    fills = {n.key: n.fill for n in draw(table, colour="factors").spec.nodes}
    assert fills["ind60"] == fills["x1"] != fills["dem60"] == fills["y1"]
    assert "#" in draw(table, colour="factors", greyscale=True).spec.nodes[0].fill
    cuts = draw(table_of("y1 + y2 | t1 + t2\ny1 + y2 ~ x\n"), thresholds=True).spec.texts
    assert {t.key for t in cuts} == {"y1", "y2"}
    means = draw(table_of("f =~ x1 + x2 + x3\n"), means="all").spec
    assert {e.target for e in means.edges if e.source == "1"} == {"x1", "x2", "x3"}


@pytest.mark.parametrize("wrong", [{"style": "lisrle"}, {"direction": "up"}, {"dpi": 3}, {"digits": 1.5}])
def test_wrong_options_are_findings(wrong: dict[str, object]) -> None:
    with pytest.raises(SemlangError) as problem:
        draw(table_of("y ~ x\n"), **wrong)
    assert problem.value.diagnostics[0].slug in ("unknown-style", "not-a-choice")


def test_svg_says_what_everything_is() -> None:
    picture = draw(table_of(MODELS["democracy"])).svg
    assert picture.count("<title>") == 1 + picture.count('<g class="')
    assert "x2 measures ind60, free" in picture
    spans = re.findall(r'data-source="dem60" data-target="y2" data-rows="([\d ]+)" data-span="(\d+)-(\d+)"', picture)
    ((_, start, end),) = spans
    assert "y2" in MODELS["democracy"][int(start) : int(end)]
    assert len(read(picture).nodes) == 14


def test_data_hold_all_that_is_drawn() -> None:
    diagram = draw(table_of(MODELS["multilevel"]))
    plain = json.loads(json.dumps(diagram.to_json()))
    assert plain["schema"] == "semlang.diagram/1"
    assert len(plain["nodes"]) == len(diagram.spec.nodes)
    for e in plain["edges"]:
        assert len(e["path"]) % 3 == 1
        assert all(0 <= x <= plain["width"] and 0 <= y <= plain["height"] for x, y in e["path"])


def test_tikz_and_mermaid() -> None:
    diagram = draw(table_of(MODELS["odd names"]), colour="factors")
    text = diagram.tikz
    assert text.count(r"\node[observed") == 4
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert r"x y" in text
    flow = diagram.mermaid
    assert flow.startswith("flowchart TB")
    assert flow.count("-->") + flow.count("-.->") == 4


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_tikz_compiles(tmp_path: Path) -> None:
    for name in ("odd names", "classes", "random slopes"):
        draw(table_of(MODELS[name]), tmp_path / "m.tex", style="ram", colour="factors")
        run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "m.tex"]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-1500:]


def test_command(tmp_path: Path) -> None:
    model = tmp_path / "m.sem"
    model.write_text(MODELS["mediation"])
    run = CliRunner().invoke
    for name in ("a.svg", "a.tex", "a.mmd", "a.json"):
        done = run(semlang, ["draw", str(model), "-o", str(tmp_path / name), "--style", "ram", "--direction", "down"])
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).stat().st_size > 100
    assert run(semlang, ["draw", str(model), "-o", str(tmp_path / "b.svg"), "--show", "estimates"]).exit_code == 2
    other = tmp_path / "other.sem"
    other.write_text("m ~ x\ny ~ m\n")
    done = run(semlang, ["draw", str(model), "-o", str(tmp_path / "d.svg"), "--against", str(other)])
    assert done.exit_code == 0, done.output
    assert 'stroke-width="2.2"' in (tmp_path / "d.svg").read_text()
    SMALL.rename(columns={"y": "m", "y2": "y"}).to_csv(tmp_path / "d.csv", index=False)
    for text in (model, other):
        fitted = run(semlang, ["fit", str(text), "--data", str(tmp_path / "d.csv"), "-o", f"{text}.json"])
        assert fitted.exit_code == 0, fitted.output
    fits = ["--fit", f"{model}.json", "--against", f"{other}.json", "--ci", "0.9", "--r-squared"]
    done = run(semlang, ["draw", str(model), "-o", str(tmp_path / "e.svg"), *fits])
    assert done.exit_code == 0, done.output
    assert "R² " in (tmp_path / "e.svg").read_text()


def test_the_difference_of_two_models() -> None:
    ours = table_of("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ a*f\nx1 ~~ x2\n")
    theirs = table_of("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ b*f\nx3 ~~ x4\n")
    picture = draw(ours, against=(theirs, None))
    assert not faults(picture.svg)
    marks = {frozenset((e.source, e.target)): (e.mark, e.label) for e in picture.spec.edges if e.source}
    assert marks[frozenset(("x1", "x2"))] == ("added", "")
    assert marks[frozenset(("x3", "x4"))] == ("removed", "")
    assert marks[frozenset(("f", "g"))] == ("", "b → a")
    turned = draw(table_of("x1 ~~ x2\n"), against=(table_of("x2 ~~ x1\n"), None)).spec
    assert not any(e.mark for e in turned.edges)
    assert 'stroke-width="2.2"' in picture.svg  # readable without colour: thick and dotted
    assert 'stroke-dasharray="1.5 2.5"' in picture.svg


def test_what_a_fit_adds() -> None:
    fit = sl.Model("y ~ x\ny2 ~ y + x\n").fit(SMALL)
    spec = fit.draw(ci=0.95, stars=True, r_squared=True).spec
    row = next(r for r in fit.table.rows if (r.lhs, r.op, r.rhs) == ("y", "~", "x"))
    label = next(e.label for e in spec.edges if row.id in e.rows)
    assert re.fullmatch(r"−?[\d.]+\*{0,3} \[−?[\d.]+, −?[\d.]+\]", label)
    value, low, high = (float(v.replace("−", "-")) for v in re.findall(r"−?[\d.]+", label))
    assert low <= value <= high
    explained = fit.r_squared()["r2"] if callable(fit.r_squared) else fit.r_squared["r2"]
    notes = {n.key: n.note for n in spec.nodes if n.shape == "box"}
    assert notes["y"] == f"R² {explained['y']:.2f}"
    other = sl.Model("y ~ x\ny2 ~ y\n").fit(SMALL)
    both = fit.draw(against=other).spec
    assert any("→" in e.label for e in both.edges)
    assert any(e.mark == "added" for e in both.edges)
    with pytest.raises(SemlangError) as problem:
        fit.draw(ci=95)
    assert problem.value.diagnostics[0].slug == "not-a-choice"


def test_drawing_loads_nothing_that_is_slow_to_load(tmp_path: Path) -> None:
    (tmp_path / "m.sem").write_text(MODELS["factors"])
    code = (
        "import sys; from semlang.cli import semlang\n"
        "try: semlang(['draw', 'm.sem', '-o', 'm.svg'])\n"
        "except SystemExit: print([m for m in ('numba', 'pandas', 'scipy', 'pygraphviz') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
