"""Say what is wrong where the grammar stops: from the tokens on both sides of the spot."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.source import Source, Span
from semlang.syntax.cut import KEYS
from semlang.syntax.ranges import between
from semlang.syntax.scan import OPERATORS, Token

OPERANDS = frozenset({"name", "number", "string", "quoted", "range"})
_WORDS = {"by": "=~", "on": "~", "with": "~~", "is": "==", "equals": "=="}
_JOINS = "'=~' (is measured by), '~' (is regressed on), '~~' (covaries with), ':=' (defines), '::' (is of kind)"


def explain(source: Source, tokens: Sequence[Token], at: int) -> Diagnostic:
    """Return the finding for a statement that the grammar reads up to token `at` only."""
    before = tokens[at - 1] if at else None
    operator = next((t for t in tokens[:at] if t.kind in OPERATORS or t.text == "|"), None)
    later = any(t.kind in OPERATORS for t in tokens[at:])
    if at == len(tokens):
        return _at_end(source, tokens)
    token = tokens[at]
    if token.kind == "close" and not is_inside(tokens, at):
        return unmatched(source, token)
    if token.kind == "close":
        return _closing(source, tokens, at)
    if token.text == "," and not is_inside(tokens, at):
        return _comma(source, tokens, at)
    if token.kind in OPERATORS:
        return _operator(source, tokens, at, operator)
    if token.text in ("|", "||"):
        return _bar(source, tokens, at)
    starts = token.kind in OPERANDS or token.kind == "open"
    if starts and before is not None and (before.kind in OPERANDS or before.kind == "close"):
        if is_inside(tokens, at):
            return _in_brackets(source, before, token)
        if operator is None:
            return _glued_left(source, before, token) if later else missing_operator(source, tokens, at)
        if later:
            return _two_statements(source, token)
        if operator.kind == "declares":
            return _kind_with_space(source, before, token)
        return _missing_plus(source, before, token, tokens[at + 1] if at + 1 < len(tokens) else token)
    return unexpected(source, tokens, at)


def is_inside(tokens: Sequence[Token], at: int) -> bool:
    """Whether a bracket is open before token `at`."""
    depth = 0
    for token in tokens[:at]:
        depth = max(0, depth + (token.kind == "open") - (token.kind == "close"))
    return depth > 0


def _span(token: Token) -> Span:
    return Span(token.start, token.end)


def missing_operator(source: Source, tokens: Sequence[Token], at: int) -> Diagnostic:
    """Return the finding for a statement without any operator."""
    first, token = tokens[0], tokens[at]
    if at == 1 and len(tokens) == 2 and first.text.lower() in KEYS:
        return error(
            "missing-colon",
            f"no ':' stands between '{first.text}' and '{token.text}'",
            source,
            _span(token),
            label="a ':' is missing before this",
            help=f"write '{first.text}: {token.text}'",
            fix=[Edit(Span(first.end, first.end), ":")],
        )
    rest = source.text[token.end :].lstrip(" \t")
    notes = ["'!' begins a comment; '!=' is no operator"] if rest.startswith("!=") else []
    operator = _WORDS.get(token.text.lower())
    if operator is not None and at + 1 < len(tokens):
        help_ = [f"write '{first.text} {operator} {tokens[at + 1].text}'"]
    else:
        help_ = [f"write '{first.text} =~ {token.text}' or '{first.text} ~ {token.text}'"]
    return error(
        "missing-operator",
        "the statement has no operator",
        source,
        _span(token),
        label="an operator is missing before this" if operator is None else "a word where an operator belongs",
        notes=notes,
        help=[*help_, f"the operators are {_JOINS}"],
    )


def _at_end(source: Source, tokens: Sequence[Token]) -> Diagnostic:
    last = tokens[-1]
    if last.kind in OPERATORS or last.text in ("|", "||"):
        if len(tokens) == 1:
            return _lone(source, last)
        if last.text in ("|", "||") or any(t.kind in OPERATORS and t.kind != "compares" for t in tokens[:-1]):
            earlier = next((t for t in tokens[:-1] if t.kind in OPERATORS), None)
            if earlier is not None:
                return _operator(source, tokens, len(tokens) - 1, earlier)
        return error(
            "missing-right-side",
            f"nothing stands on the right of '{last.text}'",
            source,
            _span(last),
            label="a right side is missing",
            help=f"write what belongs behind '{last.text}', or delete the line",
        )
    if len(tokens) == 1:
        return _lone(source, last)
    return error(
        "dangling-operator",
        f"the statement ends in '{last.text}'",
        source,
        _span(last),
        label="something is missing behind this",
        help=f"delete the '{last.text}', or write what belongs behind it",
    )


def _lone(source: Source, token: Token) -> Diagnostic:
    return error(
        "lone-operator",
        f"'{token.text}' stands alone",
        source,
        _span(token),
        label="nothing on either side",
        help="a statement reads 'f =~ x1 + x2' or 'y ~ x'",
    )


def _operator(source: Source, tokens: Sequence[Token], at: int, operator: Token | None) -> Diagnostic:
    token = tokens[at]
    if at == 0:
        if len(tokens) == 1:
            return _lone(source, token)
        return error(
            "missing-left-side",
            f"nothing stands on the left of '{token.text}'",
            source,
            _span(token),
            label="a left side is missing",
            help=f"write a name before '{token.text}'",
        )
    before = tokens[at - 1]
    if operator is not None:
        adjacent = operator is before
        return error(
            "second-operator",
            f"a statement has one operator; '{token.text}' follows '{operator.text}'",
            source,
            _span(token),
            label="a second operator",
            help="delete one of the two" if adjacent else "begin a new line before the second formula",
        )
    if before.text in ("+", "-", "*", "/", "?", ":", "^", "@"):
        return error(
            "dangling-operator",
            f"nothing stands between '{before.text}' and '{token.text}'",
            source,
            _span(before),
            label="something is missing behind this",
            help=f"delete the '{before.text}', or write what belongs behind it",
        )
    return unexpected(source, tokens, at)


def _bar(source: Source, tokens: Sequence[Token], at: int) -> Diagnostic:
    token = tokens[at]
    before = tokens[at - 1] if at else None
    if before is None:
        return _operator(source, tokens, at, None)
    if is_inside(tokens, at):
        opening = max(i for i in range(at) if tokens[i].kind == "open")
        if opening and tokens[opening].text == "(" and tokens[opening - 1].kind in OPERANDS:
            return _missing_plus(source, tokens[opening - 1], tokens[opening], tokens[opening])
        return unexpected(source, tokens, at)
    following = tokens[at + 1].text if at + 1 < len(tokens) else "g"
    return error(
        "bar-outside-brackets",
        f"'{token.text}' with random effects stands in brackets",
        source,
        _span(token),
        label="not in brackets",
        help=f"write '+ (1 | {following})'; thresholds read 'y | t1 + t2'",
    )


def _comma(source: Source, tokens: Sequence[Token], at: int) -> Diagnostic:
    words = [t.text for t in tokens[at + 1 : at + 4]]
    if len(words) == 3 and words[1] == "=":
        name, value = words[0], words[2]
        if name == "family":
            help_ = f"declare the kind of the response:  {tokens[0].text} :: {value}"
        elif name == "data":
            help_ = 'name the file in a line of its own:  data: "file.csv"'
        else:
            help_ = f"write a line of its own:  options: {name} = {value}"
        return error(
            "other-program",
            f"'{name} = {value}' is an argument of a call",
            source,
            Span(tokens[at].start, tokens[-1].end),
            label="R's way of saying it",
            help=help_,
        )
    fix, depth = [], 0
    for token in tokens:
        depth += (token.kind == "open") - (token.kind == "close")
        if token.text == "," and depth == 0:
            fix.append(Edit(_span(token), " +" if source.text[token.end : token.end + 1].isspace() else " + "))
    return error(
        "comma-between-terms",
        "terms are joined by '+', not by a comma",
        source,
        _span(tokens[at]),
        label="a comma",
        help="write '+' in its place",
        fix=fix,
    )


def unmatched(source: Source, token: Token) -> Diagnostic:
    """Return the finding for a closing bracket too many."""
    opening = "(" if token.text == ")" else "["
    return error(
        "unmatched-bracket",
        f"'{token.text}' closes no bracket",
        source,
        _span(token),
        label=f"no '{opening}' is open",
        help="delete it, or open the bracket before",
    )


def _closing(source: Source, tokens: Sequence[Token], at: int) -> Diagnostic:
    token, before = tokens[at], tokens[at - 1]
    opening = next(t for t in reversed(tokens[:at]) if t.kind == "open")
    if before.kind == "open":
        inside = "a cluster, as in u[school]" if before.text == "[" else "a term or a value"
        return error(
            "empty-brackets",
            "nothing stands in the brackets",
            source,
            Span(before.start, token.end),
            label="empty",
            help=f"write {inside} between them",
        )
    if (opening.text, token.text) in (("(", "]"), ("[", ")")):
        return error(
            "unmatched-bracket",
            f"'{token.text}' does not close '{opening.text}'",
            source,
            _span(token),
            label="the wrong bracket",
            help=f"write '{')' if opening.text == '(' else ']'}'",
        )
    return error(
        "dangling-operator",
        f"something is missing between '{before.text}' and '{token.text}'",
        source,
        _span(before),
        label="something is missing behind this",
        help=f"delete the '{before.text}', or write what belongs behind it",
    )


def _in_brackets(source: Source, before: Token, token: Token) -> Diagnostic:
    return error(
        "missing-comma",
        f"a comma or an operator is missing between '{before.text}' and '{token.text}'",
        source,
        _span(token),
        label="a comma or an operator is missing before this",
        help=f"write '{before.text}, {token.text}'",
    )


def _glued_left(source: Source, before: Token, token: Token) -> Diagnostic:
    both = source.text[before.start : token.end]
    help_ = [f"write '{before.text} + {token.text}' for two variables"] if token.kind != "number" else []
    if before.kind == "name" and "\n" not in both:
        help_.append(f"write {before.text}_{token.text} or `{both}` for one name")
    return error(
        "name-with-space",
        f"'{before.text}' and '{token.text}' stand side by side",
        source,
        _span(token),
        label="what joins it to the name before?",
        help=help_,
    )


def _two_statements(source: Source, token: Token) -> Diagnostic:
    return error(
        "two-statements",
        "a second formula begins on the line of the first",
        source,
        _span(token),
        label="begin a new line before this, or join it by '+'",
        help="one formula a line, or ';' between them",
    )


def _kind_with_space(source: Source, before: Token, token: Token) -> Diagnostic:
    return error(
        "misplaced-argument",
        f"'{token.text}' stands behind the kind '{before.text}' without brackets",
        source,
        _span(token),
        label="belongs into brackets",
        help=f"write '{before.text}({token.text})'" if token.kind in OPERANDS else "one kind stands behind '::'",
    )


def _missing_plus(source: Source, before: Token, token: Token, after: Token) -> Diagnostic:
    spot = Span(before.end, before.end)
    names = OPERANDS - {"number"}
    run = between(before.text, after.text) if token.text.lower() == "to" else None
    if run:
        return error(
            "missing-plus",
            f"no '+' stands between '{before.text}' and '{token.text}'; a range is written {run}",
            source,
            _span(token),
            label="a word",
            help=f"write '{run}'",
            fix=[Edit(Span(before.start, after.end), run)],
        )
    return error(
        "missing-plus",
        f"no '+' stands between '{before.text}' and '{token.text}'",
        source,
        _span(token),
        label="a '+' is missing before this",
        help=f"write '{before.text} + {token.text}'" if token.kind in OPERANDS else "write '+' between them",
        fix=[Edit(spot, " +")] if token.kind in names and before.kind in names else [],
    )


def unexpected(source: Source, tokens: Sequence[Token], at: int) -> Diagnostic:
    """Return the finding where nothing more can be said."""
    token = tokens[at]
    before = tokens[at - 1] if at else None
    if token.text == "*" and before is not None and before.text == "?":
        value, variable = ("".join(t.text for t in tokens[k : k + 1]) for k in (at - 2, at + 1))
        return error(
            "misplaced-token",
            "'?' gives a start value by itself, without '*'",
            source,
            Span(before.start, token.end),
            label="two signs for one",
            help=f"write '{value}?{variable}' or 'start({value})*{variable}'",
            fix=[Edit(_span(token), "")],
        )
    if token.text == "?":
        return error(
            "misplaced-token",
            "no start value stands before '?'",
            source,
            _span(token),
            label="of what value?",
            help="write '0.5?x' or 'start(0.5)*x'; to free what is fixed by default, 'NA*x'",
        )
    if at == 0:
        message, label = f"a statement can not begin with '{token.text}'", "not expected here"
    else:
        message = f"'{token.text}' can not follow '{tokens[at - 1].text}'"
        label = "not expected here"
    return error(
        "misplaced-token",
        message,
        source,
        _span(token),
        label=label,
        help="delete it, or write what is missing before it",
    )
