"""``semlang equations``: the model's equations as LaTeX."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting


@click.command("equations")
@click.argument("file")
@model_options
@click.option("--matrices", is_flag=True, help="Write vectors and matrices out.")
@reporting("equations")
def command(report: Report, file: str, data: str | None, defaults: str | None, matrices: bool) -> None:
    """Print the model's equations as LaTeX."""
    model, _ = model_and_data(report, file, data, defaults)
    latex = model.equations(matrices)
    report.finish({"latex": latex}, latex)
