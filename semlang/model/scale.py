"""Scale rules: which rows are fixed before modifiers are applied."""

from __future__ import annotations

from collections.abc import Callable

from semlang.model.composites import SAMPLE, VARIANCE
from semlang.model.context import Context
from semlang.model.draft import Draft
from semlang.model.exploratory import RULE as EXPLORATORY
from semlang.model.table import Variable

PRODUCT = "follows from the factors of the product"
"""Rule of the moments of products of latent variables."""

FIRST_PATH = "first path of a random effect"
"""Rule of the path that gives a random effect its scale."""


def standardised_latents(c: Context, rows: list[Draft]) -> None:
    """With ``std.lv``, fix variances of measured latent variables to 1; those of exploratory factors always."""
    for r in rows:
        if not r.is_variance or r.lhs not in c.roles.latents or r.lhs in c.roles.composites:
            continue
        if c.options["std.lv"]:
            r.fix(1.0, "std.lv")
        elif c.options["auto.efa"] and r.lhs in c.roles.efa:
            r.fix(1.0, EXPLORATORY)


def marker_loadings(c: Context, rows: list[Draft]) -> None:
    """With ``auto.fix.first``, fix the first loading of a latent variable (or its ``marker``) to 1.

    A composite is scaled by its first weight, but for one that is measured, too: its marker loading is its scale.
    """
    composite = c.options["auto.fix.first"] or c.options["std.lv"]
    marker = c.options["marker"]
    marker = marker if isinstance(marker, dict) else {}
    scaled: set[str] = set()
    for op, active in (("=~", c.options["auto.fix.first"]), ("<~", composite)):
        if not active:
            continue
        first: dict[str, list[Draft]] = {}
        for r in rows:
            if (
                r.op == op
                and r.lhs not in scaled
                and not (op == "=~" and r.lhs in c.roles.efa and c.options["auto.efa"])
            ):
                first.setdefault(r.lhs, []).append(r)
        for name, own in first.items():
            v = c.ns.variables.get(c.roles.key.get(name, ""))
            if v is not None and v.arguments.get("observed"):
                continue
            chosen = next((r for r in own if r.rhs == marker.get(name)), own[0])
            chosen.fix(1.0, "marker loading")
        scaled |= set(first)


def first_paths(c: Context, rows: list[Draft], started: set[str]) -> None:
    """Fix the first path from a random effect to 1; `started` holds those that have one in this group."""
    for r in rows:
        if r.op != "~" or not r.source or r.rule == "random-effects bar":
            if r.op == "~" and r.source:
                started.add(r.source)
            continue
        v = c.ns.variables[r.source]
        if v.role != "latent" or v.measured or r.source in started or v.arguments.get("observed"):
            continue
        if r.moderators and all(k in started for k in r.moderators):
            continue
        started.add(r.source)
        r.fix(1.0, FIRST_PATH)


def single_indicators(c: Context, rows: list[Draft]) -> None:
    """With ``auto.fix.single``, a single indicator has no residual."""
    if not (c.options["auto.var"] and c.options["auto.fix.single"]):
        return
    loadings = [r for r in rows if r.op == "=~"]
    count: dict[str, int] = {}
    uses: dict[str, int] = {}
    for r in loadings:
        count[r.lhs] = count.get(r.lhs, 0) + 1
        uses[r.rhs] = uses.get(r.rhs, 0) + 1
    single = {r.rhs for r in loadings if count[r.lhs] == 1 and r.lhs != r.rhs and uses[r.rhs] == 1}
    for r in rows:
        if r.is_variance and r.user == 0 and r.lhs in single and r.rule != "residual variance of an ordinal response":
            r.fix(0.0, "single indicator")


def orthogonal_latents(c: Context, rows: list[Draft]) -> None:
    """With ``orthogonal`` (``.x``, ``.y``, ``.efa``), fix automatic latent covariances to 0."""
    sets = (
        ("orthogonal", c.roles.latents, c.roles.latents),
        ("orthogonal.y", c.roles.terminal_latents, c.roles.terminal_latents),
        ("orthogonal.x", c.roles.exogenous_latents, c.roles.exogenous_latents | c.roles.exogenous),
        ("orthogonal.efa", dict.fromkeys(c.roles.efa), dict.fromkeys(c.roles.efa)),
    )
    for option, left, right in sets:
        if c.options[option]:
            for r in rows:
                if r.op == "~~" and r.lhs != r.rhs and r.user == 0 and r.lhs in left and r.rhs in right:
                    r.fix(0.0, option)


def composite_moments(c: Context, rows: list[Draft]) -> None:
    """The variance of a composite follows from its weights."""
    for r in rows:
        if r.is_variance and r.lhs in c.roles.composites:
            r.fix(None, VARIANCE)
        elif r.op == "~~" and r.user == 0 and r.lhs in c.roles.composites and r.rhs in c.roles.composites:
            r.fix(None, SAMPLE)


def exploratory_zeros(c: Context, rows: list[Draft]) -> None:
    """Fix loadings above the diagonal and covariances of exploratory factors to 0 (they are rotated later)."""
    if not c.options["auto.efa"] or not c.roles.efa:
        return
    for name in dict.fromkeys(c.roles.efa.values()):
        factors = [f for f, s in c.roles.efa.items() if s == name]
        items = list(dict.fromkeys(r.rhs for r in rows if r.op == "=~" and r.lhs in factors))
        for r in rows:
            if (r.op == "=~" and r.lhs in factors and items.index(r.rhs) < factors.index(r.lhs)) or (
                r.op == "~~" and r.lhs != r.rhs and r.lhs in factors and r.rhs in factors
            ):
                r.fix(0.0, EXPLORATORY)
                r.user = 7


def reference_classes(c: Context, rows: list[Draft]) -> None:
    """Fix the intercept of the last class at 0 where the origin is elsewhere.

    Beside thresholds; of a latent variable whose indicators have free intercepts or thresholds; of every class variable
    but the first where a variable depends on several. A class whose intercept the text fixes is the origin.
    """
    first: dict[str, str] = {}
    for r in rows:
        v = c.ns.variables.get(r.target)
        if r.op != "~1" or not r.klass or r.also or v is None or r.quantity or r.target == r.class_variable:
            continue
        beside = [x for x in c.of(v) if x.op == "~1" and x.class_variable == r.class_variable and not x.quantity]
        if any(m.kind == "fixed" for x in beside if x.category == r.category for m in x.given):
            continue
        own = {x.klass for x in beside}
        several = first.setdefault(f"{r.target}@{r.category}", r.class_variable) != r.class_variable
        origin = v.kind.thresholds if v.role == "response" else _free_origin(c, rows, v)
        if r.klass == c.ns.n_classes(r.class_variable) == len(own) and (several or origin):
            r.fix(0.0, "reference class")


def _free_origin(c: Context, rows: list[Draft], v: Variable) -> bool:
    """Whether every indicator of a latent variable has an intercept or thresholds that the text does not fix."""
    if not v.kind.continuous or not v.measured:
        return False
    indicators = {r.target for r in rows if r.op == "=~" and r.source == v.key != r.target}
    fixed = {
        r.target for r in rows if r.op in ("~1", "|") and not r.quantity
        and ((r.op == "~1" and not r.free) or any(m.kind == "fixed" for m in r.given))
        and not (r.op == "~1" and c.ns.variables[r.target].kind.thresholds)
    }  # fmt: skip
    return not indicators & fixed


def moments_of_products(c: Context, rows: list[Draft]) -> None:
    """The mean, variance and covariances of a product of latent variables follow from its factors."""
    for r in rows:
        if r.user == 0 and r.op in ("~~", "~1") and {r.lhs, r.rhs} & set(c.roles.products):
            r.fix(None, PRODUCT)


RULES: tuple[Callable[[Context, list[Draft]], None], ...] = (
    composite_moments,
    standardised_latents,
    marker_loadings,
    single_indicators,
    orthogonal_latents,
    exploratory_zeros,
    reference_classes,
    moments_of_products,
)
"""The rules in order; a later one sees what an earlier one fixed."""


def set_scale(c: Context, rows: list[Draft], started: set[str]) -> None:
    """Apply all rules of scale to the rows of a block."""
    for rule in RULES:
        rule(c, rows)
    first_paths(c, rows, started)
