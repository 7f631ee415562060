"""The TextMate grammar: VS Code, Sublime Text, JetBrains, GitHub."""

from __future__ import annotations

import json
import re
from typing import Any

from semlang.editors.tokens import UNICODE, Rule, rules, sign, signs

SCOPES = {
    "comment": "comment.line.semlang",
    "string": "string.quoted.semlang",
    "quoted": "variable.other.quoted.semlang",
    "range": "variable.other.range.semlang",
    "number": "constant.numeric.semlang",
    "constant": "constant.language.semlang",
    "key": "keyword.control.semlang",
    "function": "entity.name.function.semlang",
    "kind": "support.type.semlang",
    "label": "entity.name.label.semlang",
    "name": "variable.other.semlang",
    "operator": "keyword.operator.relation.semlang",
    "sign": "keyword.operator.semlang",
    "bracket": "punctuation.section.brackets.semlang",
    "separator": "punctuation.separator.semlang",
    "invalid": "invalid.illegal.semlang",
}
"""The scope of each class; spaces have none."""


def textmate() -> dict[str, Any]:
    """Return the grammar as a dictionary."""
    patterns = [p for rule in rules(UNICODE) if rule.classes != ("space",) for p in _patterns(rule)]
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "semlang",
        "scopeName": "source.semlang",
        "fileTypes": ["sem"],
        "patterns": patterns,
    }


def textmate_text() -> str:
    """Return the grammar as the text of its file."""
    return json.dumps(textmate(), indent=2, ensure_ascii=True) + "\n"


def _patterns(rule: Rule) -> list[dict[str, Any]]:
    pattern = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), rule.pattern)
    if not rule.start:
        return [_pattern(pattern, rule.classes)]
    gap = f"[{signs(' ')}]*"
    return [
        _pattern(f"^({gap}){pattern}", ("space", *rule.classes)),
        _pattern(f"({sign(';')})({gap}){pattern}", ("separator", "space", *rule.classes)),
    ]


def _pattern(match: str, classes: tuple[str, ...]) -> dict[str, Any]:
    if len(classes) == 1:
        return {"match": match, "name": SCOPES[classes[0]]}
    captures = {str(i): {"name": SCOPES[c]} for i, c in enumerate(classes, 1) if c in SCOPES}
    return {"match": match, "captures": captures}
