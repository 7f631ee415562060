"""The nearest of some words to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def distance(a: str, b: str, limit: int) -> int:
    """Return the number of insertions, deletions, replacements and swaps from `a` to `b`, or ``limit + 1``.

    Examples
    --------
    >>> distance("ordianl", "ordinal", 2)
    1
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        now = [i]
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, now[j - 1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            now.append(cost)
        if min(now) > limit:
            return limit + 1
        before, row = row, now
    return row[-1]


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word that differs least, if it differs by a typing mistake only.

    Examples
    --------
    >>> nearest("clutser", ["cluster", "groups"])
    'cluster'
    >>> nearest("family", ["cluster", "groups"]) is None
    True
    """
    if len(word) > 60:
        return None
    limit = len(word) // 3 if len(word) < 6 else 2
    folded = word.casefold()
    found = min(words, key=lambda w: distance(folded, w.casefold(), limit), default=None)
    if found is None or distance(folded, found.casefold(), limit) > limit:
        return None
    return found
