"""``semlang plan``: how the likelihood will be computed."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_of, model_options, reporting, scheduler_option


@click.command("plan")
@click.argument("file")
@model_options
@click.option("--points", type=click.IntRange(1, 199), help="As of 'semlang fit'.")
@scheduler_option
@reporting("plan")
def command(
    report: Report, file: str, data: str | None, defaults: str | None, points: int | None, scheduler: str | None
) -> None:
    """Show which latent variables are integrated out in closed form, which by quadrature, and the cost."""
    given = model_of(file, defaults)
    partitioned = given.partitioned_plan(data, scheduler, points)
    if partitioned is not None:
        report.finish(partitioned.to_json(), str(partitioned))
    model, designs = model_and_data(report, file, data, defaults)
    plan = model.plan(designs=designs, points=points)
    report.finish(plan.to_json(), str(plan))
