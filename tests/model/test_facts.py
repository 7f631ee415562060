"""A model is elaborated again only where the data would change its table; what is kept is what would be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from semlang import Model
from semlang.model.elaborate import Elaboration, elaborate
from semlang.model.facts import DataFacts
from semlang.source import Source
from semlang.syntax.parser import parse

CORPUS = Path(__file__).parents[1] / "corpus"
TEXTS = {f"{p.parent.name}/{p.stem}": p.read_text(encoding="utf-8") for p in sorted(CORPUS.rglob("*.sem"))}
MORE = (
    "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f + z",
    "y :: ordinal(probit)\ny ~ x\nf =~ y + a + b",
    "y :: multinomial\ny ~ x",
    "y ~ factor(g) + x",
    "y ~ x + (1 + x | school)",
    "u[school] ~~ u[school]\ny ~ u[school] + x",
    "groups: sex\nf =~ x1 + x2 + x3",
    "y :: binomial(logit)\ny ~ a*x\nb := a^2",
)


def facts_for(done: Elaboration) -> list[DataFacts]:
    """Columns as they should be; with levels; with the names of latent variables and random effects, too; none."""
    table = done.table
    assert table is not None
    plain = tuple(dict.fromkeys([*table.columns(), *(v.name for v in table.responses)]))
    latent = tuple(v.name for v in table.latents)
    few = dict.fromkeys(plain, ("1", "2", "3"))
    return [
        DataFacts(plain),
        DataFacts(plain, few),
        DataFacts((*plain, *latent), few),
        DataFacts((*plain, "y.Intercept", "y.1", "y.x", "u")),
        DataFacts(("elsewhere",)),
    ]


@pytest.mark.parametrize("text", [*TEXTS.values(), *MORE], ids=[*TEXTS, *(str(i) for i in range(len(MORE)))])
def test_the_kept_table_is_the_one_that_would_be_made(text: str) -> None:
    ast, _ = parse(Source(text))
    done = elaborate(ast)
    if done.table is None:
        return
    for facts in facts_for(done):
        kept = done.with_facts(facts)
        made = elaborate(ast, facts=facts)
        if kept is not None:
            assert kept.table == made.table
            (accepted, found), (other, wanted) = kept.answer, made.answer
            assert (accepted is None) == (other is None)
            assert sorted((d.slug, d.message) for d in found) == sorted((d.slug, d.message) for d in wanted)


@pytest.mark.parametrize(("number", "asked"), [(1, True), (2, True), (3, True), (5, False), (6, True), (0, False)])
def test_data_that_have_something_to_say(number: int, asked: bool) -> None:
    ast, _ = parse(Source(MORE[number]))
    done = elaborate(ast)
    assert (done.with_facts(facts_for(done)[1]) is None) == asked


def test_one_model_for_many_data_keeps_its_graphs() -> None:
    model = Model(MORE[0])
    facts = DataFacts(("x1", "x2", "x3", "x4", "x5", "x6", "z"))
    assert model.with_facts(facts) is model
    assert model.with_facts(facts).graphs is model.graphs
    thresholds = Model(MORE[1]).with_facts(DataFacts(("y", "x", "a", "b"), {"y": ("0", "1", "2")}))
    assert sum(r.op == "|" for r in thresholds.parameter_table.rows) == 2
