"""Draw a model: place its diagram, and write it or show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semlang.diagnostics import error
from semlang.diagram.beside import beside
from semlang.diagram.content import content
from semlang.diagram.dot import dot_text, write
from semlang.diagram.layout import diagram, group_title
from semlang.diagram.mermaid import mermaid
from semlang.diagram.options import options
from semlang.diagram.spec import DiagramSpec
from semlang.diagram.svg import svg
from semlang.diagram.tikz import tikz
from semlang.errors import SemlangError
from semlang.model.table import ParameterTable


@dataclass(frozen=True)
class Diagram:
    """A path diagram; a notebook shows it.

    Parameters
    ----------
    spec : DiagramSpec
    dpi : int
        Dots per inch of PNG.
    """

    spec: DiagramSpec
    dpi: int = 200

    @property
    def svg(self) -> str:
        """The diagram as the text of an SVG file; Graphviz is not needed."""
        return svg(self.spec)

    @property
    def tikz(self) -> str:
        """The diagram as a LaTeX document with a TikZ picture."""
        return tikz(self.spec)

    @property
    def mermaid(self) -> str:
        """The diagram as a Mermaid flowchart, which is placed by whoever shows it."""
        return mermaid(self.spec)

    @property
    def dot(self) -> str:
        """The diagram as DOT text."""
        return dot_text(self.spec)

    @property
    def layout(self) -> str:
        """The places of the nodes as a ``layout:`` line, which keeps them when it is put into the text."""
        x, y = self.to_json()["origin"]
        left, _, _, top = self.spec.bounds
        named = [n for n in self.spec.nodes if n.shape not in ("point", "triangle") and " | " not in n.key]
        places = [f"at({spelt(n.key)}, {n.x - left + x:.0f}, {top - n.y + y:.0f})" for n in named]
        return "layout: " + ",\n        ".join(places) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return the placed diagram as plain data; see `DiagramSpec.to_json`."""
        return self.spec.to_json()

    def write(self, path: str | Path) -> None:
        """Write to a file: svg, png, pdf, tex, mmd, dot or json by its ending.

        Raises
        ------
        SemlangError
            Where it can't be drawn or written; the file is then as it was.
        """
        wrong = write(self.spec, path, self.dpi)
        if wrong:
            raise SemlangError([wrong])

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<semlang.Diagram: {len(self.spec.nodes)} nodes, {len(self.spec.edges)} arrows>"


def spelt(key: str) -> str:
    """Return a node's name as a text writes it."""
    name, bracket, level = key.removeprefix("covariate ").partition("[")
    return (name if name.isidentifier() else f"`{name}`") + bracket + level


def draw(
    table: ParameterTable,
    path: str | Path | None = None,
    *,
    estimates: Mapping[int, float] | None = None,
    stars: Mapping[int, str] | None = None,
    group: int | str | None = None,
    notes: Mapping[tuple[str, int], str] | None = None,
    against: tuple[ParameterTable, Mapping[int, float] | None] | None = None,
    **chosen: Any,
) -> Diagram:
    """Return the path diagram of a model, and write it where a path is given.

    Parameters
    ----------
    table : ParameterTable
    path : str or Path, optional
        File to write; its ending is svg, png, pdf, tex, mmd, dot or json.
    estimates : mapping from row id to float, optional
    stars : mapping from row id to str, optional
        What stands after an estimate.
    group : int or str, optional
        Number from 1 or label of the group to draw; without it groups stand side by side.
    notes : mapping from (key of a variable, number of its group) to str, optional
        What stands in the second line of its node: R-squared.
    against : (ParameterTable, estimates or None), optional
        Another model, or fit, whose difference to this one is drawn.
    **chosen
        See `semlang.diagram.options.Options`.

    Raises
    ------
    SemlangError
        ``unknown-style``, ``not-a-choice`` (an option, a group), or where the diagram can't be drawn or written.
    """
    given = options(**chosen)
    numbers = list(range(1, len(table.groups) + 1))
    if group is not None:
        if group not in (*numbers, *table.groups):
            words = ", ".join(f"'{g}'" for g in table.groups)
            raise SemlangError([error("not-a-choice", f"group is {group!r}, not one of {words}")])
        numbers = [table.groups.index(group) + 1 if isinstance(group, str) else group]
    specs = []
    for n in numbers:
        other = None
        if against is not None and n <= len(against[0].groups):
            other = content(against[0], against[1], n, given)
        own = {key: said for (key, g), said in (notes or {}).items() if g == n}
        specs.append(diagram(table, estimates, given, n, stars, own, other))
    spec = specs[0] if len(specs) == 1 else beside(specs, [group_title(table, n) for n in numbers])
    out = Diagram(spec, given.dpi)
    if path is not None:
        out.write(path)
    return out
