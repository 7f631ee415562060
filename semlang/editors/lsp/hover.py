"""Hover: the statement under the cursor in words, and what the token under the cursor is."""

from __future__ import annotations

from semlang.editors.lsp.analysis import Analysis
from semlang.editors.lsp.names import labels
from semlang.model.kinds import ALIASES, KINDS
from semlang.model.table import ParameterTable, Variable
from semlang.source import Span
from semlang.syntax import ast
from semlang.syntax.scan import Token
from semlang.words import in_words
from semlang.words.catalogue import ARGUMENTS, DIRECTIVES, FUNCTIONS, OPERATORS, QUANTITIES, SIGNS
from semlang.words.catalogue import KINDS as KIND_WORDS
from semlang.words.lists import joined


def hover(analysis: Analysis, offset: int) -> tuple[str, Span] | None:
    """Return what to show at an offset, plain text, and the span that it is about."""
    token = analysis.token_at(offset)
    statement = analysis.statement_at(offset)
    parts = []
    if statement is not None and (token is None or token.kind != "comment"):
        parts.append(in_words(statement, analysis.table))
    if token is not None:
        parts += about(analysis, token, statement)
    if not parts:
        return None
    span = Span(token.start, token.end) if token else statement.span if statement else Span(offset, offset)
    return "\n\n".join(parts), span


def about(analysis: Analysis, token: Token, statement: ast.Statement | None) -> list[str]:
    """Return what is to be said of a token: meaning of operators and kinds, roles of names."""
    text = token.text.strip("`")
    index = analysis.tokens.index(token)
    after = analysis.tokens[index + 1].text if index + 1 < len(analysis.tokens) else ""
    directive = isinstance(statement, ast.Directive | ast.Header)
    if token.kind in ("name", "badname") and directive and token.start == (statement.span.start if statement else 0):
        return [f"{text.lower()}: {DIRECTIVES[text.lower()][0]}. Example: {DIRECTIVES[text.lower()][1]}"]
    if isinstance(statement, ast.Declaration) and statement.kind_span.start == token.start:
        return [kind_words(text)]
    if isinstance(statement, ast.Declaration) and token.start > statement.kind_span.start and text in ARGUMENTS:
        return [f"{text}: {ARGUMENTS[text]}"]
    if text in OPERATORS and token.kind not in ("string", "name", "quoted") and not directive:
        meaning, example = OPERATORS[text]
        if text == "|" and (not isinstance(statement, ast.Thresholds) or statement.op_span.start != token.start):
            meaning, example = "random effects over", "(1 + x | school)"
        return [f"{text}  {meaning}. Example: {example}"]
    if text in SIGNS and not directive and token.kind in ("symbol", "doublebar"):
        return [f"{text}  {SIGNS[text][0]}. Example: {SIGNS[text][1]}"]
    if token.kind == "name" and after == "(":
        known = FUNCTIONS.get(text) or QUANTITIES.get(text)
        return [f"{text}(): {known}"] if known else []
    if token.kind in ("name", "quoted") and not directive:
        return name_words(analysis, text)
    return []


def kind_words(name: str) -> str:
    """Return what a kind is, with its links and arguments.

    Examples
    --------
    >>> kind_words("poisson").splitlines()[0]
    'poisson: a count with a Poisson distribution'
    """
    kind = KINDS.get(ALIASES.get(name, name))
    if kind is None:
        return f"there is no kind '{name}'"
    lines = [f"{name}: {KIND_WORDS[name]}"]
    if kind.links:
        lines.append(f"links: {', '.join(kind.links)} (the first is the default)")
    if kind.arguments:
        lines.append(f"arguments: {', '.join(kind.arguments)}")
    if kind.quantities:
        lines.append("can be modelled: " + ", ".join(f"{q}(y), the {QUANTITIES[q]}" for q in kind.quantities))
    return "\n".join(lines)


def name_words(analysis: Analysis, name: str) -> list[str]:
    """Return the role of a name: variable of the model, column, label."""
    said = []
    table = analysis.table
    if table is not None:
        said += [f"{v.key}: {role(v)}" for v in table.variables.values() if v.name == name]
        covariate = any(c.column == name for r in table.rows for c in r.via)
        if covariate and not said:
            said.append(f"{name}: covariate")
        elif name in table.clusters:
            said.append(f"{name}: cluster")
    if analysis.columns:
        is_latent = table is not None and any(v.name == name and v.role == "latent" for v in table.variables.values())
        if name in analysis.columns:
            said.append("a column of the data")
        elif said and not is_latent:
            said.append("no column of the data has this name")
    uses = labels(analysis.whole).get(name, [])
    if uses:
        said.append(label_words(table, name))
    return said


def role(v: Variable) -> str:
    """Return what a variable is in the model."""
    level = "" if v.level == "rows" else f", varies over {v.level}"
    if v.role == "response":
        link = f", link {v.link}" if v.link else ""
        return f"response, {v.kind.name}{link}{level}"
    if v.role == "component":
        return f"the part of the response {v.response} that varies over {v.level}"
    kinds = {"normal": "latent variable", "class": "latent class variable", "masspoints": "discrete latent variable"}
    return f"{kinds[v.kind.name]}{'' if v.measured or v.kind.name == 'class' else ', a random effect'}{level}"


def label_words(table: ParameterTable | None, name: str) -> str:
    """Return which parameters carry a label."""
    rows = () if table is None else tuple(r for r in table.rows if r.label == name)
    defined = [] if table is None else [d for d in table.defined if d.name == name]
    if defined:
        return f"{name}: defined parameter, {defined[0].text.strip()}"
    shown = list(dict.fromkeys(f"{r.lhs} {r.op} {r.rhs}".strip() for r in rows))
    if not shown:
        return f"{name}: a label"
    return f"{name}: label of {joined(shown)}{', one parameter' if len(shown) > 1 else ''}"
