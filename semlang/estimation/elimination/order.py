"""In which order latent variables are integrated out: the one with the fewest operations.

A latent variable is integrated out of all factors that it is in (densities of responses, its distribution given its
causes, integrals that were taken before), which leaves a function of the other variables of these factors. What that
costs grows with the nodes of all of them together, so that the order is the whole matter (Lauritzen and Spiegelhalter
1988, JRSS B 50, 157-224). Lower levels come first: units are independent given the levels above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Step", "cliques_of_prior", "elimination_order", "last_first", "steps_of_order", "widest"]

EXHAUSTIVE = 10
"""Most variables of a level for which all orders are compared; with more, the cheapest next one is taken."""

_Sets = frozenset[frozenset[int]]


@dataclass(frozen=True)
class Step:
    """A variable is integrated out.

    Parameters
    ----------
    variable : int
    rest : tuple of int
        The other variables of its factors, those first that are integrated out last: what the integral is a function
        of.
    given : tuple of int
        Those of `rest` that its own distribution depends on.
    """

    variable: int
    rest: tuple[int, ...]
    given: tuple[int, ...]

    @property
    def clique(self) -> tuple[int, ...]:
        """All variables of the step, its own last."""
        return (*self.rest, self.variable)


def cliques_of_prior(
    parents: Sequence[Iterable[int]], districts: Iterable[Iterable[int]]
) -> tuple[frozenset[int], ...]:
    """Return the sets of variables whose joint distributions make up that of all: districts with their parents.

    Parameters
    ----------
    parents : for each variable those that it depends on
    districts : sets of variables whose disturbances are correlated
    """
    return tuple(frozenset(d).union(*(parents[j] for j in d)) for d in districts)


def _eliminate(sets: _Sets, j: int) -> tuple[frozenset[int], _Sets]:
    """Return the other variables of the factors that j is in, and the factors that are left."""
    rest = frozenset().union(*(s for s in sets if j in s)) - {j}
    return rest, frozenset(s for s in sets if j not in s) | {rest}


def elimination_order(
    factors: Iterable[frozenset[int]],
    heights: Sequence[int],
    cost: Callable[[int, frozenset[int], _Sets], float],
) -> tuple[int, ...]:
    """Return the order with the smallest sum of costs.

    Parameters
    ----------
    factors : sets of variables
    heights : sequence of int
        Level of each variable; lower ones are integrated out first.
    cost : callable
        Takes a variable, the rest of its clique and the sets of its factors.
    """
    sets: _Sets = frozenset(s for s in factors if s)
    order: list[int] = []
    for height in sorted(set(heights)):
        members = frozenset(j for j, h in enumerate(heights) if h == height)
        chosen = _cheapest(sets, members, cost) if len(members) <= EXHAUSTIVE else _greedy(sets, members, cost)
        for j in chosen:
            sets = _eliminate(sets, j)[1]
        order += chosen
    return tuple(order)


def _cheapest(
    sets: _Sets, members: frozenset[int], cost: Callable[[int, frozenset[int], _Sets], float]
) -> tuple[int, ...]:
    """Compare all orders: what is left depends on which variables are gone, not on their order."""
    best: dict[frozenset[int], tuple[float, tuple[int, ...], _Sets]] = {frozenset(): (0.0, (), sets)}
    for _ in members:
        longer: dict[frozenset[int], tuple[float, tuple[int, ...], _Sets]] = {}
        for gone, (total, order, left) in best.items():
            for j in sorted(members - gone):
                rest, after = _eliminate(left, j)
                here = total + cost(j, rest, frozenset(s for s in left if j in s))
                known = longer.get(gone | {j})
                if known is None or here < known[0]:
                    longer[gone | {j}] = (here, (*order, j), after)
        best = longer
    return best[members][1] if members else ()


def _greedy(
    sets: _Sets, members: frozenset[int], cost: Callable[[int, frozenset[int], _Sets], float]
) -> tuple[int, ...]:
    order: list[int] = []
    left = set(members)
    while left:
        j = min(sorted(left), key=lambda v: cost(v, _eliminate(sets, v)[0], frozenset(s for s in sets if v in s)))
        sets = _eliminate(sets, j)[1]
        left.remove(j)
        order.append(j)
    return tuple(order)


def steps_of_order(
    order: Sequence[int], factors: Iterable[frozenset[int]], prior: Iterable[frozenset[int]]
) -> tuple[Step, ...]:
    """Return the steps of an order.

    Parameters
    ----------
    order : sequence of int
    factors : sets of variables of the densities of responses
    prior : sets of variables as of `cliques_of_prior`
    """
    prior = frozenset(prior)
    turn = {j: n for n, j in enumerate(order)}
    sets = frozenset(s for s in factors if s) | prior
    out = []
    for j in order:
        rest, sets = _eliminate(sets, j)
        given, prior = _eliminate(prior, j)
        out.append(Step(j, last_first(rest, turn), last_first(given, turn)))
    return tuple(out)


def last_first(variables: Iterable[int], turn: Mapping[int, int]) -> tuple[int, ...]:
    """Return variables in the order of the axes of tables: those first that are integrated out last."""
    return tuple(sorted(variables, key=turn.__getitem__, reverse=True))


def widest(steps: Iterable[Step]) -> int:
    """Return the number of variables of the largest clique."""
    return max((len(s.clique) for s in steps), default=0)
