"""Read formulas and thresholds: the statements with terms on both sides."""

from __future__ import annotations

from semlang.syntax.ast import Formula, RandomEffects, Term, Thresholds, Variable
from semlang.syntax.cover import Node
from semlang.syntax.cut import MAX_TERMS
from semlang.syntax.reading import Reading
from semlang.syntax.terms import read_left, read_right

MAX_PAIRS = 100_000


def read_formula(reading: Reading, node: Node) -> Formula | None:
    """Return ``left operator right``, or None where a term is wrong."""
    left, operator, right = node.children
    op = operator.text
    before = len(reading.findings)
    lhs = read_left(reading, left, op)
    rhs = read_right(reading, right, op)
    if len(lhs) * len(rhs) > MAX_PAIRS:
        raise reading.reject(
            "too-many-terms",
            f"{len(lhs):,} variables on the left and {len(rhs):,} terms on the right are too many",
            operator.span,
            label=f"more than {MAX_PAIRS:,} pairs; a side has at most {MAX_TERMS:,}",
            help="are the ends of the ranges meant?",
        )
    _check_self(reading, lhs, op, rhs)
    if any(f.is_error for f in reading.findings[before:]):
        return None
    return Formula(tuple(lhs), op, tuple(rhs), node.span, operator.span)


_SELF = {
    "=~": ("self-measurement", "is measured by itself", "measure it by other variables; 'f =~ 0' makes a phantom"),
    "~": ("self-regression", "is regressed on itself", "regress it on other variables; its variance is '{0} ~~ {0}'"),
    "<~": ("self-regression", "is composed of itself", "compose it of other variables"),
}


def _check_self(reading: Reading, lhs: list[Term], op: str, rhs: list[Term | RandomEffects]) -> None:
    """Reject ``f =~ f``, ``y ~ y`` and ``x1 ~*~ x2``, which lavaan reads and nobody means."""
    names = {_single(term): term for term in lhs} if op != "~~" else {}
    for term in rhs if names else ():
        if isinstance(term, RandomEffects):
            continue
        single = _single(term)
        if op == "~*~" and (single is None or single not in names or len(lhs) > 1):
            reading.error(
                "scale-of-another",
                "'~*~' gives the scale of a response, which stands on both sides",
                term.factors[-1].span if term.factors else term.span,
                label="another variable",
                help=f"write '{lhs[0].factors[0].name} ~*~ 1*{lhs[0].factors[0].name}'"
                if isinstance(lhs[0].factors[0], Variable)
                else (),
            )
        elif op in _SELF and single is not None and single in names and not _is_zero(term):
            slug, message, help_ = _SELF[op]
            reading.error(
                slug,
                f"'{single[0]}' {message}",
                term.factors[-1].span,
                label="stands on the left too",
                help=help_.format(single[0]),
            )


def _single(term: Term) -> tuple[str, ...] | None:
    """Return name, level and category of a term that is one variable."""
    factor = term.factors[0] if len(term.factors) == 1 else None
    if not isinstance(factor, Variable) or factor.parameter:
        return None
    return (factor.name, factor.level or "", factor.category or "")


def _is_zero(term: Term) -> bool:
    return any(m.kind == "fixed" and set(m.values) == {0.0} for m in term.modifiers)


def read_thresholds(reading: Reading, node: Node) -> Thresholds | None:
    """Return ``y | t1 + t2`` and ``y | t1 + t2 ~ x``."""
    left, bar, names = node.children[:3]
    before = len(reading.findings)
    lhs = read_left(reading, left, "|")
    thresholds = [t for t in read_right(reading, names, "|") if isinstance(t, Term)]
    for term in thresholds:
        if len(term.factors) != 1 or not isinstance(term.factors[0], Variable) or term.factors[0].level:
            reading.error(
                "not-a-threshold",
                "a threshold is a name such as t1",
                term.span,
                label="not a name",
                help="write 'y | t1 + t2'; random effects stand in brackets: '+ (1 | g)'",
            )
    covariates: list[Term] | None = None
    if len(node.children) > 3:
        operator, right = node.children[3:]
        if operator.text != "~":
            raise reading.reject(
                "second-operator",
                f"a statement has one operator; '{operator.text}' follows '|'",
                operator.span,
                label="a second operator",
                help="covariates of thresholds stand behind '~': 'y | t1 + t2 ~ x'",
            )
        covariates = _covariates(reading, right)
    if any(f.is_error for f in reading.findings[before:]):
        return None
    return Thresholds(
        tuple(lhs), tuple(thresholds), None if covariates is None else tuple(covariates), node.span, bar.span
    )


def _covariates(reading: Reading, node: Node) -> list[Term]:
    """Return the covariates of thresholds: terms of variables."""
    covariates: list[Term] = []
    for item in read_right(reading, node, "~"):
        if isinstance(item, RandomEffects) or not item.factors:
            reading.error(
                "not-a-covariate",
                "thresholds are moved by covariates only",
                item.span,
                label="not a covariate",
                help="write 'y | t1 + t2 ~ x', and the other terms in 'y ~ ...'",
            )
        else:
            covariates.append(item)
    return covariates
