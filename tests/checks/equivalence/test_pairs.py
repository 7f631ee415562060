"""Pairs of models whose relation is known."""

from __future__ import annotations

import random
import re

import pytest

from semlang.checks.equivalence import Comparison, compare, equivalents
from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse

EQUIVALENT, A_IN_B, B_IN_A, NEITHER = "equivalent", "a nested in b", "b nested in a", "neither"


def table_of(text: str) -> ParameterTable:
    ast, _ = parse(Source(text))
    table, findings = elaborate(ast).answer
    assert table is not None, findings
    return table


def relation(a: str, b: str) -> Comparison:
    return compare(table_of(a), table_of(b))


def paths(n: int, edges: str = "", joint: str = "") -> str:
    """A path model: ``paths(3, "12 23", "13")`` is y1 -> y2 -> y3 with correlated residuals of y1 and y3."""
    lines = ["options: defaults = lavaan"]
    for i in range(1, n + 1):
        causes = [e[0] for e in edges.split() if e[1] == str(i)]
        lines += [f"y{i} ~ 1" + "".join(f" + y{c}" for c in causes), f"y{i} ~~ y{i}"]
    return "\n".join(lines + [f"y{j[0]} ~~ y{j[1]}" for j in joint.split()])


F3 = "f =~ x1 + x2 + x3"
F4 = "f =~ x1 + x2 + x3 + x4"
G3 = "\ng =~ x4 + x5 + x6"
H3 = "\nh =~ x7 + x8 + x9"
PROBIT = "i{1..4} :: binomial(probit)\n"
GROUPS = "groups: g\n"
GROWTH = "options: defaults = growth\ni =~ 1*y1 + 1*y2 + 1*y3 + 1*y4\n"

# (name, a, b, relation): sources are Verma and Pearl (1990) for graphs without correlations, Stelzl (1986) and Lee and
# Hershberger (1990) for structural models, and identities between moments else.
PAIRS: list[tuple[str, str, str, str]] = [
    # directed graphs: same skeleton and v-structures
    ("edge reversed", paths(2, "12"), paths(2, "21"), EQUIVALENT),
    ("edge or covariance", paths(2, "12"), paths(2, "", "12"), EQUIVALENT),
    ("edge or nothing", paths(2, "12"), paths(2), B_IN_A),
    ("chain reversed", paths(3, "12 23"), paths(3, "32 21"), EQUIVALENT),
    ("chain and fork", paths(3, "12 23"), paths(3, "21 23"), EQUIVALENT),
    ("chain and collider", paths(3, "12 23"), paths(3, "12 32"), NEITHER),
    ("fork and collider", paths(3, "21 23"), paths(3, "12 32"), NEITHER),
    ("different chains", paths(3, "12 23"), paths(3, "13 32"), NEITHER),
    ("chain in triangle", paths(3, "12 23"), paths(3, "12 23 13"), A_IN_B),
    ("collider in triangle", paths(3, "12 23 13"), paths(3, "13 23"), B_IN_A),
    ("triangles", paths(3, "12 13 23"), paths(3, "32 31 21"), EQUIVALENT),
    ("triangle and all covariances", paths(3, "12 13 23"), paths(3, "", "12 13 23"), EQUIVALENT),
    ("chain in bow", paths(3, "12 23"), paths(3, "12 23", "23"), A_IN_B),
    ("instrument and triangle", paths(3, "12 23", "23"), paths(3, "12 23 13"), EQUIVALENT),
    ("collider by covariances", paths(3, "13 23"), paths(3, "", "13 23"), EQUIVALENT),
    ("chain by covariances", paths(3, "12 23"), paths(3, "", "12 23"), NEITHER),
    ("chain of four reversed", paths(4, "12 23 34"), paths(4, "43 32 21"), EQUIVALENT),
    ("chain of four with a collider", paths(4, "12 23 34"), paths(4, "12 32 34"), NEITHER),
    ("diamond, another v-structure", paths(4, "12 13 24 34"), paths(4, "21 13 24 34"), EQUIVALENT),
    ("diamond and reversed diamond", paths(4, "12 13 24 34"), paths(4, "42 43 21 31"), NEITHER),
    ("star out and star in", paths(4, "12 13 14"), paths(4, "21 31 41"), NEITHER),
    ("star out, one arrow turned", paths(4, "12 13 14"), paths(4, "21 13 14"), EQUIVALENT),
    ("seemingly unrelated", paths(4, "13 24", "34 12"), paths(4, "13 24 34", "12"), NEITHER),
    ("regressions, correlated or ordered", paths(4, "13 14 23 24", "34 12"), paths(4, "13 14 23 24 34 12"), EQUIVALENT),
    ("missing covariance", paths(4, "13 14 23 24", "12"), paths(4, "13 14 23 24", "34 12"), A_IN_B),
    ("y-structure", paths(4, "13 23 34"), paths(4, "13 23 43"), NEITHER),
    # factor models
    ("marker and unit variance", F4, "options: std.lv = true\n" + F4, EQUIVALENT),
    ("other marker", F4, "f =~ NA*x1 + x2 + 1*x3 + x4", EQUIVALENT),
    ("renamed factor", F4, F4.replace("f", "factor_a"), EQUIVALENT),
    ("order of indicators", F4, "f =~ x4 + x3 + x2 + x1", EQUIVALENT),
    ("mean by marker intercept", F4, F4 + "\nf ~ 1\nx1 ~ 0*1", EQUIVALENT),
    (
        "saturated three",
        F3,
        "options: defaults = lavaan\nx1 ~ 1\nx2 ~ 1\nx3 ~ 1\nx1 ~~ x1 + x2 + x3\nx2 ~~ x2 + x3\nx3 ~~ x3",
        EQUIVALENT,
    ),
    ("correlated error", F4, F4 + "\nx1 ~~ x2", A_IN_B),
    ("two correlated errors that differ", F4 + "\nx1 ~~ x2", F4 + "\nx1 ~~ x3", NEITHER),
    ("complementary correlated errors", F4 + "\nx1 ~~ x2", F4 + "\nx3 ~~ x4", EQUIVALENT),
    ("two factors or a correlated error", F4 + "\nx1 ~~ x2", "f =~ x1 + x2\ng =~ x3 + x4", EQUIVALENT),
    ("one factor in two", F4, "f =~ x1 + x2\ng =~ x3 + x4", A_IN_B),
    ("other split", "f =~ x1 + x2\ng =~ x3 + x4", "f =~ x1 + x3\ng =~ x2 + x4", NEITHER),
    ("tau-equivalent", F4, "f =~ 1*x1 + 1*x2 + 1*x3 + 1*x4", B_IN_A),
    ("equal by label or by constraint", "f =~ x1 + a*x2 + a*x3 + x4", "f =~ x1 + b*x2 + c*x3 + x4\nb == c", EQUIVALENT),
    (
        "parallel in tau-equivalent",
        "f =~ 1*x1 + 1*x2 + 1*x3",
        "f =~ 1*x1 + 1*x2 + 1*x3\nx1 ~~ v*x1\nx2 ~~ v*x2\nx3 ~~ v*x3",
        B_IN_A,
    ),
    ("path or covariance of factors", F3 + G3, F3 + G3 + "\ng ~ f", EQUIVALENT),
    ("direction of a latent path", F3 + G3 + "\ng ~ f", F3 + G3 + "\nf ~ g", EQUIVALENT),
    ("orthogonal factors", F3 + G3 + "\nf ~~ 0*g", F3 + G3, A_IN_B),
    ("one or two factors", F3 + G3, "f =~ x1 + x2 + x3 + x4 + x5 + x6", B_IN_A),
    ("second order and three correlated", F3 + G3 + H3, F3 + G3 + H3 + "\ns =~ f + g + h", EQUIVALENT),
    ("latent mediation turned", F3 + G3 + H3 + "\ng ~ f\nh ~ g", F3 + G3 + H3 + "\ng ~ h\nf ~ g", EQUIVALENT),
    ("latent mediation and collider", F3 + G3 + H3 + "\ng ~ f\nh ~ g", F3 + G3 + H3 + "\nf ~~ 0*h\ng ~ f + h", NEITHER),
    ("latent mediation in saturated", F3 + G3 + H3 + "\ng ~ f\nh ~ g", F3 + G3 + H3, A_IN_B),
    (
        "doublet factor or correlated error",
        F4 + "\nx5 ~ 1\nf =~ x5\nx1 ~~ x2",
        F4 + "\nf =~ x5\nd =~ 1*x1 + 1*x2\nd ~~ 0*f",
        EQUIVALENT,
    ),
    ("mimic and direct effect", F3 + "\nf ~ z", F3 + "\nf ~ z\nx1 ~ z", A_IN_B),
    ("direct effects on different items", F4 + "\nf ~ z\nx1 ~ z", F4 + "\nf ~ z\nx2 ~ z", NEITHER),
    # growth and groups
    (
        "linear in quadratic",
        GROWTH + "s =~ 0*y1 + 1*y2 + 2*y3 + 3*y4",
        GROWTH + "s =~ 0*y1 + 1*y2 + 2*y3 + 3*y4\nq =~ 0*y1 + 1*y2 + 4*y3 + 9*y4",
        A_IN_B,
    ),
    (
        "origin of time",
        GROWTH + "s =~ 0*y1 + 1*y2 + 2*y3 + 3*y4",
        GROWTH + "s =~ -3*y1 + -2*y2 + -1*y3 + 0*y4",
        EQUIVALENT,
    ),
    ("unit of time", GROWTH + "s =~ 0*y1 + 1*y2 + 2*y3 + 3*y4", GROWTH + "s =~ 0*y1 + 2*y2 + 4*y3 + 6*y4", EQUIVALENT),
    (
        "linear in latent basis",
        GROWTH + "s =~ 0*y1 + 1*y2 + 2*y3 + 3*y4",
        GROWTH + "s =~ 0*y1 + 1*y2 + NA*y3 + y4",
        A_IN_B,
    ),
    (
        "equal loadings across groups",
        GROUPS + F4.replace("x2", "c(A=l, B=l)*x2"),
        GROUPS + F4.replace("x2", "c(A=l, B=m)*x2"),
        A_IN_B,
    ),
    # other kinds and levels
    (
        "probit marker and unit variance",
        PROBIT + "f =~ i1 + i2 + i3 + i4",
        PROBIT + "f =~ NA*i1 + i2 + i3 + i4\nf ~~ 1*f",
        EQUIVALENT,
    ),
    ("Rasch in 2PL form", PROBIT + "f =~ 1*i1 + 1*i2 + 1*i3 + 1*i4", PROBIT + "f =~ i1 + i2 + i3 + i4", A_IN_B),
    ("random intercept and slope", "y ~ 1 + x + (1 | g)", "y ~ 1 + x + (1 + x | g)", A_IN_B),
    ("correlated random effects", "y ~ 1 + x + (1 + x | g)", "y ~ 1 + x + (1 + x || g)", B_IN_A),
    ("intercept or slope", "y ~ 1 + x + u[g]", "y ~ 1 + x + u[g]:x", NEITHER),
    ("random effect of two responses", "y1 ~ 1 + u[g]\ny2 ~ 1 + u", "y1 ~ 1 + u[g]\ny2 ~ 1 + u + v[g]", A_IN_B),
    (
        "random intercepts by factor or covariance",
        "y1 ~ 1 + u[g]\ny2 ~ 1 + u + v[g]",
        "y1 ~ 1 + a[g]\ny2 ~ 1 + b[g]\na ~~ b",
        EQUIVALENT,
    ),
    (
        "between factor",
        "cluster: g\nlevel: 1\nw =~ y1 + y2 + y3\nlevel: 2\nb =~ y1 + y2 + y3",
        "cluster: g\nlevel: 1\nw =~ y1 + y2 + y3\nlevel: 2\nb =~ 1*y1 + 1*y2 + 1*y3",
        B_IN_A,
    ),
]


@pytest.mark.parametrize(("name", "a", "b", "expected"), PAIRS, ids=[p[0] for p in PAIRS])
def test_relation(name: str, a: str, b: str, expected: str) -> None:
    found = relation(a, b)
    assert found.relation == expected, found.why
    assert found.why


def test_there_are_sixty_pairs() -> None:
    assert len(PAIRS) >= 60


def test_the_other_way_round() -> None:
    turned = {A_IN_B: B_IN_A, B_IN_A: A_IN_B}
    for _, a, b, expected in PAIRS[::4]:
        assert relation(b, a).relation == turned.get(expected, expected)


def test_degrees_of_freedom() -> None:
    assert relation(F4, F4 + "\nx1 ~~ x2").df == 1
    assert relation(F4, F4).df is None


@pytest.mark.parametrize(
    ("a", "b", "part"),
    [
        (F3, F4, "'x4' is no response of a"),
        ("y ~ x\nx ~ 1", "y ~ x", "there it is a covariate"),
        ("y :: poisson\ny ~ x", "y ~ x", "'y' is poisson(log) in a"),
        ("c :: class(2)\ny :: binomial(logit)\nc =~ y", "y :: binomial(logit)\ny ~ 1", "outside linear models"),
        (GROUPS + F3, F3, "groups"),
    ],
)
def test_refusals(a: str, b: str, part: str) -> None:
    found = relation(a, b)
    assert found.relation == "undetermined"
    assert part in found.why


def test_second_moments_are_named_as_such() -> None:
    text = "y :: binomial(logit)\ny ~ 1 + (1 | g)"
    assert "second moments" in relation(text, text + "\ny ~ x").why


def disguised(text: str, rng: random.Random) -> str:
    """Another text of the same model: factors renamed, marker or unit variance, order of lines."""
    if "=~" not in text or "options" in text or "groups" in text or "level" in text or "::" in text:
        return text
    names = sorted(set(re.findall(r"^(\w+) =~", text, flags=re.MULTILINE)))
    for name in names:
        text = re.sub(rf"\b{name}\b", f"{name}_{rng.randrange(100)}z", text)
    lines = text.split("\n")
    rng.shuffle(lines)
    free = not any("1*" in line for line in lines) and rng.random() < 0.5
    return ("options: std.lv = true\n" if free else "") + "\n".join(lines)


@pytest.mark.parametrize("seed", range(2))
def test_relation_does_not_depend_on_names_and_scales(seed: int) -> None:
    rng = random.Random(seed)
    for _, a, b, expected in PAIRS:
        one, two = disguised(a, rng), disguised(b, rng)
        if (one, two) != (a, b):
            assert relation(one, two).relation == expected, (one, two)


def test_equivalent_models_of_a_chain() -> None:
    found = {(e.rule, *e.change) for e in equivalents(table_of(paths(3, "12 23")))}
    assert found == {
        ("covariance in place of a path", "y2 ~ y1", "y1 ~~ y2"),
        ("reversed path", "y2 ~ y1", "y1 ~ y2"),
    }


def test_equivalent_models_are_equivalent_both_ways() -> None:
    table = table_of(F3 + G3 + H3 + "\ng ~ f\nh ~ g")
    for other in equivalents(table):
        assert compare(other.table, table).relation == EQUIVALENT
