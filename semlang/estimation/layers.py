"""In which order, and how many at a time, disturbances are integrated out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from semlang.estimation.factors import Block, blocks_of
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS

__all__ = ["Layer", "layers_of"]


@dataclass(frozen=True)
class Layer:
    """One step of the nested integral.

    Parameters
    ----------
    level : str
        Level whose units the disturbances vary over.
    coordinates : tuple of tuple of int
        Disturbances of each dimension. Several share one where no response depends on two of them: given the layers
        above they are independent, and each is integrated with its own responses (bifactor, testlet and higher-order
        models; Gibbons and Hedeker 1992).
    block : mapping from response to number of its unit inside the level's unit, empty where the unit is whole
    exact : bool
        Whether one point is exact (disturbances of gaussian responses alone).
    """

    level: str
    coordinates: tuple[tuple[int, ...], ...]
    block: tuple[int, ...] = ()
    exact: bool = False

    @property
    def dims(self) -> int:
        """Number of dimensions."""
        return len(self.coordinates)


def layers_of(reduced: ReducedForm, residuals: Sequence[int], order: Sequence[str]) -> tuple[Layer, ...]:
    """Return the layers, innermost first.

    Parameters
    ----------
    reduced : ReducedForm
    residuals : sequence of int
        Disturbances that `lift_residuals` added: a layer of their own, innermost, that needs one point.
    order : sequence of str
        All levels, lowest first.
    """
    blocks = [b for b in blocks_of(reduced.psi) if not set(b.members) & set(residuals)]
    out: list[Layer] = []
    if residuals:
        out.append(Layer(ROWS, tuple((j,) for j in residuals), exact=True))
    lowest = True
    for level in order:
        here = [b for b in blocks if reduced.disturbances[b.members[0]].level == level]
        if not here:
            continue
        special = _specific(reduced, here) if lowest and not residuals else ()
        lowest = False
        if len(special) > 1:
            owner = {k: n for n, j in enumerate(special, 1) for k in _responses(reduced, j)}
            block = tuple(owner.get(k, 0) for k in range(len(reduced.responses)))
            out.append(Layer(level, (tuple(special),), block))
        rest = sorted(j for b in here for j in b.members if len(special) < 2 or j not in special)
        if rest:
            out.append(Layer(level, tuple((j,) for j in rest)))
    return tuple(out)


def _responses(reduced: ReducedForm, j: int) -> frozenset[int]:
    """Responses that depend on a disturbance."""
    cells = reduced.loading_cells
    return frozenset(int(k) for k in reduced.owners[cells[cells[:, 2] == j, 0]])


def _specific(reduced: ReducedForm, blocks: Sequence[Block]) -> tuple[int, ...]:
    """Return the largest set of uncorrelated disturbances no two of which have a response in common."""
    moderated = {i for i, _ in reduced.moderated}  # their scale differs by row, and theirs alone
    reach = {
        b.members[0]: _responses(reduced, b.members[0])
        for b in blocks
        if len(b.members) == 1 and not moderated & set(b.members)
    }
    names = sorted(reach, key=lambda j: (len(reach[j]), j))
    if len(names) <= 12:
        for size in range(len(names), 1, -1):
            for chosen in combinations(names, size):
                if all(not reach[a] & reach[b] for a, b in combinations(chosen, 2)):
                    return tuple(sorted(chosen))
        return ()
    taken: list[int] = []
    for j in names:
        if all(not reach[j] & reach[other] for other in taken):
            taken.append(j)
    return tuple(sorted(taken))
