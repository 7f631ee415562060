"""``semlang scores``: scores of latent variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from semlang.cli.fitted import finish_frame, fit_or_model
from semlang.cli.output import Report, reporting

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit


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
    fit = fit_or_model(report, fit_file)
    found = _of_classes(fit, data)
    if any(v.kind.name != "class" for v in fit.table.latents):
        for at, table in fit.scores(method, data).items():
            new = [c for c in table.columns if at not in found or c not in found[at].columns]
            found[at] = table if at not in found else found[at].join(table[new])
    if not found:
        raise click.BadParameter("the model has no latent variables", param_hint="FIT.JSON")
    chosen = level or next(iter(found))
    if chosen not in found:
        raise click.BadParameter(f"'{chosen}' has no scores; levels: {', '.join(found)}", param_hint="--level")
    finish_frame(report, found[chosen], output, index=chosen == "rows")


def _of_classes(fit: Fit, data: str | None) -> dict[str, pd.DataFrame]:
    """Return the probabilities of classes by level; of several class variables of one level with their names."""
    discrete = [v for v in fit.table.latents if v.kind.discrete]
    out: dict[str, pd.DataFrame] = {}
    for key, table in fit.class_probabilities(data).items() if discrete else ():
        v = fit.table.variables[key]
        if sum(w.level == v.level and w.kind.name == "class" for w in discrete) > 1:
            table = table.rename(columns={c: f"{v.name} {c}" for c in table.columns if str(c).startswith("class")})
        new = [c for c in table.columns if v.level not in out or c not in out[v.level].columns]
        out[v.level] = table if v.level not in out else out[v.level].join(table[new])
    return out
