"""Random-effects bars: ``(1 + x | school)`` as latent variables ``y.1[school]`` and ``y.x[school]``."""

from __future__ import annotations

from collections.abc import Iterator

from semlang.diagnostics import error
from semlang.model.blocks import Block
from semlang.model.coding import codings
from semlang.model.draft import Draft
from semlang.model.namespace import Namespace
from semlang.model.table import Product
from semlang.model.targets import Target
from semlang.model.terms import drops_intercept, expand
from semlang.syntax import ast

_RULE = "random-effects bar"


def _effects(ns: Namespace, block: Block, bar: ast.RandomEffects) -> Iterator[tuple[str, Product, ast.Term | None]]:
    """Yield name, covariates and term of each random effect; the intercept is there unless ``0`` drops it."""
    dropped = drops_intercept(bar.terms)
    if not dropped:
        yield "1", (), None
    for t, coded in zip(bar.terms, codings(bar.terms, not dropped), strict=True):
        if t.factors:
            for item in expand(ns, t, block, coded):
                if item.sources or item.classes:
                    ns.findings.append(
                        error(
                            "latent-in-bar",
                            "a latent variable before the bar",
                            ns.source,
                            t.span,
                            help="a random slope of a latent variable is written 'y ~ b[school]:f'",
                        )
                    )
                    continue
                yield item.shown, item.via, t


def bar_rows(
    ns: Namespace, block: Block, target: Target, bar: ast.RandomEffects
) -> Iterator[tuple[Draft, tuple[ast.Modifier, ...]]]:
    """Yield the rows of a bar: paths fixed to 1, variances and, with one bar, covariances.

    Those of ``sigma(y)`` are ``sigma.y.1[school]``, those of ``y|t1`` are ``y.t1.1[school]``: names that can be typed.
    """
    lhs = target.shown
    bare = lhs.split("[")[0].replace("(", ".").replace("|", ".").rstrip(")")
    for position, cluster in enumerate(reversed(bar.clusters)):
        made: list[str] = []
        for name, via, term in _effects(ns, block, bar):
            full = f"{bare}.{name}"
            taken = full in ns.declared.kinds or full in ns.columns
            taken = taken or ns.in_data(full)
            if taken and ("reserved-name", full) not in ns.reported:
                ns.reported.add(("reserved-name", full))
                ns.findings.append(
                    error(
                        "reserved-name",
                        f"'{full}' is the name of a random effect",
                        ns.source,
                        bar.span,
                        help="rename the column, or write the random effect as a latent variable 'u[school]'",
                    )
                )
            key = ns.make_latent(full, cluster, bar.span)
            made.append(key)
            shown = ":".join([key, *(c.name for c in via)])
            row = Draft(
                lhs, "~", shown, bar.span, target.key, key, (), via, target.quantity, target.threshold, target.category,
                rule=_RULE,
            )  # fmt: skip
            row.fix(1.0, _RULE)
            yield row, (term.modifiers if term is not None and position == 0 else ())
        for i, a in enumerate(made):
            for b in made[i:] if bar.correlated else [a]:
                yield Draft(a, "~~", b, bar.span, a, b, rule=_RULE), ()
