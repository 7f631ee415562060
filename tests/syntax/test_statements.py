"""What statements mean: the tree of each shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from semlang.source import Source
from semlang.syntax.ast import (
    Binary,
    Constraint,
    Declaration,
    Definition,
    Directive,
    Formula,
    Header,
    Name,
    RandomEffects,
    Statement,
    Term,
    Thresholds,
    Transform,
    Unary,
    Variable,
)
from semlang.syntax.parser import parse

Read = Callable[[str], Statement]


def say(term: Term | RandomEffects) -> str:
    """Return a term in one line, so that tests can be read."""
    if isinstance(term, RandomEffects):
        bar = "|" if term.correlated else "||"
        return f"({' + '.join(map(say, term.terms))} {bar} {'/'.join(term.clusters)})"
    words = []
    for m in term.modifiers:
        values = ",".join("NA" if v is None else f"{v:g}" if isinstance(v, float) else v for v in m.values)
        groups = f"@{','.join(m.groups)}" if m.groups else ""
        kinds = f"!{','.join(m.kinds)}" if m.kinds else ""
        words.append(f"{m.kind}={values}{groups}{kinds}")
    factors = []
    for f in term.factors:
        if isinstance(f, Transform):
            factors.append(f"{f.function}({f.variable.name}, {f.argument})")
        else:
            name = f.name + (f"[{f.level}]" if f.level else "") + (f"@{f.category}" if f.category else "")
            factors.append(f"{f.parameter}({name})" if f.parameter else name)
    words.append(":".join(factors) if factors else f"{term.constant:g}")
    return " ".join(words)


FORMULAS = [
    ("f =~ x1 + x2", "f", "=~", "x1 | x2"),
    ("f =~ + x1 + + x2", "f", "=~", "x1 | x2"),
    ("f =~ 0", "f", "=~", "0"),
    ("y ~ 1 + x", "y", "~", "1 | x"),
    ("y ~ 0 + x", "y", "~", "0 | x"),
    ("y ~ -1 + x", "y", "~", "-1 | x"),
    ("y ~ x - 1", "y", "~", "x | -1"),
    ("y ~ 2*1", "y", "~", "fixed=2 1"),
    ("y ~ x1:x2:x3", "y", "~", "x1:x2:x3"),
    ("y ~ b[school]:x", "y", "~", "b[school]:x"),
    ("y ~ x^2 + I(x^2) + x^-1", "y", "~", "power(x, 2.0) | power(x, 2.0) | power(x, -1.0)"),
    ("y ~ log(x) + offset(z)", "y", "~", "log(x, None) | offset(z, None)"),
    ('y ~ factor(a) + factor(b, base="low"):x', "y", "~", "factor(a, None) | factor(b, low):x"),
    ("y ~ factor(b, base=2)", "y", "~", "factor(b, 2.0)"),
    ("y ~ x + (1 + x | school/class)", "y", "~", "x | (1 | x | school/class)".replace("1 | x", "1 + x")),
    ("y ~ (0 + x || g)", "y", "~", "(0 + x || g)"),
    ("y ~ c@2 + cace*c@2:treated", "y", "~", "c@2 | label=cace c@2:treated"),
    ('y@"Very likely" ~ x', "y@Very likely", "~", "x"),
    ("y@-1 ~ x", "y@-1", "~", "x"),
    ("sigma(y{1..2}) ~ 1 + z", "sigma(y1) | sigma(y2)", "~", "1 | z"),
    ("x1:x2 ~~ z:w", "x1:x2", "~~", "z:w"),
    ("a*y1 ~ x", "label=a y1", "~", "x"),
    ('efa("e")*f1 + efa(e)*f2 =~ x', "efa=e f1 | efa=e f2", "=~", "x"),
    ("`my item` ~ `a+b`", "my item", "~", "a+b"),
    ("y |~ z1 + z2", "y", "|~", "z1 | z2"),
    ("f <~ 1*x1", "f", "<~", "fixed=1 x1"),
    ("y ~*~ 1*y", "y", "~*~", "fixed=1 y"),
    ("y ~ 0*y", "y", "~", "fixed=0 y"),
    # ranges
    ("f =~ 1*i{1..3}", "f", "=~", "fixed=1 i1 | fixed=1 i2 | fixed=1 i3"),
    ("f =~ i{08..10}", "f", "=~", "i08 | i09 | i10"),
    ("f =~ {math,verbal}_{1..2}", "f", "=~", "math_1 | math_2 | verbal_1 | verbal_2"),
    (
        "f =~ i{3..1} + x{a..c} + {A, B}.{1..5..2}",
        "f",
        "=~",
        "i3 | i2 | i1 | xa | xb | xc | A.1 | A.3 | A.5 | B.1 | B.3 | B.5",
    ),
    ("y ~ log(x{1..2}):z", "y", "~", "log(x1, None):z | log(x2, None):z"),
    ("u{1..2}[g] ~~ v", "u1[g] | u2[g]", "~~", "v"),
    # modifiers
    ("f =~ NA*x", "f", "=~", "free=NA x"),
    ("f =~ as.numeric(NA)*x", "f", "=~", "free=NA x"),
    (
        "f =~ -1*x + (-1)*x + +1*x + .5*x + 1.*x + 1e-3*x",
        "f",
        "=~",
        "fixed=-1 x | fixed=-1 x | fixed=1 x | fixed=0.5 x | fixed=1 x | fixed=0.001 x",
    ),
    ("f =~ \"a b\"*x + 'l'*x + label(a)*x + (v)*x", "f", "=~", "label=a b x | label=l x | label=a x | label=v x"),
    ('f =~ equal("f=~x1")*x2', "f", "=~", "equal=f=~x1 x2"),
    ("f =~ start(0.8)*x + 0.8?x + -5?x + (0.8)?x", "f", "=~", "start=0.8 x | start=0.8 x | start=-5 x | start=0.8 x"),
    ("f =~ start(1)*a*x", "f", "=~", "start=1 label=a x"),
    ("f =~ upper(1)*lower(0)*x", "f", "=~", "upper=1 lower=0 x"),
    ("f =~ lower(-Inf)*x", "f", "=~", "lower=-inf x"),
    ("f =~ fixed(2)*x", "f", "=~", "fixed=2 x"),
    ("y ~ rv(s)*x", "y", "~", "rv=s x"),
    ("f =~ c(1, NA)*x", "f", "=~", "fixed=1,NA!fixed,free x"),
    ("f =~ c(1, a)*x", "f", "=~", "label=1,a!fixed,label x"),
    ("f =~ c(a, a)*x + start(1, 2)*x + start(c(1, 2))*x", "f", "=~", "label=a,a x | start=1,2 x | start=1,2 x"),
    ('f =~ c("Grant-White"=a, Pasteur=b)*x', "f", "=~", "label=a,b@Grant-White,Pasteur x"),
    ("f =~ rep('e', 3)*x + rep(c(a, b), each=2)*x", "f", "=~", "label=e,e,e x | label=a,a,b,b x"),
    (
        "f =~ sqrt(4)*x + (2*3)*x + 3/2*x + exp(0)*x + 2^3*x",
        "f",
        "=~",
        "fixed=2 x | fixed=6 x | fixed=1.5 x | fixed=1 x | fixed=8 x",
    ),
    ("f =~ -2^2*x + 2^-1*x + 2^3^2*x", "f", "=~", "fixed=-4 x | fixed=0.5 x | fixed=512 x"),
    ('f =~ paste0("a", rep("b", 2), 3)*x', "f", "=~", "label=ab3,ab3 x"),
    ("f =~ c(0.1*sqrt(4), abs(-1) - log(1))*x", "f", "=~", "fixed=0.2,1 x"),
    ("f =~ T*x + t*x + c*x", "f", "=~", "label=T x | label=t x | label=c x"),
    ("f =~ c (a, b)*x", "f", "=~", "label=a,b x"),
    ("y ~ x1*x2", "y", "~", "label=x1 x2"),
    ("f =~ 2*3*x + 1?2?x", "f", "=~", "fixed=3 x | start=2 x"),
]


@pytest.mark.parametrize(("text", "lhs", "op", "rhs"), FORMULAS, ids=[row[0] for row in FORMULAS])
def test_formula(text: str, lhs: str, op: str, rhs: str) -> None:
    model, findings = parse(Source(text))
    assert not any(f.is_error for f in findings)
    (statement,) = model.statements
    assert isinstance(statement, Formula)
    assert (" | ".join(map(say, statement.lhs)), statement.op) == (lhs, op)
    assert " | ".join(map(say, statement.rhs)) == rhs


@pytest.mark.parametrize("text", ["f =~ x1 + x2 +", "f =~ + x1 + + x2 +  # and\n\n", "o | t1 +", "f =~ x1 +\n+"])
def test_a_plus_at_the_end_of_the_text_is_warned_of(text: str) -> None:
    """lavaan lets it pass, so it has the same table."""
    model, findings = parse(Source(text))
    assert [(f.slug, f.severity.value) for f in findings] == [("dangling-operator", "warning")]
    assert len(model.statements) == 1


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("f =~ x1 + x2 +; y ~ f", 14),
        ("f =~ x1 +\n\noptions: std.lv = true", 9),
        ("y ~ x + # more\ngroup: a", 7),
        ("y ~ x +\n\nclass c: 2\ny ~ z", 7),
    ],
)
def test_a_plus_before_another_statement_is_an_error(text: str, column: int) -> None:
    findings = [f for f in parse(Source(text))[1] if f.is_error]
    assert [f.slug for f in findings] == ["dangling-operator"]
    assert findings[0].span is not None
    assert findings[0].span.start == column - 1


def test_a_product_goes_on_behind_a_plus(read: Read) -> None:
    """``group:x`` without a space is a product of columns, as in lavaan."""
    statement = read("y ~ x +\n group:x")
    assert isinstance(statement, Formula)
    assert say(statement.rhs[1]) == "group:x"


def test_thresholds(read: Read) -> None:
    statement = read("y1 + y2 | c(a, b)*t1 + t{2..3} ~ x + b*z")
    assert isinstance(statement, Thresholds)
    assert [say(t) for t in statement.lhs] == ["y1", "y2"]
    assert [say(t) for t in statement.thresholds] == ["label=a,b t1", "t2", "t3"]
    assert statement.covariates is not None
    assert [say(t) for t in statement.covariates] == ["x", "label=b z"]
    plain = read("y | t1")
    assert isinstance(plain, Thresholds)
    assert plain.covariates is None


def test_declaration(read: Read) -> None:
    statement = read('i{1..2} + u[school] :: binomial(logit, trials=n, guess=-0.2, censored=[0, NA], a="b c")')
    assert isinstance(statement, Declaration)
    assert [(v.name, v.level) for v in statement.variables] == [("i1", None), ("i2", None), ("u", "school")]
    assert statement.kind == "binomial"
    assert [(a.name, a.value) for a in statement.arguments] == [
        (None, "logit"),
        ("trials", "n"),
        ("guess", -0.2),
        ("censored", (0.0, "NA")),
        ("a", "b c"),
    ]
    for text in ("y :: gaussian", "y :: masspoints()"):
        empty = read(text)
        assert isinstance(empty, Declaration)
        assert empty.arguments == ()


def test_directives(read: Read) -> None:
    def arguments(text: str) -> list[tuple[str | None, Any]]:
        statement = read(text)
        assert isinstance(statement, Directive)
        return [(a.name, a.value) for a in statement.arguments]

    assert arguments("cluster: school/class") == [(None, ("school", "class"))]
    assert arguments("cluster: id") == [(None, ("id",))]
    assert arguments('data: "a b.csv"') == [(None, "a b.csv")]
    assert arguments("data: a.csv") == [(None, "a.csv")]
    assert arguments("weights: school = w2, rows = w1") == [("school", "w2"), ("rows", "w1")]
    assert arguments("options: std.lv = true,\n  points = 15") == [("std.lv", "true"), ("points", 15.0)]
    assert arguments("frequency: n") == [(None, "n")]


@pytest.mark.parametrize(
    ("text", "kind", "label", "variable"),
    [
        ("group: Pasteur", "group", "Pasteur", None),
        ('group: "Grant-White"', "group", "Grant-White", None),
        ("Level: 1", "level", "1", None),
        ("level:within", "level", "within", None),
        ("class c: 2", "class", "2", "c"),
        ("class: 1", "class", "1", None),
        ("block: 2", "block", "2", None),
    ],
)
def test_headers(read: Read, text: str, kind: str, label: str, variable: str | None) -> None:
    statement = read(text)
    assert isinstance(statement, Header)
    assert (statement.kind, statement.label, statement.variable) == (kind, label, variable)


def test_a_product_with_the_name_of_a_header_is_a_formula(read: Read) -> None:
    statement = read("class:x ~ z")
    assert isinstance(statement, Formula)
    assert say(statement.lhs[0]) == "class:x"


def test_definition(read: Read) -> None:
    statement = read("ind := (a*b) - -2^2/c  # total")
    assert isinstance(statement, Definition)
    assert (statement.name, statement.op, statement.text) == ("ind", ":=", "(a*b)--2^2/c")
    assert isinstance(statement.expression, Binary)
    assert statement.expression.op == "-"
    right = statement.expression.right
    assert isinstance(right, Binary)
    assert right.op == "/"
    assert isinstance(right.left, Unary)
    moderated = read("L :~ L0 + L1*data(z)")
    assert isinstance(moderated, Definition)
    assert moderated.op == ":~"


def test_constraint_chain(read: Read) -> None:
    statement = read("0 < a + 1 <= b")
    assert isinstance(statement, Constraint)
    assert statement.operators == ("<", "<=")
    assert statement.texts == ("0", "a+1", "b")
    assert isinstance(statement.operands[2], Name)


def test_long_sums_are_flat_and_keep_their_value(read: Read) -> None:
    signs = "+-+--++-" * 40
    text = "p := 1" + "".join(f" {sign} {i}" for i, sign in enumerate(signs))
    statement = read(text)
    assert isinstance(statement, Definition)

    def value(e: Any) -> float:
        if isinstance(e, Binary):
            return value(e.left) + (value(e.right) if e.op == "+" else -value(e.right))
        return float(e.value)

    def depth(e: Any) -> int:
        return 1 + max(depth(e.left), depth(e.right)) if isinstance(e, Binary) else 1

    assert value(statement.expression) == 1 + sum(i if s == "+" else -i for i, s in enumerate(signs))
    assert depth(statement.expression) < 15


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("f =~ x1 +\n\n # c\n\n x2", 1),
        ("f\n=~ x1\n + x2", 1),
        ("y ~ a*\nx", 1),
        ("y ~ c(a,\nb)*x", 1),
        ("y ~ (1 + x\n | g)", 1),
        ("a ~ b; c ~ d;; \n;e ~ f", 3),
        ('f =~ "a;b#c!"*x1', 1),
        ("f =~ x1 # it's a \"quote\n + x2 ! more", 1),
        ("f =~ x1\r\ny ~ f\r\n", 2),
        ("f =~ x1\ry ~ f", 2),
        ("", 0),
        ("\n# only a comment\n", 0),
    ],
)
def test_cutting(text: str, count: int) -> None:
    model, findings = parse(Source(text))
    assert not findings
    assert len(model.statements) == count


@pytest.mark.parametrize("text", ["f =~ “lab”*x1", "f =˜ lab*x1", "f\u00a0=~\u2003lab*x1", "f =～ lab＊x1"])
def test_typographic_characters_are_read_as_plain_ones(read: Read, bare: Callable[[Any], Any], text: str) -> None:
    assert bare(read(text)) == bare(read("f =~ lab*x1"))


def test_typographic_minus_and_offsets(read: Read) -> None:
    statement = read("y ~ −1*x + “é”*z")
    assert isinstance(statement, Formula)
    assert [say(t) for t in statement.rhs] == ["fixed=-1 x", "label=é z"]
    second = statement.rhs[1]
    assert isinstance(second, Term)
    assert isinstance(second.factors[0], Variable)
    assert (second.factors[0].span.start, second.factors[0].span.end) == (15, 16)


def test_comments_are_kept() -> None:
    model, _ = parse(Source("# one\nf =~ x1 ! two\n + x2"))
    assert [c.text for c in model.comments] == ["# one", "! two"]
