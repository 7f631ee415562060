"""Turn the cover tree of a statement into the statement that it says."""

from __future__ import annotations

from collections.abc import Callable

from semlang.syntax.ast import Statement
from semlang.syntax.cover import Node, first_token, leaves
from semlang.syntax.declarations import read_declaration, read_directive
from semlang.syntax.expressions import read_constraint, read_definition
from semlang.syntax.formulas import read_formula, read_thresholds
from semlang.syntax.reading import Reading

_READERS: dict[str, Callable[[Reading, Node], Statement | None]] = {
    "formula": read_formula,
    "thresholds": read_thresholds,
    "declaration": read_declaration,
    "definition": read_definition,
    "constraint": read_constraint,
    "directive": read_directive,
}


def read_statement(reading: Reading, node: Node) -> Statement | None:
    """Return the statement of a cover tree, or None where findings say what is wrong."""
    if node.kind in _READERS:
        return _READERS[node.kind](reading, node)
    inside = node.children[0]
    notes = []
    if reading.source.text[node.end :].lstrip(" \t").startswith("!="):
        notes.append("'!' begins a comment; '!=' is no operator")
    if any(leaf.kind in ("BAR", "DOUBLEBAR") for leaf in leaves(inside)):
        notes.append("random effects are a term on the right of '~'")
    raise reading.reject(
        "missing-operator",
        "the statement has no operator",
        first_token(node),
        label="says nothing of itself",
        notes=notes,
        help="a statement reads 'f =~ x1 + x2', 'y ~ x', 'a ~~ b', 'p := a*b' or 'y :: binomial(logit)'",
    )
