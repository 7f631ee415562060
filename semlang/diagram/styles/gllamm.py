"""Rabe-Hesketh, Skrondal and Pickles: frames for levels, short arrows for residuals, random slopes onto paths."""

from __future__ import annotations

from semlang.diagram.styles.style import Style

GLLAMM = Style("gllamm")
