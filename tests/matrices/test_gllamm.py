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
    e, varrho = m.classes["c"]
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
