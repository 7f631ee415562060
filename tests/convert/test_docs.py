"""Every model in the documentation is read without an error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semlang.api import Model

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = [
    pytest.param(match[1], id=f"{path.name}:{path.read_text(encoding='utf-8')[: match.start()].count(chr(10)) + 1}")
    for path in sorted(DOCS.glob("*.md"))
    for match in re.finditer(r"^```semlang\n(.*?)^```", path.read_text(encoding="utf-8"), re.S | re.M)
]


def test_there_are_models() -> None:
    assert len(BLOCKS) >= 30


@pytest.mark.parametrize("text", BLOCKS)
def test_model_is_read(text: str, request: pytest.FixtureRequest) -> None:
    model = Model(text)

    assert model.parameter_table.rows
    if "[identification.md" in request.node.name:
        return  # that page shows models that are not identified
    # The engine may lack something; the language may not, and no model of the other pages is a mistake.
    wrong = [d for d in model.check() if d.is_error and d.slug != "not-estimable"]
    assert wrong == []
