"""A whole analysis as one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semlang.diagram.draw import draw
from semlang.errors import FitError, SemlangError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.matrices.gllamm import GllammMatrices
from semlang.model.table import ROWS
from semlang.results.estimates import estimates
from semlang.results.summary import facts
from semlang.results.table import Table
from semlang.source import Source
from semlang.syntax.parser import parse
from semlang.version import VERSION
from semlang.words.overview import overview
from semlang.writing import write_file

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["report", "report_html"]

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --line: #cccccc; --quiet: #555555; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #161616; --line: #444444; --quiet: #aaaaaa; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
nav a { margin-right: 1rem; } .wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.2rem; }
thead th { border-top: 2px solid var(--ink); border-bottom: 1px solid var(--ink); text-align: left; }
tbody tr:last-child td { border-bottom: 2px solid var(--ink); }
td, th { padding: 0.12rem 0.8rem 0.12rem 0; } td.number { text-align: right; }
pre { background: color-mix(in srgb, var(--ink) 6%, var(--paper)); padding: 0.8rem; overflow-x: auto;
      font-size: 0.85rem; }
figure { margin: 1rem 0; } figure img, figure svg { max-width: 100%; height: auto; background: #ffffff; }
figcaption, .quiet { color: var(--quiet); font-size: 0.9rem; }
"""


def report(fit: Fit, path: str | Path) -> None:
    """Write the report of a fit.

    Parameters
    ----------
    fit : Fit
    path : str or Path

    Raises
    ------
    FitError
        Where the file can't be written.
    """
    problem = write_file(str(path), report_html(fit).encode())
    if problem is not None:
        raise FitError([problem])


def report_html(fit: Fit) -> str:
    """Return the page: the model in words, diagram, equations, tables, plots that suit the model, how to repeat it."""
    assert fit.origin is not None
    name = Path(fit.origin.name).name
    sections = [(title, body) for title, body in _sections(fit) if body]
    links = "".join(f'<a href="#{_anchor(title)}">{escape(title)}</a>' for title, _ in sections)
    parts = [f'<h2 id="{_anchor(title)}">{escape(title)}</h2>\n{body}' for title, body in sections]
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(name)}: report</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(name)}</h1>\n<nav>{links}</nav>",
            *parts,
            f'<p class="quiet">Written by semlang {VERSION}.</p>\n</body>\n</html>\n',
        )
    )


def _anchor(title: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in title.casefold())


def _sections(fit: Fit) -> Iterator[tuple[str, str]]:
    assert fit.origin is not None
    tree, _ = parse(Source(fit.origin.text, fit.origin.name))
    yield "Model", "\n".join(f"<p>{escape(line)}</p>" for line in overview(tree, fit.table))
    yield "Diagram", _diagrams(fit)
    yield "Equations", _equations(fit)
    rows = "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in facts(fit))
    yield "Fit", f"<table><tbody>{rows}</tbody></table>" + _tables(fit, _of_fit(fit))
    yield "Estimates", _wide(estimates(fit, standardized=not is_conditional(fit.table)))
    yield "Variance explained", _tables(fit, _of_variables(fit))
    yield "Items", _tables(fit, _of_items(fit))
    yield "Plots", _plots(fit)
    yield "Where it does not fit", _tables(fit, _of_misfit(fit))
    findings = "".join(
        f"<li>{escape(d.severity.value)}: {escape(d.message)} <code>{escape(d.slug)}</code></li>"
        for d in fit.diagnostics
    )
    yield "Findings", f"<ul>{findings}</ul>" if findings else ""
    frame = fit.origin.recipe.frame
    yield (
        "To repeat it",
        f"<p>The model, fitted to {len(frame)} rows with the columns {escape(', '.join(map(str, frame.columns)))}:</p>"
        f"<pre>{escape(fit.origin.text)}</pre>"
        f"<pre>semlang fit model.sem --data DATA -o fit.json\nsemlang report fit.json -o report.html</pre>",
    )


def _wide(table: Table) -> str:
    return f'<div class="wide">{table.html()}</div>'


def _tables(fit: Fit, makers: list[Callable[[Fit], Table]]) -> str:
    """Return the tables that are defined for the model and have rows."""
    out = []
    for make in makers:
        try:
            table = make(fit)
        except FitError:
            continue
        if table.rows:
            out.append(_wide(table))
    return "\n".join(out)


def _measures(fit: Fit) -> Table:
    from semlang.results.measures import measures

    return measures(fit).table()


def _of_fit(fit: Fit) -> list[Callable[[Fit], Table]]:
    from semlang.results.m2 import m2

    return [_measures, m2, _classification]


def _classification(fit: Fit) -> Table:
    from semlang.results.class_probabilities import classification

    return classification(fit)


def _of_variables(fit: Fit) -> list[Callable[[Fit], Table]]:
    from semlang.results.icc import icc
    from semlang.results.r_squared import r_squared
    from semlang.results.reliability import reliability

    return [r_squared, icc, reliability]


def _of_items(fit: Fit) -> list[Callable[[Fit], Table]]:
    from semlang.results.difficulties import difficulties
    from semlang.results.item_fit import item_fit

    return [difficulties, item_fit]


def _of_misfit(fit: Fit) -> list[Callable[[Fit], Table]]:
    from semlang.results.local_dependence import local_dependence
    from semlang.results.modification_indices import by_quadrature, modification_indices

    def largest(maker: Callable[[Fit], Table], n: int) -> Callable[[Fit], Table]:
        def make(of: Fit) -> Table:
            table = maker(of)
            more = len(table.rows) - n
            notes = (*table.notes, f"{more} more {'is' if more == 1 else 'are'} left out") if more > 0 else table.notes
            return Table(table.columns, table.rows[:n], notes, table.title)

        return make

    found = [largest(local_dependence, 10)]
    # By quadrature each may be an integral of its own: they are left to the one who asks for them.
    return found if by_quadrature(fit) else [largest(modification_indices, 10), *found]


def _diagrams(fit: Fit) -> str:
    out = []
    estimated = fit.estimates_by_row()
    for n, label in enumerate(fit.table.groups, 1):
        svg = draw(fit.table, estimates=estimated, group=n).svg
        svg = svg[svg.index("<svg") :]
        caption = f"Path diagram with estimates{', group ' + label if label else ''}."
        out.append(f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>")
    return "\n".join(out)


def _equations(fit: Fit) -> str:
    """Return the matrices of each group as tables, and the equations as LaTeX to copy."""
    out = []
    for graph, label in zip(fit.graphs, fit.table.groups, strict=True):
        try:
            matrices = GllammMatrices(graph)
            text, tables = matrices.equations(), matrices._repr_html_()
        except (SemlangError, ValueError, KeyError):
            continue
        head = f"<h3>Group {escape(label)}</h3>" if label else ""
        out.append(
            f'{head}<div class="wide">{tables}</div>'
            f"<details><summary>as LaTeX, to copy</summary><pre>{escape(text)}</pre></details>"
        )
    return "\n".join(out)


def _plots(fit: Fit) -> str:
    """Return the plots that have a meaning for the model."""
    out = []
    for caption, make in _wanted(fit):
        try:
            figure = make().figure
        except FitError as problem:
            if problem.diagnostics[0].slug == "missing-extra":
                return f'<p class="quiet">{escape(problem.diagnostics[0].message)}</p>'
            continue
        picture = io.BytesIO()
        figure.savefig(picture, format="svg", metadata={"Date": None})
        data = base64.b64encode(picture.getvalue()).decode()
        image = f'<img alt="{escape(caption)}" src="data:image/svg+xml;base64,{data}">'
        out.append(f"<figure>{image}<figcaption>{escape(caption)}.</figcaption></figure>")
    return "\n".join(out)


def _wanted(fit: Fit) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield captions of plots and what draws them; those that have no meaning for the model are findings."""
    plots = fit.plot
    responses = fit.table.responses
    groups: list[str | None] = [d.group for d in fit.designs] if len(fit.designs) > 1 else [None]
    ends = {g: "" if g is None else f", group {g}" for g in groups}
    for f in fit.table.latents:
        if not (f.measured and f.level == ROWS):
            continue
        own = {p.target for graph in fit.graphs for p in graph.out_of(f.key) if not p.is_zero}
        items = [v.name for v in responses if v.key in own and v.kind.categorical]
        for g in groups if items else ():
            about = f"{f.name}{ends[g]}"
            yield f"Item characteristic curves, {about}", partial(plots.icc, items[:12], latent=f.name, group=g)
            for name in items[:3] if len(items) > 1 else ():
                yield (
                    f"{name}, with observed shares{ends[g]}",
                    partial(plots.icc, name, latent=f.name, group=g),
                )
            yield f"Information, {about}", partial(plots.information, items, latent=f.name, group=g)
            yield f"Wright map, {about}", partial(plots.wright, latent=f.name, group=g)
    if any(v.level != ROWS and v.kind.continuous for v in fit.table.latents):
        yield "Scores of units with 95 percent intervals", plots.caterpillar
        yield "Fitted responses of units, their data, and the marginal mean", plots.trajectories
    if fit.estimate.class_sizes:
        points = any(v.kind.name == "masspoints" for v in fit.table.latents)
        yield f"Profiles of the {'mass points' if points else 'classes'}", plots.classes
    if not any(v.kind.categorical for v in responses):
        for g in groups:
            yield f"Residuals{ends[g]}", partial(plots.residuals, group=g)
