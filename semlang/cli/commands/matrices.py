"""``semlang matrices``: the GLLAMM matrices."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting


@click.command("matrices")
@click.argument("file")
@model_options
@click.option("--latex", is_flag=True, help="Print LaTeX.")
@reporting("matrices")
def command(report: Report, file: str, data: str | None, defaults: str | None, latex: bool) -> None:
    """Show X, Z and lambda, B, Gamma, Psi and thresholds, free cells by the parameter's name."""
    model, _ = model_and_data(report, file, data, defaults)
    groups = model.parameter_table.groups
    all_matrices = [model.group_matrices(g) for g in range(len(groups))]
    shown = [m.latex() if latex else str(m) for m in all_matrices]
    if len(groups) > 1:
        shown = [
            f"group {label or g + 1}\n\n{words}" for g, (label, words) in enumerate(zip(groups, shown, strict=True))
        ]
    report.finish({"groups": [m.to_json() for m in all_matrices]}, "\n\n".join(shown))
