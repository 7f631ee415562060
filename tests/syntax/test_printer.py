"""The canonical layout: what it looks like, that it is stable, and that it says the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semlang.source import Source
from semlang.syntax.parser import parse
from semlang.syntax.printer import format_text

LAYOUTS = [
    ("f=~x1+x2", "f =~ x1 + x2\n"),
    ("f =~ + x1 + + x2 +", "f =~ x1 + x2\n"),
    ("+ + + f =~ x1", "f =~ x1\n"),
    ("f = ~ 2 * x1", "f =~ 2*x1\n"),
    ("a ~ b; c~d ;", "a ~ b\nc ~ d\n"),
    ("y~ - 1+x-1", "y ~ -1 + x - 1\n"),
    ("y ~ x ^ -1+a * b : c+( 1+x||school / class )+0.5 ? x", "y ~ x^-1 + a*b:c + (1 + x || school/class) + 0.5?x\n"),
    (
        "cluster:school / class\noptions:std.lv=true,points=15",
        "cluster: school/class\noptions: std.lv = true, points = 15\n",
    ),
    ("class  c : 2\n level:1", "class c: 2\nlevel: 1\n"),
    ("y::gaussian(censored=[0 , 10],level = school)", "y :: gaussian(censored=[0, 10], level=school)\n"),
    ("ind:=(a*b)-c/-2^2", "ind := (a*b) - c/-2^2\n"),
    ("a< -1", "a < -1\n"),
    ('u[ school ]~~c( "G" = a,B=b)*u [school]', 'u[school] ~~ c("G"=a, B=b)*u[school]\n'),
    ("y@ -1|t1+c(a,b)*t2~x", "y@-1 | t1 + c(a, b)*t2 ~ x\n"),
    ("{A, B}_{1..3} ::poisson", "{A,B}_{1..3} :: poisson\n"),
    ("f =~ “lab”*x1", 'f =~ "lab"*x1\n'),
    ("\n\n# one\n\n\n\n#two  \nf=~x1   # three\n", "# one\n\n#two\nf =~ x1  # three\n"),
    ("f =~ x1 # a\n  # b\n + x2 + # c\n x3", "f =~ x1  # a\n    # b\n    + x2 +  # c\n    x3\n"),
    ("f =~ c(a,\n   b)*x1", "f =~ c(a, b)*x1\n"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "layout"), LAYOUTS, ids=[text for text, _ in LAYOUTS])
def test_layout(text: str, layout: str) -> None:
    assert format_text(text) == layout
    assert format_text(layout) == layout


def test_long_formulas_are_broken_behind_plus_signs() -> None:
    text = "f =~ " + "+".join(f"c(first{i}, second{i})*indicator_{i}" for i in range(9))
    lines = format_text(text).splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 100 for line in lines)
    assert all(line.endswith(" +") for line in lines[:-1])
    assert all(line.startswith("    ") for line in lines[1:])


def test_a_text_with_errors_is_left_alone() -> None:
    assert format_text("f  =~ x1 x2\ny~x") == "f  =~ x1 x2\ny~x"


def same(text: str, bare: Callable[[Any], Any]) -> None:
    layout = format_text(text)
    assert format_text(layout) == layout
    before, after = parse(Source(text))[0], parse(Source(layout))[0]
    assert bare(before.statements) == bare(after.statements)
    assert [c.text.rstrip() for c in before.comments] == [c.text for c in after.comments]


def test_all_reference_models_say_the_same(shared_folder: Path, bare: Callable[[Any], Any]) -> None:
    for path in sorted((shared_folder / "reference" / "cases").glob("*/model.sem")):
        same(path.read_text(encoding="utf-8"), bare)


def test_all_texts_of_lavaan_say_the_same(accepts: list[dict[str, Any]], bare: Callable[[Any], Any]) -> None:
    for row in accepts:
        same(row["syntax"], bare)
