"""Products of latent variables where only a variable can stand: ``f ~~ c:f``."""

from __future__ import annotations

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.model.declarations import Declared
from semlang.model.product_indicators import latents
from semlang.source import Source, Span
from semlang.syntax import ast

__all__ = ["latent_products"]


def latent_products(model: ast.Model, declared: Declared) -> list[Diagnostic]:
    """Return an error about each product with a latent variable on either side of ``~~`` or on the left of ``~``.

    A product of columns is a column there; of a latent variable there are no values that it could be computed from.
    """
    known = latents(model, declared)
    found: list[Diagnostic] = []
    for s in model.statements:
        if not isinstance(s, ast.Formula) or s.op not in ("~", "~~"):
            continue
        ends = [*s.lhs, *(s.rhs if s.op == "~~" else ())]
        for t in ends:
            if isinstance(t, ast.Term) and len(t.factors) > 1:
                names = [f.name if isinstance(f, ast.Variable) else "" for f in t.factors]
                latent = next((n for n in names if n in known), None)
                if latent is not None:
                    label = t in s.rhs and len(names) == 2 and names[1] == latent != names[0] and not t.modifiers
                    found.append(_finding(model.source, s.op, t, latent, names[0] if label else ""))
    return found


def _finding(source: Source, op: str, t: ast.Term, latent: str, label: str) -> Diagnostic:
    span = Span(t.factors[0].span.start, t.factors[-1].span.end)
    text = source.text[span.start : span.end]
    place = "an end of a covariance" if op == "~~" else "a response"
    return error(
        "latent-in-product",
        f"'{text}' multiplies the latent variable '{latent}', and can't be {place}",
        source,
        span,
        label="has no values of its own",
        help=[
            *([f"write '{label}*{latent}' if '{label}' is a label"] if label else []),
            f"products with {latent} stand on the right of '~': 'y ~ {text}'",
        ],
        fix=[Edit(span, f"{label}*{latent}")] if label else [],
    )
