"""The pages of findings: in an installed package, or in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def folder() -> Path | None:
    """Return the folder of the pages, or None where they are not installed."""
    for path in (_PACKAGE / "diagnostics_pages", _PACKAGE.parent / "docs" / "diagnostics"):
        if path.is_dir():
            return path
    return None


def known() -> list[str]:
    """Return the slugs that have a page."""
    where = folder()
    return [] if where is None else sorted(p.stem for p in where.glob("*.md") if p.stem != "README")


def page(slug: str) -> str | None:
    """Return the page of a slug as Markdown, or None where there is none."""
    where = folder()
    return (where / f"{slug}.md").read_text(encoding="utf-8") if where is not None and slug in known() else None
