"""Plans that suit a graph, found from its shape: who measures whom, what follows what, which sides there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from semlang.diagram.content import Content
from semlang.diagram.plan import Plan
from semlang.diagram.rows import bands
from semlang.diagram.waves import waves
from semlang.model.table import ROWS, ParameterTable

WIDE = 18
"""More indicators than this are drawn one below the other rather than side by side."""
TALL = 30
"""More than this are drawn in two columns."""
TWO_SIDED = 0.6
"""Part of the indicators that latent variables of both sides must measure."""


@dataclass
class Roles:
    """The variables of a model of one level by what they do.

    Parameters
    ----------
    latents, responses, others : list of str
        Others are covariates and the constant 1.
    dots : list of str
    paths : list of (source, target)
        Regressions among them, dots in their places.
    measures : set of (latent, indicator)
    """

    latents: list[str]
    responses: list[str]
    others: list[str]
    dots: list[str]
    paths: list[tuple[str, str]]
    measures: set[tuple[str, str]]

    def indicators(self, latent: str) -> list[str]:
        """Return the responses that measure a latent variable, in their order."""
        return [r for r in self.responses if (latent, r) in self.measures]

    @property
    def children(self) -> list[str]:
        """Responses that measure something."""
        return [r for r in self.responses if any(t == r for _, t in self.measures)]

    def rank(self, latent: str, seen: tuple[str, ...] = ()) -> int:
        """Return the order of a latent variable: 0 if it measures responses, 1 if these, ..."""
        below = [t for s, t in self.measures if s == latent and t in self.latents and t not in seen]
        return max((self.rank(t, (*seen, latent)) + 1 for t in below), default=0)


def plans(table: ParameterTable, parts: Content) -> Iterator[Plan]:
    """Return the plans to try, the preferred first.

    Parameters
    ----------
    table : ParameterTable
    parts : Content
    """
    if len({n.level for n in parts.nodes.values()}) > 1:
        yield from _levels(table, parts)
        return
    roles = roles_of(table, parts)
    wave = waves(roles, parts)
    if wave is not None:
        yield wave
        return
    if roles.children:
        yield from _measures(roles)
        yield from _layers(roles, parts)
    else:
        yield from _chain(roles)
    yield from _general(roles)


def roles_of(table: ParameterTable, parts: Content) -> Roles:
    """Return the roles of the variables of a diagram.

    What a latent variable that measures nothing acts on counts as measured by it: classes, random effects.
    """
    variables = table.variables
    keys = [k for k, n in parts.nodes.items() if n.shape != "point"]
    latents = [k for k in keys if k in variables and variables[k].role != "response"]
    responses = [k for k in keys if k in variables and variables[k].role == "response"]
    others = [k for k in keys if k not in variables]
    dots = [k for k, n in parts.nodes.items() if n.shape == "point"]
    middle = {pair: dot for dot, pair in parts.dots.items()}
    measures = set(parts.measures)
    for e in parts.edges:
        own = not e.both and e.source in latents and e.target in responses and not variables[e.source].measured
        if own and not any(s == e.source for s, _ in parts.measures):
            measures.add((e.source, e.target))
    paths = []
    for e in parts.edges:
        if e.both or (e.source, e.target) in measures:
            continue
        dot = middle.get((e.source, e.target))
        paths += [(e.source, dot), (dot, e.target)] if dot else [(e.source, e.target)]
    return Roles(latents, responses, others, dots, paths, measures)


# ------------------------------------------------------------------ rows of measures


def _measures(roles: Roles) -> Iterator[Plan]:
    """Latent variables in a row, their indicators in the next; higher orders above, a second side below."""
    below = _second_side(roles)
    top = [k for k in roles.latents if k not in below]
    ranks: dict[int, list[str]] = {}
    for key in top:
        ranks.setdefault(roles.rank(key), []).append(key)
    children = _in_order(roles, [*ranks.get(0, []), *below])
    free = [r for r in roles.responses if r not in children]
    main = _causes_first(roles, [*ranks.pop(0, []), *free])
    dots = [d for d in roles.dots if not any(s in roles.others and t == d for s, t in roles.paths)]
    slopes = [d for d in roles.dots if d not in dots]
    hit = {k: {t for s, t in roles.paths if s == k} for k in roles.others}
    low = [k for k in roles.others if hit[k] and hit[k] <= {*children, *slopes}]
    high = [k for k in roles.others if k not in low]
    rows = [high, *(_causes_first(roles, ranks[r]) for r in sorted(ranks, reverse=True)), dots, main, children]
    rows = [r for r in (*rows, slopes, below, low) if r]
    count = len(children)
    flat = Plan("measures", [list(r) for r in rows])
    tall = Plan("measures", [list(r) for r in rows], turned=True)
    if count > WIDE:
        if count > TALL and not below and not low:
            yield from _two_columns(
                roles, main, [*high, *(k for r in sorted(ranks, reverse=True) for k in ranks[r]), *dots]
            )
        yield tall
        one = [k for k in main if roles.indicators(k)]
        if len(one) == 1 and len(main) == 1 and not below and not low:
            yield _split(rows, main, children, turned=count > 24)
        yield flat
    else:
        yield flat
        yield tall


def _two_columns(roles: Roles, main: Sequence[str], between: Sequence[str]) -> Iterator[Plan]:
    """Put half of the latent variables and their indicators at the left, half at the right, the others between."""
    measured = [k for k in main if roles.indicators(k)]
    free = [k for k in main if k not in measured]
    total = sum(len(roles.indicators(k)) for k in measured)
    left: list[str] = []
    for k in measured:
        done = sum(len(roles.indicators(j)) for j in left)
        if left and abs(2 * (done + len(roles.indicators(k))) - total) > abs(2 * done - total):
            break
        left.append(k)
    right = [k for k in measured if k not in left]
    outer = _in_order_of(roles, left), _in_order_of(roles, right)
    if not right or set(outer[0]) & set(outer[1]):
        return
    rows = [outer[0], left, [*between, *free], right, outer[1]]
    yield Plan("measures", [r for r in rows if r], turned=True)


def _split(rows: Sequence[list[str]], main: list[str], children: list[str], turned: bool) -> Plan:
    """Put half of the indicators of a single latent variable on its other side."""
    half = (len(children) + 1) // 2
    out: list[list[str]] = []
    for row in rows:
        if row == main:
            out += [children[:half], list(main)]
        elif row == children:
            out.append(children[half:])
        else:
            out.append(list(row))
    return Plan("measures", out, turned)


def _second_side(roles: Roles) -> list[str]:
    """Return latent variables that stand below the indicators: methods beside traits, a general factor.

    They share most indicators with the latent variables of the first side, and those of one side share none.
    """
    lowest = [k for k in roles.latents if roles.indicators(k)]
    sets = {k: set(roles.indicators(k)) for k in lowest}
    near = {k: [j for j in lowest if j != k and sets[j] & sets[k]] for k in lowest}
    seen: set[str] = set()
    out: list[str] = []
    for start in lowest:
        if start in seen:
            continue
        side = {start: 0}
        queue = [start]
        even = True
        for k in queue:
            for j in near[k]:
                if j not in side:
                    side[j] = 1 - side[k]
                    queue.append(j)
                even = even and side[j] != side[k]
        seen |= set(side)
        sides = [[k for k in lowest if side.get(k) == s] for s in (0, 1)]
        if not even or len(side) < 3:
            continue
        first, second = ({c for k in s for c in sets[k]} for s in sides)
        union, both = first | second, first & second
        if len(both) < TWO_SIDED * len(union):
            continue
        out += sides[0] if len(sides[0]) < len(sides[1]) else sides[1]
    return out


def _in_order(roles: Roles, latents: Sequence[str]) -> list[str]:
    out: list[str] = []
    for latent in latents:
        out += [r for r in roles.indicators(latent) if r not in out]
    return out + [r for r in roles.children if r not in out]


def _causes_first(roles: Roles, keys: Sequence[str]) -> list[str]:
    """Order by appearance, but causes before effects."""
    left, out = list(keys), []
    while left:
        effects = {t for s, t in roles.paths if s in left and t in left and s != t}
        free = next((k for k in left if k not in effects), left[0])
        left.remove(free)
        out.append(free)
    return out


# ------------------------------------------------------------------ layers from causes to effects


def depth_of(keys: Sequence[str], paths: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the longest path from a cause to every node; paths back along a cycle do not count.

    Parameters
    ----------
    keys : sequence of str
    paths : sequence of (source, target)
    """
    own = [(s, t) for s, t in paths if s in set(keys) and t in set(keys) and s != t]
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    component: dict[str, int] = {}
    after: dict[str, list[str]] = {k: [] for k in keys}
    for s, t in own:
        after[s].append(t)

    def visit(k: str) -> None:
        index[k] = low[k] = len(index)
        stack.append(k)
        for t in after[k]:
            if t not in index:
                visit(t)
                low[k] = min(low[k], low[t])
            elif t not in component:
                low[k] = min(low[k], index[t])
        if low[k] == index[k]:
            while True:
                t = stack.pop()
                component[t] = index[k]
                if t == k:
                    return

    for k in keys:
        if k not in index:
            visit(k)
    depth: dict[int, int] = {}
    between = {(component[s], component[t]) for s, t in own if component[s] != component[t]}

    def deep(c: int) -> int:
        if c not in depth:
            depth[c] = max((deep(a) + 1 for a, b in between if b == c), default=0)
        return depth[c]

    return {k: deep(component[k]) for k in keys}


def _layers(roles: Roles, parts: Content) -> Iterator[Plan]:
    """Causes at the left, effects at the right; indicators outside of the first and the last layer, or hanging."""
    if _second_side(roles) or any(roles.rank(k) for k in roles.latents):
        return
    children = roles.children
    inner = [*roles.others, *roles.latents, *(r for r in roles.responses if r not in children), *roles.dots]
    if any(s in children or t in children for s, t in roles.paths):
        return
    depth = _pulled(depth_of(inner, roles.paths), roles)
    last = max(depth.values(), default=0)
    if last < 1:
        return
    rows = [[k for k in inner if depth[k] == d] for d in range(last + 1)]
    first_inds = _in_order_of(roles, rows[0])
    last_inds = _in_order_of(roles, rows[-1])
    hanging: dict[str, list[str]] = {}
    for row in rows[1:-1]:
        for k in row:
            if roles.indicators(k):
                hanging[k] = roles.indicators(k)
    placed = [*first_inds, *last_inds, *(c for keys in hanging.values() for c in keys)]
    if len(placed) != len(set(placed)) or set(placed) != set(children):
        return
    hung = {c for keys in hanging.values() for c in keys}
    if any(e.both and (e.source in hung or e.target in hung) for e in parts.edges):
        return
    rows = [r for r in (first_inds, *rows, last_inds) if r]
    yield Plan("layers", rows, turned=True, hanging=hanging)


def _pulled(depth: dict[str, int], roles: Roles) -> dict[str, int]:
    """Move causes next to what they act on first."""
    out = dict(depth)
    for key in sorted(depth, key=lambda k: -depth[k]):
        after = [out[t] for s, t in roles.paths if s == key and t in out and out[t] > depth[key]]
        if after and not any(t == key for _, t in roles.paths) and not roles.indicators(key):
            out[key] = min(after) - 1
    return out


def _in_order_of(roles: Roles, keys: Sequence[str]) -> list[str]:
    out: list[str] = []
    for k in keys:
        out += [c for c in roles.indicators(k) if c not in out]
    return out


def _chain(roles: Roles) -> Iterator[Plan]:
    """Mediators along a line: each layer of effects has one variable."""
    inner = [*roles.latents, *roles.responses]
    depth = depth_of(inner, roles.paths)
    line = sorted(inner, key=depth.__getitem__)
    if len(line) < 2 or roles.dots or len({depth[k] for k in line}) != len(line):
        return
    if any((a, b) not in roles.paths for a, b in pairwise(line)):
        return
    causes = [k for k in roles.others if (k, line[0]) in roles.paths]
    rest = [k for k in roles.others if k not in causes[:1]]
    yield Plan("chain", [r for r in ([*causes[:1], *line], rest) if r])


def _general(roles: Roles) -> Iterator[Plan]:
    """Layers of the whole graph: every path goes on to a later one, as far as there are no cycles."""
    keys = [*roles.others, *roles.latents, *roles.responses, *roles.dots]
    paths = [*roles.paths, *((s, t) for s, t in sorted(roles.measures))]
    depth = depth_of(keys, paths)
    for _ in range(2):  # causes next to their first effects
        for key in sorted(keys, key=lambda k: -depth[k]):
            after = [depth[t] for s, t in paths if s == key and depth[t] > depth[key]]
            if after and not any(t == key for _, t in paths):
                depth[key] = max(depth[key], min(after) - 1)
    rows = [[k for k in keys if depth[k] == d] for d in range(max(depth.values(), default=0) + 1)]
    rows = [r for r in rows if r]
    yield Plan("layers", rows, turned=True)
    yield Plan("layers", [list(r) for r in rows])


# ------------------------------------------------------------------ levels


def _levels(table: ParameterTable, parts: Content) -> Iterator[Plan]:
    """Levels from the highest to the lowest; within them rows of measures."""
    rows: list[list[str]] = []
    for band in bands(table, parts):
        own = [list(r) for r in band.rows if r]
        if band.column:
            beside = own[band.beside] if own else []
            if len(band.column) == 1 and beside:
                beside.insert(0, band.column[0])
            else:
                own.insert(band.beside + (band.level == ROWS), list(band.column))
        rows += own
    middle = dict(parts.dots)
    for dot in [k for k, n in parts.nodes.items() if n.shape == "point"]:
        ends = middle.get(dot) or tuple(
            dict.fromkeys([*parts.products[dot], *(e.target for e in parts.edges if e.source == dot)])
        )
        at = sorted({r for r, row in enumerate(rows) for k in ends if k in row})
        if len(at) == 1 and len(ends) == 2 and abs(rows[at[0]].index(ends[0]) - rows[at[0]].index(ends[1])) == 1:
            row = rows[at[0]]
            row.insert(max(row.index(ends[0]), row.index(ends[1])), dot)
        elif len(at) == 1:
            rows.insert(at[0], [dot])
        elif parts.nodes[rows[at[0] + 1][0]].shape == "point":
            rows[at[0] + 1].append(dot)
        else:
            rows.insert(at[0] + 1, [dot])
    dots = {k for k, n in parts.nodes.items() if n.shape == "point"}
    held = {k for row in rows if len(row) > 1 and dots & set(row) for k in row}
    yield Plan("levels", rows, held=held)
    yield Plan("levels", [list(r) for r in rows], turned=True, held=held)
