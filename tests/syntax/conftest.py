"""What the tests of the syntax share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semlang.source import Source, Span
from semlang.syntax.ast import Statement
from semlang.syntax.parser import parse


def bare(node: Any) -> Any:
    """Return a tree without its spans and defaults, as nested tuples and dicts."""
    if not isinstance(node, tuple):
        return node
    if not hasattr(node, "_fields"):
        return tuple(bare(part) for part in node)
    fields = {}
    for name in node._fields:
        value = getattr(node, name)
        if not isinstance(value, Span) and (name not in node._field_defaults or value != node._field_defaults[name]):
            fields[name] = bare(value)
    return (type(node).__name__, fields)


@pytest.fixture(scope="session", name="bare")
def _bare() -> Callable[[Any], Any]:
    return bare


@pytest.fixture(scope="session")
def read() -> Callable[[str], Statement]:
    """Return a function that reads a text of one statement without findings."""

    def read_one(text: str) -> Statement:
        model, findings = parse(Source(text))
        assert not findings, [f"{f.slug}: {f.message}" for f in findings]
        (statement,) = model.statements
        return statement

    return read_one


@pytest.fixture(scope="session")
def accepts(shared_folder: Path) -> list[dict[str, Any]]:
    """Return the texts that lavaan accepts, with its tables."""
    return _lines(shared_folder / "lavaan" / "accepts.jsonl")


@pytest.fixture(scope="session")
def rejects(shared_folder: Path) -> list[dict[str, Any]]:
    """Return the texts that lavaan rejects."""
    return _lines(shared_folder / "lavaan" / "rejects.jsonl")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
