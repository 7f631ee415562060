"""``semlang fit``: maximum likelihood estimates."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

from semlang.cli.output import Report, model_of, model_options, reporting, scheduler_option, writable
from semlang.diagnostics import Diagnostic, error, warning
from semlang.errors import NotConvergedWarning
from semlang.interrupts import held

if TYPE_CHECKING:
    from semlang.results.fit import Fit


@click.command("fit")
@click.argument("file")
@model_options
@click.option("--points", type=click.IntRange(1, 199), help="Exactly this number of quadrature points per dimension.")
@click.option(
    "--se",
    type=click.Choice(["observed", "robust", "opg", "none"]),
    help="Standard errors; observed information unless the model's options say otherwise.",
)
@click.option("--cluster", metavar="COLUMN", help="Units of robust standard errors.")
@click.option("--threads", type=click.IntRange(1), help="Threads; default: SEMLANG_THREADS, else all processors.")
@click.option("--force", is_flag=True, help="Fit although the model is not identified.")
@click.option("--checkpoint", metavar="FILE", help="Keep the best point so far in a file, and begin from it.")
@scheduler_option
@click.option("--quiet", is_flag=True, help="No progress line.")
@click.option("-o", "--output", metavar="FILE", help="Write the JSON object to a file.")
@reporting("fit")
def command(
    report: Report,
    file: str,
    data: str | None,
    defaults: str | None,
    points: int | None,
    se: str | None,
    cluster: str | None,
    threads: int | None,
    force: bool,
    checkpoint: str | None,
    scheduler: str | None,
    quiet: bool,
    output: str | None,
) -> None:
    """Estimate a model."""
    writable(output)
    writable(checkpoint)
    model = model_of(file, defaults)
    shown = Progress(quiet)
    shown.show("reading the data")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotConvergedWarning)  # a finding says so
            fit = model.fit(
                data, points=points, se=se, cluster=cluster, threads=threads, force=force, progress=shown.show,
                checkpoint=checkpoint, scheduler=scheduler,
            )  # fmt: skip
        shown.show("tables and measures")
        fit, result, summary = _shown(fit)
    finally:
        shown.end()
    report.add(fit.diagnostics)
    if fit.estimate.interrupted:
        report.add([_interrupted(output)])
    if not fit.converged and not any(d.is_error for d in report.diagnostics):
        report.add([error("not-converged", "the fit did not converge")])
    if output:
        from semlang.results.stored import stored_json

        with held():
            report.wrote(output, stored_json(fit, brief=fit.estimate.interrupted).encode())
    report.finish(result, summary, failed=not fit.converged or fit.estimate.interrupted)


def _shown(fit: Fit) -> tuple[Fit, dict[str, Any], str]:
    """Return a fit, its JSON and its summary; of one that is interrupted, also here, those without measures."""
    if not fit.estimate.interrupted:
        try:
            return fit, fit.to_json(), fit.summary()
        except KeyboardInterrupt:
            fit = fit.stopped()
    with held():
        return fit, fit.to_json(brief=True), fit.summary(brief=True)


def _interrupted(output: str | None) -> Diagnostic:
    return warning(
        "fit-interrupted",
        "the fit was interrupted: fit measures, standardised estimates and explained variances are left out",
        help=f"semlang show {output} --standardized --measures"
        if output
        else "fit again, or with -o FILE: semlang show has them later",
    )


class Progress:
    """One line on standard error that is written over, where that is a terminal."""

    def __init__(self, quiet: bool) -> None:
        self.on = not quiet and sys.stderr.isatty()

    def show(self, line: str) -> None:
        """Show the latest state; what is to be read before the fit is done stays."""
        if self.on:
            end = "\n" if line.startswith("warning[") else ""
            print(f"\r\x1b[K{line}", end=end, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self.on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
