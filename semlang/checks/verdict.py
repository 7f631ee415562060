"""Identification as findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from semlang.checks.latent_classes import latent_classes
from semlang.checks.simple_structure import simple_structure
from semlang.diagnostics import Diagnostic, error, note, warning
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ParameterTable
from semlang.source import Span

if TYPE_CHECKING:
    from semlang.checks.identification import Identification
    from semlang.data.design import Design

_LARGE = 50  # parameters from which conditions are not searched in passing
_TOO_LARGE = 400  # parameters from which the rank is not computed in passing
_MANY_ROWS = 20_000  # rows from which data count as rich: all covariates vary, clusters are large


def check(
    table: ParameterTable,
    graphs: Sequence[ModelGraph],
    designs: Sequence[Design] | None = None,
    *,
    conditions: bool = True,
) -> Iterable[Diagnostic]:
    """Say where a model is not identified, or not known to be.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
    designs : sequence of Design, optional
        The data; without them covariates count as continuous and clusters as large.
    conditions : bool
        Whether to look for conditions such as *only if a covariance is not 0*.
    """
    if not table.n_parameters or latent_classes(table):
        return
    if table.n_parameters > _LARGE and simple_structure(table, graphs):
        return
    if table.n_parameters > _TOO_LARGE:
        yield note(
            "identification-undetermined",
            f"identification was not examined: the model has {table.n_parameters} parameters",
            table.source,
            None,
            help="semlang identify examines it, however long it takes",
        )
        return
    from semlang.checks.identification import identify  # brings numpy

    brief = not conditions or table.n_parameters > _LARGE
    plain = not table.clusters and not any(row.via for row in table.rows)
    if designs is not None and (plain or sum(d.n_rows for d in designs) > _MANY_ROWS):
        designs = None  # without covariates and clusters every design is the same
    found = identify(table, graphs, designs, explain=not brief)
    if found.verdict == "identified":
        yield from _conditions(table, found)
        return
    if brief and found.verdict != "undetermined":
        found = identify(table, graphs, designs, explain=True)
    yield from deficient(table, found)


def deficient(table: ParameterTable, found: Identification) -> Iterable[Diagnostic]:
    """Say of a verdict other than `identified` what it means."""
    span = _span(table, found)
    match found.verdict:
        case "not identified":
            yield error(
                "not-identified",
                f"the data can't determine {_names(found)}",
                table.source,
                span,
                label=_label(found),
                notes=(found.why, *found.directions[:2]),
                help=_repairs(found),
            )
        case "shape only":
            yield warning(
                "identified-by-shape-only",
                f"only the shape of the distribution tells apart {_names(found)}",
                table.source,
                span,
                notes=found.why,
                help=_repairs(found),
            )
        case _:
            yield note(
                "identification-undetermined",
                "whether the model is identified is not known",
                table.source,
                None,
                notes=found.why,
                help="semlang identify simulates units and takes the rank of their scores",
            )


def _conditions(table: ParameterTable, found: Identification) -> Iterable[Diagnostic]:
    """Conditions on loadings go without saying; the others are worth a note."""
    shown = tuple(c for c in found.only_if if "=~" not in c)
    if shown:
        yield note(
            "identified-only-if",
            f"the model is identified only if {' and '.join(shown[:3])}",
            table.source,
            None,
            help="where that may fail, add a third indicator or fix a parameter",
        )


def _names(found: Identification) -> str:
    shown = [" ".join(part for part in t if part) for t in found.unidentified]
    if not shown:
        return "all parameters"
    head = ", ".join(shown[:4])
    return head if len(shown) <= 4 else f"{head} and {len(shown) - 4} more"


def _label(found: Identification) -> str:
    n = len(found.unidentified)
    return "this parameter is free, but nothing settles it" if n == 1 else f"one of {n} that move together" if n else ""


def _repairs(found: Identification) -> tuple[str, ...]:
    return tuple(f"write {r['text']}" for r in found.repairs[:3])


def _span(table: ParameterTable, found: Identification) -> Span | None:
    """Return the place of the first unidentified parameter that is written, else of the first."""
    rows = [row for row in table.rows if row.parameter in set(found.parameters) and row.span is not None]
    rows.sort(key=lambda row: (row.user != 1, row.span.start if row.span else 0))
    return rows[0].span if rows else None
