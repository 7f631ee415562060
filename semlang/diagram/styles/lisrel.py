"""Jöreskog and Sörbom: from the left to the right, errors named."""

from __future__ import annotations

from semlang.diagram.styles.style import Style

LISREL = Style("lisrel", errors=True, direction="right")
