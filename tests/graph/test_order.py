"""The triangular order and cycles on random graphs."""

from __future__ import annotations

import itertools

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semlang.graph import ModelGraph, build_graph, cyclic_parts, find_cycle, triangular_order
from semlang.graph.order import causes_first
from semlang.matrices.gllamm import GllammMatrices
from semlang.model.kinds import KINDS
from semlang.model.table import ParameterTable, Row, Variable
from semlang.source import Source

LEVELS = ("rows", "class", "school")


@st.composite
def graphs(draw: st.DrawFn, upward: bool = True) -> ModelGraph:
    """Latent variables on three levels with paths in a random direction; without cycles where `upward`."""
    n = draw(st.integers(1, 7))
    levels = draw(st.lists(st.sampled_from(LEVELS), min_size=n, max_size=n))
    names = [f"f{i}" for i in range(n)]
    variables = {k: Variable(k, k, lev, "latent", KINDS["normal"]) for k, lev in zip(names, levels, strict=True)}
    depth = draw(st.permutations(range(n)))
    if upward:
        depth = sorted(depth, key=lambda i: LEVELS.index(levels[i]))
    pairs = [(depth[i], depth[j]) for i in range(n) for j in range(n) if (i < j if upward else i != j)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=10, unique=True)) if pairs else []
    rows = tuple(
        Row(i, names[t], "~", names[s], free=i, parameter=i - 1, target=names[t], source=names[s])
        for i, (t, s) in enumerate(chosen, 1)
    )
    return build_graph(ParameterTable(Source(""), rows, variables, len(rows), clusters=LEVELS[1:]))


@settings(deadline=None)
@given(graphs())
def test_b_is_strictly_upper_triangular(graph: ModelGraph) -> None:
    assert GllammMatrices(graph).B.is_strictly_upper()


@settings(deadline=None)
@given(graphs())
def test_order_is_the_first_by_appearance(graph: ModelGraph) -> None:
    """Among all orders that are allowed, the lexicographically smallest one is taken."""
    names = list(graph.variables)
    level = {k: LEVELS.index(v.level) for k, v in graph.variables.items()}
    steps = nx.DiGraph([(effect, cause) for effect, causes in graph.causes.items() for cause in causes])
    steps.add_nodes_from(names)
    order = [names.index(k) for k in triangular_order(graph)]
    # the levels keep variables of one level together
    assert [level[names[i]] for i in order] == sorted(level.values())
    best = []
    for number in range(len(LEVELS)):
        part = nx.transitive_closure_dag(steps).subgraph(k for k in names if level[k] == number)
        best += list(nx.lexicographical_topological_sort(part, key=names.index))
    assert order == [names.index(k) for k in best]


@settings(deadline=None)
@given(graphs(upward=False))
def test_cycles_are_cycles(graph: ModelGraph) -> None:
    arrows = nx.DiGraph([(cause, effect) for effect, causes in graph.causes.items() for cause in causes])
    arrows.add_nodes_from(graph.variables)
    cycle = find_cycle(graph.causes)
    assert (cycle is None) == nx.is_directed_acyclic_graph(arrows)
    if cycle is None:
        order = causes_first(graph.causes)
        assert all(order.index(a) < order.index(b) for a, b in arrows.edges)
        return
    assert cycle[0] == cycle[-1]
    assert all(arrows.has_edge(a, b) for a, b in itertools.pairwise(cycle))
    with pytest.raises(ValueError, match="cyclic"):
        triangular_order(graph)
    with pytest.raises(ValueError, match="cyclic"):
        causes_first(graph.causes)
    # one cycle for each strongly connected part
    parts = [c for c in nx.strongly_connected_components(arrows) if len(c) > 1]
    found = cyclic_parts(graph.causes)
    assert len(found) == len(parts)
    assert all(any(set(c) <= part for part in parts) for c in found)


def test_networkx_graph_has_all_edges() -> None:
    variables = {
        "f": Variable("f", "f", "rows", "latent", KINDS["normal"], measured=True),
        "y": Variable("y", "y", "rows", "response", KINDS["gaussian"], "identity"),
    }
    rows = (
        Row(1, "f", "=~", "y", ustart=1.0, target="y", source="f"),
        Row(2, "f", "~~", "f", free=1, parameter=0, target="f", source="f"),
    )
    graph = build_graph(ParameterTable(Source(""), rows, variables, 1)).graph
    assert graph.nodes["f"]["role"] == "latent"
    assert graph.nodes["y"]["kind"] == "gaussian"
    kinds = {(a, b): d["kind"] for a, b, d in graph.edges(data=True)}
    assert kinds == {("f", "y"): "loading", ("f", "f"): "covariance"}
    assert graph.edges["f", "y", 0]["row"] is rows[0]
