"""``semlang scores``: scores of latent variables."""

from __future__ import annotations

import click

from semlang.cli.fitted import finish_frame, fit_or_model
from semlang.cli.output import Report, reporting


@click.command("scores")
@click.argument("fit_file", metavar="FIT.JSON")
@click.option("--data", metavar="FILE", help="New data; default: those of the fit.")
@click.option("--method", type=click.Choice(["eb", "mode", "ml"]), default="eb", show_default=True)
@click.option("--level", help="The level whose units are shown; default: the lowest that has scores.")
@click.option("-o", "--output", metavar="FILE", help="CSV file.")
@reporting("scores")
def command(
    report: Report, fit_file: str, data: str | None, method: str, level: str | None, output: str | None
) -> None:
    """Score the latent variables, one row a unit, as CSV; latent classes by their probabilities."""
    from semlang.estimation.conditioning.conditions import is_conditional

    fit = fit_or_model(report, fit_file)
    if is_conditional(fit.table):
        found = {fit.table.variables[k].level: t for k, t in fit.class_probabilities(data).items()}
    else:
        found = fit.scores(method, data)
    if not found:
        raise click.BadParameter("the model has no latent variables", param_hint="FIT.JSON")
    chosen = level or next(iter(found))
    if chosen not in found:
        raise click.BadParameter(f"'{chosen}' has no scores; levels: {', '.join(found)}", param_hint="--level")
    finish_frame(report, found[chosen], output, index=chosen == "rows")
