"""Draw a model: place its diagram, and write it or show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semlang.diagnostics import error
from semlang.diagram.dot import dot_text, write
from semlang.diagram.layout import diagram
from semlang.diagram.spec import DiagramSpec
from semlang.diagram.svg import svg
from semlang.errors import SemlangError
from semlang.model.nearest import did_you_mean
from semlang.model.table import ParameterTable

STYLES = ("gllamm",)


@dataclass(frozen=True)
class Diagram:
    """A path diagram; a notebook shows it.

    Parameters
    ----------
    spec : DiagramSpec
    """

    spec: DiagramSpec

    @property
    def svg(self) -> str:
        """The diagram as the text of an SVG file; Graphviz is not needed."""
        return svg(self.spec)

    def to_json(self) -> dict[str, Any]:
        """Return the placed diagram as plain data; see `DiagramSpec.to_json`."""
        return self.spec.to_json()

    @property
    def dot(self) -> str:
        """The diagram as DOT text."""
        return dot_text(self.spec)

    def write(self, path: str | Path) -> None:
        """Write to a file: svg, png, pdf, dot or json by its ending.

        Raises
        ------
        SemlangError
            Where it can't be drawn or written; the file is then as it was.
        """
        wrong = write(self.spec, path)
        if wrong:
            raise SemlangError([wrong])

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<semlang.Diagram: {len(self.spec.nodes)} nodes, {len(self.spec.edges)} arrows>"


def draw(
    table: ParameterTable,
    path: str | Path | None = None,
    *,
    estimates: Mapping[int, float] | None = None,
    style: str = "gllamm",
    group: int = 1,
) -> Diagram:
    """Return the path diagram of a model, and write it where a path is given.

    Parameters
    ----------
    table : ParameterTable
    path : str or Path, optional
        File to write; its ending is svg, png, pdf, dot or json.
    estimates : mapping from row id to float, optional
    style : {'gllamm'}
    group : int
        Number of the group, from 1.

    Raises
    ------
    SemlangError
        Where the style is unknown, or the diagram can't be drawn or written.
    """
    if style not in STYLES:
        raise SemlangError(
            [
                error(
                    "unknown-style",
                    f"there is no style '{style}' yet",
                    help=(*did_you_mean(style, STYLES), f"one of {', '.join(STYLES)}"),
                )
            ]
        )
    out = Diagram(diagram(table, estimates, style, group))
    if path is not None:
        out.write(path)
    return out
