"""The certificate for simple structure never contradicts the rank."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import semlang as sl
from semlang.checks.identification import identify
from semlang.checks.simple_structure import simple_structure

YES = (
    "f =~ a + b + c\ng =~ d + e + h",
    "f =~ NA*a + b + c\nf ~~ 1*f",
    "options: orthogonal = true\nf =~ a + b + c\ng =~ d + e + h",
)
NO = (
    "f =~ a + b + c\ng =~ d + e",
    "f =~ a + b + c + d\na ~~ b",
    "f =~ NA*a + b + c",
    "f =~ a + b + c\ng =~ c + d + e",
    "f =~ a + b + c\nf ~ NA*1",
    "f =~ a + l*b + l*c",
    "a :: binomial(logit)\nf =~ a + b + c",
    "f =~ a + b + c\nf ~ x",
)


@pytest.mark.parametrize("text", YES)
def test_settled(text: str) -> None:
    model = sl.Model(text)

    assert simple_structure(model.parameter_table, model.graphs)
    assert identify(model.parameter_table, model.graphs).verdict == "identified"


@pytest.mark.parametrize("text", NO)
def test_left_to_the_rank(text: str) -> None:
    model = sl.Model(text)

    assert not simple_structure(model.parameter_table, model.graphs)


def test_random_factor_models() -> None:
    rng = np.random.default_rng(5)
    settled = 0
    for _ in range(150):
        names = itertools.count()
        lines = []
        for f in range(int(rng.integers(1, 4))):
            items = [f"y{next(names)}" for _ in range(int(rng.integers(2, 5)))]
            marker = rng.choice(["", "NA*", "1*"])
            lines.append(f"f{f} =~ {marker}{' + '.join(items)}")
            if rng.random() < 0.3:
                lines.append(f"f{f} ~~ 1*f{f}")
        if rng.random() < 0.2:
            lines.append("y0 ~~ y1")
        model = sl.Model("\n".join(lines))
        if any(d.is_error and d.slug != "not-identified" for d in model.check()):
            continue
        if simple_structure(model.parameter_table, model.graphs):
            settled += 1
            assert identify(model.parameter_table, model.graphs).verdict == "identified", lines

    assert settled > 20
