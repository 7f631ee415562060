"""``semlang equivalents``: models that no data can tell from the given one."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, reporting


@click.command("equivalents")
@click.argument("file")
@click.option("--defaults", type=click.Choice(["sem", "cfa", "growth", "lavaan"]))
@reporting("equivalents")
def command(report: Report, file: str, defaults: str | None) -> None:
    """List the equivalent models that one known move on the graph reaches."""
    model, _ = model_and_data(report, file, None, defaults)
    found = model.equivalents()
    lines = [f"{e.change[0]}   becomes   {e.change[1]}   ({e.rule})" for e in found]
    text = "\n".join(lines) or "no single move leads to an equivalent model"
    report.finish({"equivalents": [e.to_json() for e in found]}, text)
