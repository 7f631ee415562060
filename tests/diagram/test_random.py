"""A thousand random models: placed quickly, no boxes overlap, no more crossings than Graphviz's dot draws."""

from __future__ import annotations

import random
import re
import statistics
import time

import numpy as np
import pytest

from semlang.diagram.draw import draw
from semlang.diagram.spec import DiagramSpec

from .geometry import _cross, _samples, crossings, faults
from .models import table_of

MODELS = 1_000


def model(seed: int) -> str:
    """Return a model of 4 to 40 variables: factors, regressions without cycles, covariates, covariances."""
    rng = random.Random(seed)
    size = rng.randint(4, 40)
    factors, lines, k = [], [], 0
    while k + 4 <= size and rng.random() < 0.9:
        count = min(rng.randint(2, 6), size - k - 1)
        name = f"f{len(factors)}"
        lines.append(f"{name} =~ " + " + ".join(f"y{k + i}" for i in range(count)))
        factors.append((name, [f"y{k + i}" for i in range(count)]))
        k += count + 1
    names = [f for f, _ in factors] + [f"v{i}" for i in range(min(rng.randint(2, 8), max(size - k, 2)))]
    for i, effect in enumerate(names):
        causes = [c for c in names[:i] if rng.random() < 1.2 / max(i, 1)]
        if causes:
            lines.append(f"{effect} ~ " + " + ".join(causes))
    for _, items in factors:
        if len(items) > 2 and rng.random() < 0.3:
            lines.append(f"{items[0]} ~~ {items[-1]}")
    return "\n".join([*lines, f"{names[-1]} ~ x"]) + "\n"


def crossings_of_dot(spec: DiagramSpec) -> int:
    """Return the crossings in the picture that dot makes of the same graph."""
    import pygraphviz

    graph = pygraphviz.AGraph(directed=True, strict=False)
    for n in spec.nodes:
        graph.add_node(n.key, shape="box", width=n.width / 72, height=n.height / 72, fixedsize=True, label="")
    for k, e in enumerate(spec.edges):
        if e.source:
            graph.add_edge(e.source, e.target, key=str(k), constraint=not e.both)
    graph.layout(prog="dot")
    paths = []
    for edge in graph.edges():
        numbers = re.findall(r"-?[\d.]+(?:e[-+]?\d+)?", re.sub(r"[es],[-\d.e+]+,[-\d.e+]+", "", edge.attr["pos"]))
        paths.append(_samples(np.array([float(x) for x in numbers]).reshape(-1, 2)))
    return sum(_cross(a, b) for i, a in enumerate(paths) for b in paths[i + 1 :])


@pytest.mark.slow
def test_random_models() -> None:
    ours, theirs, seconds, found = [], [], [], 0
    for seed in range(MODELS):
        table = table_of(model(seed))
        start = time.process_time()
        diagram = draw(table, residuals=False)
        seconds.append(time.process_time() - start)
        found += faults(diagram.svg)["boxes overlap"]
        ours.append(crossings(diagram.svg))
        theirs.append(crossings_of_dot(diagram.spec))
    print(f"crossings {statistics.median(ours)}, dot {statistics.median(theirs)}; slowest {max(seconds):.2f} s")
    assert not found
    assert statistics.median(ours) <= statistics.median(theirs)
    assert max(seconds) < 1.0


@pytest.mark.parametrize("seed", range(0, 40, 8))
def test_boxes_do_not_overlap(seed: int) -> None:
    assert not faults(draw(table_of(model(seed))).svg)["boxes overlap"]
