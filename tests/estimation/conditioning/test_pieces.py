"""Responses evaluated in the states of the class variables that they depend on say the same as in all states."""

from __future__ import annotations

import numpy as np
import pytest

from semlang.estimation.conditioning import copies, pieces

WAVES = """
cluster: school
b{1..4} :: binomial(logit)
p1 :: poisson
o1 :: ordinal(logit)
c + e :: class(2)
k :: class(3)
b1 + b2 ~ c
b3 ~ e
p1 ~ k + x
b4 ~ b1 + c@1:e@1
o1 ~ e
e ~ c
k ~ e + x
g1 ~ f
f =~ 1*g2 + 1*g4
f ~ c
f ~~ 0*f
"""


@pytest.mark.parametrize("text", [WAVES, WAVES.replace("f ~~ 0*f", "f ~~ 0*f\nd[school] :: class(2)\nc ~ d\ng3 ~ d")])
def test_pieces_and_whole_configurations_are_one_likelihood(text, units, conditional, monkeypatch):
    monkeypatch.setattr(pieces, "WHOLE", 0)
    frame = units.assign(b1=units.b1.fillna(0.0))
    cut = conditional(text, frame)
    monkeypatch.setattr(
        copies, "pieces_of",
        lambda table, group, conditions, forms, rows: tuple(
            pieces.Piece(c.index, n) for n, c in enumerate(conditions.configurations)
        ),
    )  # fmt: skip
    whole = conditional(text, frame)

    evaluated = [p for p in cut.member._pieces if p.responses is not None]
    assert len(evaluated) == len(cut.member._pieces) < len(whole.member._pieces) * len(cut.member.design.responses) / 4
    one, other = (m.objective.value_and_gradient(m.z) for m in (cut, whole))
    assert one[0] == pytest.approx(other[0], abs=1e-9)
    assert one[1] == pytest.approx(other[1], abs=1e-8)
    scores = [m.objective.value_and_scores(m.z)[1] for m in (cut, whole)]
    np.testing.assert_allclose(*scores, atol=1e-9)


@pytest.mark.parametrize(
    "more",
    ["g1 ~~ g2", "u :: normal\nb1 + b3 ~ u", "x2 :: normal\nk ~ x2\ng1 ~ x2", "b1 ~ m\nm ~ x"],
    ids=["residual covariance", "shared effect", "nodes", "filled in"],
)
def test_what_is_shared_keeps_responses_together(more, units, conditional):
    model = conditional(WAVES + more, units)
    assert all(p.responses is None for p in model.member._pieces)
