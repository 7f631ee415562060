"""The files of the built page and of the gallery."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from semlang.page.exercise import LESSONS

BUILT = Path(__file__).resolve().parent / "web" / "built"
GALLERY = Path(__file__).resolve().parent / "gallery"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
    ".whl": "application/zip",
}


def gallery() -> list[dict[str, Any]]:
    """Return the models of the gallery: ``name, title, topic, about, text, data``, in the order of its list."""
    listed = json.loads((GALLERY / "gallery.json").read_text(encoding="utf-8"))
    return [m | {"text": (GALLERY / f"{m['name']}.sem").read_text(encoding="utf-8")} for m in listed]


@cache
def page_files() -> dict[str, bytes]:
    """Return the page's files by path: what npm built, and the gallery with its data."""
    found = {p.name: p.read_bytes() for p in sorted(BUILT.iterdir())}
    found |= {f"gallery/{p.name}": p.read_bytes() for p in sorted(GALLERY.glob("*.csv"))}
    found["lessons.json"] = LESSONS.read_bytes()
    return found | {"gallery.json": json.dumps(gallery(), ensure_ascii=False).encode()}
