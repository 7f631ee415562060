"""Products among indicators: ``fxz =~ x1:z1`` is a product of columns, or a loading that a covariate multiplies."""

from __future__ import annotations

from semlang.diagnostics import Diagnostic, note
from semlang.model.declarations import Declared
from semlang.syntax import ast

__all__ = ["latents", "read_product_indicators"]


def read_product_indicators(model: ast.Model, declared: Declared, findings: list[Diagnostic]) -> ast.Model:
    """Return the text with every product on the right of ``=~`` read, whatever the order of its factors.

    Where exactly one factor is a response elsewhere in the text, it is the indicator and the others multiply its
    loading: it comes first. Where several or none are, the product of the columns is an indicator of its own, as in
    lavaan, and a note says so.
    """
    responses, known = _responses(model, declared), latents(model, declared)
    statements: list[ast.Statement] = []
    for s in model.statements:
        if isinstance(s, ast.Formula) and s.op == "=~":
            s = s._replace(rhs=tuple(_read(t, responses, known, model, findings) for t in s.rhs))
        statements.append(s)
    return model._replace(statements=tuple(statements))


def _read(
    t: ast.Term | ast.RandomEffects,
    responses: set[str],
    known: set[str],
    model: ast.Model,
    findings: list[Diagnostic],
) -> ast.Term | ast.RandomEffects:
    if isinstance(t, ast.RandomEffects) or len(t.factors) < 2:
        return t
    columns = [f for f in t.factors if isinstance(f, ast.Variable) and f.level is None and f.category is None]
    if len(columns) < len(t.factors) or any(f.name in known for f in columns):
        return t
    measured = [f for f in columns if f.name in responses]
    if len(measured) == 1:
        return t._replace(factors=(measured[0], *(f for f in columns if f is not measured[0])))
    name = ":".join(f.name for f in columns)
    findings.append(
        note(
            "product-indicator",
            f"'{name}' is a column of products, an indicator of its own",
            model.source,
            t.span,
            label=f"{' times '.join(f.name for f in columns)}, as in lavaan",
            help=f"for a loading of {columns[0].name} that {columns[1].name} multiplies, write '{columns[0].name} ~ "
            f"f:{columns[1].name}', f being the latent variable",
        )
    )
    return t._replace(factors=(columns[0]._replace(name=name, span=t.span),))


def _responses(model: ast.Model, declared: Declared) -> set[str]:
    """Return names that the text models otherwise: declared, regressed, or indicators by themselves."""
    found = {name for name, d in declared.kinds.items() if not d.kind.latent}
    for s in model.statements:
        if isinstance(s, ast.Formula) and s.op in ("~", "~~", "~*~", "=~"):
            terms = [] if s.op == "=~" else [*s.lhs]
            terms += [t for t in s.rhs if isinstance(t, ast.Term)] if s.op in ("=~", "~~") else []
        elif isinstance(s, ast.Thresholds):
            terms = [*s.lhs]
        else:
            continue
        found |= {t.factors[0].name for t in terms if len(t.factors) == 1 and isinstance(t.factors[0], ast.Variable)}
    return found


def latents(model: ast.Model, declared: Declared) -> set[str]:
    """Return the names of latent variables: declared, measured, composed, or with a level in brackets."""
    found = {name for name, d in declared.kinds.items() if d.kind.latent}
    for s in model.statements:
        if isinstance(s, ast.Formula):
            if s.op in ("=~", "<~"):
                found |= {f.name for t in s.lhs for f in t.factors if isinstance(f, ast.Variable)}
            terms = [t for t in (*s.lhs, *s.rhs) if isinstance(t, ast.Term)]
            found |= {f.name for t in terms for f in t.factors if isinstance(f, ast.Variable) and f.level is not None}
    return found
