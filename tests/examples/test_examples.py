"""Every example runs and gives the log-likelihood that its README states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import semlang as sl

FOLDER = Path(__file__).parents[2] / "examples"
MODELS = sorted(FOLDER.glob("*/*.sem"))


def published(folder: Path, model: str) -> float:
    """Return the reference log-likelihood in the last column of the README's table."""
    lines = [line for line in (folder / "README.md").read_text().splitlines() if "log-likelihood" in line]
    if model == "rasch.sem":
        lines = [line for line in lines if "Rasch" in line]
    lines = [line for line in lines if "Laplace" not in line]
    lines = [line for line in lines if model in line] or lines
    return float(re.findall(r"-\d+\.\d+", lines[0])[-1])


def test_there_are_examples() -> None:
    assert len({m.parent for m in MODELS}) >= 7


@pytest.mark.parametrize("path", MODELS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_example(path: Path) -> None:
    fit = sl.read_model(path).fit()

    assert fit.converged
    # The READMEs print two or three decimals.
    expected = published(path.parent, path.name)
    digits = 2 if path.parent.name == "guatemala" else 3
    tolerance = {2: 0.02, 3: 0.0015}[digits]
    assert fit.loglik == pytest.approx(expected, abs=tolerance)
