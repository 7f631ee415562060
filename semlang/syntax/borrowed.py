"""Statements that another program would take: what to type here in their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.source import Source, Span
from semlang.syntax.cut import KEYS, SECTION
from semlang.syntax.mplus import WORDS, statement
from semlang.syntax.scan import OPERATORS, Token

_R_CALLS = frozenset({"library", "require", "summary", "print", "source", "data", "head", "options", "set.seed"})
_PYTHON = frozenset({"import", "from", "def", "with", "print"})


def borrowed(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """Return the finding about a statement of R, Python, Mplus or Stata, or None.

    Examples
    --------
    >>> from semlang.syntax.scan import scan
    >>> text = Source("[f@0]")
    >>> borrowed(text, [t for t in scan(text.text) if t.kind != "space"]).fix[0].text
    'f ~ 0*1'
    """
    return (
        _key_value(source, tokens)
        or _script_line(source, tokens)
        or _stata(source, tokens)
        or _section(source, tokens)
        or _mplus(source, tokens)
        or _label_behind(source, tokens)
        or _number_before(source, tokens)
    )


def _whole(tokens: Sequence[Token]) -> Span:
    return Span(tokens[0].start, tokens[-1].end)


def _finding(
    source: Source, span: Span, program: str, message: str, instead: Sequence[str], edit: Edit | None = None
) -> Diagnostic:
    return error(
        "other-program",
        message,
        source,
        span,
        label=f"{program}'s way of saying it",
        help=[f"write  {line}" for line in instead[:3]],
        fix=[edit] if edit is not None else [],
    )


def _key_value(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """``group = "g"`` and ``std.lv = TRUE``, arguments of a call in R or Python."""
    if len(tokens) != 3 or tokens[1].text != "=" or tokens[0].kind != "name":
        return None
    name, value = tokens[0].text, tokens[2]
    if value.kind not in ("name", "number", "string", "quoted"):
        return None
    key = {"group": "groups"}.get(name.lower(), name.lower())
    text = value.text if key in ("data", "include") or value.kind != "string" else value.text[1:-1]
    if key in KEYS:
        instead = f"{key}: {text}"
    elif "." in name or text.lower() in ("true", "false", "t", "f") or key in ("points", "se", "missing", "estimator"):
        instead = f"options: {name} = {text.lower() if text in ('TRUE', 'FALSE', 'True', 'False') else text}"
    else:
        return None
    message = f"'{name} = {value.text}' is an argument of a call"
    return _finding(source, _whole(tokens), "R", message, [instead], Edit(_whole(tokens), instead))


def _script_line(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """``library(lavaan)``, ``fit <- cfa(...)``, ``import semlang``: what is around a model in a script."""
    first = tokens[0].text
    after = "".join(t.text for t in tokens[1:3])
    call = tokens[0].kind == "name" and after.startswith("(") and first in _R_CALLS
    called = next((t.text for t, u in pairwise(tokens) if t.kind == "name" and u.text == "("), "")
    arrow = after.startswith("<-") or (len(tokens) > 1 and tokens[1].text == "=")
    assigned = arrow and tokens[0].kind == "name" and called
    python = first in _PYTHON and len(tokens) > 1 and tokens[1].kind == "name"
    if not (call or assigned or python) or any(t.kind == "relation" for t in tokens):
        return None
    program = "Python" if python else "R"
    return error(
        "other-program",
        f"this is a line of a script in {program}, not of a model",
        source,
        _whole(tokens),
        label=f"{program} code",
        help=[
            "a model file holds the model alone: delete the line",
            "arguments of the call are lines of the text: 'options: std.lv = true', 'groups: g', 'data: \"file.csv\"'",
        ],
        fix=[Edit(_whole(tokens), "")] if (call and first in ("library", "require")) or python else [],
    )


_ARROW = re.compile(r"\(\s*(?P<left>[\w. ]+?)\s*(?P<arrow><-|->|→|←)\s*(?P<right>[\w. ]+?)\s*\)")


def _stata(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """``(F -> x1 x2)``: paths of Stata's ``sem`` and ``gsem``."""
    text = source.text[tokens[0].start : tokens[-1].end]
    body = re.sub(r"^g?sem\s+", "", text)
    paths = list(_ARROW.finditer(body))
    if not paths or not body.lstrip().startswith("("):
        return None
    lines = [_path(m) for m in paths]
    rest = _ARROW.sub("", body).strip(" ,\n")
    message = f"'{paths[0][0]}' is a path of Stata's sem"
    edit = Edit(_whole(tokens), "\n".join(lines)) if not rest else None
    return _finding(source, _whole(tokens), "Stata", message, lines, edit)


def _path(found: re.Match[str]) -> str:
    left, right = found["left"].split(), found["right"].split()
    causes, effects = (left, right) if found["arrow"] in ("->", "→") else (right, left)
    if len(causes) == 1 and causes[0][:1].isupper():  # Stata: latent variables have capitals
        return f"{causes[0]} =~ {' + '.join(effects)}"
    return f"{' + '.join(effects)} ~ {' + '.join(causes)}"


def _mplus(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """``f BY x1-x3``, ``[x1@0]``, ``f@1``."""
    if any(t.kind in OPERATORS or t.text == ":" for t in tokens):
        return None
    word = next((t for t in tokens[1:] if t.text.upper() in WORDS and t.kind == "name"), None)
    shape = (
        (word is not None and len(tokens) > 2)
        or (tokens[0].text == "[" and tokens[-1].text in ("]", ")"))
        or (len(tokens) == 3 and tokens[1].text == "@" and tokens[2].kind == "number")
    )
    text = source.text[tokens[0].start : tokens[-1].end]
    lines = statement(text) if shape else None
    if not lines:
        return None
    edit = Edit(_whole(tokens), "\n".join(lines))
    if word is None:
        return _finding(source, _whole(tokens), "Mplus", f"'{text}' is a statement of Mplus", lines, edit)
    return error(
        "missing-operator",
        f"'{word.text}' is a word of Mplus, not an operator",
        source,
        Span(word.start, word.end),
        label="a word where an operator belongs",
        help=[f"write  {line}" for line in lines],
        fix=[edit],
    )


def _section(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """``%WITHIN%``, ``%BETWEEN school%``, ``%c#1%``: headers of parts of Mplus's MODEL."""
    found = SECTION.match(source.text, tokens[0].start) if tokens[0].text == "%" else None
    if found is None:
        return None
    whole, name = Span(found.start(), found.end()), found["name"]
    word, cluster = (name.split() + ["", ""])[:2]
    known = re.fullmatch(r"(\w+)#(\d+)", word)
    if word.upper() in ("WITHIN", "BETWEEN"):
        header = "level: 1" if word.upper() == "WITHIN" else "level: 2"
        below = f"below a line  cluster: {cluster or 'school'}  that names the column of the clusters"
    elif known:
        header, below = f"class {known[1]}: {known[2]}", "below it stands what holds in that class alone"
    elif word.upper() == "OVERALL":
        header, below = "", "delete it: what holds in all classes needs no header"
    else:
        return None
    return error(
        "other-program",
        f"'%{name}%' begins a part of a model in Mplus",
        source,
        whole,
        label="Mplus's way of saying it",
        help=[f"write  {header}", below] if header else [below],
        fix=[Edit(whole, header)],
    )


def _label_behind(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """``y ~ x1 (a)``: Mplus writes labels behind the variable, in brackets."""
    if not any(t.kind == "relation" for t in tokens):
        return None
    nexts = [*tokens[4:], None]
    for name, bracket, label, close, following in zip(tokens, tokens[1:], tokens[2:], tokens[3:], nexts, strict=False):
        if following is not None and following.text in ("*", "?"):
            continue  # a modifier: start (0.5)*x
        if name.kind not in ("name", "quoted", "range") or (bracket.text, close.text) != ("(", ")"):
            continue
        if bracket.start == name.end or label.kind not in ("name", "number"):
            continue
        written = label.text if label.kind == "name" else f"eq{label.text.replace('.', '')}"
        instead = f"{written}*{name.text}"
        message = f"'({label.text})' stands behind '{name.text}': labels stand before the variable"
        span = Span(name.start, close.end)
        return _finding(source, span, "Mplus", message, [instead], Edit(span, instead))
    return None


def _number_before(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """``1 x1``: a fixed value without its sign; ``Q 1``: a column with a space in its name."""
    depth = 0
    relation = False
    for before, token, nxt in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        depth += (token.kind == "open") - (token.kind == "close")
        relation = relation or token.kind == "relation"
        if depth or nxt is None or "\n" in source.text[token.end : nxt.start]:
            continue
        begins = before is None or before.kind == "relation" or before.text in ("+", "*")
        span = Span(token.start, nxt.end)
        if relation and begins and token.kind == "number" and nxt.kind in ("name", "quoted"):
            instead = f"{token.text}*{nxt.text}"
            message = f"no '*' stands between '{token.text}' and '{nxt.text}'"
            return error(
                "missing-star",
                message,
                source,
                span,
                label="a '*' is missing between them",
                help=f"write '{instead}'",
                fix=[Edit(span, instead)],
            )
        if relation and begins and token.kind == "name" and nxt.kind == "number" and token.text.lower() not in KEYS:
            shown = source.text[token.start : nxt.end]
            return error(
                "name-with-space",
                f"'{token.text}' and '{nxt.text}' stand side by side",
                source,
                span,
                label="one name?",
                help=[f"write `{shown}` in backticks for a column of that name", f"else {token.text}{nxt.text}"],
                fix=[Edit(span, f"`{shown}`")],
            )
    return None
