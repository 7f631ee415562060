"""``semlang draw``: the path diagram."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting
from semlang.diagnostics import error
from semlang.diagram.content import interval, number, stars_of
from semlang.diagram.options import COLOURS, DIRECTIONS, LAYOUTS, MEANS, SHOW
from semlang.errors import SemlangError
from semlang.model.facts import DataFacts
from semlang.model.parameter_names import level_of

if TYPE_CHECKING:
    from semlang.api import Model
    from semlang.model.table import ParameterTable


@click.command("draw")
@click.argument("file")
@model_options
@click.option(
    "-o", "--output", metavar="FILE", required=True, help="Picture: .svg, .png, .pdf, .tex, .mmd, .dot or .json."
)
@click.option("--fit", "fitted", metavar="FIT.JSON", help="Show the estimates of a fit (written by fit -o).")
@click.option("--style", default="gllamm", show_default=True, help="Dialect: gllamm, ram or lisrel.")
@click.option(
    "--show", type=click.Choice(SHOW), help="What stands at arrows; estimates where there is a fit, else names."
)
@click.option("--stars", is_flag=True, help="Mark p below 0.05, 0.01 and 0.001.")
@click.option("--ci", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Show intervals: 0.95.")
@click.option("--r-squared", is_flag=True, help="Show explained variances in the nodes.")
@click.option(
    "--against",
    metavar="FILE",
    help="Draw the difference to another model (.sem), or with --fit another fit (.json).",
)
@click.option("--digits", type=click.IntRange(0, 10), help="Decimals of estimates.")
@click.option("--group", metavar="LABEL", help="Draw one group; else groups stand side by side.")
@click.option("--residuals/--no-residuals", default=True, help="Whether short arrows or loops are drawn.")
@click.option("--covariances/--no-covariances", default=True, help="Whether covariances are drawn.")
@click.option("--thresholds", is_flag=True, help="Show thresholds beside their responses.")
@click.option("--means", type=click.Choice(MEANS), default="auto", help="Whose means are arrows from the constant 1.")
@click.option("--direction", type=click.Choice(DIRECTIONS), default="auto", help="Where effects lie.")
@click.option(
    "--layout", type=click.Choice(LAYOUTS), default="auto", help="Who places the nodes: semlang, or Graphviz."
)
@click.option("--wrap", type=click.IntRange(0, 200), default=0, help="Break names longer than so many letters.")
@click.option("--colour", type=click.Choice(COLOURS), default="none", help="Colours by factor.")
@click.option("--greyscale", is_flag=True, help="Greys in place of colours.")
@click.option("--dpi", type=click.IntRange(20, 2400), default=200, show_default=True, help="Dots per inch of PNG.")
@reporting("draw")
def command(
    report: Report,
    file: str,
    data: str | None,
    defaults: str | None,
    output: str,
    fitted: str | None,
    show: str | None,
    stars: bool,
    ci: float | None,
    r_squared: bool,
    against: str | None,
    group: str | None,
    **chosen: Any,
) -> None:
    """Draw the path diagram: frames for clusters, circles for latent variables, dashed lines for fixed paths."""
    from semlang.diagram.draw import draw

    model, _ = model_and_data(report, file, data, defaults)
    show = show or ("names" if fitted is None else "estimates")
    if fitted is None and (show in ("estimates", "standardized") or stars or ci is not None or r_squared):
        raise click.UsageError("estimates are those of a fit: give --fit FIT.JSON")
    estimates: dict[int, float] = {}
    marks: dict[int, str] = {}
    what = "std_all" if show == "standardized" else "est"
    notes: dict[tuple[str, int], str] = {}
    if fitted is not None:
        model, found = read_estimates(fitted, model)
        estimates = {i: r[what] for i, r in found.items() if r.get(what) is not None}
        marks = _marks(found, stars, ci if show == "estimates" else None, chosen.get("digits"))
        notes = _explained(fitted, model) if r_squared else {}
    table = model.parameter_table
    other = None if against is None else _other(report, against, what, fitted is not None)
    draw(
        table,
        output,
        estimates=estimates if show in ("estimates", "standardized") else None,
        stars=marks,
        notes=notes,
        against=other,
        group=group if group is None or group in table.groups or not group.isdigit() else int(group),
        show=show,
        **chosen,
    )
    report.finish({"file": output}, f"wrote {output}")


def _marks(found: Mapping[int, Mapping[str, Any]], stars: bool, ci: float | None, digits: int | None) -> dict[int, str]:
    """Return what stands behind estimates."""
    out = {}
    for i, r in found.items():
        if r.get("se") and r["est"] is not None:
            said = stars_of(math.erfc(abs(r["est"] / r["se"]) / math.sqrt(2.0))) if stars else ""
            out[i] = said + (interval(r["est"], r["se"], ci, digits) if ci is not None else "")
    return out


def _explained(path: str, model: Model) -> dict[tuple[str, int], str]:
    from semlang.results.stored import read_envelope

    groups = list(model.parameter_table.groups)
    records = read_envelope(path)["result"].get("r_squared") or ()
    at = {r["group"]: groups.index(r["group"]) + 1 if r["group"] in groups else 1 for r in records}
    return {(r["variable"], at[r["group"]]): f"R\u00b2 {number(float(r['r2']))}" for r in records}


def _other(report: Report, path: str, what: str, fitted: bool) -> tuple[ParameterTable, dict[int, float] | None]:
    """Return the other model of a difference, and its estimates where it is a fit."""
    if path.endswith(".json") != fitted:
        raise click.UsageError("--against takes a model (.sem), or with --fit a fit (.json)")
    if not fitted:
        return model_and_data(report, path, None, None)[0].parameter_table, None
    from semlang.api import load

    fit = load(path)
    return fit.table, fit.drawn("std" if what == "std_all" else "est")


def read_estimates(path: str, model: Model) -> tuple[Model, dict[int, dict[str, Any]]]:
    """Return the model with the fit's groups, and by row id what ``semlang fit -o`` wrote of it.

    Parameters
    ----------
    path : str
    model : Model

    Raises
    ------
    SemlangError
        Where the file is missing or is no fit, or the fit of another model.
    """
    from semlang.results.stored import read_envelope

    try:
        rows = read_envelope(path)["result"]["parameters"]
        known = {
            (r["lhs"], r["op"], r["rhs"], r.get("group", ""), r["level"], int(r.get("class") or 0)): r for r in rows
        }
    except (KeyError, TypeError, ValueError):
        what = f"'{path}' does not hold a fit"
        raise SemlangError([error("not-a-fit", what, help=f"write it with  semlang fit MODEL -o {path}")]) from None
    table = model.parameter_table
    groups = tuple(dict.fromkeys(r.get("group", "") for r in rows))
    if table.groups == ("",) and groups != ("",) and table.group_column:
        model = model.with_facts(DataFacts(table.columns(), {table.group_column: groups}))
        table = model.parameter_table
    several = table.groups != ("",)
    own = {}
    for row in table.rows:
        group = table.groups[row.group - 1] if several else ""
        own[row.id] = (row.lhs, row.op, row.rhs, group, level_of(table, row), row.klass)
    missing = [own[r.id] for r in table.rows if r.target and r.parameter >= 0 and own[r.id] not in known]
    strange = [key for key, r in known.items() if r["free"] and key not in own.values()]
    if missing or strange:
        lhs, op, rhs = (*missing, *strange)[0][:3]
        side = "is not in the fit" if missing else "is not in the model"
        raise SemlangError(
            [
                error(
                    "other-model",
                    f"'{path}' holds the fit of another model: '{' '.join((lhs, op, rhs)).rstrip()}' {side}",
                    help=(
                        "name the model that was fitted, and the data with --data FILE where it does not name them",
                        f"or fit this one:  semlang fit MODEL -o {path}",
                    ),
                )
            ]
        )
    return model, {i: known[key] for i, key in own.items() if key in known}
