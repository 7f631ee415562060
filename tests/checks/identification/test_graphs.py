"""Flow and separation on graphs agree with networkx's general algorithms, on random graphs."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from semlang.checks.identification.flow import unit_flow
from semlang.checks.identification.instruments import instrument


@pytest.mark.parametrize("density", [0.1, 0.25, 0.5])
def test_unit_flow(density: float) -> None:
    """Cycles, arcs both ways and arcs given twice are among them."""
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(60):
        n = int(rng.integers(2, 12))
        arcs = [(str(a), str(b)) for a, b in itertools.permutations(range(n), 2) if rng.random() < density]
        graph = nx.DiGraph()
        graph.add_nodes_from(map(str, range(n)))
        graph.add_edges_from(arcs, capacity=1)
        flow = unit_flow([*arcs, *arcs[:3]], "0", "1")
        assert flow == nx.maximum_flow_value(graph, "0", "1")
        seen.add(flow)
    assert len(seen) > 1


def test_instruments() -> None:
    """An instrument is d-separated from the effect without the path, and not from the cause (networkx)."""
    rng = np.random.default_rng(5)
    answers = []
    for _ in range(150):
        nodes = list("abcdef")
        edges = [p for p in itertools.combinations(nodes, 2) if rng.random() < 0.35]
        joint = [frozenset(p) for p in itertools.combinations(nodes, 2) if rng.random() < 0.15]
        full = nx.DiGraph(edges)
        full.add_nodes_from(nodes)
        for i, pair in enumerate(joint):
            full.add_edges_from((i, end) for end in pair)
        for cause, effect in edges:
            without = full.copy()
            without.remove_edge(cause, effect)
            found = [
                z
                for z in nodes
                if z not in (cause, effect)
                and not nx.has_path(full, effect, z)
                and nx.is_d_separator(without, {z}, {effect}, set())
                and not nx.is_d_separator(full, {z}, {cause}, set())
            ]
            assert instrument(cause, effect, nodes, edges, joint) == (found[0] if found else None)
            answers.append(bool(found))
    assert {True, False} == set(answers)
