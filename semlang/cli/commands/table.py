"""``semlang table``: the parameter table."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting

SHOWN = ("id", "lhs", "op", "rhs", "group", "level", "free", "ustart", "label", "rule")


@click.command("table")
@click.argument("file")
@model_options
@click.option("--flat", is_flag=True, help="The table as written, before defaults.")
@reporting("table")
def command(report: Report, file: str, data: str | None, defaults: str | None, flat: bool) -> None:
    """Show every parameter of a model, and the rule that made it."""
    from semlang.model.flat import flat as flat_table
    from semlang.model.listing import table_rows

    model, _ = model_and_data(report, file, data, defaults)
    rows = [dict(row) for row in flat_table(model.ast)] if flat else table_rows(model.parameter_table)
    shown = [
        n for n in (rows[0] if flat and rows else SHOWN) if flat or n not in ("group", "level") or _varies(rows, n)
    ]
    report.finish({"rows": rows}, layout(shown, [[_cell(r.get(n)) for n in shown] for r in rows]))


def _varies(rows: list[dict[str, object]], name: str) -> bool:
    return len({r.get(name) for r in rows}) > 1


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def layout(head: list[str], lines: list[list[str]]) -> str:
    """Return columns as aligned text.

    Examples
    --------
    >>> print(layout(["a", "b"], [["x", "1"], ["long", "2"]]))
    a     b
    x     1
    long  2
    """
    widths = [max(len(line[k]) for line in [head, *lines]) for k in range(len(head))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in [head, *lines]
    )
