"""The matrices of the talk's multilevel structural equation model."""

from __future__ import annotations

import numpy as np
import pytest

from semlang.graph import build_graph
from semlang.matrices.gllamm import GllammMatrices
from semlang.model.elaborate import elaborate
from semlang.model.kinds import KINDS
from semlang.model.table import Covariate, ParameterTable, Row, Variable
from semlang.source import Source
from semlang.syntax.parser import parse


def multilevel_sem() -> ParameterTable:
    """ability (rows) measured by y1-y3, climate[school] by y4-y6; ability ~ climate + u[school] + w1; climate ~ w2."""
    variables: dict[str, Variable] = {}
    for k in range(1, 7):
        kind, link, level = ("binomial", "logit", "rows") if k <= 3 else ("gaussian", "identity", "school")
        variables[f"y{k}"] = Variable(f"y{k}", f"y{k}", level, "response", KINDS[kind], link)
    normal = KINDS["normal"]
    variables["ability"] = Variable("ability", "ability", "rows", "latent", normal, measured=True)
    variables["climate[school]"] = Variable("climate[school]", "climate", "school", "latent", normal, measured=True)
    variables["u[school]"] = Variable("u[school]", "u", "school", "latent", normal)
    rows: list[Row] = []
    n = 0

    def add(target: str, op: str, source: str, value: float | None = None, via: str = "", label: str = "") -> None:
        nonlocal n
        free = value is None
        lhs, rhs = (source, target) if op == "=~" else (target, source or via)
        rows.append(
            Row(
                len(rows) + 1, lhs, op, rhs, free=n + 1 if free else 0, parameter=n if free else -1, ustart=value,
                target=target, source=source, via=(Covariate(via),) if via else (), label=label,
            )
        )  # fmt: skip
        n += free

    for k in range(1, 4):
        add(f"y{k}", "=~", "ability", 1.0 if k == 1 else None)
    for k in range(4, 7):
        add(f"y{k}", "=~", "climate[school]", 1.0 if k == 4 else None)
    add("ability", "~", "climate[school]", label="b12")
    add("ability", "~", "u[school]", 1.0)
    add("ability", "~", "", via="w1")
    add("climate[school]", "~", "", via="w2")
    for k in range(1, 7):
        add(f"y{k}", "~1", "")
    for k in range(4, 7):
        add(f"y{k}", "~~", f"y{k}")
    for key in ("ability", "climate[school]", "u[school]"):
        add(key, "~~", key)
    return ParameterTable(Source(""), tuple(rows), variables, n, clusters=("school",))


@pytest.fixture
def matrices() -> GllammMatrices:
    return GllammMatrices(build_graph(multilevel_sem()))


def test_structural_model_is_the_talks(matrices: GllammMatrices) -> None:
    assert matrices.eta == ("ability", "climate[school]", "u[school]")
    assert matrices.level == {"ability": 2, "climate[school]": 3, "u[school]": 3}
    assert matrices.B.to_frame().to_numpy().tolist() == [["0", "b12", "1"], ["0", "0", "0"], ["0", "0", "0"]]
    gamma = [["ability~w1", "0"], ["0", "climate[school]~w2"], ["0", "0"]]
    assert matrices.Gamma.to_frame().to_numpy().tolist() == gamma
    assert list(matrices.Psi) == ["rows", "school"]
    assert matrices.Psi["school"].shape == (2, 2)


def test_response_model_is_the_talks(matrices: GllammMatrices) -> None:
    ability, climate, u = (matrices.Z[k].values().tolist() for k in matrices.eta)
    assert ability == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert climate == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert u == [[0]] * 6
    np.testing.assert_array_equal(matrices.X.values(), np.eye(6))
    assert matrices.lambda_["ability"].rows == ("1", "ability=~y2", "ability=~y3")


def test_text(matrices: GllammMatrices) -> None:
    text = str(matrices)
    assert (
        text.splitlines()[0]
        == "nu = X beta + ability Z1(2) lambda1(2) + climate[school] Z1(3) lambda1(3) + u[school] Z2(3) lambda2(3)"
    )
    assert text.splitlines()[1] == "eta = B eta + Gamma w + zeta"
    assert "Psi(3)" in text
    assert "<table>" in matrices._repr_html_()
    frame = matrices.to_frame()
    assert set(frame["matrix"]) >= {"X", "beta", "B", "Gamma", "Psi(2)", "Psi(3)", "Theta"}


def test_latex(matrices: GllammMatrices) -> None:
    latex = matrices.latex()
    assert r"\underbrace{\begin{bmatrix} 0 & b_{12} & 1 \\ 0 & 0 & 0 \\ 0 & 0 & 0 \end{bmatrix}}_{\mathbf{B}}" in latex
    assert r"\begin{bmatrix} 1 \\ \lambda_{2}^{(2)} \\ \lambda_{3}^{(2)} \end{bmatrix}" in latex
    assert r"\eta_{1jk}^{(2)}" in latex
    assert r"\eta_{2k}^{(3)}" in latex
    assert r"\operatorname{logit}\bigl[\Pr(y_{rjk} = 1 \mid \boldsymbol{\eta})\bigr]" in latex
    for opening, closing in (("{", "}"), ("[", "]"), (r"\begin", r"\end")):
        assert latex.count(opening) == latex.count(closing)


def test_estimates_fill_in(matrices: GllammMatrices) -> None:
    theta = np.arange(matrices.graph.table.n_parameters) / 8
    filled = matrices.with_estimates(theta)
    assert filled.B.text(0, 1) == "0.500"
    assert "0.500" in matrices.latex(theta)
    assert r"\lambda" not in matrices.latex(theta).replace(r"\boldsymbol{\lambda}", "")


def written(text: str) -> GllammMatrices:
    table, _ = elaborate(parse(Source(text))[0]).answer
    assert table is not None
    return GllammMatrices(build_graph(table))


def test_random_slopes_stand_in_z() -> None:
    m = written("y :: poisson(log)\ny ~ 1 + x + (1 + x | subject)\n")
    assert [m.Z[k].text(0, 0) for k in m.eta] == ["1", "x"]
    assert m.level == {"y.1[subject]": 2, "y.x[subject]": 2}
    assert r"\nu_{ij}" in m.latex()


def test_equal_loadings_share_a_column() -> None:
    m = written("i{1..5} :: binomial(logit)\nability =~ 1*i{1..5}\n")
    assert m.Z["ability"].values().tolist() == [[1]] * 5
    assert m.lambda_["ability"].values().tolist() == [[1]]


def test_thresholds() -> None:
    m = written("f =~ wine + a + b\nwine | t1 + t2\nwine | t2 ~ x\n")
    assert m.thresholds.text(0, 0) == "wine|t1"
    assert m.thresholds.text(0, 1) == "wine|t2 + (wine|t2~x)*x"
    assert r"> s" in m.latex()


def test_classes() -> None:
    m = written("c :: class(2)\nc ~ x\ny ~ 1 + c@2 + cace*c@2:treated\n")
    e, varrho = m.classes["c"].E, m.classes["c"].varrho
    assert (e.text(0, 0), e.text(0, 1)) == ("0", "y~c@2 + cace*treated")
    assert (varrho.rows, varrho.columns) == (("1", "x"), ("c@1", "c@2"))
    assert m.eta == ()
    assert r"\boldsymbol{\varrho}" in m.latex()


def test_psi_is_symmetric() -> None:
    m = written("f =~ a1 + a2 + a3\ng =~ b1 + b2 + b3\nf ~~ r*g\n")
    psi = m.Psi["rows"]
    assert psi.text(0, 1) == psi.text(1, 0) == "r"


def test_names_are_escaped() -> None:
    m = written("f =~ a_1 + a_2 + a_3\nf ~ x_1\n")
    assert r"\mathit{x\_1}" in m.latex()


WHOLE = {
    "product": "f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6\ny ~ f1 + f2 + f1:f2 + f1:f1\n",
    "product of latent variables": "f =~ a + b + d\ng =~ h + i + j\nk =~ l + m + n\nk ~ f + g + f:g + f:w\n",
    "mass points": "y :: binomial(logit)\nu :: masspoints(3)\ny ~ 1 + x + u\n",
    "joint mass points": "y :: poisson\na + b :: masspoints(2)\ny ~ 1 + x + a + x*b\n",
    "classes of latent variables": "c :: class(2)\ni =~ 1*y1 + 1*y2\ns =~ 0*y1 + 1*y2\ni + s ~ c\ny1 + y2 ~ 0\nc ~ z\n",
    "classes and slopes": "c :: class(2)\ny ~ c + c:x\nsigma(y) ~ c\n",
    "classes and loadings": "c :: class(2)\nf =~ y1 + y2 + y3\ny1 ~ c\ny2 ~ c:f\n",
    "classes and thresholds": "q1 + q2 + q3 :: ordinal(logit)\nc :: class(2)\nc =~ q1 + q2 + q3\n",
    "blocks": "c :: class(2)\nf =~ y1 + y2 + y3\ny1 ~ c\nclass: 1\nf ~~ f\ny2 ~ x\nclass: 2\nf ~~ f\n",
    "two class variables": "a+b+d+e :: binomial\nc :: class(2)\nk :: class(3)\nc =~ a + b\nk =~ d + e\nk ~ c + x\n",
    "moderated loading": "f =~ y1 + y2 + y3 + x:y3\ny3 ~ f:z\n",
    "zero": "y :: poisson\ny ~ x\nzero(y) ~ 1 + x\n",
    "sigma": "y ~ x\nsigma(y) ~ x\n",
    "shape": "y :: gamma\ny ~ x\nshape(y) ~ x\n",
    "guess": "y1+y2+y3 :: binomial(logit)\nf =~ y1+y2+y3\nguess(y1) + slip(y2) ~ 1\n",
    "thresholds": "o :: ordinal(logit)\no ~ x + (1 | g)\no | t1 ~ x\n",
    "nominal": "n :: multinomial(base=a)\nc :: class(2)\nn ~ x + c\n",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_no_parameter_is_left_out(text: str) -> None:
    """Whatever a model has, its matrices show: each free parameter stands in one of them, under one name."""
    m = written(text)
    frame = m.to_frame()
    assert set(frame["parameter"]) - {-1} == set(range(m.graph.table.n_parameters))
    named = frame[frame["parameter"] >= 0]
    names = {a.name for of in m.all for cell in of.cells.values() for a in cell if a.parameter >= 0}
    assert len(names) == named["parameter"].nunique()
    mentioned = "\n".join(m.heading)
    for symbol in {of.symbol for of in m.all if of.symbol.startswith(("Omega", "E(", "A("))}:
        assert symbol in mentioned
    assert m.latex().count("{") == m.latex().count("}")


def test_products_and_classes_stand_where_they_belong() -> None:
    m = written(WHOLE["product"])
    omega, of_eta = m.products
    assert (omega.rows, omega.columns, of_eta.cells) == (("y",), ("f1:f2", "f1:f1"), {})
    assert m.heading[0].endswith("+ Omega(nu) p")
    m = written(WHOLE["classes of latent variables"])
    assert (m.classes["c"].E.cells, m.classes["c"].A.rows) == ({}, ("i", "s"))
    assert m.heading[1] == "eta = A(c) e_c + zeta"
    m = written(WHOLE["classes and loadings"])
    assert m.classes["c"].E.text(1, 1) == "(y2~f (class 2))*f"
    assert r"\eta_{1j}^{(2)}" in m.latex()
    m = written(WHOLE["mass points"])
    points, logits = m.mass_points
    assert [points.text(0, k) for k in range(3)] == ["u~1 (class 1)", "u~1 (class 2)", "by mean 0"]
    assert logits.text(0, 2) == "0"
    varrho = written(WHOLE["two class variables"]).classes["k"].varrho
    assert set(varrho.rows) == {"c@1", "c@2", "x"}
