"""``semlang plan``: how the likelihood will be computed."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_of, model_options, reporting


@click.command("plan")
@click.argument("file")
@model_options
@reporting("plan")
def command(report: Report, file: str, data: str | None, defaults: str | None) -> None:
    """Show which latent variables are integrated out in closed form, which by quadrature, and the cost."""
    model = model_of(file, defaults)
    report.add(model.findings)
    plan = model.plan(data)
    report.finish(plan.to_json(), str(plan))
