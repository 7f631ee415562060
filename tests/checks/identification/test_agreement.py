"""Structural rules and exact rank on random graphs: a rule never claims what the rank denies."""

from __future__ import annotations

import random

import pytest

from semlang.checks.identification import identify
from semlang.checks.identification.explain import rules
from semlang.checks.identification.halftrek import half_trek
from semlang.checks.identification.latent_factor import latent_factor_half_trek
from semlang.checks.identification.names import Names
from semlang.checks.identification.rank import MomentMap
from semlang.graph.build import build_graphs
from semlang.model.elaborate import elaborate
from semlang.model.table import ParameterTable
from semlang.source import Source
from semlang.syntax.parser import parse


def table_of(text: str) -> ParameterTable:
    ast, _ = parse(Source(text))
    table, findings = elaborate(ast).answer
    assert table is not None, findings
    return table


def path_model(rng: random.Random) -> str:
    """A random path model with correlated residuals."""
    n = rng.randint(3, 6)
    density, joint = rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.5)
    lines = ["options: defaults = lavaan"]
    names = [f"y{i}" for i in range(n)]
    for j in range(n):
        causes = [names[i] for i in range(j) if rng.random() < density]
        lines.append(f"{names[j]} ~ 1" + "".join(f" + {c}" for c in causes))
        lines.append(f"{names[j]} ~~ {names[j]}")
        lines += [f"{names[i]} ~~ {names[j]}" for i in range(j) if rng.random() < joint]
    return "\n".join(lines)


def latent_model(rng: random.Random) -> str:
    """A random model with latent variables, cross-loadings, correlated residuals and a covariate."""
    m = rng.randint(1, 3)
    lines = ["options: defaults = lavaan"]
    factors = [f"f{a}" for a in range(m)]
    indicators: list[str] = []
    for a, f in enumerate(factors):
        mine = [f"x{a}{i}" for i in range(rng.randint(1, 4))]
        marker = rng.random() < 0.8
        lines.append(f"{f} =~ " + " + ".join(("1*" if marker and i == 0 else "NA*") + y for i, y in enumerate(mine)))
        if rng.random() < 0.25 and indicators:
            lines.append(f"{f} =~ NA*{rng.choice(indicators)}")
        lines.append(f"{f} ~~ {f}" if marker or rng.random() < 0.3 else f"{f} ~~ 1*{f}")
        indicators += mine
        for b in range(a):
            match rng.randrange(4):
                case 0:
                    lines.append(f"{factors[b]} ~~ {f}")
                case 1:
                    lines.append(f"{f} ~ {factors[b]}")
                case 2:
                    lines += [f"{f} ~ {factors[b]}", f"{factors[b]} ~~ {f}"] if rng.random() < 0.3 else []
        if rng.random() < 0.3:
            lines.append(f"{f} ~ z")
    lines += [f"{y} ~~ {y}" for y in indicators]
    for i, y in enumerate(indicators):
        lines += [f"{indicators[j]} ~~ {y}" for j in range(i) if rng.random() < 0.08]
    if rng.random() < 0.3:
        lines += [f"w ~ {rng.choice([*factors, *indicators])}", "w ~~ w"]
    return "\n".join(lines)


def confounded_model(rng: random.Random) -> str:
    """A random path model in which latent variables are common causes."""
    n, m = rng.randint(3, 5), rng.randint(1, 2)
    lines = ["options: defaults = lavaan"]
    names = [f"y{i}" for i in range(n)]
    for h in range(m):
        touched = rng.sample(names, rng.randint(2, n))
        lines += [f"h{h} =~ " + " + ".join(f"NA*{y}" for y in touched), f"h{h} ~~ 1*h{h}"]
    for j in range(n):
        causes = [names[i] for i in range(j) if rng.random() < 0.35]
        lines += [f"{names[j]} ~ 1" + "".join(f" + {c}" for c in causes), f"{names[j]} ~~ {names[j]}"]
    return "\n".join(lines)


KINDS = (path_model, latent_model, confounded_model)


def hold_against_each_other(seed: int) -> int:
    """Return how many parameters rules claim in the random model `seed`."""
    rng = random.Random(seed)
    text = KINDS[seed % 3](rng)
    table = table_of(text)
    graphs = build_graphs(table)
    claimed = rules(graphs[0])
    found = MomentMap(table, graphs).rank()
    names = Names(table)
    wrong = [(names.text(p), claimed[p]) for p in claimed if p in found.moving]
    assert not wrong, f"{wrong}\n{text}"
    return len(claimed)


def test_rules_never_contradict_the_rank() -> None:
    assert sum(hold_against_each_other(seed) for seed in range(150)) > 500


@pytest.mark.slow
def test_rules_never_contradict_the_rank_on_5000_graphs() -> None:
    assert sum(hold_against_each_other(seed) for seed in range(5000)) > 16000


@pytest.mark.parametrize(
    ("nodes", "edges", "joint", "solved"),
    [
        ("zxy", ["zx", "xy"], ["xy"], "zxy"),
        ("xy", ["xy"], ["xy"], "x"),
        ("1234", ["12", "23", "34"], ["13", "24"], "1234"),
        ("1234", ["12", "13", "14"], ["23", "34", "24"], "1234"),
    ],
)
def test_half_trek(nodes: str, edges: list[str], joint: list[str], solved: str) -> None:
    found = half_trek(nodes, [(e[0], e[1]) for e in edges], [frozenset(e) for e in joint])
    assert "".join(found) == solved


def test_a_verdict_does_not_depend_on_the_order_of_lines() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        lines = KINDS[seed % 3](rng).split("\n")
        shuffled = [lines[0], *rng.sample(lines[1:], len(lines) - 1)]
        one, two = (table_of("\n".join(x)) for x in (lines, shuffled))
        a = identify(one, build_graphs(one), explain=False)
        b = identify(two, build_graphs(two), explain=False)
        assert (a.verdict, a.rank, set(a.unidentified)) == (b.verdict, b.rank, set(b.unidentified))


def test_latent_factor_half_trek() -> None:
    """An example of Barber, Drton, Sturma and Weihs (2022): one hidden cause of all, and a chain."""
    edges = [("h", v) for v in "12345"] + [("1", "2"), ("2", "3")]
    assert set(latent_factor_half_trek("12345", ["h"], edges)) == set("12345")
    bow = [("h", "1"), ("h", "2"), ("1", "2")]
    assert "2" not in latent_factor_half_trek("12", ["h"], bow)
    assert latent_factor_half_trek("12", ["h"], [*bow, ("1", "h")]) == ()


def test_all_rules_are_used() -> None:
    """The random graphs reach every rule, so that the agreement says something about each."""
    used: set[str] = set()
    for seed in range(120):
        table = table_of(KINDS[seed % 3](random.Random(seed)))
        used |= {r.split(" for ")[0].split(" z")[0].split(" y")[0] for r in rules(build_graphs(table)[0]).values()}
    for rule in (
        "three-indicator",
        "two-indicator",
        "recursive rule",
        "bow-free",
        "half-trek",
        "instrument",
        "latent-factor",
    ):
        assert any(rule in u for u in used), (rule, used)
