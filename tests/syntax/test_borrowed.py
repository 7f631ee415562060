"""Other programs' words: what is proposed can be typed, and says what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from semlang.cli import semlang
from semlang.cli.mending import mend
from semlang.source import Source
from semlang.syntax.parser import parse
from semlang.syntax.printer import format_text


def mended(text: str) -> str:
    """Return a text in canonical layout after the edits of its findings."""
    new, _ = mend(Source(text), lambda source: parse(source)[1])
    assert not [d.message for d in parse(new)[1] if d.is_error]
    return format_text(new)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("%WITHIN%\ny ON x;\n%BETWEEN school%\ny ON w;", "level: 1\ny ~ x\nlevel: 2\ny ~ w"),
        ("%WITHIN%\ny ~ x\n%BETWEEN%\ny ~ w + z", "level: 1\ny ~ x\nlevel: 2\ny ~ w + z"),
        ("%OVERALL%\nf BY x1 x2;\n%c#2%\n[f@1];", "f =~ x1 + x2\nclass c: 2\nf ~ 1*1"),
        ("f =~ x1 + 0.7?*x2 + x3", "f =~ x1 + 0.7?x2 + x3"),
        ("y ~ -0.5?*x + 2?*z", "y ~ -0.5?x + 2?z"),
        ("f BY x1@1 x2-x4* (a);", "f =~ 1*x1 + a*x2 + a*x3 + a*x4"),
        ("f BY x1* x2 x3; f@1; [f@0 x1];", "f =~ NA*x1 + x2 + x3\nf ~~ 1*f\nf ~ 0*1\nx1 ~ 1"),
        ("y1-y2 on x z (b); f with g@0;", "y1 + y2 ~ b*x + b*z\nf ~~ 0*g"),
        ("[u$1 u$2*0.5] (t1 t2)", "u | t1*t1\nu | t2*start(0.5)*t2"),
        ("(F -> x1 x2 x3), (G -> y1 y2)", "F =~ x1 + x2 + x3\nG =~ y1 + y2"),
        ("sem (y <- x z)", "y ~ x + z"),
        ("y ~ x1 (a) + x2 (b)", "y ~ a*x1 + b*x2"),
        ("f =~ 1 x1 + 0.5 x2", "f =~ 1*x1 + 0.5*x2"),
        ("f =~ Q 1 + Q 2", "f =~ `Q 1` + `Q 2`"),
        ("q := a**2 + b**2", "q := a^2 + b^2"),
        ('group = "school"\nf =~ x1', "groups: school\nf =~ x1"),
        ("std.lv = TRUE\nf =~ x1", "options: std.lv = true\nf =~ x1"),
        ('options: group.equal = c("loadings", "intercepts")\nf =~ x1',
         "options: group.equal = [loadings, intercepts]\nf =~ x1"),
        ("library(lavaan)\nf =~ x1", "f =~ x1"),
        ("m <- '\n f =~ x1 + x2\n'\nfit <- growth(m, data = d, group = \"g\")\nsummary(fit)",
         "groups: g\noptions: defaults = growth\nf =~ x1 + x2"),
        ("m = \"f =~ x1 + x2\"", "f =~ x1 + x2"),
        ('import semlang as sl\nmodel = sl.Model("""\nf =~ x1 + x2\n""", std_lv=True)\nmodel.fit("d.csv")',
         "options: std.lv = true\nf =~ x1 + x2"),
    ],
)  # fmt: skip
def test_what_is_proposed_says_what_was_meant(written: str, meant: str) -> None:
    assert mended(written).split() == meant.split()


@pytest.mark.parametrize(
    "text",
    [
        "f =~ x1 + x2",
        "y ~ c (1, 2)*x",
        "y ~ x + (1 + x | g)",
        "a == 1",
        "d :: binomial(logit)\nd ~ x",
        "data: 'a,b.csv'\ny ~ x",
    ],
)
def test_texts_of_this_language_are_left_alone(text: str) -> None:
    assert {d.slug for d in parse(Source(text))[1]}.isdisjoint({"other-program", "missing-star", "data-as-model"})


def test_two_models_in_a_script_are_not_chosen_from() -> None:
    found = parse(Source("a <- ' f =~ x1 + x2 '\nb <- ' f =~ x1 '\nfit <- cfa(a)"))[1]
    assert "model-in-script" not in {d.slug for d in found}
    assert all(d.is_error for d in found)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_data_file_is_one_finding(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "survey.csv"
    path.write_text(
        "\n".join([separator.join(["id", "x1", "x2"]), *(f"{k}{separator}1{separator}2" for k in range(300))])
    )
    done = CliRunner().invoke(semlang, ["fit", str(path)])
    assert done.exit_code == 1
    assert done.stderr.count("error[") == 1
    assert "data-as-model" in done.stderr
    assert "--data survey.csv" in done.stderr


def test_findings_of_one_kind_are_counted_beyond_the_tenth(tmp_path: Path) -> None:
    path = tmp_path / "m.sem"
    path.write_text("".join(f"f{k} =~ x1 x2\n" for k in range(30)) + "y ~ y\n")
    done = CliRunner().invoke(semlang, ["check", str(path)])
    assert done.stderr.count("-->") == 11
    assert "error[missing-plus]: and 20 more of this kind" in done.stderr
    assert done.stdout == "31 errors\n"
