"""``semlang predict``: expected responses."""

from __future__ import annotations

import click

from semlang.cli.fitted import finish_frame, fit_or_model
from semlang.cli.output import Report, reporting


@click.command("predict")
@click.argument("fit_file", metavar="FIT.JSON")
@click.option("--data", metavar="FILE", help="New data; default: those of the fit.")
@click.option(
    "--kind",
    type=click.Choice(["marginal", "conditional", "at", "linear"]),
    default="marginal",
    show_default=True,
    help="Over a new unit, over the unit's own posterior, at given values, or the linear predictor.",
)
@click.option("--at", "given", multiple=True, metavar="NAME=VALUE", help="Value of a latent variable, for --kind at.")
@click.option("-o", "--output", metavar="FILE", help="CSV file.")
@reporting("predict")
def command(
    report: Report, fit_file: str, data: str | None, kind: str, given: tuple[str, ...], output: str | None
) -> None:
    """Predict means or probabilities of categories, one row a row of the data, as CSV."""
    at: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            at[name.strip()] = float(value)
        except ValueError:
            raise click.BadParameter(f"'{text}' is not NAME=VALUE", param_hint="--at") from None
    fit = fit_or_model(report, fit_file)
    finish_frame(report, fit.predict(data, kind, at or None), output)
