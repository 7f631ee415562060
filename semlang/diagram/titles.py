"""The parts of a diagram in words: what a screen reader says, and what a pointer over them shows."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.diagram.spec import Edge, Node
from semlang.model.table import ROWS, ParameterTable, Row, Variable


def of_variable(v: Variable, table: ParameterTable) -> str:
    """Return what a variable is: "visual, a latent variable".

    Parameters
    ----------
    v : Variable
    table : ParameterTable
    """
    over = f" of {v.level}" if v.level != ROWS else ""
    if v.role == "component":
        return f"{v.name}, the part that varies over {v.level}"
    if v.kind.name == "class":
        return f"{v.name}, a latent class variable{over} with {v.arguments.get('classes', 'several')} classes"
    if v.kind.name == "masspoints":
        return f"{v.name}, a latent variable{over} with {v.arguments.get('classes', 'several')} mass points"
    if v.role == "response":
        link = f", {v.link} link" if v.link and v.link != "identity" else ""
        return f"{v.name}, {_a(v.kind.name)} response{over}{link}"
    return f"{v.name}, a latent variable{over}" if v.measured else f"{v.name}, a random effect{over}"


def of_edge(row: Row, table: ParameterTable) -> str:
    """Return what a row of the table says: "x2 measures visual, free, label a".

    Parameters
    ----------
    row : Row
    table : ParameterTable
    """
    match row.op:
        case "=~":
            said = f"{row.rhs} measures {row.lhs}"
        case "~~" if row.lhs == row.rhs:
            caused = any(r.op in ("~", "=~") and r.target == row.target and (r.source or r.via) for r in table.rows)
            said = f"{'residual variance' if caused else 'variance'} of {row.lhs}"
        case "~~":
            said = f"covariance of {row.lhs} and {row.rhs}"
        case "~1":
            said = f"mean of {row.lhs}" + (f" in class {row.klass} of {row.class_variable}" if row.klass else "")
        case "<~":
            said = f"{row.rhs} is a part of {row.lhs}"
        case _:
            said = f"{row.lhs} on {row.rhs}"
    if row.parameter < 0:
        return said + (f", fixed at {row.ustart:g}" if row.ustart is not None else ", fixed")
    return said + (f", label {row.label}" if row.label else ", free")


def describe(table: ParameterTable, nodes: Sequence[Node], edges: Sequence[Edge]) -> str:
    """Return a diagram in words, for its description.

    Parameters
    ----------
    table : ParameterTable
    nodes : sequence of Node
    edges : sequence of Edge
    """
    latent = [n.title for n in nodes if n.shape in ("ellipse", "octagon")]
    observed = [n.label for n in nodes if n.shape == "box"]
    paths = [e.title for e in edges if e.source and e.title]
    parts = []
    if latent:
        parts.append("Latent: " + "; ".join(latent) + ".")
    if observed:
        parts.append("Observed: " + ", ".join(observed) + ".")
    if paths:
        parts.append("Paths and covariances: " + "; ".join(paths) + ".")
    if table.clusters:
        parts.append("Levels: " + ", ".join(table.levels) + ".")
    return " ".join(parts)


def _a(word: str) -> str:
    """Return a word with its article."""
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"
