"""Operators that are none: arrows, ``=-``, ``~=``, ``=``, ``%in%``; and operators with a space inside.

A run of signs without a space between them must be an operator of the language, perhaps followed by a sign.
"""

from __future__ import annotations

from collections.abc import Sequence

from semlang.diagnostics import Diagnostic, Edit, error, warning
from semlang.source import Source, Span
from semlang.syntax.scan import Token

_SPLIT = {
    ("=", "~"): ("relation", "=~"),
    ("~", "~"): ("relation", "~~"),
    ("<", "~"): ("relation", "<~"),
    (":", "="): ("defines", ":="),
    (":", ":"): ("declares", "::"),
    (":", "~"): ("defines", ":~"),
    ("=", "="): ("compares", "=="),
    ("<", "="): ("compares", "<="),
    (">", "="): ("compares", ">="),
}
_LEGAL = frozenset({"=~", "~~", "~*~", "<~", "|~", "~", ":=", ":~", "::", "==", "<=", ">=", "<", ">", "|", "||"})
_SIGNS = frozenset("=~<>:|*%^/?+-")
_TELLING = frozenset("=~<>|%")

_MEANINGS = "'=~' (is measured by), '~' (is regressed on), '~~' (covaries with), ':=' (defines), '==' (equals)"
_WRONG: dict[str, tuple[str, str, str, str | None]] = {
    # run: slug, what is wrong, what to type, replacement where there is one meaning
    "<-": ("arrow-operator", "'<-' is no operator", "write '~' (is regressed on); for a bound write 'a < -1'", None),
    "->": (
        "arrow-operator",
        "'->' is no operator",
        "write 'f =~ x' (f is measured by x) or 'y ~ x' (x acts on y)",
        None,
    ),
    "<->": ("arrow-operator", "'<->' is no operator", "write '~~' (covaries with)", "~~"),
    "<-->": ("arrow-operator", "'<-->' is no operator", "write '~~' (covaries with)", "~~"),
    "-->": ("arrow-operator", "'-->' is no operator", "write 'f =~ x' (f is measured by x) or 'y ~ x'", None),
    "==~": ("equals-tilde", "'==~' is no operator", "write '=~' (is measured by) or '==' (equals)", None),
    "=-": ("unknown-operator", "no operator is called '=-'", "write '=~' (is measured by)", "=~"),
    "~=": ("unknown-operator", "no operator is called '~='", "write '=~' (is measured by)", "=~"),
    "=~~": ("unknown-operator", "no operator is called '=~~'", "write '=~' (is measured by) or '~~'", None),
    "=": ("single-equals", "'=' is no operator", f"write {_MEANINGS}", None),
    "=>": ("unknown-operator", "no operator is called '=>'", "write '>=' (at least)", None),
    "=<": ("unknown-operator", "no operator is called '=<'", "write '<=' (at most)", None),
    "===": ("unknown-operator", "no operator is called '==='", "write '==' (equals)", "=="),
    "~~~": ("unknown-operator", "no operator is called '~~~'", "write '~~' (covaries with)", "~~"),
    ":==": ("unknown-operator", "no operator is called ':=='", "write ':=' (defines)", ":="),
    "**": ("unknown-operator", "no operator is called '**'", "write 'x^2' for a power", "^"),
    "++": ("double-plus", "'++' joins no terms", "write a single '+'", "+"),
}


def join_split(source: Source, tokens: Sequence[Token]) -> tuple[list[Token], list[Diagnostic]]:
    """Return the tokens with ``= ~`` read as ``=~``, as lavaan does, and a warning for each."""
    joined: list[Token] = []
    findings: list[Diagnostic] = []
    depth = 0
    for token in tokens:
        depth += (token.kind == "open") - (token.kind == "close")
        last = joined[-1] if joined else None
        found = _SPLIT.get((last.text, token.text)) if last and depth == 0 else None
        gap = source.text[last.end : token.start] if last else ""
        if last and found and gap and "\n" not in gap:
            joined[-1] = Token(found[0], found[1], last.start, token.end)
            findings.append(_split(source, joined[-1]))
        else:
            joined.append(token)
    return joined, findings


def _split(source: Source, token: Token) -> Diagnostic:
    span = Span(token.start, token.end)
    return warning(
        "split-operator",
        f"there is a space inside the operator '{token.text}'",
        source,
        span,
        label=f"read as '{token.text}'",
        help=f"write '{token.text}'",
        fix=(Edit(span, token.text),),
    )


def wrong_operator(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """Return the finding for the first run of signs, outside brackets, that is no operator."""
    depth = i = 0
    while i < len(tokens):
        depth += (tokens[i].kind == "open") - (tokens[i].kind == "close")
        if depth == 0 and tokens[i].text == ",":
            return None  # the grammar stops here first
        if depth > 0 or not _is_sign(tokens[i]):
            i += 1
            continue
        j = i + 1
        while j < len(tokens) and _is_sign(tokens[j]) and tokens[j].start == tokens[j - 1].end:
            j += 1
        finding = _judge(source, tokens, i, j)
        if finding is not None:
            return finding
        i = j
    return None


def _is_sign(token: Token) -> bool:
    return _SIGNS.issuperset(token.text) and token.kind not in ("open", "close", "string")


def _judge(source: Source, tokens: Sequence[Token], i: int, j: int) -> Diagnostic | None:
    run = "".join(t.text for t in tokens[i:j])
    span = Span(tokens[i].start, tokens[j - 1].end)
    if "%" in run:
        return _percent(source, tokens, i)
    bare = run.rstrip("+-")
    if run not in _WRONG and not run.startswith("<-"):
        if not _TELLING.intersection(run):
            inner = next((w for w in ("++", "**") if w in run), None)
            if inner is None:
                return None
            span, run = Span(span.start + run.index(inner), span.start + run.index(inner) + 2), inner
        elif bare in _LEGAL and (run == bare or len(run) == len(bare) + 1):
            return None
        elif bare.startswith((":", "*", "+", "-", "/", "^", "?")) and bare[1:] in _LEGAL and bare[0] != ":":
            return None  # x + ~ y: the grammar says what is missing
    key = run if run in _WRONG else bare if bare in _WRONG else "<-" if run.startswith("<-") else ""
    if key in ("=", "<-") and run != key:
        span = Span(span.start, span.start + len(key))
    slug, message, help_, replacement = _WRONG.get(
        key, ("unknown-operator", f"no operator is called '{run}'", f"the operators are {_MEANINGS}", None)
    )
    return error(
        slug,
        message,
        source,
        span,
        label="not an operator",
        help=help_,
        fix=(Edit(span, replacement),) if replacement and key == run else (),
    )


def _percent(source: Source, tokens: Sequence[Token], i: int) -> Diagnostic:
    while tokens[i].text != "%":
        i += 1
    start, end, name = tokens[i].start, tokens[i].end, "%"
    if i + 2 < len(tokens) and tokens[i + 2].text == "%" and tokens[i + 1].end - start < 40:
        end = tokens[i + 2].end
        name = f"%{tokens[i + 1].text}%"
    return error(
        "percent-operator",
        f"'{name}' has no meaning in a model",
        source,
        Span(start, end),
        label="not an operator",
        help=f"the operators are {_MEANINGS}; compute such columns in the data",
    )
