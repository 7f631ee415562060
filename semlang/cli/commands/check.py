"""``semlang check``: all findings about model files."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_of, model_options, reporting
from semlang.diagnostics import Severity
from semlang.errors import SemlangError


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@model_options
@click.option("--strict", is_flag=True, help="Warnings count as errors for the exit status.")
@reporting("check")
def command(report: Report, files: tuple[str, ...], data: str | None, defaults: str | None, strict: bool) -> None:
    """List everything that is wrong with model files, with the place and what to type instead."""
    for file in files:
        try:
            report.add(model_of(file, defaults).check(data))
        except SemlangError as problem:
            report.add(problem.diagnostics)
    counts = {s: sum(d.severity is s for d in report.diagnostics) for s in Severity}
    words = ", ".join(f"{n} {s.value}{'s' if n > 1 else ''}" for s, n in counts.items() if n)
    report.finish(
        {"files": list(files), "errors": counts[Severity.ERROR], "warnings": counts[Severity.WARNING]},
        words or "no findings",
        failed=strict and counts[Severity.WARNING] > 0,
    )
