"""The report: JSON for programs, words for people, what is not decided."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from semlang.checks.identification import Identification, identify
from semlang.graph.build import build_graphs
from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse


def report(text: str, explain: bool = True) -> Identification:
    ast, _ = parse(Source(text))
    table, findings = elaborate(ast).answer
    assert table is not None, findings
    return identify(table, build_graphs(table), explain=explain)


def test_json() -> None:
    found = json.loads(json.dumps(report("f =~ x1 + x2").to_json()))
    assert found["verdict"] == "not identified"
    assert (found["n_free"], found["rank"], found["df"]) == (6, 5, 0)
    assert ["f", "=~", "x2"] in found["unidentified"]
    assert [sorted(map(tuple, s)) for s in found["sets"]] == [sorted(map(tuple, found["unidentified"]))]
    assert found["repairs"][0]["text"] == "f =~ 1*x2"
    assert found["counting"]["moments"] == {"means": 2, "variances": 2, "covariances": 1}
    assert "counting rule" in found["why"]
    assert found["only_if"] == []


def test_rules_and_formulas() -> None:
    found = report("f =~ x1 + x2 + x3").to_json()
    rules = {tuple(r["parameter"]): r for r in found["rules"]}
    assert rules["f", "=~", "x2"]["rule"] == "three-indicator rule for f"
    assert rules["f", "=~", "x2"]["formula"] == "cov(x2, x3) / cov(x1, x3)"
    assert rules["f", "=~", "x2"]["latex"] == (
        r"\frac{\sigma_{\mathrm{x2},\mathrm{x3}}}{\sigma_{\mathrm{x1},\mathrm{x3}}}"
    )
    assert found["only_if"] == ["f =~ x2 is not 0", "f =~ x3 is not 0"]


def test_a_scale_is_said_as_a_scale() -> None:
    found = report("f =~ NA*x1 + x2 + x3 + x4")
    assert found.directions == (
        "for any c, multiply by c: f =~ x1, f =~ x2, f =~ x3 and f =~ x4, divide by c^2: f ~~ f: "
        "nothing that can be observed changes",
    )


def test_signs_of_a_curve() -> None:
    (words,) = report("f =~ x1 + x2").directions
    assert words.startswith("as f =~ x2 and x1 ~~ x1 rise, x2 ~~ x2 and f ~~ f fall")


def test_two_repairs_at_once() -> None:
    found = report("f =~ x1 + x2\ng =~ x3 + x4\nf ~~ 0*g")
    assert len(found.sets) == 2
    assert found.repairs[0]["text"] == "f =~ 1*x2; g =~ 1*x4"


def test_identified_parameters_of_an_unidentified_model() -> None:
    found = report("f =~ x1 + x2\ng =~ x3 + x4 + x5\nf ~~ 0*g")
    assert ("g", "=~", "x4") in found.identified
    assert ("f", "=~", "x2") not in found.identified


@pytest.mark.parametrize(
    "text",
    [
        "y1 ~ y2\ny2 ~ y1",
        "f =~ x1 + x2 + x3\nf ~~ v*f\nv == max(v)",
        "x{1..3} :: binomial(logit)\nc :: class(2)\nf =~ x1 + x2 + x3\nc =~ x1",
    ],
)
def test_never_a_silent_pass(text: str) -> None:
    ast, found = parse(Source(text))
    if any(d.is_error for d in found):
        return
    table, found = elaborate(ast).answer
    if table is None or any(d.is_error for d in found):
        return
    report = identify(table, build_graphs(table))
    assert report.verdict == "undetermined"
    assert report.why


def test_speed() -> None:
    """Ten factors with ten indicators; a generous bound, for machines that are busy."""
    big = "\n".join(f"f{a} =~ " + " + ".join(f"x{a}_{i}" for i in range(10)) for a in range(10))
    ast, _ = parse(Source(big))
    table, _ = elaborate(ast).answer
    assert table is not None
    graphs = build_graphs(table)
    start = time.process_time()
    found = identify(table, graphs)
    assert found.verdict == "identified"
    assert found.df == 4805
    assert time.process_time() - start < 1.5


def test_light_imports() -> None:
    code = (
        "import sys\nfrom semlang.checks.identification import identify\n"
        "from semlang.checks.equivalence import compare\n"
        "from semlang.syntax.parser import parse; from semlang.model.elaborate import elaborate\n"
        "from semlang.source import Source; from semlang.graph.build import build_graphs\n"
        "t, _ = elaborate(parse(Source('f =~ x1 + x2 + x3'))[0]).answer; identify(t, build_graphs(t)); compare(t, t)\n"
        "print([m for m in ('numba', 'scipy', 'pandas') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
