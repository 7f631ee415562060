"""Findings about kinds: what a response of its kind can not have."""

from __future__ import annotations

from collections.abc import Iterator

from semlang.diagnostics import Diagnostic, error, warning
from semlang.model.kinds import limits
from semlang.model.moderated import RULE as MODERATED
from semlang.model.namespace import Namespace
from semlang.model.nearest import did_you_mean
from semlang.model.ordinal import is_usual
from semlang.model.table import ParameterTable, Row, Variable


def kind_findings(table: ParameterTable, ns: Namespace) -> list[Diagnostic]:
    """Return the findings about thresholds, residual (co)variances and distribution parameters."""
    out: list[Diagnostic] = []
    seen: set[tuple[str, str]] = set()
    for r in table.rows:
        for f in _row(table, ns, r):
            place = (f.slug, f"{f.span}")
            if place not in seen:
                seen.add(place)
                out.append(f)
    return out + list(_gaps(table, ns)) + list(_limits(table)) + list(_sets(table))


def _sets(table: ParameterTable) -> Iterator[Diagnostic]:
    """Find choices and rankings that do not say which records are the alternatives of a set."""
    for v in table.responses:
        if isinstance(v.arguments.get("set"), str):
            continue
        if v.kind.composite:
            yield error(
                "missing-set",
                f"it is not said which rows add up to the mean of '{v.name}'",
                table.source,
                v.span,
                notes="data of a composite link have a row a term, and a column that tells the means apart",
                help=f"name the column: {v.name} :: composite({v.kind.name.split()[-1]}, set=cell)",
            )
        if v.kind.sets:
            yield error(
                "missing-set",
                f"it is not said which rows are the alternatives of a set of '{v.name}'",
                table.source,
                v.span,
                notes="data of choices and rankings have a row an alternative, and a column that tells the sets apart",
                help=f"name the column: {v.name} :: {v.kind.name}(set=trip)",
            )


def _limits(table: ParameterTable) -> Iterator[Diagnostic]:
    """Find limits of censoring, and ends of intervals, that are no pair of numbers or columns."""
    for v in table.responses:
        given = [name for name in ("censored", "interval") if name in v.arguments]
        for name in given:
            if limits(v.arguments[name]) is None:
                yield error(
                    "bad-limits",
                    f"'{name}=' of '{v.name}' is no pair of limits",
                    table.source,
                    v.span,
                    notes="two numbers or columns, the lower first; Inf, -Inf or NA where there is none on a side",
                    help=f"{name}=[low, high]" if name == "interval" else "censored=[0, 100]",
                )
        if len(given) > 1:
            yield error(
                "bad-limits",
                f"'{v.name}' has both 'censored=' and 'interval='",
                table.source,
                v.span,
                notes="an interval says by itself what is censored: its other end is open",
                help=f"{v.name} :: {v.kind.name}(interval=[low, high])",
            )


def _row(table: ParameterTable, ns: Namespace, r: Row) -> Iterator[Diagnostic]:
    v = table.variables.get(r.target)
    if v is None or r.user != 1:
        return
    if (r.op == "|" or r.threshold) and not (v.role == "response" and v.kind.thresholds):
        yield error(
            "threshold-of-non-ordinal",
            f"'{v.name}' is {_kind(v)} and has no thresholds",
            table.source,
            r.span,
            help=f"declare it: '{v.name} :: ordinal(logit)'" if v.role == "response" else (),
        )
    elif r.quantity and r.quantity not in v.kind.quantities and r.rule != MODERATED:
        yield error(
            "unknown-quantity",
            f"{_kind(v)} has no {r.quantity}()",
            table.source,
            r.span,
            help=(
                *did_you_mean(r.quantity, v.kind.quantities),
                *((f"it has {', '.join(v.kind.quantities)}",) if v.kind.quantities else ()),
            ),
        )
    elif r.op == "~~" and r.lhs == r.rhs and _no_residual(v, ns) and not (v.kind.thresholds and r.ustart == 1):
        underlying = _has_underlying(v)
        if underlying and table.options.get("parameterization") == "theta":
            return
        yield error(
            "residual-variance-of-non-gaussian",
            f"'{v.name}' is {_kind(v)} and has no residual variance",
            table.source,
            r.span,
            help=(
                *(("say 'options: parameterization = theta': that of its underlying response",) if underlying else ()),
                "remove the line",
            ),
        )
    elif r.op == "~~" and r.lhs == r.rhs and v.role == "response" and _models_sigma(table, r):
        yield error(
            "variance-beside-sigma",
            f"'{v.name}' has both a residual variance and a model of its scale",
            table.source,
            r.span,
            label=f"sigma({v.name}) stands in its place",
            help="remove the line",
        )
    elif r.op == "~~" and r.lhs != r.rhs:
        w = table.variables.get(r.source)
        bad = [x for x in (v, w) if x is not None and _no_residual(x, ns)]
        if bad and w is not None:
            yield error(
                "residual-covariance-of-non-gaussian",
                f"'{bad[0].name}' is {_kind(bad[0])}: its residual covaries with nothing",
                table.source,
                r.span,
                help=f"let them share a latent variable: 'u :: normal' and '{v.name} + {w.name} ~ u'",
            )


def _kind(v: Variable) -> str:
    return v.kind.name if v.role == "response" else "a latent variable"


def _has_underlying(v: Variable) -> bool:
    """Whether a response is ordinal(probit): a normal underlying response, cut at thresholds, has a residual."""
    return v.role == "response" and v.kind.name == "ordinal" and v.link == "probit"


def _no_residual(v: Variable, ns: Namespace) -> bool:
    lavaans = v.kind.thresholds and v.name not in ns.declared.kinds
    return v.role == "response" and not v.kind.residual and not lavaans


def _gaps(table: ParameterTable, ns: Namespace) -> Iterator[Diagnostic]:
    by_response: dict[str, list[Row]] = {}
    for r in table.rows:
        if r.op == "|" and r.group == 1:
            by_response.setdefault(r.target, []).append(r)
    for key, own in by_response.items():
        v = table.variables[key]
        odd = next((r for r in own if r.user == 1 and not is_usual(r.rhs)), None)
        written = sorted({r.threshold for r in own if r.user == 1})
        known = ns.categories_of(v)
        if known and v.kind.thresholds and own and max(r.threshold for r in own) > len(known) - 1:
            first = max(own, key=lambda r: (r.user, r.threshold))
            yield error(
                "too-many-thresholds",
                f"'{v.name}' has {len(known)} categories and so {len(known) - 1} thresholds",
                table.source,
                first.span,
            )
        elif odd is not None:
            yield warning(
                "threshold-name",
                f"thresholds are called t1, t2, ...: '{odd.rhs}' comes on top of these",
                table.source,
                odd.span,
                help=f"write '{v.name} | t{odd.threshold}'",
            )
        elif written and written != list(range(1, len(written) + 1)):
            missing = next(s for s in range(1, written[-1] + 1) if s not in written)
            first = next(r for r in own if r.threshold > missing and r.user == 1)
            yield warning(
                "threshold-gap",
                f"threshold t{missing} of '{v.name}' is not written",
                table.source,
                first.span,
                label="it is added",
                help=f"write '{v.name} | t{missing}' too",
            )


def _models_sigma(table: ParameterTable, row: Row) -> bool:
    """Whether the text models the scale of the response whose residual variance a row is."""
    return any(r.quantity == "sigma" and r.target == row.target and r.group == row.group for r in table.rows)
