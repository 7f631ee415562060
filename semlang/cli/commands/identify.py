"""``semlang identify``: whether the parameters are identified, and why."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting


@click.command("identify")
@click.argument("file")
@model_options
@reporting("identify")
def command(report: Report, file: str, data: str | None, defaults: str | None) -> None:
    """Decide identification before any data are seen, and say which rule settles each parameter."""
    model, designs = model_and_data(report, file, data, defaults)
    answer = model.identify(designs=designs)
    report.finish(answer.to_json(), str(answer), failed=answer.verdict == "not identified")
