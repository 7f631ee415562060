"""Parameters that a model leaves out, fixes or shares: what score tests are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from semlang.graph.condition import n_states
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import Covariate, ParameterTable, Product, Row, Variable

__all__ = ["candidates", "without_circles"]


def candidates(table: ParameterTable, graphs: tuple[ModelGraph, ...]) -> list[Row]:
    """Return the rows that could have a parameter of their own.

    These are fixed rows; rows that share their parameter with others; loadings of every latent variable on the
    indicators of its level; effects of the model's covariates on its responses, latent variables and classes;
    regressions of latent variables and gaussian responses that have such, on each other; covariances of latent
    variables, and of gaussian responses, of one level. What would close a circle of paths is left out.

    Parameters
    ----------
    table : ParameterTable
    graphs : tuple of ModelGraph
    """
    shared: dict[int, int] = {}
    for row in table.rows:
        if row.parameter >= 0:
            shared[row.parameter] = shared.get(row.parameter, 0) + 1
    out = [
        row
        for row in table.rows
        if row.target and not row.exo and not row.quantity
        and (shared[row.parameter] > 1 if row.parameter >= 0 else row.ustart is not None and row.op in OPERATORS)
        and not (row.op == "~" and row.source and not table.variables[row.source].measured)
    ]  # fmt: skip
    number = max((row.id for row in table.rows), default=0)
    for graph in graphs:
        for row in _absent(table, graph):
            number += 1
            out.append(row._replace(id=number))
    return out


OPERATORS = ("=~", "~", "~1", "~~", "|")
"""Operators of fixed rows that may be freed."""


def _absent(table: ParameterTable, graph: ModelGraph) -> Iterator[Row]:
    """Yield rows, fixed at 0, that the table has not."""
    has = {(r.target, r.source, r.via) for r in table.rows if r.group == graph.group and r.op in ("=~", "~")}
    block = {v.key: _block(table, graph, v) for v in table.variables.values()}
    for factor in table.latents:
        if not factor.measured or not factor.kind.continuous:
            continue
        indicators = {
            key
            for other in table.latents
            if other.measured and other.level == factor.level
            for p in graph.out_of(other.key)
            if p.kind == "loading" and table.variables[key := p.target].role != "latent"
        }
        for key in graph.table.variables:
            if key in indicators and (key, factor.key, ()) not in has and not _reaches(graph, key, factor.key):
                variable = table.variables[key]
                yield _row(graph, factor.name, "=~", variable.name, key, factor.key, (), block[factor.key])
    yield from _effects(table, graph, has, block)
    yield from _regressions(table, graph, has, block)
    yield from _covariances(table, graph, block)


def _effects(
    table: ParameterTable, graph: ModelGraph, has: set[tuple[str, str, Product]], block: dict[str, tuple[int, int]]
) -> Iterator[Row]:
    """Yield effects of covariates on responses and latent variables that have none from them."""
    height = {level: n for n, level in enumerate(table.levels)}
    known: dict[Product, tuple[str, int]] = {}
    for r in table.rows:
        if r.op == "~" and r.via and not r.source and not any(c.response or c.function == "offset" for c in r.via):
            at = height[table.variables[r.target].level]
            known[r.via] = (r.rhs, max(at, known.get(r.via, ("", 0))[1]))
    for via, (name, highest) in known.items():
        for v in table.variables.values():
            able = v.role == "response" or (v.role == "latent" and v.measured and v.kind.continuous)
            plain = v.kind.name in ("gaussian", "binomial", "poisson", "ordinal", "normal")
            if able and plain and height[v.level] <= highest and (v.key, "", via) not in has:
                yield _row(graph, v.name, "~", name, v.key, "", via, block[v.key])
            elif v.kind.name == "class" and height[v.level] <= highest and (v.key, "", via) not in has:
                for k in range(1, n_states(v)):
                    row = _row(graph, v.name, "~", name, v.key, "", via, block[v.key])
                    yield row._replace(klass=k, class_variable=v.key)


def _regressions(
    table: ParameterTable, graph: ModelGraph, has: set[tuple[str, str, Product]], block: dict[str, tuple[int, int]]
) -> Iterator[Row]:
    """Yield regressions of variables that have regressions, on each other and on their causes, as lavaan does."""
    found: dict[str, None] = {}
    caused: set[str] = set()
    for r in table.rows:
        if r.op == "~" and r.group == graph.group and not r.quantity and _plain(table.variables[r.target]):
            causes = [r.source, *(c.column for c in r.via if c.response)]
            found |= dict.fromkeys([r.target, *(k for k in causes if k and _plain(table.variables[k]))])
            caused.add(r.target)
    for a in found:
        for b in found:
            v, w = table.variables[a], table.variables[b]
            # what only causes may depend on what is caused, and that on everything
            if a == b or v.level != w.level or not caused & {a, b} or _reaches(graph, a, b):
                continue
            via = () if w.role == "latent" else (Covariate(b, response=True),)
            source = b if w.role == "latent" else ""
            if (a, source, via) not in has:
                yield _row(graph, v.name, "~", w.name, a, source, via, block[a])


def _plain(v: Variable) -> bool:
    """Whether a variable is a measured latent variable, or a gaussian response."""
    return (v.role == "latent" and v.measured and v.kind.continuous) or (v.role == "response" and v.is_gaussian)


def _covariances(table: ParameterTable, graph: ModelGraph, block: dict[str, tuple[int, int]]) -> Iterator[Row]:
    """Yield covariances of disturbances that are not in the table."""
    has = {frozenset((r.target, r.source)) for r in table.rows if r.op == "~~" and r.group == graph.group}
    modelled = {row.target for row in graph.quantities}
    for v, w in combinations(table.variables.values(), 2):
        if v.level != w.level or frozenset((v.key, w.key)) in has or (v.role == "response") != (w.role == "response"):
            continue
        if all(_varies(graph, x, modelled) for x in (v, w)):
            yield _row(graph, v.name, "~~", w.name, v.key, w.key, (), block[v.key])


def _varies(graph: ModelGraph, v: Variable, modelled: set[str]) -> bool:
    """Whether a variable has a disturbance that may covary."""
    variance = graph.variance(v.key)
    if variance is None or variance.is_zero or v.key in modelled:
        return False
    return v.kind.continuous or v.is_gaussian


def without_circles(rows: Sequence[Row], graphs: tuple[ModelGraph, ...]) -> list[list[Row]]:
    """Cut candidates into parts, none of which closes a circle of paths when all of it is freed at once."""
    parts: list[list[Row]] = []
    known: list[list[dict[str, tuple[str, ...]]]] = []
    for row in rows:
        causes = [k for k in (row.source, *(c.column for c in row.via if c.response)) if k] * (row.op in ("~", "=~"))
        fits = (
            n
            for n, of_groups in enumerate(known)
            if not any(_leads(of_groups[row.group - 1], row.target, cause) for cause in causes)
        )
        place = next(fits, len(parts))
        if place == len(parts):
            parts.append([])
            known.append([{k: tuple(v) for k, v in g.causes.items()} for g in graphs])
        parts[place].append(row)
        own = known[place][row.group - 1]
        own[row.target] = (*own.get(row.target, ()), *causes)
    return parts


def _reaches(graph: ModelGraph, start: str, end: str) -> bool:
    """Whether paths lead from one variable to another."""
    return _leads(graph.causes, start, end)


def _leads(causes: Mapping[str, Iterable[str]], start: str, end: str) -> bool:
    """Whether paths lead from one variable to another."""
    waiting, seen = [end], {end}
    while waiting:
        for cause in causes.get(waiting.pop(), ()):
            if cause == start:
                return True
            if cause not in seen:
                seen.add(cause)
                waiting.append(cause)
    return False


def _block(table: ParameterTable, graph: ModelGraph, v: Variable) -> tuple[int, int]:
    """Return lavaan's block and level of a variable's rows."""
    rows = (r for r in table.rows if r.group == graph.group and r.target == v.key)
    return next(((r.block, r.level) for r in rows), (graph.group, 0))


def _row(
    graph: ModelGraph, lhs: str, op: str, rhs: str, target: str, source: str, via: Product, block: tuple[int, int]
) -> Row:
    return Row(
        0, lhs, op, rhs, user=0, block=block[0], group=graph.group, level=block[1], ustart=0.0, rule="score test",
        target=target, source=source, via=via,
    )  # fmt: skip
