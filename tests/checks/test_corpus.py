"""Every finding of the checks has texts that show it, and near misses that do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semlang.api import Model
from semlang.checks.run import estimable, run_checks
from semlang.diagnostics import Diagnostic, Severity, render
from semlang.graph import build_graphs
from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse

ROOT = Path(__file__).parents[1] / "corpus"
CHECKS = Path(__file__).parents[2] / "semlang" / "checks"


ELSEWHERE = {"empty-model", "nothing-free"}
"""Findings of an analysis or a fit, not of these checks; tests/findings has their cases."""


def slugs() -> list[str]:
    """All slugs in the sources of the checks."""
    found: set[str] = set()
    for path in CHECKS.glob("*.py"):
        found.update(re.findall(r'(?:error|warning|note)\(\s*"([a-z-]+)"', path.read_text(encoding="utf-8")))
    return sorted(found - ELSEWHERE)


def findings(path: Path) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    source = Source(path.read_text(encoding="utf-8"), path.name)
    data = path.with_suffix(".csv")
    if data.is_file():  # a check of the data
        return tuple(Model(source).check(data)), ()
    model, syntax = parse(source)
    n_groups = 2 if "c(" in source.text else None
    table, more = elaborate(model, n_groups=n_groups).answer
    assert table is not None, [render(d) for d in (*syntax, *more)]
    graphs = build_graphs(table)
    found = run_checks(table, graphs)
    return (*syntax, *more, *found), estimable(table, graphs)


def files(kind: str) -> list[Path]:
    return [p for slug in slugs() for p in sorted((ROOT / kind / slug).glob("*.sem"))]


def test_there_are_slugs() -> None:
    assert {"cyclic-paths", "downward-path", "unscaled-latent", "not-identified"} <= set(slugs())


@pytest.mark.parametrize("slug", slugs())
@pytest.mark.parametrize("kind", ["bad", "good"])
def test_every_finding_has_cases(slug: str, kind: str) -> None:
    assert list((ROOT / kind / slug).glob("*.sem"))


@pytest.mark.parametrize("path", files("bad"), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_bad(path: Path) -> None:
    """The finding is there, says where, and is the only one that is more than a note."""
    slug = path.parent.name
    found, impossible = findings(path)
    own = [d for d in (*impossible, *found) if d.slug == slug]
    assert own
    for d in own:
        assert d.source is not None
        assert d.span is not None or slug in ("identified-only-if", "identification-undetermined")
        assert render(d)
    serious = [d for d in found if d.severity is not Severity.NOTE]
    if slug != "not-estimable":
        assert {d.slug for d in serious} <= {slug}
        assert len(serious) <= 1
    else:
        assert not any(d.is_error for d in found)
        assert all(d.is_error for d in impossible)
        assert len(impossible) == 1


@pytest.mark.parametrize("path", files("good"), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_near_miss(path: Path) -> None:
    found, impossible = findings(path)
    assert path.parent.name not in {d.slug for d in (*found, *impossible)}
    assert not [render(d) for d in found if d.is_error]
