"""``semlang compare``: whether two models are equivalent, nested or neither; with data, the test."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_of, model_options, reporting


@click.command("compare")
@click.argument("a")
@click.argument("b")
@model_options
@click.option("--points", type=click.IntRange(1, 199), help="Quadrature points per dimension, with --data.")
@reporting("compare")
def command(report: Report, a: str, b: str, data: str | None, defaults: str | None, points: int | None) -> None:
    """Compare two models before any data are seen; with --data also by the test that their relation allows."""
    from semlang.api import compare

    if data is None:
        answer = compare(*(model_and_data(report, file, None, defaults)[0] for file in (a, b)))
    else:
        fits = [model_of(file, defaults).fit(data, points=points) for file in (a, b)]
        for fit in fits:
            report.add(fit.diagnostics)
        answer = compare(*fits)
    report.finish(answer.to_json(), str(answer))
