"""McArdle and McDonald's reticular action model: loops for variances, triangles for means."""

from __future__ import annotations

from semlang.diagram.styles.style import Style

RAM = Style("ram", loops=True)
