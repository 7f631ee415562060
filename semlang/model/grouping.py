"""Groups: one copy of the rows per group, what is free beside equal parameters, and ``group.equal``."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from semlang.model.draft import Draft
from semlang.model.exploratory import RULE as EXPLORATORY
from semlang.model.namespace import Namespace
from semlang.model.roles import Roles


def copy_rows(rows: list[Draft], group: int) -> list[Draft]:
    """Return copies of a block's rows for a group."""
    out = []
    for r in rows:
        new = copy.copy(r)
        new.given = list(r.given)
        new.group = group
        out.append(new)
    return out


def free_beside_equal(rows: list[Draft], roles: Roles, options: Mapping[str, Any]) -> None:
    """Free in later groups what equal loadings, intercepts or thresholds identify there.

    Means with equal intercepts; variances with equal loadings under ``std.lv``; intercepts and residual variances of
    ordinal responses with equal thresholds. As in lavaan.
    """
    equal = options["group.equal"]
    composites = roles.composites
    for r in rows:
        if r.op == "~~" and r.lhs != r.rhs and r.rule == EXPLORATORY and "loadings" in equal:
            if "lv.covariances" not in equal:
                r.set_free("covariance beside equal loadings")
                r.user = 77
            continue
        if r.user != 0:
            continue
        latent = r.lhs in roles.latents
        if r.op == "~1" and latent and r.lhs not in composites:
            if "intercepts" in equal and "means" not in equal and not options["int.lv.free"]:
                r.set_free("mean beside equal intercepts")
        elif r.is_variance and latent:
            by_scale = options["std.lv"] or (r.lhs in roles.efa and options["auto.efa"])
            if by_scale and "loadings" in equal and "lv.variances" not in equal:
                r.set_free("variance beside equal loadings")
        elif r.rule == "no intercept beside thresholds":
            if "thresholds" in equal and not options["int.lv.free"]:
                r.set_free("intercept beside equal thresholds")
        elif r.rule == "residual variance of an ordinal response" and "thresholds" in equal:
            n = sum(1 for t in rows if t.op == "|" and t.target == r.target)
            if n > 1:
                r.set_free("residual variance beside equal thresholds")


def free_beside_shared(rows: list[Draft]) -> None:
    """Free the covariances of an exploratory set whose loadings are those of an earlier set by labels, as lavaan.

    Equal loadings give the second set the orientation of the first.
    """
    for group in dict.fromkeys(r.group for r in rows):
        own = [r for r in rows if r.group == group]
        labels: dict[str, dict[str, list[str]]] = {}
        for r in own:
            if r.op == "=~" and r.efa and r.rule != EXPLORATORY:
                labels.setdefault(r.efa, {}).setdefault(r.lhs, []).append(r.label)
        seen: list[list[list[str]]] = []
        for factors in labels.values():
            written = list(factors.values())
            if len(factors) > 1 and all(all(names) for names in written):
                if written in seen:
                    for r in own:
                        if r.op == "~~" and r.lhs != r.rhs and r.rule == EXPLORATORY and {r.lhs, r.rhs} <= set(factors):
                            r.set_free("covariance beside equal loadings")
                            r.user = 77
                seen.append(written)


def _set_of(r: Draft, roles: Roles) -> str:
    """Return the name that ``group.equal`` has for a row's set."""
    latent = r.lhs in roles.latents or r.lhs in roles.effects
    match r.op:
        case "=~":
            return "loadings"
        case "<~":
            return "composite.weights"
        case "~":
            return "regressions"
        case "|":
            return "thresholds"
        case "~1":
            return "means" if latent else "intercepts"
        case "~~":
            pair = r.lhs != r.rhs
            if latent or r.rhs in roles.latents or r.rhs in roles.effects:
                return "lv.covariances" if pair else "lv.variances"
            return "residual.covariances" if pair else "residuals"
    return ""


def equal_over_groups(rows: list[Draft], roles: Mapping[int, Roles], options: Mapping[str, Any]) -> None:
    """Label what ``group.equal`` makes equal, but for ``group.partial``, with the plabel of its first row."""
    if not options["group.equal"]:
        return
    partial = {p.replace(" ", "") for p in options["group.partial"]}
    first: dict[object, Draft] = {}
    for r in rows:
        reference = first.setdefault((r.key, r.level), r)
        if r.group == reference.group or _set_of(r, roles[r.block]) not in options["group.equal"]:
            continue
        if f"{r.lhs}{r.op}{r.rhs}" in partial or r.exo or not (r.free and reference.free):
            continue
        if reference.label and not r.label:
            r.label = reference.label
        elif not reference.label and not r.label:
            reference.label = r.label = reference.plabel


def given_rows(rows: list[Draft], labels: Sequence[str], group_column: str, ns: Namespace) -> list[Draft]:
    """Leave out the rows of responses that no unit of a group was given, as where forms are linked by common items.

    A response whose observed value is a cause of others in the group keeps its rows: without it they have no value.
    """
    if ns.facts is None or not group_column or len(labels) < 2:
        return rows
    causes = {(r.group, c.column) for r in rows for c in r.via if c.response}
    responses = {key: v for key, v in ns.variables.items() if v.role == "response"}
    absent = {
        (g, key)
        for g, label in enumerate(labels, 1)
        for key, v in responses.items()
        if (g, key) not in causes and ns.facts.not_given(v.name, group_column, label)
    }
    return [r for r in rows if not {(r.group, r.target), (r.group, r.source)} & absent]
