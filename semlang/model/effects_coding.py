"""Effects coding: loadings average 1 and intercepts average 0 (Little, Slegers & Card 2006)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from semlang.model.draft import Draft
from semlang.model.table import Relation
from semlang.source import Span
from semlang.syntax import ast

_NOWHERE = Span(0, 0)


def _sum(own: list[Draft], value: float) -> Relation:
    terms: list[ast.Expression] = [ast.Name(r.label or r.plabel, r.span or _NOWHERE) for r in own]
    left = reduce(lambda a, b: ast.Binary("+", a, b, _NOWHERE), terms)
    text = " + ".join(r.label or r.plabel for r in own) + f" == {value:g}"
    return Relation(left, "==", ast.Number(value, _NOWHERE), text, own[0].span)


def free_means(rows: list[Draft], options: Mapping[str, Any]) -> None:
    """With effects-coded intercepts, free the means of latent variables."""
    if "intercepts" in options["effect.coding"]:
        for r in rows:
            if r.rule == "mean without int.lv.free":
                r.set_free("mean beside effects-coded intercepts")


def effects_coding(rows: list[Draft], options: Mapping[str, Any]) -> tuple[Relation, ...]:
    """Return the constraints of ``effect.coding``, for every latent variable of every block."""
    coding = options["effect.coding"]
    out: list[Relation] = []
    loadings: dict[tuple[int, str], list[Draft]] = {}
    for r in rows:
        if r.op == "=~" and not r.efa:
            loadings.setdefault((r.block, r.lhs), []).append(r)
    for (block, _), own in loadings.items():
        if "loadings" in coding and any(r.free for r in own):
            out.append(_sum(own, float(len(own))))
        if "intercepts" in coding:
            targets = {r.target for r in own}
            means = [r for r in rows if r.op == "~1" and r.block == block and r.target in targets and not r.quantity]
            if any(r.free for r in means):
                out.append(_sum(means, 0.0))
    return tuple(out)
