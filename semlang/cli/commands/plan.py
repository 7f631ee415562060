"""``semlang plan``: how the likelihood will be computed."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting


@click.command("plan")
@click.argument("file")
@model_options
@reporting("plan")
def command(report: Report, file: str, data: str | None, defaults: str | None) -> None:
    """Show which latent variables are integrated out in closed form, which by quadrature, and the cost."""
    model, designs = model_and_data(report, file, data, defaults)
    plan = model.plan(designs=designs)
    report.finish(plan.to_json(), str(plan))
