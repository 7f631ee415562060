"""How a fit is shown: one text, one HTML table, from the same sections."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from semlang.model.parameter_names import row_name, written_label
from semlang.model.table import ParameterTable, Row
from semlang.results.shared_thresholds import shared_thresholds

if TYPE_CHECKING:
    from semlang.results.fit import Fit

TITLES = {
    "=~": "Loadings",
    "<~": "Composites",
    "~": "Regressions",
    "u": "Paths of random effects",
    "~1": "Intercepts",
    "|": "Thresholds",
    "~~": "Variances and covariances",
    "~*~": "Scales",
}
"""Heading of each operator's section, in the order of printing; ``u`` stands for ``~`` with a random effect."""

HEAD = ("label", "estimate", "std. error", "z", "p")
LEAST = (0, 12, 12, 9, 8)
"""Least width of each column; a wider entry widens its column."""


class Line(NamedTuple):
    """A parameter as it is printed."""

    name: str
    label: str
    estimate: str
    error: str
    z: str
    p: str


class Section(NamedTuple):
    """Lines under one heading; `group` is the label of the group that they belong to, or ''."""

    group: str
    title: str
    lines: list[Line]


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with a fixed number of decimals, or as many significant digits where it is large or small.

    Examples
    --------
    >>> number(0.5535), number(-91.98337), number(None), number(1.5e-7)
    ('0.5535', '-91.9834', '', '1.5e-07')
    """
    if value is None or math.isnan(value):
        return ""
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if value != 0.0 and (abs(value) < 10.0**-digits or abs(value) >= 1e7):
        return f"{value:.3g}"
    return f"{value:.{digits}f}"


def probability(p: float | None) -> str:
    """Return a p value with three decimals, never as zero.

    Examples
    --------
    >>> probability(0.0421), probability(1e-12), probability(0.0), probability(None)
    ('0.042', '<0.001', '<0.001', '')
    """
    if p is None or not math.isfinite(p):
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def two_sided(z: float) -> float:
    """Return the probability that a standard normal variable is further from 0 than z.

    Examples
    --------
    >>> round(two_sided(-1.959964), 6)
    0.05
    """
    return math.erfc(abs(z) / math.sqrt(2.0))


def sections(fit: Fit) -> Iterator[Section]:
    """Yield headings and lines, all sections of a group before those of the next."""
    known = [(row, fit.parameters[places[0]]) for row, places in shared_thresholds(fit.reported_rows)]
    mute = _mute(fit)
    for number_of_group, group in enumerate(fit.table.groups, 1):
        own = [(row, p) for row, p in known if row.group == number_of_group]
        for op, title in TITLES.items():
            lines = [
                _line(
                    row_name(fit.table, row) if written_label(row) or row.lhs != p["lhs"] else p["name"],
                    written_label(row),
                    p["est"],
                    p["se"],
                    row,
                )
                for row, p in own
                if _kind(fit.table, row) == op and not (op == "u" and row.source in mute)
            ]
            if lines:
                yield Section(group, title, lines)
    if fit.estimate.defined:
        defined = [_line(f"{d.name} := {d.text}", "", d.est, d.se) for d in fit.estimate.defined]
        yield Section("", "Defined parameters", defined)


def _kind(table: ParameterTable, row: Row) -> str:
    """Return the key in `TITLES` of a row's section."""
    if row.op == "~" and row.source and not table.variables[row.source].measured:
        return "u"
    return row.op


def _mute(fit: Fit) -> set[str]:
    """Return the random effects whose paths are all fixed at 1: there is nothing to say about these paths."""
    paths: defaultdict[str, list[bool]] = defaultdict(list)
    for row in fit.reported_rows:
        if _kind(fit.table, row) == "u":
            paths[row.source].append(row.parameter < 0 and row.ustart == 1.0)
    return {effect for effect, ones in paths.items() if all(ones)}


def _line(name: str, label: str, est: float | None, se: float | None, row: Row | None = None) -> Line:
    if row is not None and row.parameter < 0:
        return Line(name, label, number(est), "fixed", "", "")
    if est is None or se is None or not se > 0:
        return Line(name, label, number(est), number(se), "", "")
    z = est / se
    return Line(name, label, number(est), number(se), f"{z:.2f}", probability(two_sided(z)))


def facts(fit: Fit, brief: bool = False) -> list[tuple[str, str]]:
    """Return the lines above the tables: what was fitted to what, and how it ended; `brief`: no fit measures."""
    from semlang.results.headline import headline

    e = fit.estimate
    weighted = ", of a weighted pseudo-likelihood" if fit.table.weights else ""
    out = [
        ("Log-likelihood", f"{fit.loglik:.4f}"),
        ("Free parameters", str(fit.n_free)),
        ("AIC, BIC", f"{fit.aic:.2f}, {fit.bic:.2f} (n = {e.n_top:g}{weighted})"),
        ("Rows", str(e.n_rows) if e.n_rows == e.n_rows_read else f"{e.n_rows} of {e.n_rows_read}"),
    ]
    out += [(f"Units of {level}", str(n)) for level, n in e.n_clusters.items()]
    out += [("Left out", f"{o.n} {o.what if o.n > 1 else o.what[:-1]} ({o.reason})") for o in e.left_out]
    for key, sizes in e.class_sizes.items():
        out += [(f"Sizes of {key}", ", ".join(f"{k}: {p:.4f}" for k, p in enumerate(sizes, 1)))]
    out += [] if brief else headline(fit)
    out += [("Method", e.method)]
    if e.starts > 1:
        out += [("Starts", f"{e.starts}; {e.agreed} of the {e.finished} that went on reached the best log-likelihood")]
    out += [("Rotation", e.rotation)] if e.rotation else []
    if len(e.points_history) > 1:
        first, *rest = e.points_history
        moves = ", ".join(f"{p}: {v - u:+.4f}" for (_, u), (p, v) in zip(e.points_history, rest, strict=False))
        out += [("Points", f"{first[0]}; change of log-likelihood at {moves}")]
    elif e.points_history:
        out += [("Points", str(e.points))]
    out += [
        ("Converged", f"{'yes' if e.converged else 'NO'}, {len(e.log)} iterations, {_seconds(fit)}"),
        ("Standard errors", "none: interrupted" if e.interrupted and e.vcov is None and e.se != "none" else e.se),
    ]
    return out


def _failures(fit: Fit) -> list[str]:
    """Return what must be read before the numbers: why a fit did not converge, or that it was interrupted."""
    if fit.converged:
        e = fit.estimate
        there = "the estimates were there" if e.vcov is None else "estimates and standard errors were there"
        return [f"INTERRUPTED: {there}, and nothing that comes after them", ""] if e.interrupted else []
    reasons = [d.message for d in fit.diagnostics if d.slug == "not-converged"]
    return [f"NOT CONVERGED: {reason}" for reason in reasons or ["these are not maximum likelihood estimates"]] + [""]


def _seconds(fit: Fit) -> str:
    compiling = fit.estimate.compiling
    once = f", {compiling:.1f} of them for compiling kernels, which is done once" if compiling > 0.5 else ""
    return f"{fit.seconds:.2f} s{once}"


def text(fit: Fit, brief: bool = False) -> str:
    """Return the summary as text; `brief`: without fit measures."""
    e = fit.estimate
    top = facts(fit, brief)
    wide = max(len(k) for k, _ in top)
    out = [*_failures(fit), *(f"{k:<{wide}}  {v}" for k, v in top)]
    if e.starts > 1 and e.agreed == 1:
        out[:0] = [f"WARNING: only 1 of {e.finished} starts reached this log-likelihood; there may be a better one"]
    blocks = list(sections(fit))
    lines = [line for block in blocks for line in block.lines]
    first = max([len(line.name) + 2 for line in lines] + [len(block.title) for block in blocks], default=10)
    shown = _columns(lines)
    widths = [max(LEAST[k], 2 + max(len(line[k + 1]) for line in lines)) for k in shown]
    group = ""
    for block in blocks:
        if block.group != group:
            group = block.group
            out += ["", f"Group {group}"] if group else []
        out += ["", _row(block.title, [HEAD[k] for k in shown], first, widths, shown)]
        out += [_row(f"  {line.name}", [line[k + 1] for k in shown], first, widths, shown) for line in block.lines]
    if fit.warnings:
        out += ["", *(f"warning: {w}" for w in fit.warnings)]
    return "\n".join(out)


def _columns(lines: list[Line]) -> list[int]:
    """Return the numbers of the columns to print: that of labels where there is a label."""
    return [k for k in range(len(HEAD)) if k or any(line.label for line in lines)]


def _row(name: str, cells: list[str], first: int, widths: list[int], shown: list[int]) -> str:
    out = [
        f"  {cell:<{width - 2}}" if k == 0 else f"{cell:>{width}}"
        for k, cell, width in zip(shown, cells, widths, strict=True)
    ]
    return (f"{name:<{first}}" + "".join(out)).rstrip()


def html(fit: Fit) -> str:
    """Return the summary as HTML for notebooks."""

    def row(cells: Iterable[Any], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    out = [f"<p><strong>{escape(line)}</strong></p>" for line in _failures(fit) if line]
    out += ["<table>", *(row(line) for line in facts(fit)), "</table>"]
    blocks = list(sections(fit))
    shown = _columns([line for block in blocks for line in block.lines])
    for block in blocks:
        title = f"{block.title}, {block.group}" if block.group else block.title
        head = row((title, *(HEAD[k] for k in shown)), "th")
        out += ["<table>", head]
        out += [row((line.name, *(line[k + 1] for k in shown))) for line in block.lines]
        out += ["</table>"]
    out += [f"<p>warning: {escape(w)}</p>" for w in fit.warnings]
    return "\n".join(out)
