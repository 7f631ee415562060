"""Every finding has a page, a case that shows it and, where there is a remedy, a near miss that passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semlang.diagnostics import render

from . import pages
from .slugs import CORPUS, PAGES, ROOT, slugs

SLUGS = sorted(slugs())
CASES = sorted(CORPUS.glob("bad/*/*.sem"))
NEAR_MISSES = sorted(CORPUS.glob("good/*/*.sem"))
PAGE_FILES = sorted(p for p in PAGES.glob("*.md") if p.name != "README.md")

FOLLOW = {"not-identified", "not-estimable", "no-standard-errors", "missing-operator"}
"""Findings that may follow from others: a covariate that does not vary leaves its effect open."""


@pytest.fixture(scope="module")
def tests_text() -> str:
    """Return the text of all tests."""
    return "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "tests").rglob("test_*.py"))


def test_there_are_many() -> None:
    assert len(SLUGS) > 150


@pytest.mark.parametrize("slug", SLUGS)
def test_every_slug_has_a_page_and_a_case(slug: str, tests_text: str) -> None:
    assert (PAGES / f"{slug}.md").is_file()
    assert list((CORPUS / "bad" / slug).glob("*.sem")) or f'"{slug}"' in tests_text


@pytest.mark.parametrize("path", PAGE_FILES, ids=lambda p: p.stem)
def test_page(path: Path) -> None:
    """A page says what, why and what instead, and shows what the program shows."""
    text = path.read_text(encoding="utf-8")
    level, what = pages.summary(text)
    assert path.stem in SLUGS
    assert text.startswith(f"# {path.stem}\n")
    assert level in ("error", "warning", "note")
    assert what.endswith(".")
    assert re.search(r"\n## Example\n.*```.*\n## Instead\n\n\S", text, re.DOTALL)
    assert f"[{path.stem}]" in text or "```text" in text
    assert text == pages.page(path.stem, text), "write the pages again: python tests/findings/pages.py"


def test_index() -> None:
    assert (PAGES / "README.md").read_text(encoding="utf-8") == pages.index()


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_bad(path: Path) -> None:
    """The finding is there, and no other error is."""
    slug = path.parent.name
    data = path.with_suffix(".csv")
    found = pages.findings(
        path.read_text(encoding="utf-8"),
        data.read_text(encoding="utf-8") if data.is_file() else None,
        fit=slug in pages.FITTED,
    )
    assert slug in SLUGS
    assert slug in {d.slug for d in found}
    assert {d.slug for d in found if d.is_error} <= {slug} | FOLLOW, [render(d) for d in found]


@pytest.mark.parametrize("path", NEAR_MISSES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_near_miss(path: Path) -> None:
    data = path.with_suffix(".csv")
    found = pages.findings(
        path.read_text(encoding="utf-8"), data.read_text(encoding="utf-8") if data.is_file() else None
    )
    assert not [render(d) for d in found if d.is_error or d.slug == path.parent.name]
