"""Scale: every latent variable needs a unit, by a fixed path or a fixed variance.

Multiplying a latent variable by c divides the paths out of it by c, multiplies the paths into it by c and its variance
by c^2. With log c as unknowns, every fixed or shared coefficient is a linear equation; what they leave free has no
scale. That finds the usual mistake, and counts what is fixed elsewhere: by an equality across groups, or through
another latent variable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from semlang.diagnostics import Diagnostic, error, note
from semlang.graph.model_graph import Covariance, ModelGraph
from semlang.model.table import ROWS, ParameterTable, Row, Variable
from semlang.source import Span
from semlang.syntax import ast

_Unknown = tuple[int, str]  # group and key
_Form = dict[_Unknown, int | Fraction]


def check(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterable[Diagnostic]:
    """Find latent variables that nothing measures, whose scale nothing fixes, or fixes twice."""
    reported: set[str] = set()
    reaching = set().union(*(_reaching(g) for g in graphs))
    candidates = _candidates(table)
    for v in candidates:
        if v.key not in reaching:
            reported.add(v.key)
            if not any(not p.is_zero for g in graphs for p in g.out_of(v.key)):
                yield _unmeasured(table, v)
    for group, key in unscaled(table, graphs):
        if key not in reported:
            reported.add(key)
            yield _unscaled(table, graphs[group - 1], key)
    for graph in graphs[:1]:
        for v in candidates:
            if v.key not in reported:
                yield from _doubly(table, graph, v)


def unscaled(table: ParameterTable, graphs: Sequence[ModelGraph]) -> tuple[_Unknown, ...]:
    """Return group and key of the latent variables that have no scale, one for each scale that is missing."""
    reaching = {g.group: _reaching(g) for g in graphs}
    unknowns = [(g.group, v.key) for g in graphs for v in _candidates(table)]
    # solve first for those that appear last
    rank = {u: -i for i, u in enumerate(unknowns)}
    pivots: dict[_Unknown, _Form] = {}
    for form in _equations(table, graphs):
        measured = {u: c for u, c in form.items() if u[1] in reaching[u[0]]}
        _reduce(measured, pivots, rank)
    return tuple(u for u in unknowns if u not in pivots and u[1] in reaching[u[0]])


def _candidates(table: ParameterTable) -> tuple[Variable, ...]:
    """Return the latent variables that nothing but the model could scale: no composites, none that are observed."""
    composites = {row.target for row in table.rows if row.op == "<~"}
    return tuple(
        v
        for v in table.latents
        if v.role == "latent" and v.kind.continuous and "observed" not in v.arguments and v.key not in composites
    )


def _reaching(graph: ModelGraph) -> set[str]:
    """Return the variables from which paths lead to a response."""
    found = set(graph.responses)
    for row in (*graph.others, *graph.thresholds, *graph.quantities):
        found.update((row.source, *row.moderators))
    queue = list(found)
    while queue:
        for cause in graph.causes.get(queue.pop(), ()):
            if cause not in found:
                found.add(cause)
                queue.append(cause)
    return found


def _unmeasured(table: ParameterTable, v: Variable) -> Diagnostic:
    span = next((row.span for row in table.rows if v.key in (row.target, row.source) and row.span), v.span)
    advice = [f"say what measures it: {v.key} =~ y1 + y2 + y3", f"or what it influences: y ~ {v.key}"]
    if v.level != ROWS and not v.measured:
        advice.append(f"or, if '{v.name}' is a column of the data, declare it: {v.name} :: gaussian")
    return error(
        "unmeasured-latent",
        f"no path leads from '{v.key}' to a response",
        table.source,
        span,
        label="a latent variable without any effect",
        help=advice,
    )


def _equations(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterator[_Form]:
    """Yield linear forms of log c that are 0."""
    constrained, same = _constrained(table)
    first: dict[int, _Form] = {}
    for form, number, value, row in _coefficients(table, graphs):
        parameter = same.get(number, number)
        if parameter < 0:
            if value != 0:
                yield form
        elif parameter in constrained or (row is not None and row.efa):
            yield form
        elif parameter in first:
            earlier = first[parameter]
            yield {u: c for u in {**earlier, **form} if (c := form.get(u, 0) - earlier.get(u, 0))}
        else:
            first[parameter] = form


def _coefficients(
    table: ParameterTable, graphs: Sequence[ModelGraph]
) -> Iterator[tuple[_Form, int, float, Row | None]]:
    """Yield the power of each c by which a coefficient changes."""
    scaled = {v.key for v in _candidates(table)}
    for graph in graphs:
        for p in graph.paths:
            form: _Form = {}
            if p.target in scaled:
                form[graph.group, p.target] = 1
            if p.source in scaled:
                form[graph.group, p.source] = form.get((graph.group, p.source), 0) - 1
            if form:
                yield form, p.parameter, p.value, p.row
        for row in (*graph.thresholds, *graph.quantities):
            if row.source in scaled:
                yield {(graph.group, row.source): -1}, row.parameter, row.ustart or 0.0, row
        for c in graph.covariances:
            form = {}
            for end in (c.a, c.b):
                if end in scaled:
                    form[graph.group, end] = form.get((graph.group, end), 0) + 1
            if form:
                yield form, _constant(graph, c) if c.moderated else c.parameter, c.value, c.row
        for row in graph.others:
            for key in (row.source, row.target, *row.moderators):
                if key in scaled and row.free == 0:
                    yield {(graph.group, key): 1}, -1, 1.0, row


def _constant(graph: ModelGraph, c: Covariance) -> int:
    """Return the free parameter of the constant part of a moderated variance, -1 if there is none."""
    return next((row.parameter for row in graph.moderated[c.a, c.b] if not row.via and row.parameter >= 0), -1)


def _reduce(form: _Form, pivots: dict[_Unknown, _Form], rank: dict[_Unknown, int]) -> None:
    """Add an equation to those in echelon form, led by the unknown of lowest rank."""
    form = {u: c for u, c in form.items() if c}
    while form:
        lead = min(form, key=rank.__getitem__)
        if lead not in pivots:
            pivots[lead] = {u: Fraction(c) / form[lead] for u, c in form.items()}
            return
        factor, known = form[lead], pivots[lead]
        form = {u: c for u in {**form, **known} if (c := form.get(u, Fraction(0)) - factor * known.get(u, Fraction(0)))}


def _constrained(table: ParameterTable) -> tuple[set[int], dict[int, int]]:
    """Return parameters that stand in an equality that may fix a scale, and those equal to another by ``a == b``."""
    index: dict[str, int] = {}
    for row in table.rows:
        if row.parameter >= 0:
            index |= {name: row.parameter for name in (row.label, row.plabel) if name}
    defined = {d.name: d.expression for d in table.defined}
    found: set[int] = set()
    same: dict[int, int] = {}
    for relation in table.relations:
        if relation.op != "==":
            continue
        sides = (relation.left, relation.right)
        used = [index[n] for side in sides for n in sorted(names(side, defined)) if n in index]
        if isinstance(relation.left, ast.Name) and isinstance(relation.right, ast.Name) and len(used) == 2:
            one, two = (same.get(p, p) for p in used)
            same |= dict.fromkeys((two, *(k for k, v in same.items() if v == two)), one)
        else:
            found.update(used)
    return {same.get(p, p) for p in found}, same


def names(expression: ast.Expression, defined: dict[str, ast.Expression]) -> set[str]:
    """Return the names in an expression; defined parameters are followed."""
    found: set[str] = set()
    stack: list[ast.Expression] = [expression]
    while stack:
        match stack.pop():
            case ast.Name(text=text):
                if text not in found:
                    found.add(text)
                    if text in defined:
                        stack.append(defined[text])
            case ast.Unary(operand=operand):
                stack.append(operand)
            case ast.Binary(left=left, right=right):
                stack += [left, right]
            case ast.Call(arguments=arguments):
                stack += list(arguments)
            case _:
                pass
    return found


def _unscaled(table: ParameterTable, graph: ModelGraph, key: str) -> Diagnostic:
    loadings = [p for p in graph.out_of(key) if p.source == key and not p.is_zero]
    measured = table.variables[key].measured
    operator = next((p.row.op for p in loadings if p.row), "=~")
    first = next((p for p in loadings if p.row), None)
    shown = key if first is None or first.row is None else _example(first.row)
    what = "loadings" if measured or operator == "=~" else "paths"
    groups = table.groups
    where = f" in group {graph.label}" if len(groups) > 1 else ""
    one = "c(" + ", ".join("1" if g == graph.group else "NA" for g in range(1, len(groups) + 1)) + ")"
    if where:
        shown = shown.replace(" 1*", f" {one}*")
    fixed = one if where else "1"
    return error(
        "unscaled-latent",
        f"'{key}' has no scale{where}: neither one of its {what} nor its variance is fixed",
        table.source,
        _place(table, graph, key),
        label=f"all {what} and the variance are free",
        help=(f"fix its first one: {shown}", f"or fix its variance: {key} ~~ {fixed}*{key}"),
    )


def _example(row: Row) -> str:
    return f"{row.lhs} {row.op} 1*{row.rhs}"


def _place(table: ParameterTable, graph: ModelGraph, key: str) -> Span | None:
    written = [p.row.span for p in graph.out_of(key) if p.row and p.source == key and p.row.span]
    return min(written, default=table.variables[key].span)


def _doubly(table: ParameterTable, graph: ModelGraph, v: Variable) -> Iterator[Diagnostic]:
    variance = graph.variance(v.key)
    if variance is None or variance.parameter >= 0 or variance.value == 0:
        return
    if variance.moderated and _constant(graph, variance) >= 0:
        return
    loadings = [p for p in graph.out_of(v.key) if p.source == v.key and not p.is_zero]
    if any(p.parameter < 0 for p in loadings):
        yield note(
            "doubly-scaled",
            f"the scale of '{v.key}' is fixed twice: by a path and by its variance",
            table.source,
            variance.row.span,
            label="this is a restriction of the model, not only a choice of unit",
            help=f"free one of the two unless the restriction is meant: {v.key} ~~ NA*{v.key}",
        )
