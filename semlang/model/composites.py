"""Composites (``f <~ x1 + x2``): weighted sums of observed columns, given those columns."""

from __future__ import annotations

from dataclasses import replace

from semlang.model.table import Covariate, ParameterTable, Row

SAMPLE = "sample moment of a composite"
"""Rule of the rows of lavaan's table that describe a composite's columns: they are the sample's, and not modelled."""

VARIANCE = "variance of a composite"
"""Rule of the variance of a composite, which follows from its weights."""


def resolve_composites(table: ParameterTable) -> ParameterTable:
    """Let the weights of composites multiply columns.

    ``f <~ x1 + x2`` says f = w1 x1 + w2 x2 without a residual. The likelihood is that of the responses given the
    columns, so a column that nothing else models is no response; one that is (``x1 ~ z``) stands for its observed
    value.

    Examples
    --------
    >>> from semlang.model.elaborate import elaborate
    >>> from semlang.source import Source
    >>> from semlang.syntax.parser import parse
    >>> table, _ = elaborate(parse(Source("f <~ x1 + x2; y ~ f"))[0]).answer
    >>> [v.key for v in table.responses], [r.via[0].name for r in table.rows if r.op == "<~"]
    (['y'], ['x1', 'x2'])
    """
    columns = {r.source for r in table.rows if r.op == "<~" and _is_response(table, r.source)}
    if not columns:
        return table
    modelled = {
        key for r in table.rows if r.op != "<~" and r.rule != SAMPLE for key in (r.target, r.source) if key in columns
    }
    given = columns - modelled

    def columned(r: Row) -> Row:
        if r.rule == SAMPLE and (r.target in given or r.source in given):
            return r._replace(target="", source="")
        via = tuple(replace(c, response=False) if c.column in given else c for c in r.via)
        if r.op == "<~" and r.source in columns:
            return r._replace(source="", via=(Covariate(r.source, response=r.source in modelled), *via))
        return r._replace(via=via) if via != r.via else r

    variables = {k: v for k, v in table.variables.items() if k not in given}
    return replace(table, rows=tuple(columned(r) for r in table.rows), variables=variables)


def _is_response(table: ParameterTable, key: str) -> bool:
    v = table.variables.get(key)
    return v is not None and v.role == "response"


def unestimable_composites(table: ParameterTable) -> list[tuple[Row, str, str]]:
    """Return rows about composites that a weighted sum of columns has no place for, what they are, and what to do."""
    composites = {r.target for r in table.rows if r.op == "<~"}
    out: list[tuple[Row, str, str]] = []
    for r in table.rows:
        pair = f"{r.lhs} {r.op} {r.rhs}"
        zero = r.parameter < 0 and not r.ustart
        if r.op == "<~" and r.source:
            out.append((r, f"a composite of latent variables ('{pair}')", f"measure it: {r.lhs} =~ {r.rhs}"))
        elif r.op == "<~" and r.via and r.via[0].response:
            out.append(
                (r, f"a composite of a column that is modelled itself ('{pair}')", "copy the column in the data")
            )
        elif r.op == "~~" and r.target != r.source and not zero and {r.target, r.source} & composites:
            other = r.source if r.target in composites else r.target
            own = r.target if r.target in composites else r.source
            out.append((r, f"a covariance of a composite ('{pair}')", f"write {other} ~ {own}, or {own} ~~ 0*{other}"))
        elif r.op == "~" and r.target in composites and not r.quantity and not zero:
            out.append((r, f"a composite that is regressed on others ('{pair}')", "regress on the composite instead"))
    return out
