"""Read declarations, directives and block headers: statements with a list of arguments."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.diagnostics import Edit
from semlang.source import Span
from semlang.syntax.arithmetic import number
from semlang.syntax.ast import Argument, Declaration, Directive, Header, Variable
from semlang.syntax.cover import Node, first_token, text_of
from semlang.syntax.cut import DIRECTIVES, HEADERS, MAX_TERMS
from semlang.syntax.layout import read_hints
from semlang.syntax.nearest import nearest
from semlang.syntax.ranges import between
from semlang.syntax.reading import Reading, Rejected
from semlang.syntax.terms import addends
from semlang.syntax.variables import read_variables


def read_declaration(reading: Reading, node: Node) -> Declaration:
    """Return ``names :: kind(arguments)``."""
    left, operator, right = node.children
    variables: list[Variable] = []
    before: Node | None = None
    for minus, part in addends(left):
        if minus is not None or part.kind == "product":
            run = between(text_of(before), text_of(part)) if minus is not None and before is not None else None
            raise reading.reject(
                "not-a-name",
                "the left of '::' lists names, without modifiers",
                minus.span if minus is not None else first_token(part),
                label="a name belongs here",
                help=f"write '{run}'" if run else "write 'y1 + y2 :: binomial(logit)'",
                fix=[Edit(Span(before.span.start, part.span.end), run)] if run and before is not None else [],
            )
        before = part
        variables += read_variables(reading, part)
        if len(variables) > MAX_TERMS:
            raise reading.reject(
                "too-many-terms", f"more than {MAX_TERMS:,} names are declared", first_token(part), label="too many"
            )
    reading.check_no_stray_plus(left)
    if right.kind == "call":
        kind, arguments = right.children[0], _arguments(reading, right.children[2:-1], right.children[0].text)
    elif right.kind == "NAME":
        kind, arguments = right, ()
    else:
        raise reading.reject(
            "not-a-kind",
            f"'{text_of(right)}' is no kind of variable",
            first_token(right),
            label="a kind belongs here",
            help=f"write '{text_of(left)[:40]} {operator.text} binomial(logit)'",
        )
    return Declaration(tuple(variables), kind.text, arguments, node.span, kind.span)


def read_directive(reading: Reading, node: Node) -> Directive | Header:
    """Return ``key: value, ...`` or a block header."""
    key, colon = node.children[:2]
    word = key.children[0].text.lower()
    arguments = [c for c in node.children[2:] if c.kind == "argument"]
    if word in HEADERS:
        return _header(reading, node, key, arguments)
    if word not in DIRECTIVES or len(key.children) > 1:
        raise _unknown_key(reading, key, node)
    if not arguments:
        raise _no_value(reading, colon, word)
    if word == "layout":
        return Directive(word, (), node.span, key.children[0].span, read_hints(reading, arguments))
    read = _arguments(reading, arguments, word)
    if word == "cluster":
        read = tuple(_names(reading, argument, node) for argument in read)
    if word in ("cluster", "data", "include", "groups") and (len(read) > 1 or read[0].name):
        second = arguments[1] if len(read) > 1 else arguments[0]
        raise reading.reject(
            "one-value",
            f"'{word}:' takes one value",
            first_token(second),
            label="a second one" if len(read) > 1 else "a name",
            help="write 'cluster: school/class', outermost first"
            if word == "cluster"
            else f"write one '{word}:' value",
        )
    if word in ("data", "include") and not isinstance(read[0].value, str):
        raise reading.reject(
            "unquoted-value",
            f"'{word}:' names a file",
            first_token(arguments[0]),
            label="not a file name",
            help=f'write {word}: "file"',
        )
    return Directive(word, read, node.span, key.children[0].span)


def _names(reading: Reading, argument: Argument, node: Node) -> Argument:
    values = argument.value if isinstance(argument.value, tuple) else (argument.value,)
    if not all(isinstance(v, str) for v in values):
        raise reading.reject(
            "not-a-cluster",
            "'cluster:' names columns",
            argument.span,
            label="not a name",
            help="write 'cluster: school/class', outermost first",
        )
    return Argument(argument.name, values, argument.span)


def _header(reading: Reading, node: Node, key: Node, arguments: Sequence[Node]) -> Header:
    word = key.children[0].text.lower()
    variable = key.children[1] if len(key.children) > 1 else None
    if variable is not None and (word != "class" or variable.kind != "NAME"):
        raise reading.reject(
            "malformed-header",
            f"the label of a block stands behind the colon, as in '{word}: {variable.text}'",
            variable.span,
            label="before the colon",
            help=f"write '{word}: {variable.text}'",
        )
    if not arguments:
        raise _no_value(reading, node.children[1], word)
    value = arguments[0].children[0]
    if len(arguments) > 1 or len(arguments[0].children) > 1 or value.kind not in ("NAME", "NUMBER", "STRING", "QUOTED"):
        wrong = first_token(arguments[1]) if len(arguments) > 1 else first_token(value)
        text = text_of(node).split(":", 1)[1].strip()
        raise reading.reject(
            "malformed-header",
            f"'{word}:' takes one label",
            wrong,
            label="not a single label",
            help=f"write '{word}: 1' or '{word}: \"{text if len(text) < 30 else 'label'}\"'; one header a block",
        )
    return Header(word, value.name, node.span, variable.name if variable is not None else None)


def _no_value(reading: Reading, colon: Node, word: str) -> Rejected:
    return reading.reject(
        "missing-value",
        f"nothing stands behind '{word}:'",
        colon.span,
        label="a value is missing",
        help=f"write '{word}: 1'" if word in HEADERS else f"write '{word}: value', or delete the line",
    )


def _unknown_key(reading: Reading, key: Node, node: Node) -> Rejected:
    word = key.children[0].text
    near = nearest(word, (*DIRECTIVES, *HEADERS))
    if word in DIRECTIVES or word in HEADERS:
        near, spot = word, key.children[1].span
    else:
        spot = key.children[0].span
    help_ = [f"write '{near}:'"] if near else [f"directives are {', '.join(DIRECTIVES)}; blocks {', '.join(HEADERS)}"]
    if word.lower() in ("family", "link", "distribution"):
        help_ = ["write 'y :: binomial(logit)'"]
    elif not near and len(key.children) == 1:
        help_.append(f"a product stands in a formula: 'y ~ {text_of(node)}'")
    return reading.reject(
        "unknown-directive",
        f"no directive is called '{text_of(key)}:'",
        spot,
        label=f"do you mean '{near}'?" if near else "unknown",
        help=help_,
        fix=[Edit(spot, near)] if near and near != word and len(key.children) == 1 else [],
    )


def _arguments(reading: Reading, nodes: Sequence[Node], word: str) -> tuple[Argument, ...]:
    found: list[Argument] = []
    seen: set[str] = set()
    for node in nodes:
        if node.kind != "argument":
            continue
        name = node.children[0] if len(node.children) == 3 else None
        if name is not None and name.name in seen:
            raise reading.reject(
                "repeated-argument",
                f"'{name.name}' is given twice",
                name.span,
                label="again",
                help="delete one of them",
            )
        if name is not None:
            seen.add(name.name)
        value = _value(reading, node.children[-1], word)
        found.append(Argument(name.name if name is not None else None, value, node.span))
    return tuple(found)


def _value(reading: Reading, node: Node, word: str) -> float | str | tuple[float | str, ...]:
    if node.kind == "list":
        parts = [c for c in node.children[1:-1] if c.kind != "COMMA"]
        return tuple(_single(reading, part, word) for part in parts)
    if node.kind == "product" and word == "cluster" and all(c.kind == "SLASH" for c in node.children[1::2]):
        return tuple(_single(reading, part, word) for part in node.children[::2])
    return _single(reading, node, word)


def _single(reading: Reading, node: Node, word: str) -> float | str:
    if node.kind in ("NAME", "STRING", "QUOTED"):
        return node.name
    if node.kind == "NUMBER":
        return number(reading, node)
    if node.kind == "unary":
        inner = _single(reading, node.children[1], word)
        return -inner if isinstance(inner, float) else f"-{inner}"
    if node.kind == "call" and node.children[0].text in ("c", "list"):
        inside = [text_of(child) for child in node.children[2:-1] if child.kind == "argument"]
        instead = f"[{', '.join(i.strip(chr(34) + chr(39)) for i in inside)}]"
        raise reading.reject(
            "not-a-value",
            f"'{text_of(node)}' is R's way to write a list",
            node.span,
            label="a list stands in square brackets",
            help=f"write '{instead}'",
            fix=[Edit(node.span, instead)],
        )
    raise reading.reject(
        "not-a-value",
        f"'{text_of(node)}' is no value",
        first_token(node),
        label="a name, number or text belongs here",
        help="put a text with spaces or signs in quotes",
    )
