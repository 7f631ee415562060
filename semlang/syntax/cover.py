"""The cover tree: what the grammar alone says of a statement, before its shape is checked."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.source import Span


class Node:
    """A token (`kind` is its terminal) or a rule of the grammar with all its tokens (`kind` is the rule).

    Attributes
    ----------
    kind : str
    text : str
        The text of a token, empty for a rule.
    children : sequence of Node
    start, end : int
        Offsets in the source.
    depth : int
        Height of the tree below.
    """

    __slots__ = ("children", "depth", "end", "kind", "start", "text")

    def __init__(self, kind: str, text: str, children: Sequence[Node], start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.children = children
        self.start = start
        self.end = end
        self.depth: int = 1 + max((c.depth for c in children), default=0)

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)

    @property
    def name(self) -> str:
        """The name that a NAME, FUNCTION, QUOTED or STRING says, without its quotes."""
        return self.text[1:-1] if self.kind in ("QUOTED", "STRING") else self.text

    def __repr__(self) -> str:
        inside = " ".join(map(repr, self.children))
        return f"({self.kind} {inside})" if self.children else self.text


def leaves(node: Node) -> list[Node]:
    """Return the tokens of a tree in order."""
    found: list[Node] = []
    waiting = [node]
    while waiting:
        top = waiting.pop()
        if top.children:
            waiting.extend(reversed(top.children))
        elif top.text:
            found.append(top)
    return found


def text_of(node: Node) -> str:
    """Return a tree as text: its tokens, with one space where the source has any."""
    parts: list[str] = []
    end = node.start
    for leaf in leaves(node):
        parts.append(" " if leaf.start > end else "")
        parts.append(leaf.text)
        end = leaf.end
    return "".join(parts)


def compact(node: Node) -> str:
    """Return a tree as text without spaces and stray plus signs, as lavaan prints expressions."""
    parts: list[str] = []
    before = "+"
    for leaf in leaves(node):
        if leaf.text != "+" or before not in ("+", "(", ","):
            parts.append(leaf.text)
        before = leaf.text
    return "".join(parts)


def first_token(node: Node) -> Span:
    """Return the span of the first token of a tree: the spot for a finding on all of it."""
    while node.children:
        node = node.children[0]
    return node.span
