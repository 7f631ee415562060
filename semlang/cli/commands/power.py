"""``semlang power``: Monte Carlo power, bias and coverage."""

from __future__ import annotations

import sys

import click

from semlang.cli.fitted import shape_options, shown
from semlang.cli.output import Report, model_of, reporting


@click.command("power")
@click.argument("file")
@click.option("--n", metavar="N,N,...", help="Sizes: rows, or 50x20 for 50 clusters of 20.")
@click.option("--data", metavar="FILE", help="Covariates and clusters, instead of --n.")
@click.option("--replications", type=click.IntRange(1), default=500, show_default=True, help="Data sets a size.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--alpha", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="Level of the tests.")
@click.option("--points", type=click.IntRange(1, 199), help="Quadrature points per dimension.")
@click.option("--processes", type=click.IntRange(1), help="Default: all processors.")
@click.option("--keep", metavar="FILE", help="Keep the results of each data set; a run that was stopped goes on.")
@shape_options
@reporting("power")
def command(
    report: Report,
    file: str,
    n: str | None,
    data: str | None,
    replications: int,
    seed: int,
    alpha: float,
    points: int | None,
    processes: int | None,
    keep: str | None,
    latex: bool,
    markdown: bool,
) -> None:
    """Draw data sets from a model at the values that it gives, fit each, and count."""
    from semlang.results.table import Table

    terminal = sys.stderr.isatty()

    def tell(line: str) -> None:
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    frame = model_of(file).power(
        n=n.split(",") if n else (),
        data=data,
        replications=replications,
        seed=seed,
        alpha=alpha,
        points=points,
        processes=processes,
        file=keep,
        progress=tell if terminal else False,
    )
    if terminal:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    title = f"Monte Carlo study, {replications} data sets, seed {seed}"
    table = Table.of(
        list(frame.columns),
        [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")],
        frame.attrs["notes"],
        title,
    )
    report.finish(table.json(), shown([table], latex, markdown))
