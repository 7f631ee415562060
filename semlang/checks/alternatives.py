"""What can't act on the rows of a set: what is the same for all alternatives of a choice, or unknown of each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from semlang.diagnostics import Diagnostic, error
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import ROWS, ParameterTable, Product, Row, Variable

if TYPE_CHECKING:
    from semlang.data.design import Design

__all__ = ["check", "check_data"]


def check(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterable[Diagnostic]:
    """Find intercepts and latent variables that cancel within a set, and latent variables of its rows."""
    for row in table.rows:
        v = table.variables.get(row.target)
        if v is None or not (v.kind.sets or v.kind.composite) or row.quantity or row.op not in ("~", "=~", "~1"):
            continue
        if row.parameter < 0 and not row.ustart:
            continue
        keys = (row.source, *row.moderators, *([row.class_variable] if v.kind.composite else ()))
        sources = [table.variables[k] for k in keys if k in table.variables]
        low = next((u for u in sources if u.level == ROWS), None)
        if low is not None:
            yield error(
                "latent-within-set",
                f"'{low.name}' varies over rows, which are the terms of the mean of '{v.name}'"
                if v.kind.composite
                else f"'{low.name}' varies over rows, which are the alternatives of the choice '{v.name}'",
                table.source,
                row.span,
                notes="all terms belong to one response: what is unknown is integrated over for all of them together"
                if v.kind.composite
                else "alternatives are compared with each other: what is unknown of a row is not integrated over",
                help=f"let it vary over the sets, or above them: cluster: {v.arguments.get('set')}, and then "
                f"{low.name}[{v.arguments.get('set')}]"
                if v.kind.composite
                else f"let it vary over who chooses, or over the sets: {low.name}[{_level(table, v)}]",
            )
        elif not row.via and v.kind.sets:
            what = f"'{sources[0].name}'" if sources else "an intercept"
            yield error(
                "constant-within-set",
                f"{what} adds the same to all alternatives of a set of '{v.name}', and cancels",
                table.source,
                row.span,
                notes="what is chosen depends on differences between the alternatives of a set alone",
                help=f"multiply it by what differs between them: {v.name} ~ {sources[0].key}:price"
                if sources
                else "leave it out, or give the alternatives intercepts: factor(alternative)",
            )


def check_data(table: ParameterTable, designs: Sequence[Design]) -> Iterable[Diagnostic]:
    """Find covariates that are the same for all alternatives of every set."""
    import numpy as np

    said: set[tuple[str, Product]] = set()
    for group, design in enumerate(designs, 1):
        for row in table.rows:
            if row.group != group or not choice_of(table, row) or row.quantity or not row.via:
                continue
            if row.parameter < 0 or (row.target, row.via) in said or row.via not in design.columns:
                continue
            if any(c.function == "offset" for c in row.via):
                continue
            sets, x = design.sets[row.target], design.columns[row.via]
            known = np.flatnonzero(~np.isnan(design.responses[row.target]) & ~np.isnan(x))
            known = known[np.argsort(sets[known], kind="stable")]
            if known.size and not ((np.diff(sets[known]) == 0) & (np.diff(x[known]) != 0)).any():
                said.add((row.target, row.via))
                v, name = table.variables[row.target], ":".join(c.name for c in row.via)
                yield error(
                    "constant-within-set",
                    f"'{name}' is the same for all alternatives of each set of '{v.name}', and cancels",
                    table.source,
                    row.span,
                    notes="what is chosen depends on differences between the alternatives of a set alone",
                    help=f"let it tell alternatives apart: {v.name} ~ 0*{name} + factor(alternative):{name}",
                )


def choice_of(table: ParameterTable, row: Row) -> bool:
    """Whether a row of the table acts on a choice or a ranking."""
    v = table.variables.get(row.target)
    return v is not None and v.kind.sets


def _level(table: ParameterTable, v: Variable) -> str:
    return table.clusters[0] if table.clusters else str(v.arguments.get("set"))
