"""``semlang draw``: the path diagram."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click

from semlang.cli.output import Report, model_of, model_options, reporting
from semlang.diagnostics import error
from semlang.diagram.content import stars_of
from semlang.diagram.options import COLOURS, DIRECTIONS, MEANS, SHOW
from semlang.errors import SemlangError
from semlang.model.parameter_names import level_of


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
@click.option("--digits", type=click.IntRange(0, 10), help="Decimals of estimates.")
@click.option("--group", metavar="LABEL", help="Draw one group; else groups stand side by side.")
@click.option("--residuals/--no-residuals", default=True, help="Whether short arrows or loops are drawn.")
@click.option("--covariances/--no-covariances", default=True, help="Whether covariances are drawn.")
@click.option("--thresholds", is_flag=True, help="Show thresholds beside their responses.")
@click.option("--means", type=click.Choice(MEANS), default="auto", help="Whose means are arrows from the constant 1.")
@click.option("--direction", type=click.Choice(DIRECTIONS), default="auto", help="Where effects lie.")
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
    group: str | None,
    **chosen: Any,
) -> None:
    """Draw the path diagram: frames for clusters, circles for latent variables, dashed lines for fixed paths."""
    from semlang.diagram.draw import draw

    model = model_of(file, defaults)
    if data is not None:
        model, _, found = model.bind(data)
        report.add(found)
    report.add(model.findings)
    table = model.parameter_table
    show = show or ("names" if fitted is None else "estimates")
    if fitted is None and (show in ("estimates", "standardized") or stars):
        raise click.UsageError("estimates are those of a fit: give --fit FIT.JSON")
    estimates: dict[int, float] = {}
    marks: dict[int, str] = {}
    if fitted is not None:
        estimates, marks = read_estimates(fitted, table, "std_all" if show == "standardized" else "est")
    draw(
        table,
        output,
        estimates=estimates if show in ("estimates", "standardized") else None,
        stars=marks if stars else None,
        group=group if group is None or group in table.groups or not group.isdigit() else int(group),
        show=show,
        **chosen,
    )
    report.finish({"file": output}, f"wrote {output}")


def read_estimates(path: str, table: Any, what: str = "est") -> tuple[dict[int, float], dict[int, str]]:
    """Return estimates and stars by row id from a file that ``semlang fit -o`` wrote.

    Parameters
    ----------
    path : str
    table : ParameterTable
    what : {'est', 'std_all'}

    Raises
    ------
    SemlangError
        Where the file is missing or is no fit.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))["result"]["parameters"]
        known = {(r["lhs"], r["op"], r["rhs"], r.get("group", ""), r["level"]): r for r in rows}
    except FileNotFoundError:
        raise SemlangError([error("missing-file", f"there is no file '{path}'")]) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError):
        raise SemlangError(
            [
                error(
                    "not-a-fit",
                    f"'{path}' does not hold a fit",
                    help=f"write it with  semlang fit MODEL -o {path}",
                )
            ]
        ) from None
    out: dict[int, float] = {}
    marks: dict[int, str] = {}
    for row in table.rows:
        group = table.groups[row.group - 1] if table.groups != ("",) else ""
        found = known.get((row.lhs, row.op, row.rhs, group, level_of(table, row)))
        if found is not None and found.get(what) is not None:
            out[row.id] = found[what]
            if found.get("se"):
                marks[row.id] = stars_of(math.erfc(abs(found["est"] / found["se"]) / math.sqrt(2.0)))
    return out, marks
