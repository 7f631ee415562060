"""What can not matter does not: names of variables and the order of independent formulas."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from semlang.model.elaborate import elaborate
from semlang.source import Source
from semlang.syntax.parser import parse

NAMES = ("f", "g", "x1", "x2", "x3", "x4", "y", "z", "w")
LINES = (
    "f =~ x1 + x2 + a*x3",
    "g =~ x4 + x2",
    "y ~ f + z",
    "z ~ w",
    "y ~ u[school]",
    "x1 ~~ x2",
    "x4 :: binomial(logit)",
    "y | t1 + t2",
    "w ~ 1",
    "g ~ f",
    "x3 ~ 0*1",
)


def rows(text: str, rename: Callable[[str], str] = str) -> Counter[tuple[object, ...]] | None:
    """Return the rows as a multiset, with names as `rename` makes them."""
    model, found = parse(Source(text))
    assert not [f for f in found if f.is_error]
    table, _ = elaborate(model).answer
    if table is None:
        return None
    out: Counter[tuple[object, ...]] = Counter()
    for r in table.rows:
        ends = [rename(r.lhs), rename(r.rhs)]
        if r.op == "~~":
            ends.sort()
        via = tuple(rename(c.name) for c in r.via)
        out[(*ends, r.op, r.free > 0, r.ustart, r.label, r.threshold, via, r.level, r.rule)] += 1
    return out


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=7, unique=True), order=st.randoms())
def test_order_of_formulas(lines: list[str], order: object) -> None:
    mixed = sorted(lines, key=lambda _: order.random())  # type: ignore[attr-defined]
    a, b = rows("\n".join(lines)), rows("\n".join(mixed))
    assert a == b


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=7, unique=True), new=st.permutations(NAMES))
def test_renaming(lines: list[str], new: list[str]) -> None:
    names = {old: f"n_{x}" for old, x in zip(NAMES, new, strict=True)}
    pattern = re.compile(r"\b(" + "|".join(NAMES) + r")\b")

    def rename(text: str) -> str:
        return pattern.sub(lambda m: names[m.group(1)], text)

    text = "\n".join(lines)
    assert rows(text, rename) == rows(rename(text))


ODD = (
    *LINES,
    "c :: class(2)",
    "c =~ x1 + x2",
    "y ~ c + c:z",
    "class c: 1",
    "m :: masspoints(3)",
    "y ~ m",
    "y ~ f:g",
    "y ~ (1 + z | school)",
    "sigma(y) ~ z",
    "y[school] ~ w",
    "level: 1",
    "level: school",
    "cluster: school/town",
    "f <~ x1 + w",
    "efa('a')*f + efa('a')*g =~ x1 + x2 + x3",
    "options: fixed.x = false",
    "options: group.equal = loadings, effect.coding = true",
    "x1 ~ c(a, b)*z",
    "group: A",
    "group: B",
    "y ~ rv(s)*x",
    "zero(y) ~ c",
    "x1 | t1 ~ z",
    "y ~ x1:x2 + factor(z)",
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.sampled_from(ODD), min_size=1, max_size=8, unique=True))
def test_every_table_is_well_formed(lines: list[str]) -> None:
    model, _ = parse(Source("\n".join(lines)))
    table, findings = elaborate(model).answer
    assert all(f.span is None or f.span.end <= len(model.source.text) for f in findings)
    if table is None:
        return
    free = [r.free for r in table.rows if r.free]
    assert free == list(range(1, len(free) + 1))
    assert {r.parameter for r in table.rows if r.free} == set(range(table.n_parameters))
    for r in table.rows:
        assert r.rule
        assert r.span is not None
        assert (r.parameter >= 0) == (r.free > 0)
        assert not r.source or r.source in table.variables or ":" in r.source
