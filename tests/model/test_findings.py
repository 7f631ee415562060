"""One mistake gives one finding, at its place; near misses give none."""

from __future__ import annotations

import pytest

from semlang.model.elaborate import elaborate
from semlang.model.facts import DataFacts
from semlang.source import Source
from semlang.syntax.parser import parse

MISTAKES = [
    ("label-is-column", "y ~ x1*x2", "x1*x2"),
    ("label-is-column", "y ~ a*x\nz ~ a", "a*x"),
    ("unknown-label", "f =~ x1 + x2 + b*x3\nq := bb^2", "bb"),
    ("unknown-kind", "y :: binomal(logit)\ny ~ x", "binomal"),
    ("unknown-link", "y :: binomial(lojit)\ny ~ x", "lojit"),
    ("unknown-argument", "y :: binomial(trails=n)\ny ~ x", "trails=n"),
    ("classes-missing", "c :: class\nc =~ y1 + y2 + y3", "class"),
    ("threshold-of-non-ordinal", "y :: binomial\ny ~ x\ny | t1", "t1"),
    ("residual-variance-of-non-gaussian", "y :: binomial\ny ~ x\ny ~~ y", "y"),
    ("residual-covariance-of-non-gaussian", "y :: poisson\ny ~ x\nz ~ x\ny ~~ z", "z"),
    ("unknown-quantity", "y :: poisson\ny ~ x\nsigma(y) ~ z", "z"),
    ("threshold-gap", "y | t1 + t3\ny ~ x", "t3"),
    ("threshold-name", "y | a + t1\ny ~ x", "a"),
    ("near-miss-name", "visual =~ x1 + x2 + x3\nvisaul ~ age", "visaul"),
    ("random-slope-without-mean", "y ~ x + b[school]:z", "b[school]:z"),
    ("uncorrelated-random-effects", "y ~ x + a[school] + b[school]:x", "b[school]"),
    ("unknown-cluster", "cluster: school\ny ~ u[schol]", "u[schol]"),
    ("unknown-nesting", "y ~ u[a]\nz ~ v[b]", "v[b]"),
    ("group-vector-length", "y ~ c(a, b, d)*x + c(1, 2)*z", "c(1, 2)"),
    ("start-on-marker", "f =~ start(0.5)*x1 + x2", "start(0.5)"),
    ("unknown-option", "options: std.lw = true\nf =~ x1 + x2", "std.lw = true"),
    ("declared-unused", "a :: poisson\ny ~ x", "a"),
    ("column-as-latent", "y ~ x + x[school]", "x[school]"),
    ("formula-before-level", "cluster: s\ny ~ x\nlevel: 1\ny ~ z\nlevel: 2\ny ~ w", "y ~ x"),
    ("level-without-cluster", "level: 1\ny ~ x\nlevel: 2\ny ~ w", "level: 1"),
    ("function-of-latent", "f =~ x1 + x2\ny ~ log(f)", "log(f)"),
    ("reserved-name", "y.1 :: poisson\ny ~ (1 | s)\ny.1 ~ x", "(1 | s)"),
    ("repeated-term", "f =~ x1 + x2 + x1", "x1"),
    ("repeated-modifier", "f =~ x1 + a*x2\nf =~ b*x2", "b"),
    ("repeated-modifier", "f =~ x1 + 2*x2\nf =~ 3*x2", "3"),
    ("conflicting-label", "f =~ a*1*x1 + a*2*x2", "a*2*x2"),
    ("unknown-class", "c :: class(2)\nc =~ y1 + y2 + y3\ny1 ~ c@3", "c@3"),
    ("covariate-at-two-levels", "cluster: s\nlevel: 1\ny ~ x\nlevel: 2\ny ~ x", "x"),
    ("observed-response-within", "cluster: s\nlevel: 1\ny ~ z\nlevel: 2\ny ~ w\nz ~ w", "z"),
    ("component-path", "y ~ x + 0.5*y[school]", "0.5*y[school]"),
    ("declared-twice", "y :: poisson\ny :: binomial\ny ~ x", "y"),
    ("defined-twice", "y ~ a*x\np := a\np := 2*a", "p"),
]


@pytest.mark.parametrize(("slug", "text", "place"), MISTAKES)
def test_one_finding(slug: str, text: str, place: str) -> None:
    source = Source(text)
    model, found = parse(source)
    _, more = elaborate(model).answer
    everything = [*found, *more]
    assert [f.slug for f in everything] == [slug], [f.message for f in everything]
    span = everything[0].span
    assert span is not None
    assert source.text[span.start : span.end].startswith(place.split("*")[0])


FACTS = DataFacts(("x1", "x2", "x3", "y", "school", "g"), {"g": ("a", "b", "c")})


@pytest.mark.parametrize(
    ("slug", "text", "place"),
    [
        ("unknown-column", "f =~ x1 + x2 + x33", "x33"),
        ("unknown-column", "y ~ x1 + (1 | schol)", "(1 | schol)"),
        ("unknown-column", "cluster: schol\ny ~ x1", "schol"),
        ("unknown-column", "y :: binomial(trials=n)\ny ~ x1", "y"),
        ("unknown-level", "y ~ factor(g, base='z')", "factor"),
        ("too-many-thresholds", "g :: ordinal\ng ~ x1\ng | t1 + t2 + t3", "t3"),
    ],
)
def test_one_finding_with_data(slug: str, text: str, place: str) -> None:
    source = Source(text)
    table, found = elaborate(parse(source)[0], facts=FACTS).answer
    assert table is None
    assert [f.slug for f in found] == [slug]
    assert found[0].span is not None
    assert source.text[found[0].span.start : found[0].span.end].startswith(place)


@pytest.mark.parametrize(
    "text",
    [
        "y ~ b1*x1 + b2*x2\nind := b1*b2",
        "f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6\nf2 ~ f1",
        "y ~ x + b[school]:x",
        "y ~ x + (1 + x | school)",
        "y | t1 + t2\ny ~ x",
        "y :: ordinal(probit)\ny ~ x\ny ~~ 1*y",
        "math_pre ~ math_post",
        "f =~ x1 + x2 + x1:z",
        "y ~ x\ny ~ z",
    ],
)
def test_near_misses_pass(text: str) -> None:
    model, found = parse(Source(text))
    _, more = elaborate(model).answer
    assert [f.slug for f in (*found, *more)] == []
