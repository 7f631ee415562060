"""``semlang compare``: whether two models are equivalent, nested or neither; with data, the test."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_of, model_options, reporting


@click.command("compare")
@click.argument("a")
@click.argument("b")
@model_options
@click.option("--points", type=click.IntRange(1, 199), help="Quadrature points per dimension, with --data.")
@reporting("compare")
def command(report: Report, a: str, b: str, data: str | None, defaults: str | None, points: int | None) -> None:
    """Compare two models before any data are seen; with --data also by the test that their relation allows."""
    from semlang.api import compare

    models = model_of(a, defaults), model_of(b, defaults)
    for model in models:
        report.add(d for d in model.findings if d.is_error)
    if data is None:
        answer = compare(*models)
    else:
        fits = [model.fit(data, points=points) for model in models]
        for fit in fits:
            report.add(fit.diagnostics)
        answer = compare(*fits)
    report.finish(answer.to_json(), str(answer))
