"""``semlang draw``: the path diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting
from semlang.diagnostics import error
from semlang.errors import SemlangError
from semlang.model.facts import DataFacts
from semlang.model.parameter_names import level_of

if TYPE_CHECKING:
    from semlang.api import Model


@click.command("draw")
@click.argument("file")
@model_options
@click.option("-o", "--output", metavar="FILE", required=True, help="Picture: .svg, .png, .pdf, .dot or .json.")
@click.option("--fit", "fitted", metavar="FIT.JSON", help="Show the estimates of a fit (written by fit -o).")
@click.option("--style", default="gllamm", show_default=True, help="The only style so far is gllamm.")
@reporting("draw")
def command(
    report: Report,
    file: str,
    data: str | None,
    defaults: str | None,
    output: str,
    fitted: str | None,
    style: str,
) -> None:
    """Draw the path diagram: frames for clusters, circles for latent variables, dashed lines for fixed paths."""
    from semlang.diagram.draw import draw

    model, _ = model_and_data(report, file, data, defaults)
    estimates: dict[int, float] | None = None
    if fitted is not None:
        model, estimates = read_estimates(fitted, model)
    draw(model.parameter_table, output, estimates=estimates, style=style)
    report.finish({"file": output}, f"wrote {output}")


def read_estimates(path: str, model: Model) -> tuple[Model, dict[int, float]]:
    """Return estimates by row id from a file that ``semlang fit -o`` wrote, and the model with the fit's groups.

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
    return model, {i: known[key]["est"] for i, key in own.items() if key in known and known[key]["est"] is not None}
