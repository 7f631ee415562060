"""Texts of Mplus and lme4: what our own writers say comes back, and what people write is read or said not to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import semlang as sl
from semlang.cli import semlang
from semlang.convert import from_lme4, from_mplus

EXAMPLES = Path(__file__).parents[2] / "examples"
THREE = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\n"

THERE_AND_BACK = [
    THREE,
    THREE + "g ~ b*f\n",
    THREE + "options: std.lv = true\n",
    "f =~ x1 + a*x2 + a*x3 + x4\nx1 ~~ x2\nf ~ z1 + z2\nq := 2*a\n",
    "y1 ~ x1 + b1*x2\ny2 ~ b2*y1 + x2\nind := b1*b2\nb1 == b2^2\n",
    "i =~ 1*y1 + 1*y2 + 1*y3 + 1*y4\ns =~ 0*y1 + 1*y2 + 2*y3 + 3*y4\noptions: defaults = growth\n",
    "cluster: g\ny ~ x + (1 + x | g)\n",
    "cluster: g\ny ~ x + (1 | g)\n",
    "cluster: g\nlevel: 1\nfw =~ y1 + y2 + y3\nlevel: 2\nfb =~ y1 + y2 + y3\nfb ~ w\n",
    "groups: s\ngroup: 1\nf =~ x1 + a*x2 + x3\ngroup: 2\nf =~ x1 + a*x2 + x3\n",
]


@pytest.mark.parametrize("text", THERE_AND_BACK)
def test_to_mplus_and_back(text: str) -> None:
    model = sl.Model(text)
    back = from_mplus(model.convert("mplus").text)
    assert back.complete, back.findings
    again = sl.Model(back.text)
    assert again.parameter_table.n_parameters == model.parameter_table.n_parameters
    assert sl.compare(model, again).relation == "equivalent"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MODEL: f BY x1-x3; y ON f x1; f WITH g@0; g BY z1*\n z2-z3 (a); g@1;",
         "f =~ x1 + x2 + x3\ny ~ f + x1\nf ~~ 0*g\ng =~ NA*z1 + a*z2 + a*z3\ng ~~ 1*g"),
        ("f BY x1 x2 x3;", "f =~ x1 + x2 + x3"),
        ("VARIABLE: NAMES ARE a b c d; CATEGORICAL ARE c d; ANALYSIS: LINK = PROBIT; MODEL: f BY a-d; [c$1];",
         "c + d :: ordinal(probit)\n\nf =~ a + b + c + d\nc | t1"),
        ("MODEL: i s | y1@0 y2@1 y3@2.5;",
         "i =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2.5*y3\ny1 ~ 0*1\ny2 ~ 0*1\ny3 ~ 0*1\ni ~ 1\ns ~ 1"),
        ("VARIABLE: COUNT = u (nb) v; MODEL: u v ON x;", "v :: poisson(log)\nu :: negbinomial(log)\n\nu + v ~ x"),
        ("VARIABLE: CLUSTER = school; MODEL: %WITHIN% y ON x; %BETWEEN% y ON w;",
         "cluster: school\n\nlevel: 1\ny ~ x\nlevel: 2\ny ~ w"),
        ("VARIABLE: GROUPING IS sex (1 = male 2 = female); MODEL: f BY x1-x3; MODEL female: f BY x3; [x3];",
         "groups: sex\noptions: group.equal = [loadings, intercepts], group.partial = [\"f=~x3\", \"x3~1\"]\n\n"
         "group: 1\nf =~ x1\nf =~ x2\nf =~ x3\ngroup: 2\nf =~ x1\nf =~ x2\nf =~ x3\nx3 ~ 1"),
        ("MODEL: y ON x (b); m ON x (a); MODEL CONSTRAINT: NEW(ab); ab = a*b; a > 0; b = a**2;",
         "y ~ b*x\nm ~ a*x\nab := a*b\na > 0\nb == a^2"),
    ],
)  # fmt: skip
def test_what_people_write_in_mplus(written: str, meant: str) -> None:
    assert from_mplus(written).text == meant + "\n"


@pytest.mark.parametrize(
    "statement",
    ["fx | f XWITH g", "y1-y3 PON x1-x3", "f BY x1 x2 : x3", "DO(1,3) x# = 1"],
)
def test_what_is_not_read_of_mplus_is_a_finding_at_its_place(statement: str) -> None:
    done = from_mplus(f"MODEL: f BY x1-x3;\n {statement};\n f@1;")
    assert not done.complete
    (found,) = done.findings
    assert found.slug == "not-convertible"
    assert found.span is not None
    assert found.span.start == 20
    assert done.text == "f =~ x1 + x2 + x3\nf ~~ 1*f\n"


LME4 = [
    "y ~ x + (1 | g)",
    "y ~ 1 + x + z + x:z + (1 + x | g)",
    "y ~ x + (1 + x || g)",
    "cluster: a/b\ny ~ x + (1 | a/b)",
    "y :: binomial(logit, trials=n)\ny ~ x + (1 | g)",
    "y :: poisson(log, exposure=t)\ny ~ x + (1 | g)",
    "y :: gamma(log)\ny ~ x + x^2 + log(z)",
    "options: points = 9\ny :: binomial(probit)\ny ~ 0 + x + (1 | g)",
]


@pytest.mark.parametrize("text", LME4)
def test_to_lme4_and_back(text: str) -> None:
    """Both texts give the same code."""
    code = sl.Model(text).convert("lme4")
    back = from_lme4(code.text)
    assert back.complete, back.findings
    assert sl.Model(back.text).convert("lme4").text == code.text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Reaction ~ Days + (Days | Subject)", "cluster: Subject\n\nReaction ~ Days + (Days | Subject)"),
        ("y ~ a*b - 1 + (0 + b | g)", "cluster: g\n\ny ~ a + b + a:b + 0 + (0 + b | g)"),
        ("glm(y ~ factor(x) + I(z^2), family = binomial, data = d)", "y :: binomial(logit)\n\ny ~ factor(x) + I(z^2)"),
        ("glmer(cbind(r, n - r) ~ x + (1 | s/c), d, family = binomial(link = \"cloglog\"))",
         "cluster: s/c\nr :: binomial(cloglog, trials=n)\n\nr ~ x + (1 | s/c)"),
        ("glm(y ~ x, family = Gamma)", "y :: gamma(reciprocal)\n\ny ~ x"),
    ],
)  # fmt: skip
def test_what_people_write_for_lme4(written: str, meant: str) -> None:
    assert from_lme4(written).text == meant + "\n"


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("y ~ poly(x, 2) + (1 | g)", "poly(x, 2)"),
        ("log(y) ~ x", "log(y)"),
        ("y ~ x + (1 | a) + (1 | b)", "(1 | b)"),
        ("glmer(y ~ x + (1 | g), family = quasi)", "family = quasi"),
        ("lmer(y ~ x + (1 | g), subset = z > 1)", "subset = z > 1"),
    ],
)
def test_what_is_not_read_of_lme4_is_a_finding(written: str, what: str) -> None:
    found = [d.message for d in from_lme4(written).findings if d.slug == "not-convertible"]
    assert found == [f"'{what}' is not read"]


def test_examples_come_back_with_their_log_likelihood() -> None:
    """gllamm's and lme4's data of the examples, through lme4's code and back."""
    path = EXAMPLES / "cbpp" / "model.sem"
    model = sl.read_model(path)
    back = sl.Model(from_lme4(model.convert("lme4").text).text)
    data = path.parent / model.parameter_table.data
    assert back.fit(data).loglik == pytest.approx(model.fit(points=25).loglik, abs=1e-7)  # the optimiser's tolerance


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "m.inp").write_text("MODEL: f BY x1-x3;\n")
    (tmp_path / "m.R").write_text("m <- lmer(y ~ x + (1 | g), d, REML = FALSE)\n")
    for name, origin, expected in (("m.inp", "mplus", "f =~ x1 + x2 + x3"), ("m.R", "lme4", "y ~ x + (1 | g)")):
        done = CliRunner().invoke(semlang, ["convert", str(tmp_path / name), "--from", origin, "--json"])
        assert done.exit_code == 0
        assert json.loads(done.stdout)["result"]["text"].strip().endswith(expected)
