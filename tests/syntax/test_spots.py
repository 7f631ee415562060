"""Each mistake gives one finding, with its own slug, at the spot marked ``<<...>>``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semlang.diagnostics import render
from semlang.source import Source
from semlang.syntax import parser
from semlang.syntax.parser import parse

ERRORS = [
    # the ten mistakes of newcomers, as far as they are syntax
    ("missing-operator", "visual <<x1>> + x2 + x3"),
    ("missing-plus", "visual =~ x1 <<x2>> + x3"),
    ("unknown-operator", "visual <<=->> x1 + x2"),
    ("unclosed-bracket", "y ~ x + <<(>>1|g"),
    ("unclosed-bracket", "y ~ x + <<(>>1|g\nz ~ w"),
    # what lavaan reads and nobody means
    ("arrow-operator", "a <<<->> b"),
    ("arrow-operator", "y <<->>> x"),
    ("arrow-operator", "x <<<->>> y"),
    ("equals-tilde", "f <<==~>> x1"),
    ("self-measurement", "f =~ x1 + <<f>>"),
    ("self-regression", "y ~ x + a*<<y>>"),
    ("scale-of-another", "x1 ~*~ <<x2>>"),
    ("percent-operator", "y <<%in%>> x"),
    ("percent-operator", "y <<%>> x"),
    ("header-and-formula", "level: 1 <<y>> ~ x"),
    ("header-and-formula", "class c: 2 <<y>> ~ x"),
    ("name-with-space", "factor <<1>> =~ x1 + x2"),
    # operators
    ("single-equals", "f <<=>> x1 + x2"),
    ("unknown-operator", "f <<~=>> x1"),
    ("unknown-operator", "f =~ x<<**>>2"),
    ("double-plus", "f =~ x1 <<++>> x2"),
    ("lone-operator", "<<=~>>"),
    ("missing-left-side", "<<~>> x"),
    ("missing-left-side", "<<:=>> b"),
    ("missing-right-side", "f <<=~>>"),
    ("missing-right-side", "y <<~~>> "),
    ("missing-right-side", "a <<:=>> "),
    ("missing-right-side", "a <<==>> "),
    ("missing-right-side", "y <<|>>"),
    ("missing-right-side", "f <<=~>>\ny ~ x"),
    ("second-operator", "f =~ x1 <<=~>> x2"),
    ("second-operator", "f =~ <<=~>> x2"),
    ("second-operator", "a := b <<==>> c"),
    ("second-operator", "y | t1 <<=~>> x"),
    ("dangling-operator", "y ~ x <<*>> "),
    ("dangling-operator", "y ~ x <<+>> \n z ~ w"),
    ("dangling-operator", "y ~ x1 <<+>> # and then\n\n z ~ w"),
    ("dangling-operator", "y <<+>> ~ x"),
    ("dangling-operator", "p := a <<+>>"),
    ("dangling-operator", "y ~ (1 <<+>> | g)"),
    ("misplaced-token", "f =~ x1 + <<*>> x2"),
    ("two-statements", "f =~ x1 + x2 <<y>> ~ f"),
    ("missing-operator", "<<x1>> + x2"),
    ("missing-operator", "<<f>>"),
    ("missing-operator", "f <<by>> x1 x2"),
    ("missing-operator", "y1 <<WITH>> y2"),
    # other programs' statements
    ("other-program", "<<[x1@0]>>"),
    ("other-program", "<<f@1>>"),
    ("other-program", "<<(F -> x1 x2)>>"),
    ("other-program", "y ~ <<x1 (a)>> + x2"),
    ("other-program", '<<group = "g">>'),
    ("other-program", "<<library(lavaan)>>"),
    ("other-program", "f =~ x1\n<<fit <- cfa(m, data = d)>>"),
    ("missing-star", "f =~ <<1 x1>> + x2"),
    ("name-with-space", "f =~ <<Q 1>> + Q2"),
    # texts that are no model
    ("data-as-model", "<<id,x1,x2>>\n1,2,3\n4,5,6"),
    ("model-in-script", "<<m <- '>>\nf =~ x1 + x2\n'\nfit <- cfa(m)"),
    ("mplus-input", "<<MODEL:>> f BY x1 x2;"),
    ("missing-operator", "f =~ x1\n<<x2>> + x3"),
    ("missing-operator", "<<a>> != b"),
    # brackets and commas
    ("comma-between-terms", "f =~ x1<<,>> x2, x3"),
    ("other-program", "y ~ x<<, data = d>>"),
    ("comma-between-terms", "y ~ x<<,>> z"),
    ("missing-plus", "y ~ x <<(>>1|g)"),
    ("unmatched-bracket", "y ~ x<<)>>"),
    ("unmatched-bracket", "y ~ (1 | g<<]>>"),
    ("empty-brackets", "y<<[]>> ~ x"),
    ("missing-comma", "f =~ c(a <<b>>)*x1"),
    ("bar-outside-brackets", "y ~ x <<|>> g"),
    ("misplaced-bar", "<<(>>1 | g) ~ x"),
    ("terms-in-brackets", "f =~ <<(>>x1 + x2)"),
    ("terms-in-brackets", "f =~ 2*<<(>>x1 + x2)"),
    ("not-a-cluster", "y ~ (1 | <<a>> + b)"),
    ("modifier-in-random-effects", "y ~ (1 + <<a>>*x | g)"),
    ("modifier-on-random-effects", "y ~ a<<*>>(1 | g)"),
    ("repeated-category", "c@1<<@>>2 ~ x"),
    ("repeated-bracket", "u[a]<<[>>b] ~ x"),
    # characters, names, numbers
    ("unknown-character", "f =~ x<<$>>y"),
    ("unknown-character", "f =~ x<<\u200b>>1"),
    ("unknown-character", "f =~ 因子 <<&>> x"),
    ("bad-name", "<<_f>> =~ x1"),
    ("bad-name", "f =~ <<1x>>"),
    ("bad-name", "y ~ x1 + <<...>> + x9"),
    ("reserved-name", "<<NULL>> =~ x1"),
    ("reserved-name", "y ~ <<TRUE>>*x"),
    ("unclosed-string", 'f =~ <<">>lab*x1\ny ~ x'),
    ("unclosed-string", "f =~ <<`>>my item + x1"),
    ("number-as-variable", "y ~~ <<0.5>>"),
    ("number-as-variable", "<<1>> ~ x"),
    ("number-as-variable", "x1 | <<1>>"),
    ("string-as-variable", "f =~ <<'x1'>>"),
    ("minus-before-term", "f =~ x <<->> y"),
    ("minus-before-term", "y ~ x1<<->>x5"),
    ("division-of-terms", "y ~ x<</>>z"),
    # modifiers
    ("unknown-modifier", "<<binomial>>(logit)*y ~ x"),
    ("unknown-modifier", "f =~ <<satrt>>(0.5)*x1"),
    ("unknown-modifier", 'f =~ <<system>>("ls")*x1'),
    ("modifier-not-a-number", "y ~ <<a>>?x"),
    ("modifier-not-a-number", "y ~ <<lower(a)>>*x"),
    ("modifier-not-a-name", "y ~ <<rv(1)>>*x"),
    ("computing-with-label", "f =~ <<a/b>>*x"),
    ("undefined-number", "f =~ <<sqrt(-1)>>*x"),
    ("undefined-number", "f =~ <<1e999>>*x"),
    ("undefined-number", "f =~ <<9^9^9^9>>*x"),
    ("undefined-number", "f =~ <<1/0>>*x"),
    ("unequal-lengths", "f =~ (<<c(1, 2) + c(1, 2, 3)>>)*x"),
    ("partly-named", "f =~ <<c(A=1, 2)>>*x"),
    ("malformed-call", "f =~ <<rep>>(a, 0)*x"),
    ("not-a-constant", "f =~ <<u[school]>>*x"),
    ("not-a-constant", "f =~ <<a{1..3}>>*x"),
    ("modifier-with-groups", "y ~ <<rv(a, b)>>*x"),
    ("modifier-on-zero", "y ~ <<a*0>> + x"),
    ("misplaced-operator", "f =~ (0.5<<?>>2)*x"),
    ("empty-label", 'f =~ <<"">>*x'),
    # terms that are computed
    ("transform-on-left", "<<log>>(y) ~ x"),
    ("unknown-function", "y ~ <<poly>>(x, 2)"),
    ("unknown-parameter", "<<sigm>>(y) ~ x"),
    ("parameter-on-right", "y ~ <<sigma>>(z)"),
    ("exponent-not-a-number", "y ~ x^<<a>>"),
    ("computed-term", "y ~ I(<<x>>*z)"),
    ("misplaced-transform", "f =~ <<log>>(x)"),
    ("misplaced-transform", "y ~~ <<x>>^2"),
    ("unknown-argument", "y ~ factor(x, <<ref>>=1)"),
    # ranges
    ("malformed-range", "<<i{1.5}>> =~ x"),
    ("malformed-range", "i<<{>>1..5 =~ x"),
    ("malformed-range", "<<i{1,,2}>> =~ x"),
    ("malformed-range", "<<i{a,a}>> =~ x"),
    ("too-many-names", "<<i{1..99999}>> =~ x"),
    ("too-many-names", "f =~ <<{a,b}{1..99}{1..99}>>"),
    # thresholds, definitions, constraints
    ("not-a-threshold", "y | <<u[school]>>"),
    ("not-a-covariate", "y | t1 ~ <<1>> + x"),
    ("not-a-label", "<<a>>*b := c"),
    ("not-an-expression", "ind := a*b*<<u>>[school]"),
    ("not-an-expression", "<<a{1..3}>> == 1"),
    # declarations, directives, headers
    ("misplaced-argument", "y :: binomial <<logit>>"),
    ("not-a-kind", "y :: <<3>>"),
    ("not-a-variable", "<<x>>:z :: normal"),
    ("not-a-name", "<<a>>*y :: poisson"),
    ("repeated-argument", "reshape: y = item, <<y>> = id"),
    ("unknown-directive", "<<clutser>>: school"),
    ("unknown-directive", "<<family>>: binomial"),
    ("missing-value", "level<<:>>"),
    ("missing-colon", "level <<1>>\ny ~ x"),
    ("malformed-header", "group: 1, <<2>>\ny ~ x"),
    ("malformed-header", "group: <<c>>(1,2)\ny ~ x"),
    ("malformed-header", "level <<1>>:\ny ~ x"),
    ("unquoted-value", "data: <<../my file.csv>>"),
    ("unknown-layout-hint", "layout: <<row>> = [f]"),
    ("unknown-layout-hint", "layout: <<f>>"),
    ("malformed-layout-hint", "layout: direction = <<up>>"),
    ("malformed-layout-hint", "layout: rows = [f + <<2>>*g]"),
    ("malformed-layout-hint", "layout: at(f, <<a>>, 3)"),
    ("one-value", "cluster: a, <<b>>"),
    ("not-a-value", "options: points = <<a>>*b"),
]


ELSEWHERE = {"file-too-long", "too-deep", "too-many-errors", "too-many-terms", "too-many-values"}  # test_robustness


def test_every_slug_has_a_case() -> None:
    folder = Path(parser.__file__).parent
    text = "".join(
        path.read_text(encoding="utf-8") for path in folder.glob("*.py") if path.stem not in ("file", "include")
    )
    written = set(re.findall(r'(?:error|reject|warn|note|warning)\(\s*"([a-z-]+)"', text))
    written |= set(re.findall(r'[\[(] *"([a-z]+-[a-z-]+)", ', text)) | set(re.findall(r'"([a-z]+-[a-z-]+)" if ', text))
    cases = {slug for slug, _ in (*ERRORS, *WARNINGS)} | ELSEWHERE
    assert written - cases == set()
    assert len(cases) > 60


def split_marks(marked: str) -> tuple[str, int, int]:
    """Return the text without ``<<`` and ``>>``, and where the marked spot stands."""
    start = marked.index("<<")
    rest = marked[start + 2 :]
    end = rest.rindex(">>")
    return marked[:start] + rest[:end] + rest[end + 2 :], start, start + end


@pytest.mark.parametrize(("slug", "marked"), ERRORS, ids=[f"{slug}:{text!r}" for slug, text in ERRORS])
def test_one_mistake_gives_one_finding_at_its_spot(slug: str, marked: str) -> None:
    text, start, end = split_marks(marked)
    _, findings = parse(Source(text))
    assert [f.slug for f in findings] == [slug], [render(f) for f in findings]
    (finding,) = findings
    assert finding.span is not None
    assert start <= finding.span.start < finding.span.end <= end, text[finding.span.start : finding.span.end]
    assert finding.message
    assert finding.label
    assert finding.help
    assert finding.is_error


WARNINGS = [
    ("number-as-intercept", "y ~ <<5>>"),
    ("number-as-intercept", "y ~ <<1.1>> + 2*x"),
    ("split-operator", "f <<= ~>> x1"),
    ("split-operator", "x <<~ ~>> y"),
    ("split-operator", "p <<: =>> a*b"),
    ("overwritten-modifier", "f =~ 2*<<3>>*x1"),
    ("overwritten-modifier", "f =~ 2*<<pi>>*x1"),
    ("overwritten-modifier", "f =~ a*<<equal('b')>>*x1"),
    ("overwritten-modifier", "f =~ 0.4 ? <<0.5>> ? b * x1"),
    ("prior-ignored", 'y ~ <<prior("normal(0,1)")>>*x'),
]


@pytest.mark.parametrize(("slug", "marked"), WARNINGS, ids=[text for _, text in WARNINGS])
def test_what_is_read_but_doubtful(slug: str, marked: str) -> None:
    text, start, end = split_marks(marked)
    model, findings = parse(Source(text))
    assert [(f.slug, f.is_error) for f in findings] == [(slug, False)]
    assert findings[0].span is not None
    assert (findings[0].span.start, findings[0].span.end) == (start, end)
    assert len(model.statements) == 1


def test_all_mistakes_are_listed_in_order_and_the_rest_is_read() -> None:
    text = "f =~ x1 x2\ny ~ f +\nz ~ w\ng =- x3\nlevel 2:\nh =~ x4 + log(x5) + 3x + a\nv ~~ v"
    model, findings = parse(Source(text))
    slugs = ["missing-plus", "dangling-operator", "unknown-operator", "malformed-header", "bad-name"]
    assert [f.slug for f in findings] == slugs
    assert [text[s.span.start : s.span.end] for s in model.statements] == ["z ~ w", "v ~~ v"]


def test_two_wrong_terms_of_a_statement_are_two_findings() -> None:
    _, findings = parse(Source("y ~ (a + b) + x/z + w"))
    assert [f.slug for f in findings] == ["terms-in-brackets", "division-of-terms"]


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("visual =~ x1 x2 + x3", "visual =~ x1 + x2 + x3"),
        ("visual =- x1", "visual =~ x1"),
        ("f =~ x1, x2, x3", "f =~ x1 + x2 + x3"),
        ("f =~ x1 ++ x2", "f =~ x1 + x2"),
        ("y ~ (1|g", "y ~ (1|g)"),
        ("data: ../a.csv", 'data: "../a.csv"'),
        ("level: 1 y ~ x", "level: 1\ny ~ x"),
        ("level 1", "level: 1"),
        ("f = ~ x1", "f =~ x1"),
    ],
)
def test_fixes_mend(text: str, mended: str) -> None:
    _, findings = parse(Source(text))
    for edit in sorted(findings[0].fix, key=lambda e: -e.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == mended
    assert parse(Source(text))[1] == ()


def test_columns_count_code_points() -> None:
    source = Source("因子 =~ 变量1 变量2")
    (finding,) = parse(source)[1]
    assert finding.span is not None
    assert source.position(finding.span.start) == (1, 11)
