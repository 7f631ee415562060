"""Read a model text: cut it into statements, parse each, check its shape, list everything that is wrong."""

from __future__ import annotations

import functools
import io
from typing import Any

import lark

from semlang.cache import load, store
from semlang.diagnostics import Diagnostic, Severity
from semlang.source import Source, Span
from semlang.syntax.ast import Comment, Model, Statement
from semlang.syntax.borrowed import borrowed
from semlang.syntax.cover import Node, first_token
from semlang.syntax.cut import MAX_NESTING, Piece, cut, too_large
from semlang.syntax.directive_messages import explain_directive, header_and_formula, unquoted_path
from semlang.syntax.file import MAX_BYTES, too_long
from semlang.syntax.grammar import grammar_text, table_path
from semlang.syntax.messages import explain
from semlang.syntax.operators import join_split, wrong_operator
from semlang.syntax.reading import Reading, Rejected
from semlang.syntax.scan import Token
from semlang.syntax.spelling import misspelt
from semlang.syntax.statements import read_statement

MAX_ERRORS = 500
MAX_TERMS_IN_FILE = 100_000


class _Tree(lark.Transformer):  # type: ignore[type-arg]
    """Builds cover nodes while the parser runs, so that no depth of nesting recurses."""

    base = 0

    def __default__(self, data: Any, children: list[Any], meta: Any) -> Any:
        if data.startswith("_"):
            return lark.Tree(data, children)
        base = self.base
        nodes = [
            c if type(c) is Node else Node(c.type, str(c), (), base + c.start_pos, base + c.end_pos) for c in children
        ]
        if not nodes:
            return Node(str(data), "", (), base, base)
        return Node(str(data), "", nodes, nodes[0].start, nodes[-1].end)


@functools.cache
def _parser() -> tuple[lark.Lark, _Tree]:
    """Return the parser of one statement; its tables come from the cache where there is one."""
    grammar, tree = grammar_text(), _Tree()
    path = table_path(grammar, lark.__version__)
    kept = None if path is None else _from_tables(load(path), tree)
    if kept is not None:
        return kept, tree
    made = lark.Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=["statement", "directive"],
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=tree,
    )
    if path is not None:
        tables = io.BytesIO()
        made.save(tables, ("transformer",))
        store(path, tables.getvalue())
    return made, tree


def _from_tables(tables: bytes | None, tree: _Tree) -> lark.Lark | None:
    """Return the parser of saved tables, or None where this version of lark can't read them."""
    if tables is None:
        return None
    parser: Any = lark.Lark.__new__(lark.Lark)
    try:
        return parser._load(io.BytesIO(tables), transformer=tree)  # type: ignore[no-any-return]
    except Exception:
        return None


def parse(source: Source) -> tuple[Model, tuple[Diagnostic, ...]]:
    """Return the syntax tree of a text and everything that is wrong with it.

    Statements with errors are left out of the tree; what follows them is read as if they were not there.

    Parameters
    ----------
    source : Source

    Returns
    -------
    model : Model
    findings : tuple of Diagnostic
        In the order of the text. The text has a meaning if none of them is an error.

    Examples
    --------
    >>> model, findings = parse(Source("f =~ x1 + 2*x2"))
    >>> model.statements[0].op, findings
    ('=~', ())
    """
    size = len(source.text) if source.text.isascii() else len(source.text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        return Model(source, ()), (too_long(size, source),)
    pieces, tokens = cut(source)
    reading = Reading(source, MAX_TERMS_IN_FILE)
    statements: list[Statement] = []
    broken: list[Span] = []
    errors = 0
    for piece in pieces:
        before = len(reading.findings)
        reading.last = piece is pieces[-1]
        statement = read_piece(reading, piece)
        new = sum(f.severity is Severity.ERROR for f in reading.findings[before:])
        errors += new
        if statement is not None and not new:
            statements.append(statement)
        elif new:
            broken.append(piece.span)
        if errors >= MAX_ERRORS:
            reading.error("too-many-errors", f"{errors} errors: the rest is not read", piece.span)
        if reading.budget < 0 or errors >= MAX_ERRORS:
            broken.append(Span(piece.span.end, len(source.text)))
            break
    if errors:
        from semlang.syntax.foreign import foreign

        other = foreign(source)
        if other is not None:
            return Model(source, (), (), (Span(0, len(source.text)),)), (other,)
    comments = tuple(Comment(t.text, Span(t.start, t.end)) for t in tokens if t.kind == "comment")
    return Model(source, tuple(statements), comments, tuple(broken)), tuple(sorted(reading.findings, key=_place))


def read_piece(reading: Reading, piece: Piece) -> Statement | None:
    """Return the statement of a piece, or None; what is wrong is added to the findings."""
    source = reading.source
    reading.findings += piece.findings
    if piece.findings:
        return None
    if (large := too_large(source, piece.tokens)) is not None:
        reading.findings.append(large)
        return None
    wrong = unquoted_path(source, piece.tokens) if piece.is_directive else header_and_formula(source, piece.tokens)
    other = None if wrong or piece.is_directive else borrowed(source, piece.tokens)
    wrong = [other] if other is not None else wrong or misspelt(source, piece.tokens)
    if not wrong and not piece.is_directive:
        piece.tokens, warnings = join_split(source, piece.tokens)
        reading.findings += warnings
        finding = wrong_operator(source, piece.tokens)
        wrong = [finding] if finding is not None else []
    if wrong:
        reading.findings += wrong
        return None
    try:
        return read_statement(reading, _tree(reading, piece))
    except Rejected as rejected:
        reading.findings.append(rejected.finding)
        return None


def _tree(reading: Reading, piece: Piece) -> Node:
    """Return the cover tree of a piece or reject it."""
    parser, tree = _parser()
    tokens = piece.tokens
    tree.base = tokens[0].start
    start = "directive" if piece.is_directive else "statement"
    try:
        node: Any = parser.parse(_text(tokens), start=start)
    except lark.UnexpectedInput as failure:
        at = _failing(tokens, failure)
        say = explain_directive if piece.is_directive else explain
        raise Rejected(say(reading.source, tokens, at)) from None
    assert isinstance(node, Node)
    if node.depth > 4 * MAX_NESTING:
        raise reading.reject(
            "too-deep",
            "the expression is nested too deeply",
            first_token(node),
            label="signs and brackets within each other",
            help="name a part of it with ':=' and use the name",
        )
    return node


def _text(tokens: list[Token]) -> str:
    """Return the text of the tokens, with spaces for comments and newlines, so that offsets stay."""
    base, parts = tokens[0].start, []
    for token in tokens:
        parts.append(" " * (token.start - base))
        parts.append(token.text)
        base = token.start + len(token.text)
    return "".join(parts)


def _failing(tokens: list[Token], failure: lark.UnexpectedInput) -> int:
    """Return the index of the token at which the parser stopped; their number at the end."""
    position: int | None = failure.pos_in_stream
    if position is None or (isinstance(failure, lark.UnexpectedToken) and failure.token.type == "$END"):
        return len(tokens)
    offset = tokens[0].start + position
    return next((i for i, t in enumerate(tokens) if t.start <= offset < t.end), len(tokens))


def _place(finding: Diagnostic) -> int:
    return finding.span.start if finding.span else 0
