"""Mutated model texts, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

SIGNS = """
=~ ~ ~~ ~*~ <~ |~ := :~ :: == <= < > >= | || + - * / ? ^ : @ , = ( ) [ ] { } ; # ! % $ \\ _ " ' ` . .. ... 1 0 NA x
{1..3} {1..99999999} {3..1} {a,b} 1e400 u[g] c@2 (1|g) (1+x||g/h) start( c( rep( paste0( factor( I(x^2) offset( TRUE
level:1 level:2 data: group: class: cluster: a/b groups: options: std.lv=true defaults=growth reshape: include: layout:
é 因 “ ” − ˜ <- -> =- ~= ++ ** f x1 sigma( shape( guess( efa("a")* rv("s")* equal("f=~x1")* lower(0)* c(a,b)* c(1,NA)*
normal class(2) masspoints(2) ordinal(logit) binomial(logit,trials=n) poisson multinomial(base=1) gaussian(level=g)
prior("n")* 0.5? if function Inf NaN t1 t2 |t1 @a ~1 ~0 ~-1
""".split()  # noqa: SIM905 (a list is harder to read)
SPACES = [
    *("\n", " ", "\t", "\r\n", "\r", "\x00", "\u2028", "\u200b", "\u0301", "\ufeff", "\n\n", "\ud800"),
    *("level: 1\n", "level: 2\n", "class c: 2\n", "group: a\n", "cluster: g\n", "y :: ordinal\n", "f =~ x + y\n"),
]
PIECES = [*SIGNS, *SPACES]


def corpus(shared: Path | None = None) -> list[str]:
    """Return the texts to be mutated: the tests' models, the examples and, where they are there, lavaan's."""
    files = [*(ROOT / "tests" / "corpus").rglob("*.sem"), *(ROOT / "examples").rglob("*.sem")]
    texts = [path.read_text(encoding="utf-8") for path in sorted(files)]
    for name in ("accepts", "rejects"):
        path = shared / "lavaan" / f"{name}.jsonl" if shared is not None else None
        if path is not None and path.is_file():
            texts += [json.loads(line)["syntax"] for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted({t for t in texts if t.strip()})


def mutants(texts: list[str], number: int, seed: int, longest: int = 1000) -> Iterator[str]:
    """Yield texts with one to six random edits; those of two texts are sometimes joined."""
    chance = random.Random(seed)
    for _ in range(number):
        text = chance.choice(texts)
        if chance.random() < 0.1:
            text += "\n" + chance.choice(texts)
        if len(text) > longest - 100:
            at = chance.randrange(len(text) - longest + 101)
            text = text[at : at + longest - 100]
        for _ in range(chance.randint(1, 6)):
            text = _edited(chance, text)
        yield text[:longest]


def _edited(chance: random.Random, text: str) -> str:
    at = chance.randint(0, len(text))
    end = min(len(text), at + chance.choice((0, 0, 1, 1, 2, 4, 8, 20)))
    kind = chance.random()
    if kind < 0.5:
        piece = chance.choice(PIECES)
    elif kind < 0.6:
        piece = text[at:end] * 2
    elif kind < 0.7:
        piece = chr(chance.choice((chance.randint(32, 126), chance.randint(0, 0x2FF), chance.randint(0, 0xFFFF))))
    elif kind < 0.8:
        piece, words = "", text.split()
        if words:
            piece = f" {chance.choice(words)} "
    elif kind < 0.9:
        lines = text.split("\n")
        chance.shuffle(lines)
        return "\n".join(lines)
    else:
        piece = ""
    return text[:at] + piece + text[end:]
