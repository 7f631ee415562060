"""``semlang show``: the results in a fit file."""

from __future__ import annotations

import click

from semlang.cli.fitted import fit_or_model, shape_options, shown
from semlang.cli.output import Report, reporting


@click.command("show")
@click.argument("fit_file", metavar="FIT.JSON")
@click.option("--standardized", is_flag=True, help="The standardised solution.")
@click.option("--measures", is_flag=True, help="Fit measures.")
@click.option("--modification", is_flag=True, help="Modification indices, the twenty largest.")
@click.option("--r-squared", "explained", is_flag=True, help="Explained variance.")
@click.option("--reliability", is_flag=True, help="Reliability of sums of indicators.")
@click.option("--icc", "correlations", is_flag=True, help="Intraclass correlations.")
@shape_options
@reporting("show")
def command(
    report: Report,
    fit_file: str,
    standardized: bool,
    measures: bool,
    modification: bool,
    explained: bool,
    reliability: bool,
    correlations: bool,
    latex: bool,
    markdown: bool,
) -> None:
    """Show what a fit found: the summary, or the tables that the options name."""
    from semlang.results.table import Table

    fit = fit_or_model(report, fit_file)
    tables: dict[str, Table] = {}
    if standardized:
        from semlang.results.standardized import standardized as standardise

        tables["standardized"] = standardise(fit)
    if measures:
        from semlang.results.measures import measures as of_fit

        tables["measures"] = of_fit(fit).table()
    if explained:
        from semlang.results.r_squared import r_squared

        tables["r_squared"] = r_squared(fit)
    if reliability:
        from semlang.results.reliability import reliability as reliabilities

        tables["reliability"] = reliabilities(fit)
    if correlations:
        from semlang.results.icc import icc

        tables["icc"] = icc(fit)
    if modification:
        from semlang.results.modification_indices import modification_indices

        found = modification_indices(fit)
        tables["modification"] = Table(found.columns, found.rows[:20], found.notes, found.title)
    result = fit.to_json() if not tables else {name: t.json() for name, t in tables.items()}
    if not tables and (latex or markdown):
        from semlang.results.estimates import estimates

        report.finish(result, shown([estimates(fit, True)], latex, markdown))
    report.finish(result, shown(list(tables.values()), latex, markdown) if tables else fit.summary())
