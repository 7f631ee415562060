"""What a path diagram shows of a parameter table: nodes and arrows, not yet placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from semlang.diagram.spec import Edge, Node
from semlang.model.table import ROWS, ParameterTable, Product, Row


@dataclass
class Content:
    """Nodes and arrows of one group.

    Parameters
    ----------
    nodes : dict from key to Node
    edges : list of Edge
        Paths and covariances.
    residuals : dict from key to Edge
        Short arrows.
    variances : dict from key to label
        Variances of exogenous latent variables, where estimates are shown.
    dots : dict from dot key to (covariate, target)
        The path in whose middle a dot stands.
    measures : set of (latent, indicator)
        Paths that were written with ``=~``.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    residuals: dict[str, Edge] = field(default_factory=dict)
    variances: dict[str, str] = field(default_factory=dict)
    dots: dict[str, tuple[str, str]] = field(default_factory=dict)
    measures: set[tuple[str, str]] = field(default_factory=set)


def content(table: ParameterTable, estimates: Mapping[int, float] | None = None, group: int = 1) -> Content:
    """Return the nodes and arrows of a group.

    Intercepts, thresholds and models of scale parameters are not drawn, nor is a path or covariance that is fixed
    at 0.

    Parameters
    ----------
    estimates : mapping from row id to float, optional
        Shown in place of labels.
    """
    out = Content()
    numbers = superscripts(table)
    for v in table.variables.values():
        shape = "box" if v.role == "response" else "ellipse"
        number = numbers.get(v.level, "") if shape == "ellipse" else ""
        out.nodes[v.key] = Node(v.key, v.name, shape, v.level, number)
    rows = [r for r in table.rows if r.group == group and not r.quantity and r.target in table.variables]
    paths = [r for r in rows if _is_path(r) and not _zero(r)]
    for row in sorted(paths, key=lambda r: bool(r.source and r.via)):  # random slopes meet paths that are there
        _path(out, table, row, estimates)
    for row in rows:
        if row.klass and row.class_variable in out.nodes and row.class_variable != row.target and row.op in ("~", "~1"):
            _of_class(out, table, row, estimates is not None)
    for v in table.variables.values():
        if v.role == "component" and v.response in table.variables:
            _add(out, Edge(v.key, v.response, "1", dashed=True))
    for row in rows:
        if row.op == "~~" and not _zero(row) and row.source in table.variables:
            _covariance(out, row, estimates)
    drawn = {e.source for e in out.edges} | {e.target for e in out.edges} | set(out.residuals)
    out.nodes = {k: n for k, n in out.nodes.items() if k in drawn}
    return out


def superscripts(table: ParameterTable) -> dict[str, str]:
    """Return GLLAMM's numbers of the levels: rows are level 2 where a latent variable varies over them.

    There are none where there are no clusters.
    """
    if not table.clusters:
        return {}
    first = 2 if any(v.level == ROWS for v in table.latents) else 1
    return {level: f"({first + k})" for k, level in enumerate(table.levels)}


def number(value: float) -> str:
    """Return an estimate with two or three significant digits.

    Examples
    --------
    >>> number(0.5537), number(-12.345), number(1234.5), number(0.00123), number(0.0)
    ('0.55', '−12.3', '1234', '0.0012', '0')
    """
    size = abs(value)
    if size == 0:
        text = "0"
    elif size < 0.01:
        text = f"{size:.2g}"
    else:
        text = f"{size:.{2 if size < 10 else 1 if size < 100 else 0}f}"
    return ("\u2212" if value < 0 else "") + text


def _is_path(row: Row) -> bool:
    return row.op in ("=~", "~", "<~") and bool(row.source or row.via)


def _zero(row: Row) -> bool:
    return row.parameter < 0 and row.ustart == 0


def _words(row: Row, estimates: Mapping[int, float] | None) -> str:
    if estimates is not None and row.id in estimates:
        return number(estimates[row.id]) if row.parameter >= 0 else f"{estimates[row.id]:g}"
    if row.parameter < 0:
        return f"{row.ustart:g}".replace("-", "\u2212") if row.ustart is not None else ""
    return row.label


def _path(out: Content, table: ParameterTable, row: Row, estimates: Mapping[int, float] | None) -> None:
    edge = Edge("", row.target, _words(row, estimates), dashed=row.parameter < 0)
    if row.source and row.source not in table.variables:
        return
    if row.op == "=~":
        out.measures.add((row.source, row.target))
    if not row.via:
        _add(out, replace(edge, source=row.source))
        return
    level = table.variables[row.target].level
    cause = _covariate(out, table, row.via, level, estimates is not None)
    if not row.source:
        _add(out, replace(edge, source=cause))
        return
    dot = f"{cause} * {row.target}"
    if dot not in out.dots:
        out.dots[dot] = (cause, row.target)
        out.nodes[dot] = Node(dot, "", "point", level)
    if not any(e.source == cause and e.target == row.target for e in out.edges):
        out.edges.append(Edge(cause, row.target))
    out.edges.append(Edge(row.source, dot, edge.label, edge.dashed))


def _of_class(out: Content, table: ParameterTable, row: Row, spell: bool) -> None:
    """Draw an arrow from a class variable to a response, or to the path whose slope differs between classes."""
    head = row.target
    if row.via:
        cause = _covariate(out, table, row.via, table.variables[row.target].level, spell)
        head = f"{cause} * {row.target}"
        if head not in out.dots:
            out.dots[head] = (cause, row.target)
            out.nodes[head] = Node(head, "", "point", table.variables[row.target].level)
    elif table.variables[row.target].role == "response":
        out.measures.add((row.class_variable, row.target))
    _add(out, Edge(row.class_variable, head))


def _covariate(out: Content, table: ParameterTable, via: Product, level: str, spell: bool) -> str:
    """Return the key of the node of a product of covariates; levels of a factor share one where nothing is lost."""
    if len(via) == 1 and via[0].response and via[0].column in table.variables:
        return via[0].column
    name = ":".join(c.column if c.function in ("level", "factor") and not spell else c.name for c in via)
    key = f"covariate {name}"
    order = {name: k for k, name in enumerate(table.levels)}
    if key not in out.nodes:
        out.nodes[key] = Node(key, name, "box", level)
    elif order.get(out.nodes[key].level, 0) < order.get(level, 0):
        out.nodes[key] = replace(out.nodes[key], level=level)
    return key


def _add(out: Content, edge: Edge) -> None:
    """Add a path unless it is there: rows of classes, categories or levels share one arrow."""
    for k, e in enumerate(out.edges):
        if (e.source, e.target, e.both) == (edge.source, edge.target, edge.both):
            same = e.label if e.label == edge.label else ""
            out.edges[k] = replace(e, label=same, dashed=e.dashed and edge.dashed)
            return
    out.edges.append(edge)


def _covariance(out: Content, row: Row, estimates: Mapping[int, float] | None) -> None:
    words, dashed = _words(row, estimates), row.parameter < 0
    if row.source != row.target:
        _add(out, Edge(row.target, row.source, words, dashed, both=True))
        return
    caused = any(e.target == row.target and not e.both for e in out.edges)
    if caused or out.nodes[row.target].shape == "box":
        out.residuals.setdefault(row.target, Edge("", row.target, words))
    elif words and (estimates is not None or row.label or dashed):
        out.variances.setdefault(row.target, words)
