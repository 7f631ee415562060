"""Orders of elimination: the cheapest of all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from semlang.estimation.elimination.order import elimination_order, steps_of_order


@pytest.mark.parametrize("seed", range(6))
def test_no_order_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = [frozenset(rng.choice(5, size=rng.integers(1, 4), replace=False).tolist()) for _ in range(6)]
    factors += [frozenset([j]) for j in range(5)]

    def cost(j: int, rest: frozenset[int], _: frozenset[frozenset[int]]) -> float:
        return 7.0 ** (1 + len(rest))

    def total(order: tuple[int, ...]) -> float:
        return sum(7.0 ** len(s.clique) for s in steps_of_order(order, factors, []))

    found = elimination_order(factors, [0] * 5, cost)
    assert total(found) == min(total(order) for order in permutations(range(5)))
