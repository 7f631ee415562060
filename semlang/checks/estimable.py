"""What the language has and the engine of this version has not: said plainly, before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from semlang.diagnostics import Diagnostic, error
from semlang.graph.condition import known_for_some
from semlang.graph.model_graph import ModelGraph
from semlang.model.composites import unestimable_composites
from semlang.model.exploratory import unrotatable
from semlang.model.table import ParameterTable, Row
from semlang.source import Span

_Finding = tuple[str, Span | None, str]  # what, where, what to do instead


def check(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterable[Diagnostic]:
    """Find what can be written, checked and drawn, but not estimated by this version."""
    seen: set[str] = set()
    for rule in _RULES:
        for what, span, instead in rule(table, graphs):
            if what not in seen:
                seen.add(what)
                yield error(
                    "not-estimable",
                    f"this version can't estimate {what}",
                    table.source,
                    span,
                    notes="the model can be checked, drawn and written as matrices, but not fitted",
                    help=(instead,) if instead else (),
                )


def _intervals(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterator[_Finding]:
    """Of a response in an interval there is no value that could predict another."""
    for row in table.rows:
        v = next((table.variables[c.column] for c in row.via if c.response and c.column in table.variables), None)
        if v is not None and "interval" in v.arguments:
            instead = f"let both depend on a latent variable: u :: normal; {v.name} ~ u; {row.target} ~ u"
            yield f"a response in an interval that predicts another ('{v.key}')", row.span, instead


def _partly_known(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterator[_Finding]:
    """A latent variable that is known for some units cuts the data into parts, which have to be independent."""
    top = table.levels[-1]
    for key in known_for_some(table):
        v = table.variables[key]
        if v.level != top:
            yield (
                f"a latent variable of {v.level} that is known for some ('{key}') inside units of {top}, for the parts "
                "with and without it are not independent",
                v.span,
                "",
            )
        for graph in graphs:
            for c in graph.covariances:
                if c.a != c.b and key in (c.a, c.b) and not c.is_zero:
                    other = c.b if c.a == key else c.a
                    yield (
                        f"a covariance of a latent variable that is known for some ('{key} ~~ {other}')",
                        c.row.span or v.span,
                        f"regress one on the other: {other} ~ {key}",
                    )


def _rows(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterator[_Finding]:
    for graph in graphs:
        for row in graph.others:
            found = _row(table, row)
            if found:
                yield found, row.span, ""
        for row in graph.scales:
            if row.parameter < 0 and (row.ustart or 0.0) <= 0:
                yield f"a scale that is not positive ('{row.lhs} {row.op} {row.rhs}')", row.span, "let it be positive"
    for row in table.rows:
        if row.rv and row.rv not in {v.name for v in table.latents}:
            yield f"lavaan's rv() ('{row.rv}') without a cluster", row.span, "write 'cluster: school'"
    for row, what, instead in unestimable_composites(table):
        yield what, row.span, instead


def _row(table: ParameterTable, row: Row) -> str:
    if row.moderators and not all(k in table.variables for k in row.moderators):
        return f"products of latent variables ('{row.rhs}')"
    if row.op == "~*~" and (row.free or row.ustart not in (None, 1.0)):
        return f"the scale of a response that is not ordinal ('{row.lhs} ~*~ {row.rhs}')"
    return ""


def _exploratory(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterator[_Finding]:
    if str(table.options.get("rotation", "")) == "none":
        return
    for s, row, why in unrotatable(table):
        yield (
            f"a rotation of efa(\"{s.name}\") beside '{row.lhs} {row.op} {row.rhs}': {why}",
            row.span or table.variables[s.factors[0]].span,
            f"write it for {', '.join(s.factors)} alike, or keep the orientation: options: rotation = none",
        )


def _residuals(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterator[_Finding]:
    """Residual covariances have a closed form only where all responses are gaussian."""
    for graph in graphs:
        for c in graph.covariances:
            v = table.variables[c.a]
            if c.a == c.b and c.parameter >= 0 and v.role == "response" and not v.kind.residual:
                yield f"a free residual variance of {v.kind.described} response ('{c.a}')", c.row.span, ""
    modelled = {row.target for row in table.rows if row.quantity == "sigma"}
    others = [v for v in table.responses if not v.is_linear or v.key in modelled]
    if not others:
        return
    for graph in graphs:
        for c in graph.covariances:
            ends = [table.variables[k] for k in (c.a, c.b) if k in table.variables]
            lifted = all(v.role == "response" and v.is_linear and v.key not in modelled for v in ends)
            if c.a != c.b and not c.is_zero and not lifted and any(v.role == "response" for v in ends):
                pair = f"{c.a} ~~ {c.b}"
                yield (
                    f"a residual covariance ('{pair}') beside a response that is not gaussian ('{others[0].key}')",
                    c.row.span,
                    f"let a latent variable join them: u :: normal; {c.a} ~ u; {c.b} ~ u",
                )


_RULES: tuple[Callable[[ParameterTable, Sequence[ModelGraph]], Iterator[_Finding]], ...] = (
    _intervals,
    _partly_known,
    _rows,
    _exploratory,
    _residuals,
)
