"""What commands on fit files share: reading the fit, tables in the format that is asked for, rows as CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from semlang.cli.output import Report
    from semlang.results.fit import Fit
    from semlang.results.table import Table

__all__ = ["finish_frame", "fit_or_model", "shape_options", "shown"]


def fit_or_model(report: Report, file: str, data: str | None = None, points: int | None = None) -> Fit:
    """Return the fit in a file; a model's text is fitted first."""
    from semlang.api import load
    from semlang.cli.output import model_of

    if file.endswith(".json"):
        fit: Fit = load(file)
        report.add(d for d in fit.diagnostics if d.slug == "other-version")
        return fit
    fitted: Fit = model_of(file).fit(data, points=points)
    report.add(fitted.diagnostics)
    return fitted


def shape_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--latex`` and ``--markdown``."""
    function = click.option("--latex", is_flag=True, help="Tables as LaTeX (booktabs).")(function)
    return click.option("--markdown", is_flag=True, help="Tables as Markdown.")(function)


def shown(tables: list[Table], latex: bool, markdown: bool) -> str:
    """Return tables as text in the format that is asked for."""
    return "\n\n".join(t.latex() if latex else t.markdown() if markdown else t.text() for t in tables)


def finish_frame(report: Report, frame: pd.DataFrame, output: str | None, *, index: bool = False) -> None:
    """Print rows as CSV, or write them to a file; with ``--json`` they are the result."""
    text = frame.to_csv(index=index)
    if output:
        report.wrote(output, text.encode())
    plain = frame.astype(object).where(frame.notna(), None)
    rows: list[dict[str, Any]] = [{str(k): _plain(v) for k, v in r.items()} for r in plain.to_dict("records")]
    report.finish({"rows": rows} | ({"file": output} if output else {}), f"wrote {output}" if output else text.rstrip())


def _plain(value: Any) -> Any:
    import math

    value = value.item() if hasattr(value, "item") else value
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
