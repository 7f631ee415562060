"""The rows of a diagram: which variables stand side by side, from the top of every level to its bottom."""

from __future__ import annotations

from dataclasses import dataclass

from semlang.diagram.content import Content
from semlang.model.table import ROWS, ParameterTable

STACK = 3
"""More covariates than this do not stand in a column beside a latent variable."""


@dataclass
class Band:
    """The variables of one level.

    Parameters
    ----------
    level : str
    rows : list of rows, the topmost first, each a list of keys
    anchor : int
        The row that is placed first; the others are centred on it.
    column : list of str
        Covariates that stand in a column at the left of row `beside`.
    turned : bool
        Whether something stands on both sides of the responses, so that they need more room.
    """

    level: str
    rows: list[list[str]]
    anchor: int
    column: list[str]
    beside: int = 0
    turned: bool = False


def bands(table: ParameterTable, content: Content) -> list[Band]:
    """Return the bands of the levels, the highest level first."""
    out = []
    for level in reversed(table.levels):
        keys = [k for k, n in content.nodes.items() if n.level == level and n.shape != "point"]
        if keys:
            out.append(_band(table, content, level, keys))
    return out


def _band(table: ParameterTable, content: Content, level: str, keys: list[str]) -> Band:
    variables = table.variables
    components = [k for k in keys if k in variables and variables[k].role == "component"]
    latents = [k for k in keys if k in variables and variables[k].role == "latent"]
    responses = [k for k in keys if k in variables and variables[k].role == "response"]
    covariates = [k for k in keys if k not in variables]
    upper = level != ROWS
    ranks = _ranks(content, latents)
    latent_rows = [_causes_first(content, ranks[d]) for d in sorted(ranks, reverse=True)]
    children = _children(content, [k for row in latent_rows for k in row], [*components, *responses])
    if upper and not latents and components:
        return Band(level, [r for r in (covariates, children) if r], 1 if covariates else 0, [])
    column, targets = _column(content, latents, responses, covariates)
    above = [] if column else covariates
    below = _of_responses_alone(content, above, latents, responses) if not upper and responses else []
    above = [k for k in above if k not in below]
    if upper and not components:
        rows = [[*children, *above], *reversed(latent_rows)]
        flipped = True
    else:
        flipped = not upper and (_from_components(table, content, responses) or (not latents and len(table.levels) > 1))
        rows = [above, *latent_rows, children]
        if flipped:
            rows.reverse()
        rows.append(below)
    rows = [r for r in rows if r]
    middle = children if not upper or components else (latent_rows[0] if latent_rows else children)
    anchor = next((k for k, r in enumerate(rows) if middle and r[0] in middle), 0)
    beside = next((k for k, r in enumerate(rows) if any(t in r for t in targets)), anchor)
    turned = not upper and (bool(below) or _from_components(table, content, responses))
    return Band(level, rows or [[]], anchor, column, beside, turned)


def _column(
    content: Content, latents: list[str], responses: list[str], covariates: list[str]
) -> tuple[list[str], list[str]]:
    """Decide whether covariates stand in a column: where one variable is what most of them explain."""
    hit = [e.target for e in content.edges if e.source in covariates]
    wanted = [k for k in latents if k in hit]
    if latents:
        good = (
            len(wanted) == 1
            and len(covariates) <= STACK
            and not (set(latents) - set(wanted) - _causes(content, wanted))
        )
    else:
        wanted = [k for k in responses if k in hit]
        good = len(responses) == 1 and len(wanted) == 1
    return (covariates, wanted) if good and covariates else ([], [])


def _of_responses_alone(content: Content, covariates: list[str], latents: list[str], responses: list[str]) -> list[str]:
    """Return covariates that stand below the responses: latent variables are between the two otherwise."""
    if not latents:
        return []
    out = []
    for key in covariates:
        targets = {e.target for e in content.edges if e.source == key}
        if targets <= set(responses):
            out.append(key)
    return out


def _causes(content: Content, keys: list[str]) -> set[str]:
    return {e.source for e in content.edges if e.target in keys and not e.both}


def _from_components(table: ParameterTable, content: Content, responses: list[str]) -> bool:
    parts = {k for k, v in table.variables.items() if v.role == "component"}
    return any(e.source in parts and e.target in responses for e in content.edges)


def _ranks(content: Content, latents: list[str]) -> dict[int, list[str]]:
    """Return latent variables by their order: those that measure responses 0, those that measure these 1, ..."""
    depth: dict[str, int] = {}

    def find(key: str, path: tuple[str, ...]) -> int:
        if key not in depth:
            below = [t for s, t in content.measures if s == key and t in latents and t not in path]
            depth[key] = max((find(t, (*path, key)) + 1 for t in below), default=0)
        return depth[key]

    out: dict[int, list[str]] = {}
    for key in latents:
        out.setdefault(find(key, ()), []).append(key)
    return out


def _causes_first(content: Content, keys: list[str]) -> list[str]:
    """Order by appearance, but causes before effects."""
    left, out = list(keys), []
    while left:
        effects = {e.target for e in content.edges if not e.both and e.source in left and e.target != e.source}
        free = next((k for k in left if k not in effects), left[0])
        left.remove(free)
        out.append(free)
    return out


def _children(content: Content, latents: list[str], responses: list[str]) -> list[str]:
    """Order responses by the latent variable that they measure, the others last."""
    out: list[str] = []
    for latent in latents:
        out += [t for t in responses if (latent, t) in content.measures and t not in out]
    others = _causes_first(content, [r for r in responses if r not in out])
    return [*out, *others]
