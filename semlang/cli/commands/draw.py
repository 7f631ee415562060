"""``semlang draw``: the path diagram."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting
from semlang.diagnostics import error
from semlang.errors import SemlangError
from semlang.model.parameter_names import level_of


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
    estimates = None if fitted is None else read_estimates(fitted, model.parameter_table)
    draw(model.parameter_table, output, estimates=estimates, style=style)
    report.finish({"file": output}, f"wrote {output}")


def read_estimates(path: str, table: Any) -> dict[int, float]:
    """Return estimates by row id from a file that ``semlang fit -o`` wrote.

    Raises
    ------
    SemlangError
        Where the file is missing or is no fit.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))["result"]["parameters"]
        known = {(r["lhs"], r["op"], r["rhs"], r.get("group", ""), r["level"]): r["est"] for r in rows}
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
    for row in table.rows:
        group = table.groups[row.group - 1] if table.groups != ("",) else ""
        est = known.get((row.lhs, row.op, row.rhs, group, level_of(table, row)))
        if est is not None:
            out[row.id] = est
    return out
