"""Repeated measures: series that go on from wave to wave, each wave a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semlang.diagram.content import Content
from semlang.diagram.plan import Plan

if TYPE_CHECKING:
    from semlang.diagram.roles import Roles


def waves(roles: Roles, parts: Content) -> Plan | None:
    """Return a plan whose columns are waves, where variables repeat, or None.

    There are at least two variables at each of at least two waves (three if nothing else repeats), and every one is
    explained by the wave before, by nothing later.

    Parameters
    ----------
    roles : Roles
    parts : Content
    """
    series = _series(roles, parts)
    if series is None:
        return None
    count = len(series)
    columns = {k: t for line in series for t, k in enumerate(line)}
    process = set(columns)
    above: list[list[list[str]]] = []
    below: list[list[list[str]]] = []
    used = set(process)
    for n, line in enumerate(series):
        inds: list[str] = []
        for t, k in enumerate(line):
            own = [c for c in roles.indicators(k) if c not in used]
            inds += own
            used |= set(own)
            columns |= dict.fromkeys(own, t)
        around = inds if inds else line
        traits = [k for k in roles.latents if k not in used and any(t in around for s, t in roles.measures if s == k)]
        used |= set(traits)
        if n < (count + 1) // 2:
            above.append([r for r in (traits, inds, line) if r])
        else:
            below.append([r for r in (line, inds, traits) if r])
    rest = [k for k in (*roles.others, *roles.latents, *roles.responses) if k not in used]
    rows = [*(r for block in above for r in block), *(r for block in below for r in block)]
    if any(k not in roles.others for k in rest) or roles.dots:
        return None
    ups = [k for k in rest if _nearer_to_top(k, roles, rows)]
    downs = [k for k in rest if k not in ups]
    rows = [r for r in (ups, *rows, downs) if r]
    return Plan("waves", rows, columns=columns, held={k for row in rows for k in row})


def _nearer_to_top(key: str, roles: Roles, rows: Sequence[Sequence[str]]) -> bool:
    hit = [r for r, row in enumerate(rows) for s, t in roles.paths if s == key and t in row]
    return not hit or sum(hit) / len(hit) <= (len(rows) - 1) / 2


def _series(roles: Roles, parts: Content) -> list[list[str]] | None:
    """Return the series, each a list of variables in the order of waves."""
    from semlang.diagram.roles import depth_of

    inner = [*roles.latents, *roles.responses]
    among = [(s, t) for s, t in roles.paths if s in inner and t in inner and s != t]
    keys = [k for k in inner if any(k in pair for pair in among)]
    if len(keys) < 4:
        return None
    depth = depth_of(keys, among)
    last = max(depth.values())
    layers = [[k for k in keys if depth[k] == d] for d in range(last + 1)]
    size = len(layers[0])
    if size < 2 or any(len(layer) != size for layer in layers) or last < 1:
        return None
    if any(depth[t] == depth[s] for s, t in among) or (last < 2 and not _crossed(layers, among)):
        return None
    labels = {(e.source, e.target): e.label for e in parts.edges if not e.both}
    lines = [[k] for k in layers[0]]
    for d in range(1, last + 1):
        left = list(layers[d])
        for line in sorted(lines, key=lambda x: -max(_likeness(x, k, roles, among, labels) for k in left)):
            best = max(left, key=lambda k: (_likeness(line, k, roles, among, labels), -layers[d].index(k)))
            if (line[-1], best) not in among:
                return None
            line.append(best)
            left.remove(best)
    return lines


def _crossed(layers: Sequence[Sequence[str]], among: Sequence[tuple[str, str]]) -> bool:
    """Whether with two waves everything at the second is explained by all of the first."""
    return all((a, b) in among for a in layers[0] for b in layers[1])


def _likeness(
    line: Sequence[str],
    key: str,
    roles: Roles,
    among: Sequence[tuple[str, str]],
    labels: dict[tuple[str, str], str],
) -> float:
    """Return how well a variable continues a series: a common cause, a repeated label, a like name, an earlier term."""
    before = line[-1]
    if (before, key) not in among:
        return -1.0
    value = 0.0

    def above(k: str) -> set[str]:
        own = {s for s, t in roles.measures if t == k or t in roles.indicators(k)}
        return own - {k}

    value += 8.0 * bool(above(before) & above(key))
    if len(line) > 1:
        label = labels.get((line[-2], before), "")
        value += 4.0 * bool(label and label == labels.get((before, key)))
    same = 0
    for a, b in zip(before, key, strict=False):
        if a != b:
            break
        same += 1
    value += 2.0 * same / max(len(before), len(key))
    causes = [s for s, t in among if t == key]
    return value + 0.5 / (1 + causes.index(before))
