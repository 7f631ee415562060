"""Terms of a right-hand side: what each addend of a linear predictor is made of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from semlang.diagnostics import error
from semlang.model.blocks import Block
from semlang.model.coding import Coding
from semlang.model.namespace import Namespace
from semlang.model.nearest import did_you_mean
from semlang.model.table import Covariate, Product
from semlang.syntax import ast


@dataclass(frozen=True, slots=True)
class Item:
    """One addend: latent variables times covariates, in all classes or in one."""

    shown: str
    sources: tuple[str, ...] = ()
    via: Product = ()
    classes: tuple[tuple[str, int], ...] = ()

    @property
    def is_intercept(self) -> bool:
        """Whether the item is the constant."""
        return not self.sources and not self.via


def levels_of(ns: Namespace, t: ast.Transform, full: bool) -> tuple[Covariate, ...]:
    """Return the dummy variables of ``factor(x)``; one placeholder where the levels are not known."""
    name = t.variable.name
    known = ns.levels_in_data(name)
    base = None if t.argument is None else _text(t.argument)
    if not known:
        return (Covariate(name, "factor", base),)
    if base is not None and base not in known:
        if ("unknown-level", name) not in ns.reported:
            ns.reported.add(("unknown-level", name))
            ns.findings.append(
                error(
                    "unknown-level",
                    f"'{base}' is no level of {name}",
                    ns.source,
                    t.span,
                    help=(*did_you_mean(base, known), f"levels are {', '.join(known[:10])}"),
                )
            )
        base = None
    reference = base if base is not None else known[0]
    return tuple(Covariate(name, "level", x) for x in known if full or x != reference)


def _text(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, int | float) else value


def _factor(ns: Namespace, f: ast.Factor, block: Block, coding: tuple[Coding, Coding]) -> tuple[Item, ...]:
    if isinstance(f, ast.Transform):
        ref = ns.resolve(f.variable, block)
        if ref.role not in ("column", "response", "component"):
            ns.findings.append(
                error(
                    "function-of-latent",
                    f"{f.function} of a latent variable",
                    ns.source,
                    f.span,
                    help="only columns can be transformed; a product of latent variables is written 'f:g'",
                )
            )
            return ()
        if f.function == "factor":
            if not any(f.variable.name in columns for columns in coding):
                return (Item(""),)
            found = levels_of(ns, f, f.variable.name in coding[0])
        else:
            found = (Covariate(f.variable.name, f.function, f.argument),)
        is_response = ref.role != "column"
        return tuple(Item(c.name, via=(Covariate(c.column, c.function, c.argument, is_response),)) for c in found)
    ref = ns.resolve(f, block)
    if ref.role == "latent" and ns.is_class(ref.key):
        n = ns.n_classes(ref.key)
        if f.category is None:
            return tuple(Item("", classes=((ref.key, k),)) for k in range(1, n + 1))
        if not f.category.isdigit() or not 1 <= int(f.category) <= n:
            ns.findings.append(
                error(
                    "unknown-class",
                    f"'{f.name}' has no class {f.category}",
                    ns.source,
                    f.span,
                    label=f"classes are 1 to {n}",
                )
            )
            return ()
        return (Item(f"{ref.shown}@{f.category}", classes=((ref.key, int(f.category)),)),)
    if ref.role in ("latent", "component"):
        return (Item(ref.shown, (ref.key,)),)
    if f.category is not None:
        return (Item(f"{f.name}={f.category}", via=(Covariate(f.name, "level", f.category, ref.role == "response"),)),)
    return (Item(ref.shown, via=(Covariate(ref.key, response=ref.role == "response"),)),)


def expand(ns: Namespace, term: ast.Term, block: Block, coded: Sequence[tuple[Coding, Coding]]) -> tuple[Item, ...]:
    """Multiply out the factors of a term: one item for each combination of factor levels and classes.

    Parameters
    ----------
    coded : sequence of (full, contrasts)
        The codings of the term's ``factor()`` columns (see `semlang.model.coding`).
    """
    out: dict[Item, None] = {}
    for coding in coded:
        for parts in itertools.product(*(_factor(ns, f, block, coding) for f in term.factors)):
            classes = tuple(dict.fromkeys(c for p in parts for c in p.classes))
            if len(dict(classes)) < len(classes):  # two classes of one variable: nobody is in both
                continue
            item = Item(
                ":".join(p.shown for p in parts if p.shown),
                tuple(k for p in parts for k in p.sources),
                tuple(c for p in parts for c in p.via),
                classes,
            )
            out[item] = None
    return tuple(out)


def drops_intercept(terms: tuple[ast.Term | ast.RandomEffects, ...]) -> bool:
    """Whether ``0`` or ``-1`` stands among the terms."""
    return any(isinstance(t, ast.Term) and not t.factors and t.constant in (0.0, -1.0) for t in terms)
