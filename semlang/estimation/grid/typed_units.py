"""Units whose rows are of few types, laid out a run of units at a time: of millions of rows there are never all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semlang.data.design import Design
from semlang.estimation.expansion import Expansion, expand
from semlang.estimation.grid.row_types import RowTypes, distinct_keys, keys_of_rows, rows_at
from semlang.estimation.layers import Layer
from semlang.estimation.quadrature import Tree
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, Variable

__all__ = ["typed_units"]

ROWS_AT_A_TIME = 1 << 18


def typed_units(
    reduced: ReducedForm,
    design: Design,
    variables: Mapping[str, Variable],
    layers: Sequence[Layer],
    order: Sequence[str],
) -> tuple[Expansion, RowTypes]:
    """Return the units of a design, and the types of their rows, laid out a run of top-level units at a time.

    Parameters
    ----------
    reduced, design, variables, layers, order
        As of `expand`.

    Returns
    -------
    units : Expansion
        Without rows, but for the records and responses of these.
    types : RowTypes
        As `row_types` of all rows.
    """
    units, types, keys, numbers, known = [], [], [], [], 0
    for begin, part in _parts(design, layers, len(reduced.responses)):
        rows = expand(reduced, part, variables, layers, order)
        columns = keys_of_rows(reduced, part, rows)
        number, at = distinct_keys(columns)
        keys.append([column[at] for column in columns])
        types.append(_moved(rows_at(rows, at), begin))
        numbers.append((number + known).astype(np.int32))
        units.append(_moved(_without_rows(rows), begin))
        known += at.size
    if len(units) == 1:
        return units[0], RowTypes(types[0], numbers[0].astype(np.int64))
    merged, at = distinct_keys([np.concatenate(column) for column in zip(*keys, strict=True)])
    found = RowTypes(rows_at(_side_by_side(types), at), np.concatenate([merged[before] for before in numbers]))
    return _together(units), found


def _parts(design: Design, layers: Sequence[Layer], responses: int) -> Iterator[tuple[int, Design]]:
    """Yield runs of the top-level units with the number of their first record."""
    size = max(1, ROWS_AT_A_TIME // max(responses, 1))
    if design.n_rows <= size or design.sets:
        yield 0, design
        return
    top = layers[-1].level if layers else ROWS
    begin = 0
    while begin < design.n_rows:
        end = min(begin + size, design.n_rows)
        if top != ROWS:
            units = design.clusters[top]
            end = int(np.searchsorted(units, units[end - 1], side="right"))
        yield begin, _part(design, slice(begin, end))
        begin = end


def _part(design: Design, here: slice) -> Design:
    """Return some records of a design; those that are left out are counted with the first."""
    return replace(design.taken(here), dropped=design.dropped if here.start == 0 else {})


def _without_rows(rows: Expansion) -> Expansion:
    """Return an expansion whose rows have records and responses alone."""
    names = ("predictor", "y", "offset", "codes", "f1", "f2", "category", "row_weights")
    nothing: dict[str, Any] = {name: getattr(rows, name)[:0].copy() for name in names}  # a view would keep all
    short = np.int16 if rows.response.max(initial=0) < 32_000 else np.int32
    return replace(rows, response=rows.response.astype(short), source=rows.source.astype(np.int32), **nothing)


def _moved(rows: Expansion, by: int) -> Expansion:
    """Return an expansion of records whose numbers are larger."""
    return replace(rows, source=rows.source + by, records=rows.records + by) if by else rows


def _side_by_side(parts: Sequence[Expansion]) -> Expansion:
    """Return rows of several expansions; of what belongs to units that of the first."""
    names = ("response", "predictor", "source", "y", "offset", "codes", "f1", "f2", "category")
    joined: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
    return replace(parts[0], **joined)


def _together(parts: Sequence[Expansion]) -> Expansion:
    """Return the units of several expansions."""
    dropped = {reason: sum(p.dropped.get(reason, 0) for p in parts) for p in parts for reason in p.dropped}
    weights = zip(*(p.unit_weights for p in parts), strict=True)
    return replace(
        _side_by_side(parts), tree=_one_tree([p.tree for p in parts]),
        unit_weights=tuple(np.concatenate(level) for level in weights),
        multiplicity=np.concatenate([p.multiplicity for p in parts]),
        clusters={level: np.concatenate([p.clusters[level] for p in parts]) for level in parts[0].clusters},
        records=np.concatenate([p.records for p in parts]), used=sum(p.used for p in parts), dropped=dropped,
    )  # fmt: skip


def _one_tree(trees: Sequence[Tree]) -> Tree:
    """Return the tree of rows that follow each other."""
    below = [[tree.rows, *tree.sizes] for tree in trees]
    before = np.cumsum([[0] * len(below[0]), *below], axis=0)  # units of each level before a tree, rows first
    first, parent = [], []
    for level in range(len(trees[0].sizes)):
        begins = [tree.first[level][:-1] + before[n, level] for n, tree in enumerate(trees)]
        first.append(np.concatenate([*begins, before[-1:, level]]))
        last = level + 1 == len(trees[0].sizes)
        parent.append(
            trees[0].parent[level]
            if last
            else np.concatenate([tree.parent[level] + before[n, level + 2] for n, tree in enumerate(trees)])
        )
    return Tree(int(before[-1, 0]), tuple(before[-1, 1:].tolist()), tuple(first), tuple(parent))
