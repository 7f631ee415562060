"""Equations as a paper prints them: shapes of the talk's models, nothing lost, nothing broken by size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import semlang as sl

GUIDE = Path(__file__).parents[2] / "docs" / "equations.md"


def equations(text: str) -> list[str]:
    return str(sl.Model(text).equations()).splitlines()[1:-1]


def test_a_line_for_the_items_of_a_factor() -> None:
    lines = equations("i{1..60} :: binomial(logit)\nf =~ i{1..60}")
    assert lines[0] == r"\nu_{rj} &= \beta_{r} + \lambda_{r} \, \eta_{j}, \quad r = 1, \ldots, 60 \\"
    assert lines[1] == r"&\lambda_{1} = 1 \\"
    assert len(lines) == 5
    assert r"1, \ldots, 60: \text{i1}, \ldots, \text{i60}" in lines[-1]


def test_covariates_carry_the_units_in_which_they_are_constant() -> None:
    lines = equations(
        "cluster: school\ny{1..3} :: binomial(logit)\ny{4..6} :: gaussian(level=school)\nability =~ y{1..3}\n"
        "climate[school] =~ y{4..6}\nability ~ climate + u[school] + w1\nclimate ~ w2"
    )
    own = (
        r"\eta_{1jk}^{(2)} &= b_{12} \, \eta_{1k}^{(3)} + \eta_{2k}^{(3)} + \gamma_{11} \, w_{1jk} + \zeta_{1jk}^{(2)}"
    )
    assert own + r" \\" in lines
    assert r"\eta_{1k}^{(3)} &= \gamma_{22} \, w_{2k} + \zeta_{1k}^{(3)} \\" in lines


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6\ny ~ f1 + f2 + f1:f2", r"\omega_{7} \, \eta_{1j} \, \eta_{2j}"),
        ("c :: class(2)\ni =~ 1*y1 + 1*y2 + 1*y3\ni ~ c\ny{1..3} ~ 0", r"\eta_{j} &= \alpha_{c_{j}} + \zeta_{j}"),
        ("u :: masspoints(3)\ny :: poisson(log)\ny ~ 1 + u", r"\textstyle\sum_k \pi_k e_{k} = 0"),
        ("c :: class(2)\ny ~ 1 + c@2 + cace*c@2:x\nc ~ z", r"\mathit{cace} \, x_{j} \, \mathbf{1}[c_{j} = 2]"),
        ("y ~ x\nsigma(y) ~ x", r"\log \sigma_{i} &= \alpha_{1} + \alpha_{2} \, x_{i}"),
        ("o :: ordinal(probit)\no ~ x\no|t1 ~ z", r"\kappa_{1} = \kappa^{0}_{1} + \delta_{1} \, z_{i}"),
        ("i =~ 1*y1 + 1*y2 + 1*y3\ns =~ 0*y1 + 1*y2 + 2*y3", r"(\lambda_{12}, \lambda_{22}, \lambda_{32}) = (0, 1, 2)"),
        ("m ~ x\ny ~ m + x", r"\nu_{2i} &= \beta_{2} + \beta_{4} \, y_{1i} + \beta_{5} \, x_{i}"),
        ("C <~ x1 + x2\nC =~ y1 + y2", r"\eta_{j} &= \gamma_{1} \, x_{1j} + \gamma_{2} \, x_{2j} \\"),
        ("y ~ log(z) + w^2", r"\beta_{2} \, \log z_{i} + \beta_{3} \, w_{i}^{2}"),
    ],
)  # fmt: skip
def test_every_part_of_a_model_has_its_term(text: str, part: str) -> None:
    assert any(part in line for line in equations(text))


def test_long_equations_are_broken_between_addends() -> None:
    lines = equations("y ~ " + " + ".join(f"longname{k}" for k in range(30)))
    assert len(lines) > 6
    assert all(len(re.findall(r"\\beta", line)) <= 6 for line in lines)
    assert sum(line.count(r"\beta") for line in lines) == 31


def test_estimates_stand_in_place_of_the_symbols() -> None:
    model = sl.Model("f =~ x1 + x2 + x3")
    theta = [0.5 + 0.1 * k for k in range(model.parameter_table.n_parameters)]
    text = model.matrices.equations(theta)  # type: ignore[arg-type]
    assert r"\lambda" not in text
    assert r"\psi" not in text
    assert "0.500" in text


def test_matrices_of_any_size_are_closed() -> None:
    text = sl.Model("f =~ x{1..40}").equations(matrices=True)
    assert r"\mathbf{I}" in text  # the design matrix of forty intercepts
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert not re.search(r"\\begin\{bmatrix\}(?:[^&\\]*&){10}", text)


def test_the_guide_shows_what_the_program_prints() -> None:
    pairs = re.findall(r"```text\n(.*?)```\n+```math\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(pairs) >= 10
    for text, shown in pairs:
        assert str(sl.Model(text).equations()).strip() == shown.strip()


def test_every_group_has_its_equations() -> None:
    text = "groups: g\nf =~ x1 + c(a=p, b=q)*x2 + x3\n"
    found = sl.Model(text).equations()
    assert [f"Group {g}" in found for g in "ab"] == [True, True]
    assert found.count(r"\begin{aligned}") == 2
    assert found.count("{") == found.count("}")
