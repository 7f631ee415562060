"""``semlang simulate``: data from a model or a fit."""

from __future__ import annotations

import click

from semlang.cli.fitted import finish_frame
from semlang.cli.output import Report, model_of, reporting


@click.command("simulate")
@click.argument("file", metavar="MODEL|FIT.JSON")
@click.option("--data", metavar="FILE", help="Covariates and clusters, for a model.")
@click.option("--n", metavar="N", help="Rows, or 50x20 for 50 clusters of 20; of a fit: number of data sets.")
@click.option("--seed", type=int, help="The same seed gives the same data.")
@click.option("-o", "--output", metavar="FILE", help="CSV file.")
@reporting("simulate")
def command(report: Report, file: str, data: str | None, n: str | None, seed: int | None, output: str | None) -> None:
    """Draw responses: from a model at the values that it gives, or from a fit at its estimates; CSV."""
    if file.endswith(".json"):
        from semlang.api import load

        if n is not None and not n.isdigit():
            raise click.BadParameter(f"'{n}' is no number of data sets", param_hint="--n")
        frame = load(file).simulate(seed, int(n or 1))
    else:
        frame = model_of(file).simulate(data=data, n=n, seed=seed)
    finish_frame(report, frame, output)
