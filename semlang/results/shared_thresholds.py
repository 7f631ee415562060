"""Thresholds that responses share, said once."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.model.table import Row

__all__ = ["shared_thresholds"]

NAMED = 4
"""Most responses that are named one by one."""


def shared_thresholds(rows: Sequence[Row]) -> list[tuple[Row, list[int]]]:
    """Return what is printed on a line each: a row and the places of the rows that it stands for.

    A threshold that several responses of a group share by its label has one line, their names on its left.

    Parameters
    ----------
    rows : sequence of Row

    Examples
    --------
    >>> a, b = (Row(k, f"i{k}", "|", "t1", target=f"i{k}", threshold=1, parameter=0) for k in (1, 2))
    >>> [(row.lhs, places) for row, places in shared_thresholds((a, b))]
    [('i1, i2', [0, 1])]
    """
    found: dict[object, list[int]] = {}
    for k, row in enumerate(rows):
        plain = row.op == "|" and row.parameter >= 0 and not row.via and not row.source
        key = (row.parameter, row.threshold, row.group, row.klass) if plain else k
        found.setdefault(key, []).append(k)
    out = []
    for places in found.values():
        names = [rows[k].lhs for k in places]
        shown = names if len(names) <= NAMED else [names[0], "...", names[-1]]
        out.append((rows[places[0]]._replace(lhs=", ".join(shown)), places))
    return out
