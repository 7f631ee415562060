"""Where what the means of covariates leave behind finds its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from semlang.data.centring import NOTHING
from semlang.estimation.frame.sums import CONSTANT, Choice, Sum
from semlang.graph.model_graph import ModelGraph

__all__ = ["placed", "to_components", "to_loadings", "to_thresholds"]


def to_loadings(graph: ModelGraph, found: dict[Hashable, Sum], elements: Sequence[tuple[int, float, Hashable]]) -> None:
    """What a latent variable without a free intercept leaves behind, the responses that it acts on take."""
    free = {key for parameter, _, key in elements if parameter >= 0}
    for latent in graph.latents:
        key = ("path", latent, "", NOTHING)
        rest, paths = found.get(key), graph.out_of(latent)
        if rest is None or key in free or not rest.choices or not paths:
            continue
        if any(p.target not in graph.responses or p.via for p in paths):
            continue
        for p in paths:
            value = 1.0 if p.parameter >= 0 else p.value
            found["path", p.target, "", NOTHING].add_all(rest, value, max(p.parameter, CONSTANT))
        written = sum(value for _, value, place in elements if place == key)
        found[key] = Sum({CONSTANT: written} if written else {}, set())


def to_thresholds(graph: ModelGraph, found: dict[Hashable, Sum], elements: list[tuple[int, float, Hashable]]) -> None:
    """Where a response with thresholds has no free intercept, all its thresholds take what is left behind."""
    free = {key for parameter, _, key in elements if parameter >= 0}
    for target in dict.fromkeys(row.target for row in graph.thresholds):
        key = ("path", target, "", NOTHING)
        rest = found.get(key)
        if rest is None or key in free or not rest.choices:
            continue
        for row in graph.thresholds:
            if row.target == target and not row.via and not row.source:
                found[("thresholds", row.threshold, row.quantity), target, "", NOTHING].add_all(rest, -1.0)
        value = sum(v for _, v, k in elements if k == key)
        found[key] = Sum({CONSTANT: value} if value else {}, set())


def to_components(
    graph: ModelGraph, found: dict[Hashable, Sum], elements: Sequence[tuple[int, float, Hashable]]
) -> None:
    """Where a response, or a part of it, has no intercept, another part that acts on nothing else has it."""
    written = {key for _, _, key in elements}
    free = {key for parameter, _, key in elements if parameter >= 0}

    def alone(key: str, response: str) -> bool:
        return all(p.target == response and not p.via and p.value == 1.0 for p in graph.out_of(key))

    for v in graph.table.variables.values():
        key, response = ("path", v.key, "", NOTHING), v.response or v.key
        rest = found.get(key)
        if rest is None or key in written or not rest.choices or not (v.key == response or alone(v.key, response)):
            continue
        for other in graph.table.latents:
            new = ("path", other.key, "", NOTHING)
            if other.response == response and new in free and alone(other.key, response):
                found[new].add_all(found.pop(key), 1.0)
                break


def placed(
    found: Mapping[Hashable, Sum], elements: Sequence[tuple[int, float, Hashable]]
) -> tuple[dict[tuple[int, Hashable], Sum], set[Choice]]:
    """Match sums with elements; return those of free ones, and the choices of sums that no element can be."""
    count: dict[Hashable, int] = defaultdict(int)
    for _, _, key in elements:
        count[key] += 1
    own: dict[tuple[int, Hashable], Sum] = {}
    lost: set[Choice] = set()
    for parameter, value, key in elements:
        total = found.get(key, Sum({}, set()))
        if count[key] > 1 and total.choices:
            lost |= total.choices
        elif parameter >= 0:
            own[parameter, key] = total if count[key] == 1 else Sum({parameter: 1.0}, set())
        elif not total.equals({CONSTANT: value} if value else {}):
            lost |= total.choices
    for key, total in found.items():
        if key not in count and any(total.terms.values()):
            lost |= total.choices
    return own, lost
