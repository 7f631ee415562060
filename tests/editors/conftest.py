"""The corpus, and what each piece of a text is by the reference grammar."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import lark
import pytest

from semlang.source import Source
from semlang.syntax.cut import cut
from semlang.syntax.declarations import DIRECTIVES, HEADERS
from semlang.syntax.grammar import grammar_text
from semlang.syntax.parser import parse
from semlang.syntax.scan import plain, scan

ROOT = Path(__file__).parents[2]

TERMINALS = {
    "RELATION": "operator", "DECLARES": "operator", "DEFINES": "operator", "COMPARES": "operator",
    "DOUBLEBAR": "sign", "BAR": "sign", "PLUS": "sign", "MINUS": "sign", "STAR": "sign", "SLASH": "sign",
    "QUERY": "sign", "COLON": "sign", "HAT": "sign", "AT": "sign", "EQUALS": "sign", "COMMA": "separator",
    "LPAR": "bracket", "RPAR": "bracket", "LSQB": "bracket", "RSQB": "bracket", "NUMBER": "number", "NAME": "name",
    "FUNCTION": "function", "QUOTED": "quoted", "RANGE": "range", "STRING": "string",
}  # fmt: skip
"""The class of each terminal of the grammar."""


@functools.cache
def _lexer() -> lark.Lark:
    return lark.Lark(grammar_text(), parser="lalr", lexer="basic", start=["statement", "directive"])


def classes_by_grammar(text: str) -> list[tuple[int, int, str]]:
    """Return start, end and class of every token of a text without errors, in order, without spaces.

    The grammar's own lexer cuts it; what a name is follows from its neighbours and from the statement it begins.
    """
    blanked, found = list(plain(text)), []
    for token in scan(text):
        if token.kind in ("comment", "semicolon"):
            found.append((token.start, token.end, "comment" if token.kind == "comment" else "separator"))
            blanked[token.start : token.end] = " " * (token.end - token.start)
        elif token.kind == "string":
            blanked[token.start] = blanked[token.end - 1] = token.text[0]
    keys, colons = set(), set()
    for piece in cut(Source(text))[0]:
        if piece.is_directive and piece.tokens[0].text.lower() in (*DIRECTIVES, *HEADERS):
            keys.add(piece.tokens[0].start)
            colons.add(next(t.start for t in piece.tokens if t.text == ":"))
    tokens = list(_lexer().lex("".join(blanked)))
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None]):
        start, end = token.start_pos, token.end_pos
        kind = TERMINALS[token.type]
        if start in keys:
            kind = "key"
        elif start in colons:
            kind = "separator"
        elif kind in ("name", "function") and before is not None and before.type == "DECLARES":
            kind = "kind"
        elif token == "NA" and kind == "name":
            kind = "constant"
        elif kind == "name" and after is not None and after.type in ("STAR", "QUERY"):
            kind = "label"
        found.append((start, end, kind))
    return sorted(found)


def corpus_files() -> list[Path]:
    """Return every model of the repository."""
    return sorted([*ROOT.glob("examples/**/*.sem"), *ROOT.glob("tests/corpus/**/*.sem")])


@pytest.fixture(scope="session")
def corpus() -> list[str]:
    """Return the texts of every model of the repository that has no errors of syntax."""
    texts = [path.read_text(encoding="utf-8") for path in corpus_files()]
    good = [t for t in texts if not any(f.is_error for f in parse(Source(t))[1])]
    assert len(good) > 50
    return good


@pytest.fixture(scope="session")
def reference_corpus(shared_folder: Path) -> list[str]:
    """Return the reference models, and the texts of lavaan, that have no errors of syntax."""
    texts = [p.read_text(encoding="utf-8") for p in sorted((shared_folder / "reference" / "cases").glob("*/*.sem"))]
    for name in ("accepts", "rejects"):
        lines = (shared_folder / "lavaan" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        texts += [json.loads(line)["syntax"] for line in lines]
    good = [t for t in texts if not any(f.is_error for f in parse(Source(t))[1])]
    assert len(good) > 200
    return good


@pytest.fixture(scope="session")
def by_grammar() -> Callable[[str], list[tuple[int, int, str]]]:
    """Return the function that says what each piece of a text is."""
    return classes_by_grammar


ODD = [
    "f =~ 1*x1 + NA*x2 + a*x3 + c(a, NA)*x4 + start (0.5)*x5 + 0.5?x6 + 1e-3*x7\n",
    "y ~ x + (1 + x || school/class); z ~ x1:x2 + b[school]:x + log(x) + x^2 ! said\n",
    "Level: 1\n  f =~ x1\nLEVEL : 2\n  g =~ x1\n",
    "class c: 2; y ~ 1\nclass C.1 : 1\ny ~ x\n",
    'options: std.lv = true, points = 15\r\ndata: "a b.csv"\r\nf =~ item{01..12} + {math,verbal}_{1..3}\r\n',
    "y@“Very likely” ~ x; y@2 ~ `my column` + ‘a’*z\n",
    "f =˜ −1*x1 + .5×x2\u00a0+ x3\n",
    "größe ~ 身長 + x१ + नमस्ते + e\u0301t\u00e9 + Ⅻ\n",
    "p := a*b - exp(c)/2\n0 < a <= 1\na == b\nd >= -1\nq :~ a\n",
    "y | t1 + t2 ~ x\ny ~*~ y\nf <~ x1\ny |~ z\n",
    "c :: class(2, observed=col)\ni{1..5} + y::bernoulli\nd ::binomial(logit)\n",
    "data ~ group + level\ncluster =~ data + class\n",
    "f =~ x1 + # why\n  x2 +\n\n  x3\n# end",
    "",
    "\n\n  \n",
]
"""Texts with everything that the language knows, and what is hard about it."""


@pytest.fixture(scope="session")
def odd() -> list[str]:
    """Return texts with everything that is hard."""
    assert not [f for text in ODD for f in parse(Source(text))[1] if f.is_error]
    return ODD
