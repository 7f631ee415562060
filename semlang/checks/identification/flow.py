"""The largest number of paths that share no arc: maximum flow where every arc has capacity 1."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


def unit_flow(arcs: Iterable[tuple[str, str]], source: str, sink: str) -> int:
    """Return the maximum flow from a node to another.

    Shortest augmenting paths (Edmonds and Karp 1972, Journal of the ACM 19, 248-264).

    Parameters
    ----------
    arcs : iterable of (tail, head)
        One given twice counts once.
    source, sink : str
        Nodes; where no arc touches one of them the flow is 0.

    Examples
    --------
    >>> unit_flow([("s", "a"), ("s", "b"), ("a", "t"), ("b", "a")], "s", "t")
    1
    """
    room: dict[str, dict[str, int]] = {source: {}, sink: {}}  # what each arc can still take, or give back
    for a, b in arcs:
        room.setdefault(a, {})[b] = 1
        room.setdefault(b, {}).setdefault(a, 0)
    flow = 0
    while True:
        came: dict[str, str] = {source: source}
        queue = deque((source,))
        while queue and sink not in came:
            a = queue.popleft()
            for b, units in room[a].items():
                if units and b not in came:
                    came[b] = a
                    queue.append(b)
        if sink not in came:
            return flow
        b = sink
        while b != source:
            a = came[b]
            room[a][b] -= 1
            room[b][a] += 1
            b = a
        flow += 1
