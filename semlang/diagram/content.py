"""What a path diagram shows of a parameter table: nodes and arrows, not yet placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

from semlang.diagram.options import Options
from semlang.diagram.spec import Edge, Node, Span
from semlang.diagram.titles import of_edge, of_variable
from semlang.model.table import ROWS, ParameterTable, Product, Row, Variable

COLOURS = ("#cfe3f5", "#fbdcc0", "#d3ecd0", "#f3cfd6", "#e2d6f0", "#f6edbf", "#cdeae8", "#e6dccf")
"""Light colours, which black words can be read on."""
GREYS = ("#e9e9e9", "#d4d4d4", "#f4f4f4", "#c6c6c6", "#dedede")
ONE = "1"
"""Key of the constant 1, from which arrows of means come."""

MOST_TOGETHER = 3
"""Most estimates, one a category or a class, on one arrow; the table of estimates has all."""


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
    variances : dict from key to Edge
        Variances of exogenous latent variables, as loops.
    dots : dict from dot key to (covariate, target)
        The path in whose middle a dot stands.
    products : dict from dot key to the latent variables whose product it is
    measures : set of (latent, indicator)
        Paths that were written with ``=~``.
    thresholds : dict from key to words, where they are shown
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    residuals: dict[str, Edge] = field(default_factory=dict)
    variances: dict[str, Edge] = field(default_factory=dict)
    dots: dict[str, tuple[str, str]] = field(default_factory=dict)
    products: dict[str, tuple[str, ...]] = field(default_factory=dict)
    measures: set[tuple[str, str]] = field(default_factory=set)
    thresholds: dict[str, list[str]] = field(default_factory=dict)


def content(
    table: ParameterTable,
    estimates: Mapping[int, float] | None = None,
    group: int = 1,
    options: Options | None = None,
    stars: Mapping[int, str] | None = None,
) -> Content:
    """Return the nodes and arrows of a group.

    Models of scale parameters are not drawn, nor is a path or covariance that is fixed at 0. Means of latent variables
    that are free, or fixed at another value than 0, are arrows from the constant 1.

    Parameters
    ----------
    estimates : mapping from row id to float, optional
        Shown in place of labels.
    options : Options, optional
    stars : mapping from row id to str, optional
        What stands after an estimate.
    """
    return _Reader(table, estimates, group, options or Options(), stars or {}).read()


def superscripts(table: ParameterTable) -> dict[str, str]:
    """Return GLLAMM's numbers of the levels: rows are level 2 where a latent variable varies over them.

    There are none where there are no clusters.
    """
    if not table.clusters:
        return {}
    first = 2 if any(v.level == ROWS for v in table.latents) else 1
    return {level: f"({first + k})" for k, level in enumerate(table.levels)}


def number(value: float, digits: int | None = None) -> str:
    """Return an estimate with two or three significant digits, or with so many decimals.

    Examples
    --------
    >>> number(0.5537), number(-12.345), number(1234.5), number(0.00123), number(0.0)
    ('0.55', '−12.3', '1234', '0.0012', '0')
    >>> number(0.5537, 3)
    '0.554'
    """
    size = abs(value)
    if digits is not None:
        text = f"{size:.{digits}f}"
    elif size == 0:
        text = "0"
    elif size < 0.01:
        text = f"{size:.2g}"
    else:
        text = f"{size:.{2 if size < 10 else 1 if size < 100 else 0}f}"
    return ("\u2212" if value < 0 else "") + text


class _Reader:
    def __init__(
        self,
        table: ParameterTable,
        estimates: Mapping[int, float] | None,
        group: int,
        options: Options,
        stars: Mapping[int, str],
    ) -> None:
        self.table, self.estimates, self.group = table, estimates, group
        self.options, self.style, self.stars = options, options.dialect, stars
        self.means = self.style.means if options.means == "auto" else options.means
        self.out = Content()
        self.labels = _labels(table)

    def read(self) -> Content:
        table, out = self.table, self.out
        numbers = superscripts(table)
        for v in table.variables.values():
            out.nodes[v.key] = self._variable(v, numbers)
        rows = [r for r in table.rows if r.group == self.group and not r.quantity and r.target in table.variables]
        paths = [r for r in rows if _is_path(r) and not _zero(r)]
        paths += [
            r
            for r in table.rows
            if r.group == self.group and r.quantity and r.source in table.variables and _is_path(r) and not _zero(r)
        ]
        for row in sorted(paths, key=lambda r: bool(r.source and r.via)):  # random slopes meet paths that are there
            self._path(row)
        for row in rows:
            if row.klass and row.class_variable in out.nodes and row.class_variable != row.target:
                if row.op in ("~", "~1"):
                    self._of_class(row)
            elif row.op == "~1" and not row.klass and not _zero(row):
                self._mean(row)
        for v in table.variables.values():
            if v.role == "component" and v.response in table.variables:
                what = f"the part of {v.name} that varies over {v.level}"
                self._add(Edge(v.key, v.response, "1", dashed=True, title=what, span=_span(v.span)))
        for row in rows:
            if row.op == "~~" and not _zero(row) and row.source in table.variables:
                self._covariance(row)
        for ends, own in self._moderated_covariances().items():
            self._add(self._joined(ends, own))
        self._own_rows(rows)
        for r in rows:
            if r.op == "|" and self.options.thresholds and r.source == "" and not r.via:
                out.thresholds.setdefault(r.target, []).append(self._words(r) or f"τ{r.threshold}")
        self._in_style()
        drawn = {r.target for r in rows} | {r.target for r in table.rows if r.group == self.group and r.quantity}
        out.nodes = {k: n for k, n in out.nodes.items() if k in drawn or k not in table.variables}
        return out

    def _in_style(self) -> None:
        """Turn residuals and variances into what the style has for them."""
        out = self.out
        if self.style.loops:
            loops = {k: replace(e, source=k, both=True) for k, e in out.residuals.items()}
            out.residuals, out.variances = loops | out.variances, {}
        elif self.style.errors and self.estimates is None:
            for k, e in out.residuals.items():
                if not e.label:
                    out.residuals[k] = replace(e, label="ε" if out.nodes[k].shape == "box" else "ζ")
        if not self.options.residuals:
            out.residuals = {}
        if not self.options.covariances:
            out.edges = [e for e in out.edges if not e.both]
        if self.options.show == "none":
            out.edges = [replace(e, label="") for e in out.edges]
            out.residuals = {k: replace(e, label="") for k, e in out.residuals.items()}
            out.variances = {k: replace(e, label="") for k, e in out.variances.items()}
        if self.options.wrap:
            for k, n in out.nodes.items():
                out.nodes[k] = replace(n, label=wrapped(n.label, self.options.wrap))
        if self.options.colour == "factors":
            self._colour()

    def _colour(self) -> None:
        """Give every latent variable that is measured, and what measures it alone, a colour."""
        out = self.out
        palette = GREYS if self.options.greyscale else COLOURS
        factors = list(dict.fromkeys(s for s, _ in sorted(out.measures, key=lambda m: list(out.nodes).index(m[0]))))
        for n, factor in enumerate(factors):
            fill = palette[n % len(palette)]
            own = [t for s, t in out.measures if s == factor and {u for u, v in out.measures if v == t} == {factor}]
            for k in (factor, *own):
                if not out.nodes[k].fill:
                    out.nodes[k] = replace(out.nodes[k], fill=fill)

    # ------------------------------------------------------------------ nodes

    def _variable(self, v: Variable, numbers: Mapping[str, str]) -> Node:
        name, note = v.name, ""
        shape = "box" if v.role == "response" else "ellipse"
        if v.kind.discrete:
            shape = "octagon"
            classes = v.arguments.get("classes")
            what = "classes" if v.kind.name == "class" else "points"
            note = f"{classes} {what}" if classes else what
        elif v.role == "response" and v.kind.name != "gaussian":
            note = v.link if v.kind.name == "binomial" else v.kind.name
        response = next((r.name for r in self.table.responses if v.name.startswith(f"{r.name}.")), "")
        if v.role == "latent" and not v.measured and response:  # the random effects of a bar
            many = len({u.name.split(".")[0] for u in self.table.latents if not u.measured and "." in u.name}) > 1
            slope = v.name[len(response) + 1 :].replace("1", "intercept", 1) if v.name == f"{response}.1" else ""
            name, note = "ζ", (f"{response}: " if many else "") + (slope or v.name[len(response) + 1 :])
        number = numbers.get(v.level, "") if shape != "box" else ""
        return Node(
            v.key, name, shape, v.level, number, note=note, title=of_variable(v, self.table), span=_span(v.span)
        )

    def _own_rows(self, rows: list[Row]) -> None:
        own: dict[str, list[int]] = {}
        for r in rows:
            if r.op in ("~~", "~1", "|", "~*~") and r.source in ("", r.target):
                own.setdefault(r.target, []).append(r.id)
        for key, ids in own.items():
            if key in self.out.nodes:
                self.out.nodes[key] = replace(self.out.nodes[key], rows=tuple(ids))

    def _covariate(self, via: Product, level: str) -> str:
        """Return the key of the box of a product of covariates; powers and factors of one column share a box.

        Where estimates are shown, the levels of a factor have boxes of their own, so that no number is lost.
        """
        if len(via) == 1 and via[0].response and via[0].column in self.table.variables:
            return via[0].column
        spell = self.estimates is not None
        name = ":".join(c.column if c.function in ("level", "factor") and not spell else c.name for c in via)
        key = f"covariate {name}"
        order = {name: k for k, name in enumerate(self.table.levels)}
        if key not in self.out.nodes:
            self.out.nodes[key] = Node(key, name, "box", level, title=f"{name}, a covariate")
        elif order.get(self.out.nodes[key].level, 0) < order.get(level, 0):
            self.out.nodes[key] = replace(self.out.nodes[key], level=level)
        return key

    # ------------------------------------------------------------------ arrows

    def _words(self, row: Row) -> str:
        if self.estimates is not None and row.id in self.estimates:
            value, digits = self.estimates[row.id], self.options.digits
            if row.parameter < 0 and self.options.show != "standardized":
                return f"{value:g}".replace("-", "\u2212")
            return number(value, digits) + self.stars.get(row.id, "")
        if row.parameter < 0:
            return f"{row.ustart:g}".replace("-", "\u2212") if row.ustart is not None else ""
        return self.labels.get(row.parameter, "")

    def _edge(self, row: Row, source: str = "", target: str = "", both: bool = False) -> Edge:
        title = of_edge(row, self.table)
        words, dashed = self._words(row), row.parameter < 0
        if row.quantity:  # it ends at a parameter of the distribution, not at the linear predictor
            words = ": ".join(x for x in (_QUANTITIES.get(row.quantity, row.quantity), words) if x)
        if self.estimates is not None and words:
            words = " ".join(w for w in (row.category, f"{row.klass}:" if row.klass else "", words) if w)
        return Edge(source, target, words, dashed, both, title=title, rows=(row.id,), span=_span(row.span))

    def _path(self, row: Row) -> None:
        out, table = self.out, self.table
        if row.source and row.source not in table.variables:
            return
        if row.op == "=~":
            out.measures.add((row.source, row.target))
        edge = self._edge(row, row.source, row.target)
        if row.moderators:
            edge = replace(edge, source=self._product((row.source, *row.moderators), table.variables[row.target].level))
        if not row.via:
            self._add(edge)
            return
        cause = self._covariate(row.via, table.variables[row.target].level)
        if not row.source:
            self._add(replace(edge, source=cause))
            return
        self._add(replace(edge, target=self._dot(cause, row.target)))

    def _product(self, factors: tuple[str, ...], level: str) -> str:
        """Return the key of the dot at which latent variables are multiplied, which is drawn if it is not there."""
        out, name = self.out, ":".join(factors)
        if name not in out.products:
            out.products[name] = factors
            out.nodes[name] = Node(name, "", "point", level, title=f"the product of {' and '.join(factors)}")
            for key in dict.fromkeys(factors):
                power = factors.count(key)
                label = {1: "", 2: "²", 3: "³"}.get(power, f"^{power}")
                out.edges.append(Edge(key, name, label, headless=True, title=f"{key} is a factor of {name}"))
        return name

    def _of_class(self, row: Row) -> None:
        """Draw an arrow from a class variable to a response, or to the path whose slope differs between classes."""
        head = row.target
        if row.via:
            head = self._dot(self._covariate(row.via, self.table.variables[row.target].level), row.target)
        self._add(self._edge(row, row.class_variable, head))

    def _dot(self, cause: str, target: str) -> str:
        """Return the key of the dot in the middle of a path, which is drawn if it is not there."""
        dot, out = f"{cause} * {target}", self.out
        if dot not in out.dots:
            out.dots[dot] = (cause, target)
            out.nodes[dot] = Node(dot, "", "point", self.table.variables[target].level, title="varies")
        if not any(e.source == cause and e.target == target for e in out.edges):
            out.edges.append(Edge(cause, target, title=f"{target} on {cause.removeprefix('covariate ')}"))
        return dot

    def _mean(self, row: Row) -> None:
        v = self.table.variables[row.target]
        if self.means == "none" or (self.means == "latent" and v.role != "latent") or v.kind.discrete:
            return
        key = ONE if v.level == ROWS else f"{ONE}[{v.level}]"
        self.out.nodes.setdefault(key, Node(key, "1", "triangle", v.level, title="the constant 1"))
        self._add(self._edge(row, key, row.target))

    def _add(self, edge: Edge) -> None:
        """Add a path unless it is there: rows of classes, categories or levels share one arrow.

        Their estimates stand side by side on it, each with its category or class.
        """
        edges = self.out.edges
        for k, e in enumerate(edges):
            if (e.source, e.target, e.both) == (edge.source, edge.target, edge.both):
                rows = (*e.rows, *edge.rows)
                label = e.label if e.label == edge.label or not e.rows else ""
                apart = self.estimates is not None or edge.label.startswith(tuple(_QUANTITIES.values()))
                if apart and e.label != edge.label and len(rows) <= MOST_TOGETHER:
                    label = ", ".join(w for w in (e.label, edge.label) if w)
                edges[k] = replace(e, label=label, dashed=e.dashed and edge.dashed, rows=rows, span=e.span or edge.span)
                return
        edges.append(edge)

    def _moderated_covariances(self) -> dict[tuple[str, str], list[Row]]:
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.table.rows:
            if row.group == self.group and row.joins:
                found.setdefault(row.joins, []).append(row)
        return found

    def _joined(self, ends: tuple[str, str], own: Sequence[Row]) -> Edge:
        """Return the edge of a covariance that depends on covariates; its words are the addends."""
        words = [" ".join(x for x in (self._words(r), ":".join(c.name for c in r.via)) if x) for r in own]
        a, b = ends
        edge = self._edge(own[0]._replace(lhs=a, op="~~", rhs=b, quantity=""), a, b, both=True)
        return replace(edge, label=" + ".join(w for w in words if w), rows=tuple(r.id for r in own))

    def _covariance(self, row: Row) -> None:
        out, edge = self.out, self._edge(row, row.target, row.source, both=True)
        if row.source != row.target:
            self._add(edge)
            return
        caused = any(e.target == row.target and not e.both and e.source in self.table.variables for e in out.edges)
        caused = caused or any(e.target == row.target and e.source.startswith("covariate ") for e in out.edges)
        if caused or out.nodes[row.target].shape == "box":
            out.residuals.setdefault(row.target, replace(edge, source="", both=False, dashed=False))
        else:
            out.variances.setdefault(row.target, edge)


def stars_of(p: float) -> str:
    """Return the stars of a p value: below 0.05, 0.01, 0.001.

    Examples
    --------
    >>> stars_of(0.2), stars_of(0.03), stars_of(0.0001)
    ('', '*', '***')
    """
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""


def interval(value: float, se: float, level: float, digits: int | None = None) -> str:
    """Return a confidence interval as it stands behind an estimate: the normal quantile times the standard error.

    Examples
    --------
    >>> interval(0.5, 0.1, 0.95)
    ' [0.30, 0.70]'
    """
    half = NormalDist().inv_cdf(0.5 + level / 2) * se
    return f" [{number(value - half, digits)}, {number(value + half, digits)}]"


def wrapped(name: str, most: int) -> str:
    """Return a name broken into lines of at most so many letters, after underscores, dots and spaces where there are.

    Examples
    --------
    >>> wrapped("positive_affect_last_week", 12).split("\\n")
    ['positive_', 'affect_last_', 'week']
    """
    lines, rest = [], name
    while len(rest) > most:
        cut = max((i + 1 for i, c in enumerate(rest[:most]) if c in "_. -"), default=most)
        lines.append(rest[:cut])
        rest = rest[cut:]
    return "\n".join([*lines, rest] if rest else lines)


_QUANTITIES = {"sigma": "log σ", "shape": "log shape", "zero": "zero", "guess": "guess", "slip": "slip"}
"""What an arrow says that ends at a parameter of a distribution."""


def _is_path(row: Row) -> bool:
    return row.op in ("=~", "~", "<~") and bool(row.source or row.via)


def _zero(row: Row) -> bool:
    return row.parameter < 0 and row.ustart == 0


def _span(span: object) -> Span | None:
    return None if span is None else (span.start, span.end)  # type: ignore[attr-defined]


def _labels(table: ParameterTable) -> dict[int, str]:
    """Return the label of every parameter that has one; equal parameters without a name get numbers in parentheses."""
    out: dict[int, str] = {}
    count: dict[int, int] = {}
    for r in table.rows:
        if r.parameter >= 0 and r.target:
            count[r.parameter] = count.get(r.parameter, 0) + 1
            if r.label and r.label.replace(".", "_").isidentifier() and not r.label.startswith(".p"):
                out.setdefault(r.parameter, r.label)
    shared = [p for p, n in count.items() if n > 1 and p not in out]
    return out | {p: f"({k})" for k, p in enumerate(shared, 1)}
