"""A certificate for latent class models, where the rank need not be computed.

If categorical responses are independent given one class variable with C classes, and every class has probabilities of
its own, they fall into three groups with k_1, k_2, k_3 possible patterns. Where

    min(C, k_1) + min(C, k_2) + min(C, k_3) >= 2 C + 2,

the classes are generically identified up to their labels (Kruskal 1977; Allman, Matias and Rhodes 2009, theorem 4), and
so is what their sizes depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from semlang.model.table import ROWS, ParameterTable, Variable

__all__ = ["kruskal", "latent_classes"]

MOST = 60
"""Responses among which groups are sought."""


def kruskal(sizes: Sequence[int], classes: int) -> tuple[bool, int]:
    """Return whether three groups of responses satisfy Kruskal's condition, and the sum on its left.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of categories.
    classes : int

    Examples
    --------
    >>> kruskal([2] * 7, 3), kruskal([2, 2, 2], 3)
    ((True, 9), (False, 6))
    """
    groups: list[list[int]] = [[], [], []]
    for size in sorted(sizes, reverse=True)[:MOST]:
        min(groups, key=prod).append(size)
    total = sum(min(classes, prod(g)) for g in groups)
    return len(sizes) >= 3 and total >= 2 * classes + 2, total


def latent_classes(table: ParameterTable) -> bool:
    """Return whether Kruskal's condition settles every parameter of a model."""
    if table.relations or table.clusters or len(table.latents) != 1 or table.groups != ("",):
        return False
    (c,) = table.latents
    if c.kind.name != "class" or c.level != ROWS or c.arguments.get("observed"):
        return False
    n = int(c.arguments.get("classes", 1))
    seen: set[int] = set()
    own: dict[str, int] = {v.key: 0 for v in table.responses}
    for row in table.rows:
        if row.parameter in seen or row.parameter < 0 or row.op not in ("~", "~1") or not row.klass or row.source:
            return False
        seen.add(row.parameter)
        if row.target in own:
            if row.op != "~1" or row.via or row.quantity or row.also:
                return False
            own[row.target] += 1
    sizes = []
    for v in table.responses:
        size = _size(v, own[v.key], n)
        if size is None:
            return False
        sizes.append(size)
    return kruskal(sizes, n)[0]


def _size(v: Variable, parameters: int, n: int) -> int | None:
    """Return the number of categories where each class has all probabilities of its own."""
    if v.kind.name == "binomial" and not {"trials", "guess", "slip"} & set(v.arguments):
        return 2 if parameters == n else None
    if v.kind.name == "multinomial" and parameters % n == 0 and parameters:
        return 1 + parameters // n
    return None
