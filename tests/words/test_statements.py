"""Statements in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semlang.model.elaborate import elaborate
from semlang.model.kinds import ALIASES, KINDS
from semlang.source import Source
from semlang.syntax.declarations import DIRECTIVES, HEADERS
from semlang.syntax.grammar import grammar_text
from semlang.syntax.parser import parse
from semlang.words import catalogue, in_words

ROOT = Path(__file__).parents[2]

CASES = {
    "visual =~ x1 + x2 + a*x3": "visual is measured by x1 (loading fixed to 1, which sets the scale), x2 and x3 "
    "(loading labelled a).",
    "f =~ NA*i{1..3}; f ~~ 1*f": "f is measured by i1, i2 and i3 (each loading free). The variance of f is fixed to 1.",
    "f =~ x1 + x2 + x3; f ~~ f; x1 ~~ v*x1": "f is measured by x1 (loading fixed to 1, which sets the scale), x2 and "
    "x3. The variance of f is a free parameter. The residual variance of x1 is labelled v.",
    "f =~ x1 + c(a, b)*x2": "f is measured by x1 (loading fixed to 1, which sets the scale) and x2 (loading labelled a "
    "in group 1 and labelled b in group 2).",
    "y ~ x + (1 | school)": "y is regressed on x; random intercept over school.",
    "y ~ 1 + x + (1 + x || school)": "y is regressed on x; intercept; random intercept and random slope of x over "
    "school, uncorrelated.",
    "y ~ (1 | school/class)": "y has a random intercept over school and over school/class.",
    "y ~ x + u[school] + b[school]:x": "y is regressed on x and u (a latent variable that varies over school, "
    "coefficient fixed to 1, which sets the scale); random slope of x over school, named b.",
    "y ~ 0 + a*x1": "y is regressed on x1 (coefficient labelled a); no intercept.",
    "y ~ 1": "y has an intercept.",
    "f =~ x1 + x2 + x3; f ~ 1": "f is measured by x1 (loading fixed to 1, which sets the scale), x2 and x3. f has a "
    "mean.",
    "c :: class(2); c =~ y1 + y2; c ~ age": "c is a latent class variable, 2 classes. y1 and y2 have an intercept for "
    "each class of c. Membership of the classes of c is regressed on age.",
    "y :: binomial(logit, trials=n); y ~ x": "y is a dichotomous response, or a count of successes in trials, link "
    "logit; column, or number, of trials: n. y is regressed on x.",
    "y | t1 + t2 ~ x": "y has the thresholds t1 and t2, moved by x.",
    "sigma(y) ~ 1 + x; y ~ x": "The log residual standard deviation of y is regressed on x; intercept. y is regressed "
    "on x.",
    "a ~~ b + s*d": "a covaries with b and d (covariance labelled s).",
    "y1 ~ x; y2 ~ x; y1 ~~ y2": "y1 is regressed on x. y2 is regressed on x. The residuals of y1 and y2 covary.",
    "m ~ a*x; y ~ b*m; ab := a*b; 0 < a < 1": "m is regressed on x (coefficient labelled a). y is regressed on m "
    "(coefficient labelled b). ab is defined as a*b. 0 is less than a and a is less than 1.",
    'data: "a.csv"; cluster: s/c; group: 1; y ~ x': "The data set; the path is relative to this file: a.csv. Columns "
    "of the clusters, the outermost first: s/c. What follows holds for group 1, up to the next header. y is regressed "
    "on x.",
}


def said(text: str, *, with_table: bool = True) -> list[str]:
    model, found = parse(Source(text))
    assert not any(f.is_error for f in found)
    table = elaborate(model).answer[0] if with_table else None
    return [in_words(s, table) for s in model.statements]


@pytest.mark.parametrize("text", CASES)
def test_words(text: str) -> None:
    expected = CASES[text]
    assert " ".join(said(text)) == expected


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*/*.sem")), ids=lambda p: p.parent.name)
@pytest.mark.parametrize("with_table", [True, False])
def test_every_statement_of_the_examples(path: Path, with_table: bool) -> None:
    for sentence in said(path.read_text(encoding="utf-8"), with_table=with_table):
        assert sentence.endswith(".")
        assert "None" not in sentence


def test_reference_models(shared_folder: Path) -> None:
    for path in sorted((shared_folder / "reference" / "cases").glob("*/model.sem")):
        text = path.read_text(encoding="utf-8")
        assert all(said(text, with_table=False))
        assert all(said(text))


def test_the_catalogue_is_complete() -> None:
    assert set(catalogue.KINDS) == {*KINDS, *ALIASES}
    assert set(catalogue.DIRECTIVES) == {*DIRECTIVES, *HEADERS}
    assert set(catalogue.ARGUMENTS) == {a for k in KINDS.values() for a in k.arguments}
    assert set(catalogue.QUANTITIES) == {q for k in KINDS.values() for q in k.quantities}
    terminals = re.findall(r"^(?:RELATION|DECLARES|DEFINES|COMPARES|BAR): (.*)$", grammar_text(), re.MULTILINE)
    operators = {o for line in terminals for o in re.findall(r'"([^"]+)"', line)}
    assert set(catalogue.OPERATORS) == operators
