"""``semlang plot``: plots of a fit."""

from __future__ import annotations

import io
from pathlib import Path

import click

from semlang.cli.fitted import fit_or_model
from semlang.cli.output import Report, reporting
from semlang.diagnostics import error
from semlang.errors import SemlangError
from semlang.results.plotting import KINDS

FORMATS = (".svg", ".png", ".pdf")


@click.command("plot")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("fit_file", metavar="FIT.JSON")
@click.option("-o", "--output", metavar="FILE", required=True, help="Picture: .svg, .png or .pdf.")
@click.option("--item", "items", multiple=True, help="Of icc and information; default: all.")
@click.option("--latent", help="Of icc, information, wright and caterpillar.")
@click.option("--group", help="Of icc, information, wright and residuals; default: the first.")
@click.option("--level", help="Of caterpillar.")
@click.option("--x", help="Of trajectories: the covariate.")
@click.option("--parameter", help="Of profile.")
@click.option("--unit", type=click.IntRange(0), default=0, show_default=True, help="Of quadrature.")
@reporting("plot")
def command(
    report: Report,
    kind: str,
    fit_file: str,
    output: str,
    items: tuple[str, ...],
    latent: str | None,
    group: str | None,
    level: str | None,
    x: str | None,
    parameter: str | None,
    unit: int,
) -> None:
    """Draw a plot: item curves, information, a Wright map, scores of units, trajectories, classes, profiles."""
    ending = Path(output).suffix.lower()
    if ending not in FORMATS:
        raise SemlangError(
            [error("unknown-format", f"'{output}' has no known ending", help="write .svg, .png or .pdf")]
        )
    fit = fit_or_model(report, fit_file)
    plots = fit.plot
    match kind:
        case "icc":
            ax = plots.icc(items[0] if len(items) == 1 else list(items) or None, latent=latent, group=group)
        case "information":
            ax = plots.information(list(items) or None, latent=latent, group=group)
        case "wright":
            ax = plots.wright(latent=latent, group=group)
        case "residuals":
            ax = plots.residuals(group=group)
        case "caterpillar":
            ax = plots.caterpillar(latent, level=level)
        case "trajectories":
            ax = plots.trajectories(x)
        case "profile":
            if parameter is None:
                raise click.UsageError("profile needs --parameter NAME")
            ax = plots.profile(parameter)
        case "quadrature":
            ax = plots.quadrature(unit)
        case _:
            ax = getattr(plots, kind)()
    picture = io.BytesIO()
    ax.figure.savefig(picture, format=ending[1:])
    done = report.wrote(output, picture.getvalue())
    report.finish({"file": output}, f"wrote {output}" if done else "")
