"""Code for each target; nothing is dropped without a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from semlang.api import Model
from semlang.convert import TARGETS, convert
from semlang.errors import ModelError, SemlangError
from semlang.syntax.file import read_source

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "examples").glob("*/*.sem")) + sorted((ROOT / "tests" / "corpus").rglob("*.sem"))


@pytest.fixture(scope="module")
def models() -> list[tuple[Path, Model]]:
    """Return all models of this repository that have a table."""
    found = []
    for path in FILES:
        try:
            found.append((path, Model(read_source(path))))
        except ModelError:
            continue
    return found


def code(text: str, target: str) -> str:
    """Return the code of a model that the target can say in full."""
    done = Model(text).convert(target)
    assert done.complete, [d.message for d in done.findings]
    return done.text


@pytest.mark.parametrize("target", TARGETS)
def test_every_model_gives_code_or_a_finding(target: str, models: list[tuple[Path, Model]]) -> None:
    for path, model in models:
        done = convert(model.parameter_table, target)
        left_out = [d for d in done.findings if d.slug == "not-convertible"]
        assert done.text or any(d.is_error for d in left_out), path
        if done.text:
            assert done.text.count("NOT SAID HERE") == len(left_out), path


def test_unknown_target() -> None:
    with pytest.raises(SemlangError, match="no target is called 'amos'"):
        Model("f =~ x1 + x2 + x3").convert("amos")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("y ~ 1 + x + (1 + x | g)", "lmer(y ~ 1 + x + (1 + x | g), data = d, REML = FALSE)"),
        ("y ~ 1 + x + (1 | a/b)", "lmer(y ~ 1 + x + (1 | a) + (1 | a:b), data = d, REML = FALSE)"),
        ("y ~ 1 + x + (1 + x || g)", "(1 | g) + (0 + x | g)"),
        ("y ~ 1 + x + u[g]", "lmer(y ~ 1 + x + (1 | g), data = d, REML = FALSE)"),
        ("y ~ 1 + x", "lm(y ~ 1 + x, data = d)"),
        ("y ~ x^2 + log(z) + x:z", "lm(y ~ 1 + I(x^2) + log(z) + x:z, data = d)"),
        ("y :: poisson(exposure=t)\ny ~ x + offset(z) + (1 | g)", "offset(z) + offset(log(t)) + (1 | g)"),
        ('y :: binomial(success="Y")\ny ~ x', 'glm(as.numeric(y == "Y") ~ 1 + x, data = d, family = binomial)'),
        ("y :: gamma\ny ~ x + (1 | g)", 'family = Gamma(link = "log")'),
    ],
)
def test_lme4(text: str, formula: str) -> None:
    assert formula in code(text, "lme4")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("f =~ x1 + x2 + x3", "the factor 'f'"),
        ("y1 ~ x + (1 | g)\ny2 ~ x + (1 | g)", "a model of 2 responses"),
        ("y | t1 + t2\ny ~ x + (1 | g)", "'y :: ordinal(probit)'"),
    ],
)
def test_lme4_refuses(text: str, what: str) -> None:
    done = Model(text).convert("lme4")

    assert done.text == ""
    assert any(d.is_error and d.message.startswith(what) for d in done.findings)


def test_lme4_leaves_out() -> None:
    done = Model("y ~ a*x + a*z + (1 | g)\nsigma(y) ~ x").convert("lme4")
    messages = " ".join(d.message for d in done.findings)

    assert not done.complete
    assert "labelled 'a'" in messages
    assert "sigma(y)" in messages
    assert done.text.startswith("# NOT SAID HERE")


def test_mirt_two_factors() -> None:
    text = code("i{1..6} :: binomial\noptions: std.lv = true\nf =~ i{1..3}\ng =~ a*i4 + a*i5 + i6", "mirt")

    assert "f = i1, i2, i3" in text
    assert "COV = f*g" in text
    assert "CONSTRAIN = (i4, i5, a2)" in text


def test_mirt_rasch_and_guessing() -> None:
    text = code("i{1..3} :: binomial(guess=0.25)\nf =~ 1*i{1..3}\nf ~ age", "mirt")

    assert "COV = f*f" in text
    assert "FIXED = (i1, a1), (i2, a1), (i3, a1)" in text
    assert "guess = c(0.25, 0.25, 0.25)" in text
    assert "formula = ~ age" in text


def test_mirt_graded_response() -> None:
    text = code("i{1..3} :: ordinal(logit)\ni{1..3} | t1 + t2\nf =~ 1*i1 + i2 + i3", "mirt")

    assert 'itemtype = "graded"' in text
    assert "START = (i1, a1, 1)" in text


def test_gsem() -> None:
    text = code("y{1..3} :: poisson\nf =~ y{1..3}\nf ~ b*x\nz ~ f + u[g]\ntwice := 2*b", "gsem")

    assert "(y1 <- F@1, family(poisson) link(log))" in text
    assert "(F <- x@b)" in text
    assert "(z <- F U[g]@1, family(gaussian) link(identity))" in text
    assert "nlcom (twice: 2*_b[F:x])" in text


def test_gsem_classes() -> None:
    text = code("y{1..4} :: binomial\nc :: class(2)\nc =~ y{1..4}\nc ~ age", "gsem")

    assert "(C <- age)" in text
    assert "lclass(C 2, base(2))" in text


def test_gllamm_adds_up_equal_and_fixed_loadings() -> None:
    text = code("i{1..4} :: binomial\nf =~ 1*i1 + 1*i2 + a*i3 + a*i4", "gllamm")

    assert "generate double z1 = d1 + d2" in text
    assert "generate double z2 = d3 + d4" in text
    assert "eq f1: z1 z2" in text
    assert "family(binomial) link(logit)" in text


def test_gllamm_structure_and_levels() -> None:
    text = code("y{1..6} :: binomial\nf =~ y{1..3}\ng =~ y{4..6}\ng ~ f\nf ~ x", "gllamm")

    assert "matrix B = (0, 1 \\ 0, 0)" in text
    assert "bmatrix(B)" in text
    assert "geqs(g2)" in text


def test_gllamm_classes() -> None:
    text = code("y{1..3} :: binomial\nc :: class(3)\nc =~ y{1..3}\nc ~ age", "gllamm")

    assert "ip(fn) nip(3)" in text
    assert "eq p: age" in text


def test_mplus() -> None:
    text = code("y{1..3} :: binomial\nf =~ y{1..3}\nf ~ a*x\nb := exp(a)", "mplus")

    assert "CATEGORICAL = y1 y2 y3;" in text
    assert "f ON x (a);" in text
    assert "b = exp(a);" in text


def test_mplus_random_slope() -> None:
    text = code("y ~ 1 + x + (1 + x | g)", "mplus")

    assert "TYPE = TWOLEVEL RANDOM;" in text
    assert "yx | y ON x;" in text or "y_x | y ON x;" in text
    assert "y WITH y_x;" in text


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_left_out_is_said(target: str) -> None:
    done = Model("y :: negbinomial\nf =~ x1 + x2 + x3\ny ~ f\nzero(y) ~ x\nf ~~ lower(0)*f").convert(target)

    assert not done.complete


def test_gllamm_choices() -> None:
    text = code("chosen :: choice(set=trip)\nchosen ~ price + b[person]:price", "gllamm")
    assert "egen long set_id = group(person trip)" in text
    assert "gllamm alternative price" in text
    for option in ("expanded(set_id chosen o)", "link(mlogit)", "nocons", "i(person)"):
        assert option in text
