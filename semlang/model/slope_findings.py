"""Findings about random effects: slopes without a mean, and effects that do not covary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from semlang.diagnostics import Diagnostic, note, warning
from semlang.model.table import Covariate, ParameterTable, Row


def _is_effect(table: ParameterTable, key: str) -> bool:
    v = table.variables.get(key)
    return v is not None and v.role == "latent" and not v.measured and v.kind.continuous


def slope_findings(table: ParameterTable) -> list[Diagnostic]:
    """Return warnings of random slopes without a mean, and a note where random effects are uncorrelated."""
    return [*_slopes(table), *_uncorrelated(table)]


def _slopes(table: ParameterTable) -> Iterator[Diagnostic]:
    means = {(r.target, r.category, frozenset(r.via)) for r in table.rows if not r.source and r.op == "~"}
    own_mean = {r.target for r in table.rows if r.op == "~1" and r.free}
    spans = {(target, category, _spanned(via)) for target, category, via in means}
    seen: set[tuple[str, frozenset[object]]] = set()
    for r in table.rows:
        if r.op != "~" or not r.via or r.moderators or r.quantity or r.threshold:
            continue
        if not r.source or not _is_effect(table, r.source) or r.source in own_mean:
            continue
        place = (r.target, frozenset(r.via))
        if (r.target, r.category, frozenset(r.via)) in means or place in seen:
            continue
        if _spanned(r.via) and (r.target, r.category, _spanned(r.via)) in spans:
            continue
        seen.add(place)
        slope = ":".join(c.name for c in r.via)
        yield warning(
            "random-slope-without-mean",
            f"the slope of {slope} varies, but its mean is fixed at 0",
            table.source,
            r.span,
            help=f"add the term '{slope}'",
        )


def _spanned(via: Iterable[Covariate]) -> frozenset[object] | None:
    """Return what the levels of a product's factors span together: its columns, whichever level; None without factors.

    The levels that a formula codes span, with the constant or their margins, all levels (`semlang.model.coding`).
    """
    held = list(via)
    if not any(c.function in ("level", "factor") for c in held):
        return None
    return frozenset((c.column, "factor") if c.function in ("level", "factor") else c for c in held)


def _bar(r: Row) -> bool:
    return r.rule == "random-effects bar"


def _uncorrelated(table: ParameterTable) -> Iterator[Diagnostic]:
    joined = {frozenset((r.target, r.source)) for r in table.rows if r.op == "~~" and r.target != r.source}
    joined |= {frozenset(r.joins) for r in table.rows if r.joins}
    bars = {r.target: r.span for r in table.rows if _bar(r) and r.op == "~~"}
    by_level: dict[str, list[str]] = {}
    for key, v in table.variables.items():
        if _is_effect(table, key):
            by_level.setdefault(v.level, []).append(key)
    for level, keys in by_level.items():
        for i, a in enumerate(keys):
            for b in keys[i + 1 :]:
                same_bar = a in bars and bars.get(a) == bars.get(b)
                if not same_bar and frozenset((a, b)) not in joined:
                    v = table.variables[b]
                    yield note(
                        "uncorrelated-random-effects",
                        f"the random effects of {level} are uncorrelated",
                        table.source,
                        v.span,
                        help=f"write '{a} ~~ {b}' to let them covary",
                    )
                    return
