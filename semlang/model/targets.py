"""Left sides: the rows that a variable on the left of an operator stands for."""

from __future__ import annotations

from dataclasses import dataclass

from semlang.diagnostics import error
from semlang.model.blocks import Block, Entry
from semlang.model.namespace import Namespace, product_name
from semlang.model.nearest import did_you_mean
from semlang.model.table import Variable
from semlang.syntax import ast


@dataclass(frozen=True, slots=True)
class Target:
    """The left side of one row.

    The logit of a class has `role` ``class`` and the class as its `category`; `bare` is its name without the class.
    """

    shown: str
    key: str
    role: str
    quantity: str = ""
    category: str = ""
    threshold: int = 0
    klass: int = 0
    class_variable: str = ""
    bare: str = ""


def categories(ns: Namespace, v: Variable) -> tuple[str, ...]:
    """Return the categories of a multinomial response without the base; one empty text where they are not known."""
    known = ns.levels_in_data(v.name)
    if not known:
        return ("",)
    base = v.arguments.get("base")
    base = f"{base:g}" if isinstance(base, int | float) else base
    if base is None:
        base = known[0]
    elif base not in known and ("unknown-level", v.name) not in ns.reported:
        ns.reported.add(("unknown-level", v.name))
        ns.findings.append(
            error(
                "unknown-level",
                f"'{base}' is no category of {v.name}",
                ns.source,
                v.span,
                help=did_you_mean(str(base), known),
            )
        )
    return tuple(k for k in known if k != base)


def read_targets(ns: Namespace, block: Block, t: ast.Term, entry: Entry) -> list[Target]:
    """Read a left side (or what a latent variable measures)."""
    if not t.factors:
        return []
    joined = product_name(t)
    v = joined or (t.factors[0] if isinstance(t.factors[0], ast.Variable) else t.factors[0].variable)
    if v.level is not None and v.name in ns.responses and v.name not in ns.latents:
        ns.make_response(v.name, v.span)
    ref = ns.resolve(v, block)
    tag = (entry.klass, entry.class_variable)
    if ref.role == "latent" and ns.is_class(ref.key):
        n = ns.n_classes(ref.key)
        own = (v.category,) if v.category is not None else tuple(str(k) for k in range(1, n))
        return [
            Target(ref.shown if n < 3 else f"{ref.shown}@{k}", ref.key, "class", "", k, 0, *tag, ref.shown) for k in own
        ]
    if v.parameter is not None:
        return [Target(f"{v.parameter}({ref.shown})", ref.key, ref.role, v.parameter, "", 0, *tag)]
    if v.threshold is not None:
        number = int(v.threshold[1:]) if v.threshold[1:].isdigit() else 1
        return [Target(f"{ref.shown}|{v.threshold}", ref.key, ref.role, "", "", number, *tag)]
    if v.category is not None:
        return [Target(f"{ref.shown}@{v.category}", ref.key, ref.role, "", v.category, 0, *tag)]
    if ref.role == "response" and ns.variables[ref.key].kind.name == "multinomial":
        return [
            Target(f"{ref.shown}@{c}" if c else ref.shown, ref.key, ref.role, "", c, 0, *tag)
            for c in categories(ns, ns.variables[ref.key])
        ]
    return [Target(ref.shown, ref.key, ref.role, "", "", 0, *tag)]
