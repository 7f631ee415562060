"""Whatever a text holds, ``Model(text)`` gives a model or findings; small texts are answered at once."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from semlang.api import Model
from semlang.diagnostics import Diagnostic, render
from semlang.errors import SemlangError

from .mutation import corpus, mutants

SECONDS = 0.05
SECONDS_A_ROW = 50e-6
"""Ranges make large tables of small texts: ``y{1..30} ~ x{1..220}`` has 7,000 rows."""


def findings(text: str) -> tuple[Diagnostic, ...]:
    """Return what is said about a text; nothing but SemlangError may be raised."""
    try:
        return Model(text).findings
    except SemlangError as problem:
        found = problem.diagnostics
    assert any(d.is_error for d in found)
    return found


def check(text: str) -> None:
    """Assert that each finding about a text can be shown, and that its spot is inside the text."""
    for finding in findings(text):
        render(finding)
        json.dumps(finding.to_json())
        if finding.span is not None and text:
            assert 0 <= finding.span.start <= finding.span.end <= len(text), finding


def shared() -> Path | None:
    """Return the folder of reference results, where it is there."""
    folder = Path(os.environ.get("SEMLANG_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    return folder if folder.is_dir() else None


def fails(text: str) -> str:
    """Return what went wrong with a text, or nothing."""
    try:
        check(text)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return ""


def slow(text: str) -> float:
    """Return the processor time of a text if it is over the limit, at the best of five tries, else 0."""
    limit = SECONDS + SECONDS_A_ROW * rows(text)
    best = 1.0
    for _ in range(5):
        start = time.process_time()
        findings(text)
        best = min(best, time.process_time() - start)
        if best < limit:
            return 0.0
    return best


def rows(text: str) -> int:
    """Return the number of rows of a text's table, 0 where it has none."""
    try:
        return len(Model(text).parameter_table.rows)
    except SemlangError:
        return 0


def test_mutants_raise_nothing_but_findings() -> None:
    wrong = {text: why for text in mutants(corpus(), 2_000, seed=1) if (why := fails(text))}

    assert not wrong


@pytest.mark.slow
def test_many_mutants_raise_nothing_but_findings_and_are_quick() -> None:
    wrong: dict[str, str] = {}
    for text in mutants(corpus(shared()), int(os.environ.get("SEMLANG_FUZZ", 200_000)), seed=2):
        start = time.process_time()
        if why := fails(text):
            wrong[text] = why
        elif time.process_time() - start > SECONDS and (seconds := slow(text)):
            wrong[text] = f"{seconds:.3f} s"

    assert not wrong
