"""How a fit is shown: one text, one HTML table, from the same sections."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semlang.results.fit import Fit

TITLES = {
    "=~": "Loadings",
    "<~": "Composites",
    "~": "Regressions",
    "~1": "Intercepts",
    "|": "Thresholds",
    "~~": "Variances and covariances",
    "~*~": "Scales",
}
"""Heading of each operator's section, in the order of printing."""

HEAD = ("", "estimate", "std. error", "z", "p")


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with a fixed number of decimals, or as many significant digits where it is large or small.

    Examples
    --------
    >>> number(0.5535), number(-91.98337), number(None), number(1.5e-7)
    ('0.5535', '-91.9834', '', '1.5e-07')
    """
    if value is None or not math.isfinite(value):
        return ""
    if value != 0.0 and (abs(value) < 10.0**-digits or abs(value) >= 1e7):
        return f"{value:.3g}"
    return f"{value:.{digits}f}"


def sections(fit: Fit) -> Iterable[tuple[str, list[tuple[str, str, str, str, str]]]]:
    """Yield headings and lines (name, estimate, SE, z, p)."""
    many = len(fit.table.groups) > 1
    for op, title in TITLES.items():
        lines = []
        for p in fit.parameters:
            if p["op"] != op:
                continue
            name = {"~1": p["lhs"]}.get(op, f"{p['lhs']} {op} {p['rhs']}")
            place = [p["level"]] if p["level"] != "rows" and f"[{p['level']}]" not in name else []
            place += [p["group"]] if many else []
            place += [f"class {p['class']}"] if "class" in p else []
            lines.append(_line(name + (f"  ({', '.join(place)})" if place else ""), p["est"], p["se"], bool(p["free"])))
        if lines:
            yield title, lines
    if fit.estimate.defined:
        yield (
            "Defined parameters",
            [_line(f"{d.name} := {d.text}", d.est, d.se, True) for d in fit.estimate.defined],
        )


def _line(name: str, est: float | None, se: float | None, free: bool) -> tuple[str, str, str, str, str]:
    if not free:
        return (name, number(est), "fixed", "", "")
    if est is None or se is None or not se > 0:
        return (name, number(est), number(se), "", "")
    z = est / se
    return (name, number(est), number(se), f"{z:.2f}", f"{math.erfc(abs(z) / math.sqrt(2.0)):.3f}")


def facts(fit: Fit) -> list[tuple[str, str]]:
    """Return the lines above the tables: what was fitted to what, and how it ended."""
    e = fit.estimate
    out = [
        ("Log-likelihood", f"{fit.loglik:.4f}"),
        ("Free parameters", str(fit.n_free)),
        ("AIC, BIC", f"{fit.aic:.2f}, {fit.bic:.2f}"),
        ("Rows", str(e.n_rows)),
    ]
    out += [(f"Units of {level}", str(n)) for level, n in e.n_clusters.items()]
    out += [("Left out", f"{n} ({reason})") for reason, n in e.dropped.items() if n]
    out += [("Method", e.method)]
    out += [("Rotation", e.rotation)] if e.rotation else []
    if len(e.points_history) > 1:
        first, *rest = e.points_history
        moves = ", ".join(f"{p}: {v - u:+.4f}" for (_, u), (p, v) in zip(e.points_history, rest, strict=False))
        out += [("Points", f"{first[0]}; change of log-likelihood at {moves}")]
    out += [
        ("Converged", f"{'yes' if e.converged else 'NO'}, {len(e.log)} iterations, {fit.seconds:.2f} s"),
        ("Standard errors", e.se),
    ]
    return out


def text(fit: Fit) -> str:
    """Return the summary as text."""
    top = facts(fit)
    wide = max(len(k) for k, _ in top)
    out = [f"{k:<{wide}}  {v}" for k, v in top]
    blocks = list(sections(fit))
    first = max((len(line[0]) for _, lines in blocks for line in lines), default=10) + 2
    for title, lines in blocks:
        out += ["", f"{title:<{first}}{HEAD[1]:>12}{HEAD[2]:>12}{HEAD[3]:>9}{HEAD[4]:>8}"]
        out += [f"  {n:<{first - 2}}{est:>12}{se:>12}{z:>9}{p:>8}" for n, est, se, z, p in lines]
    if fit.warnings:
        out += ["", *(f"warning: {w}" for w in fit.warnings)]
    return "\n".join(out)


def html(fit: Fit) -> str:
    """Return the summary as HTML for notebooks."""

    def row(cells: Iterable[Any], tag: str = "td") -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    out = ["<table>", *(row(line) for line in facts(fit)), "</table>"]
    for title, lines in sections(fit):
        out += ["<table>", row((title, *HEAD[1:]), "th"), *(row(line) for line in lines), "</table>"]
    out += [f"<p>warning: {escape(w)}</p>" for w in fit.warnings]
    return "\n".join(out)
