"""``semlang report``: one HTML page about an analysis."""

from __future__ import annotations

import click

from semlang.cli.fitted import fit_or_model
from semlang.cli.output import Report, reporting


@click.command("report")
@click.argument("file", metavar="MODEL|FIT.JSON")
@click.option("--data", metavar="FILE", help="Data, for a model; default: those that it names.")
@click.option("-o", "--output", metavar="FILE", required=True, help="HTML file.")
@reporting("report")
def command(report: Report, file: str, data: str | None, output: str) -> None:
    """Write the model in words, diagram, equations, tables and plots as one page that needs nothing beside it."""
    from semlang.results.report import report_html

    fit = fit_or_model(report, file, data)
    done = report.wrote(output, report_html(fit).encode())
    report.finish({"file": output}, f"wrote {output}" if done else "")
