"""Dialects of path diagrams: one module each, and nothing in it but data."""

from __future__ import annotations

from semlang.diagram.styles.gllamm import GLLAMM
from semlang.diagram.styles.lisrel import LISREL
from semlang.diagram.styles.ram import RAM
from semlang.diagram.styles.style import Style

STYLES: dict[str, Style] = {s.name: s for s in (GLLAMM, RAM, LISREL)}
"""All styles by their names."""
