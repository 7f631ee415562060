"""Findings about categories: only nominal variables have any that a formula can address."""

from __future__ import annotations

from collections.abc import Iterator

from semlang.diagnostics import Diagnostic, Edit, error
from semlang.model.declarations import Declared
from semlang.source import Span
from semlang.syntax import ast

NOMINAL = frozenset({"class", "multinomial", "choice", "ranking"})
"""Kinds whose categories formulas address: ``c@2``, ``y@Medium``."""


def category_findings(model: ast.Model, declared: Declared) -> Iterator[Diagnostic]:
    """Yield an error for each ``x@1`` where x is no nominal variable: Mplus and Stata write fixed values so."""
    seen: set[Span] = set()
    for s in model.statements:
        if not isinstance(s, ast.Formula):
            continue
        for right, terms in ((False, s.lhs), (True, s.rhs)):
            for t in terms:
                for f in () if isinstance(t, ast.RandomEffects) else t.factors:
                    if not isinstance(f, ast.Variable) or f.category is None:
                        continue
                    kind = declared.kinds.get(f.name)
                    if (kind is not None and kind.kind.name in NOMINAL) or f.span in seen:
                        continue
                    seen.add(f.span)
                    alone = right and isinstance(t, ast.Term) and len(t.factors) == 1 and not t.modifiers
                    yield _not_nominal(model, s, f, alone)


def _not_nominal(model: ast.Model, s: ast.Formula, f: ast.Variable, alone: bool) -> Diagnostic:
    assert f.category is not None
    written = model.source.text[f.span.start : f.span.end]
    name, _, category = written.rpartition("@")
    fixed = f"{category.strip()}*{name.strip()}"
    left = model.source.text[s.span.start : s.op_span.start].strip()
    help_ = [f"write '{left} {s.op} {fixed}' to fix or label a parameter"] if alone and len(left) < 40 else []
    if not alone:
        help_.append("a fixed value stands before the variable on the right, as in 'f =~ 1*x'")
    if s.op == "~":
        help_.append(f"the indicators of a covariate's values are 'factor({f.name})'")
    help_.append(
        f"categories are those of declared variables: '{f.name} :: multinomial(logit)' or '{f.name} :: class(2)'"
    )
    plain = alone and "{" not in written and written.endswith(f"@{category}")
    return error(
        "not-a-category",
        f"'{written}' is category {f.category} of '{f.name}', which has no categories",
        model.source,
        f.span,
        label="'@' does not fix a value",
        help=help_,
        fix=[Edit(f.span, fixed)] if plain and (_is_number(f.category) or category.isidentifier()) else [],
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
