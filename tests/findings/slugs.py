"""All slugs of findings that the sources hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "semlang"
CORPUS = ROOT / "tests" / "corpus"
PAGES = ROOT / "docs" / "diagnostics"

_SLUG = re.compile(r"[a-z]+(-[a-z0-9]+)+")
_OTHERS = {"utf-8", "utf-8-sig"}
_MAKERS = {"error", "warning", "note", "warn", "fail", "reject", "blame", "Diagnostic"}


def slugs() -> set[str]:
    """Return every hyphenated word in modules that make findings, and the one slug of a single word."""
    found = {"usage"}
    for path in sorted(PACKAGE.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        if any(isinstance(n, ast.Call) and _name(n) in _MAKERS for n in nodes):
            found |= {n.value for n in nodes if isinstance(n, ast.Constant) and _is_slug(n.value)}
    return found - _OTHERS


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _is_slug(value: object) -> bool:
    return isinstance(value, str) and bool(_SLUG.fullmatch(value))
