"""The files for other editors are what the table of tokens makes."""

from __future__ import annotations

from semlang.editors.codemirror import STYLES
from semlang.editors.generate import files
from semlang.editors.pygments_lexer import TOKENS
from semlang.editors.textmate import SCOPES
from semlang.editors.tokens import CLASSES, UNICODE, rules


def test_files_are_up_to_date() -> None:
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"run  python -m semlang.editors.generate  ({path.name})"


def test_every_class_has_a_colour_everywhere() -> None:
    assert set(TOKENS) == set(STYLES) == {*SCOPES, "space"} == set(CLASSES)
    assert {c for rule in rules(UNICODE) for c in rule.classes} == set(CLASSES)
