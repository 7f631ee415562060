"""Automatic parameters: rows that the text does not write, one rule one function.

The order of rows is lavaan's: thresholds, variances, covariances, scaling factors, intercepts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations

from semlang.model.composites import SAMPLE
from semlang.model.context import Context
from semlang.model.discrete import class_logits, mass_points
from semlang.model.draft import Draft
from semlang.model.kinds import Kind
from semlang.model.ordinal import is_usual
from semlang.model.table import Variable
from semlang.model.targets import categories


def thresholds(c: Context) -> Iterator[Draft]:
    """Give a response of a threshold kind all its thresholds, where the number of categories is known."""
    for shown in c.roles.responses:
        v = c.variable(shown)
        if not v.kind.thresholds:
            continue
        written = [r for r in c.of(v) if r.op == "|"]
        known = c.ns.categories_of(v)
        n = len(known) - 1 if known else max((r.threshold for r in written), default=0)
        named = {r.rhs for r in written if not r.klass}
        other = len({r.rhs for r in written if not is_usual(r.rhs)})
        for s in range(1, n + 1):
            if f"t{s}" not in named:
                for row in c.make(shown, "|", f"t{s}", "automatic threshold", target=v.key, threshold=other + s):
                    if not c.options["auto.th"]:
                        row.fix(None, "threshold without auto.th")
                    yield row


def variances(c: Context) -> Iterator[Draft]:
    """Give every gaussian response and every latent variable a (residual) variance."""
    for shown in c.roles.responses:
        if shown in c.roles.composite_indicators or shown in c.roles.exogenous:
            continue
        v = c.variable(shown)
        if v.role == "response" and v.kind.residual and (v.key, "sigma") in c.modelled:
            continue
        if v.role == "component" or v.kind.residual:
            for row in c.pair(shown, shown, "automatic residual variance"):
                if not c.options["auto.var"]:
                    row.fix(0.0, "variance without auto.var")
                yield row
        elif v.kind.thresholds and v.key in c.ns.ordinal and v.name not in c.ns.declared.kinds:
            for row in c.pair(shown, shown, "residual variance of an ordinal response"):
                row.fix(1.0, row.rule)
                yield row
    for shown in c.roles.composite_indicators:
        for row in c.pair(shown, shown, SAMPLE):
            row.fix(None, row.rule)
            yield row
    for shown in c.roles.latents:
        if shown not in c.roles.products and c.variable(shown).kind.name == "class":
            continue
        for row in c.pair(shown, shown, "automatic variance"):
            if not c.options["auto.var"]:
                row.fix(0.0, "variance without auto.var")
            yield row


def effect_variances(c: Context) -> Iterator[Draft]:
    """Give every random effect a variance, whatever the options."""
    for shown in c.roles.effects:
        v = c.variable(shown)
        own = [r for r in c.of(v) if r.is_variance]
        if v.kind.continuous and not any(r.klass and r.rule == "random-effects bar" for r in own):
            yield from c.pair(
                shown, shown, "variance of a random effect" if v.role == "latent" else "component variance"
            )


def exogenous_latent_covariances(c: Context) -> Iterator[Draft]:
    """Let latent variables covary that nothing points at, at one level."""
    if not c.options["auto.cov.lv.x"]:
        return
    for a, b in c.pairs(tuple(c.roles.exogenous_latents), "auto.cov.lv.x"):
        if _level(c, a) == _level(c, b) and not _any_discrete(c, a, b):
            yield from c.pair(a, b, "automatic covariance of exogenous latent variables")


def covariate_covariances(c: Context) -> Iterator[Draft]:
    """With ``auto.cov.x``, let exogenous latent variables covary with exogenous responses."""
    if c.options["auto.cov.x"]:
        for a in c.roles.exogenous_latents:
            for b in c.roles.exogenous:
                yield from c.pair(a, b, "automatic covariance with a covariate")


def residual_covariances(c: Context) -> Iterator[Draft]:
    """Let the residuals of terminal dependent variables covary, where they are gaussian.

    Responses with a discrete latent predictor, a bar or a bracketed latent variable on the right are left out.
    """
    if not c.options["auto.cov.y"]:
        return
    names = [x for x in c.roles.terminal_latents if not _any_discrete(c, x)]
    names += [x for x in c.roles.terminal_responses if _joins(c, x)]
    for a, b in c.pairs(names, "auto.cov.y"):
        if _level(c, a) == _level(c, b):
            yield from c.pair(a, b, "automatic residual covariance")


def _joins(c: Context, shown: str) -> bool:
    v = c.variable(shown)
    if v.role == "response":
        lavaans = v.kind.thresholds and v.name not in c.ns.declared.kinds
        if not (v.kind.residual or lavaans) or (v.key, "sigma") in c.modelled or v.key in c.discrete:
            return False
    for r in c.of(v):
        if r.is_regression:
            for k in (r.source, *r.moderators):
                if k and (not c.ns.variables[k].kind.continuous or not _plain(c, k)):
                    return False
    return True


def _plain(c: Context, key: str) -> bool:
    """Whether a latent variable is one that lavaan could have."""
    v = c.ns.variables[key]
    return v.level == c.cluster and v.role == "latent"


def _level(c: Context, shown: str) -> str:
    key = c.roles.key.get(shown)
    return c.ns.variables[key].level if key in c.ns.variables else c.cluster


def _any_discrete(c: Context, *names: str) -> bool:
    keys = [c.roles.key.get(x, "") for x in names]
    return any(k in c.ns.variables and not c.ns.variables[k].kind.continuous for k in keys)


def exogenous_moments(c: Context) -> Iterator[Draft]:
    """With ``fixed.x = false``, estimate variances and covariances of exogenous covariates."""
    x = list(c.roles.exogenous)
    for i, a in enumerate(x):
        for b in x[i:]:
            yield from c.pair(a, b, "moment of a covariate")


def composite_covariances(c: Context) -> Iterator[Draft]:
    """List the covariances inside a composite; they are the sample's."""
    for name in c.roles.composites:
        inside = [r.rhs for r in c.of(c.variable(name)) if r.op == "<~"]
        for a, b in combinations(inside, 2):
            for row in c.pair(a, b, SAMPLE):
                row.fix(None, row.rule)
                yield row


def efa_covariances(c: Context) -> Iterator[Draft]:
    """Let factors of one exploratory set covary that are neither exogenous nor terminal."""
    if not c.options["auto.efa"]:
        return
    for name in dict.fromkeys(c.roles.efa.values()):
        inner = [
            f
            for f, s in c.roles.efa.items()
            if s == name and f not in c.roles.exogenous_latents and f not in c.roles.terminal_latents
        ]
        for a, b in combinations(inner, 2):
            yield from c.pair(a, b, "covariance of exploratory factors")


def scaling_factors(c: Context) -> Iterator[Draft]:
    """List the scale of an ordinal response that ``y | t1`` made one, as lavaan does; it is 1."""
    for shown in c.roles.responses:
        v = c.variable(shown)
        if v.role == "response" and v.key in c.ns.ordinal and v.name not in c.ns.declared.kinds:
            for row in c.make(shown, "~*~", shown, "scaling factor", target=v.key, source=v.key):
                row.fix(1.0, row.rule)
                yield row


def response_intercepts(c: Context) -> Iterator[Draft]:
    """Give responses an intercept, as their kind has it."""
    for shown in c.roles.responses:
        v = c.variable(shown)
        if v.role == "response" and not v.kind.intercept:
            if v.key in c.ns.ordinal and v.name not in c.ns.declared.kinds:
                for row in c.make(shown, "~1", "", "no intercept beside thresholds", target=v.key):
                    row.fix(0.0, row.rule)
                    yield row
            continue
        if v.role == "component" and _has_origin(c.ns.variables[v.response].kind):
            continue
        if v.kind.name == "multinomial":
            yield from _category_intercepts(c, shown, v)
            continue
        if (v.key, "") in c.per_class:
            yield from _other_classes(c, shown, v)
            continue
        for row in c.make(shown, "~1", "", "automatic intercept", target=v.key):
            if c.level > 0 and _higher_level(c, v):
                row.fix(0.0, "the intercept is that of the higher level")
            elif shown in c.roles.composite_indicators:
                row.fix(None, SAMPLE)
            elif not c.options["int.ov.free"]:
                row.fix(0.0, "intercept without int.ov.free")
            yield row


def _has_origin(kind: Kind) -> bool:
    """Whether thresholds or intercepts of categories are the origin of a response at all of its levels."""
    return not kind.intercept or kind.nominal


def _other_classes(c: Context, shown: str, v: Variable) -> Iterator[Draft]:
    """Give the other classes an intercept where only some have one written."""
    own = [r for r in c.of(v) if r.op == "~1" and not r.quantity]
    if any(not r.klass or r.also for r in own):
        return
    variable = own[0].class_variable
    for k in range(1, c.ns.n_classes(variable) + 1):
        yield from c.make(shown, "~1", "", "automatic intercept", target=v.key, klass=k, class_variable=variable)


def _higher_level(c: Context, v: Variable) -> bool:
    """Whether the response is modelled at a higher level too."""
    above = c.ns.levels[c.ns.levels.index(c.cluster) + 1 :] if c.cluster in c.ns.levels else ()
    return any(x in c.ns.responses.get(v.name, ()) for x in above)


def _category_intercepts(c: Context, shown: str, v: Variable) -> Iterator[Draft]:
    written = {r.category for r in c.of(v) if r.category}
    general = any(r.op in ("~", "~1") and not r.category for r in c.of(v))
    known = categories(c.ns, v)
    if known == ("",) and written and not general:
        known = tuple(sorted(written))
    for k in known:
        if (v.key, k) in c.per_class:
            continue
        lhs = f"{shown}@{k}" if k else shown
        yield from c.make(lhs, "~1", "", "automatic intercept", target=v.key, category=k)


def latent_intercepts(c: Context) -> Iterator[Draft]:
    """List the means of latent variables; they are 0, but for ``int.lv.free``."""
    for shown in c.roles.latents:
        key = c.roles.key.get(shown, shown)
        v = c.ns.variables.get(key)
        if v is not None and not v.kind.continuous:
            continue
        if (key, "") in c.per_class:
            continue
        for row in c.make(shown, "~1", "", "automatic mean", target=key):
            if shown in c.roles.composites:
                row.fix(None, "mean of a composite")
            elif shown in c.roles.products:
                pass
            elif shown in c.ns.slopes:
                row.rule = "mean of a random slope"
            elif v is not None and v.arguments.get("observed"):
                row.rule = "mean of an observed latent variable"
            elif not c.options["int.lv.free"]:
                row.fix(0.0, "mean without int.lv.free")
            yield row


def observed_means(c: Context) -> Iterator[Draft]:
    """Give a random effect with a gold standard (``observed=``) a mean."""
    for shown in c.roles.effects:
        v = c.variable(shown)
        if v.kind.continuous and v.arguments.get("observed"):
            yield from c.make(shown, "~1", "", "mean of an observed latent variable", target=v.key)


def distribution_parameters(c: Context) -> Iterator[Draft]:
    """List scale and shape parameters, and intercepts of those that have covariates."""
    for shown in c.roles.responses:
        v = c.variable(shown)
        if v.role != "response":
            continue
        for q in v.kind.quantities:
            written = any(r.quantity == q for r in c.of(v))
            own = q in ("sigma", "shape") and not v.kind.residual and not v.kind.thresholds
            if q in v.arguments and q in ("guess", "slip"):
                yield from _fixed_probability(c, shown, v, q)
            elif (written and not v.kind.thresholds) or own:
                per_class = {r.class_variable for r in c.of(v) if r.quantity == q and r.op == "~1" and r.klass}
                states = [(k, x) for x in per_class for k in range(1, c.ns.n_classes(x) + 1)] or [(0, "")]
                for k, x in states:
                    yield from c.make(
                        f"{q}({shown})", "~1", "", "distribution parameter", target=v.key, quantity=q, klass=k,
                        class_variable=x,
                    )  # fmt: skip


def _fixed_probability(c: Context, shown: str, v: Variable, q: str) -> Iterator[Draft]:
    value = v.arguments[q]
    for row in c.make(f"{q}({shown})", "~1", "", "argument of the declaration", target=v.key, quantity=q):
        if isinstance(value, int | float) and 0 < value < 1:
            row.fix(math.log(value / (1 - value)), row.rule)
        elif isinstance(value, str):
            row.label = value
        yield row


RULES: tuple[Callable[[Context], Iterator[Draft]], ...] = (
    thresholds,
    variances,
    effect_variances,
    exogenous_latent_covariances,
    covariate_covariances,
    residual_covariances,
    exogenous_moments,
    composite_covariances,
    efa_covariances,
    scaling_factors,
    response_intercepts,
    latent_intercepts,
    observed_means,
    distribution_parameters,
    class_logits,
    mass_points,
)
"""The rules in the order of the rows they make."""


def add_automatic(c: Context) -> list[Draft]:
    """Return the rows as written and, after them, those of all rules."""
    out = list(c.rows)
    for rule in RULES:
        out += rule(c)
    return out
