"""How large nodes are."""

from __future__ import annotations

from dataclasses import replace

from semlang.diagram.letters import width
from semlang.diagram.spec import NAME, SMALL, Node


def sized(node: Node, slim: bool = False) -> Node:
    """Return a node with the size that its words need.

    Parameters
    ----------
    node : Node
    slim : bool
        Whether boxes are as low as their words allow: many indicators stand one below the other.
    """
    if node.shape == "point":
        return replace(node, width=5.0, height=5.0)
    if node.shape == "triangle":
        return replace(node, width=30.0, height=28.0)
    lines = node.label.split("\n")
    words = max(*(width(x, NAME) for x in lines), width(node.note, SMALL))
    words += 2 * width(node.superscript, SMALL) if node.shape != "box" else 0
    more = NAME * 1.15 * (len(lines) - 1)
    if node.shape == "box":
        low = 18.0 if slim else 26.0
        return replace(node, width=max(36.0, words + 10), height=max(low, 28.0 if node.note else low) + more)
    return replace(node, width=max(46.0, words + 22), height=(46.0 if words < 60 else 42.0) + more)
