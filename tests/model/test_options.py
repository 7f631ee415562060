"""Options: one table, nothing ignored.

``python tests/model/test_options.py`` writes docs/options.md.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import pytest

from semlang.api import Model
from semlang.errors import ModelError
from semlang.model.option_table import ELSEWHERE, OPTIONS, Option, page

F3 = "f =~ x1 + x2 + x3\n"
PAGE = Path(__file__).parents[2] / "docs" / "options.md"


def found(text: str, **options: Any) -> list[tuple[str, str]]:
    """Return slug and severity of what is said of options."""
    try:
        findings = Model(text, **options).findings
    except ModelError as problem:
        findings = tuple(problem.diagnostics)
    return [(d.slug, d.severity.value) for d in findings]


def wrong(option: Option) -> str:
    """Return what no option of the kind can be."""
    return {"words": "[foo]", "texts": "7"}.get(option.kind, "foo")


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda o: o.name)
def test_no_wrong_value_is_ignored(option: Option) -> None:
    errors = [slug for slug, level in found(f"options: {option.name} = {wrong(option)}\n{F3}") if level == "error"]
    assert len(errors) == 1
    assert errors[0] in ("unknown-option", "bad-option-value", "unknown-defaults")


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda o: o.name)
def test_examples_can_be_typed(option: Option) -> None:
    if option.kind != "mapping":
        assert "error" not in [level for _, level in found(f"options: {option.name} = {option.example}\n{F3}")]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_said_otherwise_is_shown(name: str) -> None:
    with pytest.raises(ModelError) as problem:
        Model(f"options: {name} = g\n{F3}")
    assert problem.value.diagnostics[0].help[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("options: meanstructure = false", ("option-without-effect", "warning")),
        ("options: auto.delta = false", ("option-without-effect", "warning")),
        ("options: group.equal = loadings", ("option-without-effect", "warning")),
        ("options: rotation = varimax", ("option-without-effect", "warning")),
        ("options: points = 7\noptions: points = 9", ("directive-twice", "warning")),
        ('groups: g\noptions: group.equal = [loadings], group.partial = ["f =~ x9"]', ("bad-option-value", "error")),
        ('groups: g\noptions: group.partial = ["f =~ x2"]', ("option-without-effect", "warning")),
    ],
)
def test_what_applies_to_nothing_is_said(text: str, expected: tuple[str, str]) -> None:
    assert found(f"{text}\n{F3}") == [expected]


def test_spellings_mean_one_thing() -> None:
    """Letters and 0/1 do not matter: nothing is accepted that is then not found."""
    text = "f =~ x1 + x2 + x3 + x4"
    plain = Model(text, n_groups=2, group_equal=["loadings"], std_lv=True).table
    other = Model(text, n_groups=2, group_equal="LOADINGS", std_lv=1).table
    assert plain.equals(other)


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python tests/model/test_options.py"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
