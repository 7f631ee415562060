"""``semlang identify``: whether the parameters are identified, and why."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_of, model_options, reporting


@click.command("identify")
@click.argument("file")
@model_options
@reporting("identify")
def command(report: Report, file: str, data: str | None, defaults: str | None) -> None:
    """Decide identification before any data are seen, and say which rule settles each parameter."""
    model = model_of(file, defaults)
    report.add(model.findings)
    answer = model.identify(data)
    report.finish(answer.to_json(), str(answer), failed=answer.verdict == "not identified")
