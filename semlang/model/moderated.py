"""Moderated parameters, ``L :~ L0 + L1*data(z)``: a labelled parameter is a linear function of columns.

A path ``L x`` is the paths ``L0 x`` and ``L1 x:z``, which is moderated nonlinear factor analysis (Bauer 2017,
Psychological Methods 22, 507-526). A variance is one on the log scale, ``log(v) :~ v0 + v1*data(z)``: the log standard
deviation of a residual or disturbance, ``sigma(y)``, ``sigma(f)``, is half of that. A covariance of latent variables is
one as it is, in rows ``f~~g ~1``, ``f~~g ~ z``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from semlang.diagnostics import Diagnostic, error
from semlang.model.draft import Draft
from semlang.model.namespace import Namespace
from semlang.model.nearest import did_you_mean
from semlang.model.table import COVARIANCE, Covariate, Defined, Product
from semlang.source import Span
from semlang.syntax import ast

__all__ = ["moderated_parameters"]

RULE = "moderated parameter"

_Addend = tuple[str | float, Product]  # label or value, and columns


def moderated_parameters(
    model: ast.Model, rows: list[Draft], ns: Namespace, findings: list[Diagnostic]
) -> tuple[list[Draft], tuple[Defined, ...]]:
    """Return rows in which those of moderated labels are sums, and what the text's names of log variances are.

    Parameters
    ----------
    model : ast.Model
    rows : list of Draft
        With their labels.
    ns : Namespace
    findings : list of Diagnostic
        Is added to.
    """
    defined: dict[str, Defined] = {}
    composites = {r.target for r in rows if r.op == "<~"}
    for s in model.statements:
        if not isinstance(s, ast.Definition) or s.op != ":~":
            continue
        own = [r for r in rows if r.label == s.name]
        if not own:
            labels = list(dict.fromkeys(r.label for r in rows if r.label))
            findings.append(
                error("unknown-label", f"no parameter has the label '{s.name}'", ns.source, s.name_span,
                      label="what is moderated is a labelled parameter",
                      help=did_you_mean(s.name, labels) or f"label one: f =~ {s.name}*y")
            )  # fmt: skip
            continue
        try:
            composite = next((r for r in own if r.op == "~~" and {r.target, r.source} & composites), None)
            if composite is not None:
                raise _Unfit("is a moment of a composite, which follows from its weights", s.name_span, "leave it out")
            addends = list(_addends(s.expression, ns))
            new = {id(r): _moderated(r, s, addends, ns, defined) for r in own}
        except _Unfit as problem:
            findings.append(
                error("data-defined-parameter", f"'{s.name}' {problem}", ns.source, problem.span or s.span,
                      help=problem.instead)
            )  # fmt: skip
            continue
        rows = [x for r in rows for x in new.get(id(r), [r])]
    return rows, tuple(defined.values())


class _Unfit(Exception):
    def __init__(self, why: str, span: Span | None, instead: str) -> None:
        super().__init__(why)
        self.span, self.instead = span, instead


def _addends(e: ast.Expression, ns: Namespace) -> Iterator[_Addend]:
    """Yield the addends of a sum of labels or numbers times columns."""
    match e:
        case ast.Binary(op="+"):
            yield from _addends(e.left, ns)
            yield from _addends(e.right, ns)
        case ast.Binary(op="-"):
            yield from _addends(e.left, ns)
            for coefficient, columns in _addends(e.right, ns):
                if isinstance(coefficient, str):
                    raise _Unfit("subtracts a parameter", e.span, f"add it, its sign is free: + {coefficient}*data(z)")
                yield -coefficient, columns
        case _:
            labels, number, columns = _factors(e, ns)
            if len(labels) > 1 or (labels and number != 1.0):
                raise _Unfit(
                    "is not linear in its parameters", e.span, "write a sum of labels times columns: L0 + L1*data(z)"
                )
            yield (labels[0] if labels else number), columns


def _factors(e: ast.Expression, ns: Namespace) -> tuple[list[str], float, Product]:
    match e:
        case ast.Name():
            return [e.text], 1.0, ()
        case ast.Number():
            return [], e.value, ()
        case ast.Unary(op="-"):
            labels, number, columns = _factors(e.operand, ns)
            return labels, -number, columns
        case ast.Binary(op="*"):
            left, right = _factors(e.left, ns), _factors(e.right, ns)
            return [*left[0], *right[0]], left[1] * right[1], (*left[2], *right[2])
        case ast.Binary(op="^", right=ast.Number(value=power)):
            labels, number, columns = _factors(e.left, ns)
            if not labels and number == 1.0 and len(columns) == 1 and columns[0].function == "identity":
                return [], 1.0, (replace(columns[0], function="power", argument=power),)
        case ast.Call(function="data", arguments=(ast.Name(text=column),)):
            return [], 1.0, (Covariate(column, response=column in ns.responses),)
        case ast.Call(function="data"):
            raise _Unfit("has data() of what is no column", e.span, "data(z), or data(z)*data(w)")
        case _:
            pass
    raise _Unfit("is no sum of parameters times columns", e.span, "write L0 + L1*data(z), data(z)^2 or data(z)*data(w)")


def _moderated(
    row: Draft, s: ast.Definition, addends: Sequence[_Addend], ns: Namespace, defined: dict[str, Defined]
) -> list[Draft]:
    """Return the rows that stand in the place of one with a moderated label."""
    if row.is_variance:
        return _variance(row, s, addends, ns, defined)
    return _covariance(row, s, addends, ns) if row.op == "~~" else _path(row, s, addends)


def _path(row: Draft, s: ast.Definition, addends: Sequence[_Addend]) -> list[Draft]:
    """Return the rows of the addends of a moderated path, intercept or threshold."""
    if row.op not in ("=~", "~", "~1", "|") or s.function:
        what = f"stands in '{row.lhs} {row.op} {row.rhs}'"
        instead = "paths, intercepts, thresholds, covariances and (by log) variances can be moderated"
        raise _Unfit(f"{what}, which can't be moderated" if not s.function else "is no variance", s.name_span, instead)
    out = []
    for coefficient, columns in addends:
        new = replace(row, via=(*row.via, *columns), given=[], label="", rule=RULE, plabel="")
        name = ":".join(c.name for c in columns)
        if columns and row.op == "~1":
            new.op, new.rhs = "~", name
        elif columns and row.op == "|":
            new.lhs, new.op, new.rhs = f"{row.lhs}|{row.rhs}", "~", name
        elif columns:
            new.rhs = f"{row.rhs}:{name}"
        _give(new, coefficient)
        out.append(new)
    return out


def _give(row: Draft, coefficient: str | float) -> None:
    if isinstance(coefficient, str):
        row.set_free(RULE)
        row.label = coefficient
    else:
        row.fix(coefficient, RULE)


def _variance(
    row: Draft, s: ast.Definition, addends: Sequence[_Addend], ns: Namespace, defined: dict[str, Defined]
) -> list[Draft]:
    """Return the rows of the log (residual) standard deviation, whose parameters are half of those in the text."""
    if s.function != "log":
        raise _Unfit("is a variance, which has to stay positive", s.name_span, f"write log({s.name}) :~ {s.text}")
    v = ns.variables.get(row.target)
    if v is None or not (v.kind.residual if v.role == "response" else v.is_normal) or row.klass:
        raise _Unfit(
            f"is the variance of {row.lhs}, which is "
            + ("one class's" if row.klass else "neither a gaussian response nor a continuous latent variable"),
            s.name_span,
            "moderate loadings, paths and intercepts; or fix the variance and moderate all loadings alike",
        )
    out = []
    for coefficient, columns in addends:
        half = f"{coefficient}/2" if isinstance(coefficient, str) else 0.5 * coefficient
        if isinstance(half, str):
            twice = ast.Binary("*", ast.Number(2.0, s.span), ast.Name(half, s.span), s.span)
            defined[str(coefficient)] = Defined(str(coefficient), twice, f"2*({half})", s.span)
        out.append(_of_quantity(row, f"sigma({row.lhs})", "sigma", half, columns))
    return out


def _covariance(row: Draft, s: ast.Definition, addends: Sequence[_Addend], ns: Namespace) -> list[Draft]:
    """Return the rows of a covariance of latent variables that depends on covariates."""
    ends = [ns.variables.get(key) for key in (row.target, row.source)]
    if s.function or row.klass or not all(v is not None and v.is_normal for v in ends):
        raise _Unfit(
            "is no variance" if s.function else f"is a covariance in one class ('{row.lhs} ~~ {row.rhs}')"
            if row.klass else f"is a covariance of responses ('{row.lhs} ~~ {row.rhs}')",
            s.name_span,
            f"write {s.name} :~ {s.text}" if s.function
            else f"let a latent variable join them: u :: normal; {row.lhs} ~ u; {row.rhs} ~ u; u ~~ v*u; log(v) :~ ..."
            if not row.klass else "moderate the covariance of all classes",
        )  # fmt: skip
    name = f"{row.lhs}~~{row.rhs}"
    return [_of_quantity(row, name, f"{COVARIANCE}{row.source}", value, columns) for value, columns in addends]


def _of_quantity(row: Draft, lhs: str, quantity: str, coefficient: str | float, columns: Product) -> Draft:
    """Return the row of one addend of a standard deviation or covariance."""
    new = replace(
        row, lhs=lhs, op="~" if columns else "~1", rhs=":".join(c.name for c in columns), source="", via=columns,
        quantity=quantity, given=[], label="", plabel="", user=1, lower=None, upper=None,
    )  # fmt: skip
    _give(new, coefficient)
    return new
