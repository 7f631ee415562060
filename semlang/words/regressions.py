"""A regression in words."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.model.table import ParameterTable
from semlang.syntax import ast
from semlang.words.catalogue import QUANTITIES
from semlang.words.lists import joined, product, value, variable
from semlang.words.modifiers import details, rows_of


def regression(s: ast.Formula, table: ParameterTable | None) -> str:
    """Return what a formula with ``~`` says: predictors, intercept, random effects.

    Examples
    --------
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> regression(parse(Source("y ~ 1 + x + (1 + x | school)"))[0].statements[0], None)
    'y is regressed on x; intercept; random intercept and random slope of x over school, correlated'
    """
    left = [product(t.factors) for t in s.lhs]
    predictors, intercepts, effects = [], [], []
    for t in s.rhs:
        if isinstance(t, ast.RandomEffects):
            effects.append(random_effects(t))
        elif not t.factors:
            intercepts.append(_intercept(s.lhs, left, t, table))
        elif (slope := _random_slope(t, table)) is not None:
            effects.append(_with(slope, details(t.modifiers)))
        else:
            predictors.append(_predictor(left, t, table))
    head = _subject(s.lhs, table)
    parts = []
    if predictors:
        parts.append(f"{head} {'is' if len(s.lhs) == 1 else 'are'} regressed on {joined(predictors)}")
    if predictors:
        parts += intercepts
    elif intercepts:
        article = "" if intercepts[0].startswith("no ") else "an " if intercepts[0][0] in "aeiou" else "a "
        parts.append(f"{head} {'has' if len(s.lhs) == 1 else 'have'} {article}{intercepts[0]}")
    if not parts and effects:
        effects[0] = f"{head} {'has' if len(s.lhs) == 1 else 'have'} a {effects[0]}"
    parts += effects
    return "; ".join(parts)


def random_effects(t: ast.RandomEffects) -> str:
    """Return ``(1 + x | school/class)`` in words."""
    what = []
    for inner in t.terms:
        if inner.factors:
            what.append(f"random slope of {product(inner.factors)}")
        elif inner.constant == 1:
            what.append("random intercept")
    over = " and over ".join("/".join(t.clusters[: i + 1]) for i in range(len(t.clusters)))
    said = f"{joined(what)} over {over}"
    if len(what) > 1:
        said += ", correlated" if t.correlated else ", uncorrelated"
    return said


def _subject(lhs: Sequence[ast.Term], table: ParameterTable | None) -> str:
    words = []
    for t in lhs:
        v = t.factors[0]
        if isinstance(v, ast.Variable) and v.parameter:
            bare = ast.Variable(v.name, v.span, v.level, v.category)
            words.append(f"the {QUANTITIES.get(v.parameter, v.parameter)} of {variable(bare)}")
        elif isinstance(v, ast.Variable) and v.threshold:
            words.append(f"the threshold {v.threshold} of {v.name}")
        elif table is not None and (known := table.variables.get(product(t.factors))) and known.kind.name == "class":
            words.append(
                f"membership of the classes of {v.name if isinstance(v, ast.Variable) else product(t.factors)}"
            )
        else:
            words.append(product(t.factors))
    return joined(words)


def _predictor(left: Sequence[str], t: ast.Term, table: ParameterTable | None) -> str:
    shown = product(t.factors)
    said = details(t.modifiers, [r for y in left for r in rows_of(table, "~", y, shown)])
    single = t.factors[0] if len(t.factors) == 1 else None
    if isinstance(single, ast.Variable):
        known = table.variables.get(shown) if table is not None else None
        if single.category is not None:
            shown = f"class {single.category} of {single.name}"
        elif single.level is not None and (known is None or known.role == "latent"):
            return _with(single.name, [f"a latent variable that varies over {single.level}", *_coefficient(said)])
    return _with(shown, _coefficient(said))


def _coefficient(said: Sequence[str]) -> list[str]:
    return [f"coefficient {words}" if i == 0 else words for i, words in enumerate(said)]


def _with(shown: str, said: Sequence[str]) -> str:
    return f"{shown} ({', '.join(said)})" if said else shown


def _intercept(lhs: Sequence[ast.Term], left: Sequence[str], t: ast.Term, table: ParameterTable | None) -> str:
    latent = table is not None and all((v := table.variables.get(y)) is not None and v.role != "response" for y in left)
    endogenous = table is not None and any(r.op == "~" and r.target in left for r in table.rows)
    name = "mean" if latent and not endogenous else "intercept"
    if t.constant in (0.0, -1.0):
        return f"no {name}"
    said = details([*(m for term in lhs for m in term.modifiers), *t.modifiers])
    said = said if t.constant == 1 else [f"fixed to {value(t.constant)}", *said]
    return _with(name, said)


def _random_slope(t: ast.Term, table: ParameterTable | None) -> str | None:
    """Return ``b[school]:x`` in words, or None where the term is no random slope."""
    latent = [f for f in t.factors if isinstance(f, ast.Variable) and _is_latent(f, table)]
    others = [f for f in t.factors if f not in latent]
    if len(latent) != 1 or not others:
        return None
    level = latent[0].level or next(
        (v.level for v in (table.variables.values() if table else ()) if v.name == latent[0].name), None
    )
    over = f" over {level}" if level and level != "rows" else ""
    return f"random slope of {product(others)}{over}, named {latent[0].name}"


def _is_latent(v: ast.Variable, table: ParameterTable | None) -> bool:
    if v.category is not None:
        return False
    if table is None:
        return v.level is not None
    return any(x.name == v.name and x.role == "latent" and x.kind.name != "class" for x in table.variables.values())
