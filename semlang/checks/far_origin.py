"""Random slopes without a covariance with the intercepts, of a covariate whose zero lies far from the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from semlang.diagnostics import Diagnostic, warning
from semlang.model.table import ParameterTable, Product, Row

if TYPE_CHECKING:
    from semlang.data.design import Design

__all__ = ["check"]


def check(table: ParameterTable, designs: Sequence[Design]) -> Iterable[Diagnostic]:
    """Find random slopes that are uncorrelated with intercepts at a place where there are no data.

    With u0 and u1 uncorrelated, Var(u0 + u1 x) = psi0 + psi1 x^2 is smallest at x = 0. Where the data lie farther from
    there than they are wide, no unit and no engine is at fault: it is another model than that about their mean.
    """
    effects = {
        r.source: r
        for r in table.rows
        if r.op == "~" and r.source in table.variables and r.parameter < 0 and not r.moderators
        and table.variables[r.source].role == "latent" and table.variables[r.source].kind.continuous
        and not table.variables[r.source].measured
    }  # fmt: skip
    joined = {frozenset((r.target, r.source)) for r in table.rows if r.op == "~~" and r.parameter >= 0}
    said: set[tuple[str, Product]] = set()
    for key, slope in effects.items():
        level = table.variables[key].level
        if not _is_number(slope) or (level, slope.via) in said:
            continue
        for other, intercept in effects.items():
            alike = intercept.target == slope.target and table.variables[other].level == level
            if not alike or intercept.via or frozenset((key, other)) in joined or not _far(designs, slope.via):
                continue
            said.add((level, slope.via))
            x = slope.via[0].name
            yield warning(
                "far-origin",
                f"intercepts and slopes of {x} are uncorrelated at {x} = 0, far from the data",
                table.source,
                slope.span,
                notes=f"the variance among {level} is smallest there; with {x} centred this is another model",
                help=f"write '(1 + {x} | {level})' to let them covary, or centre '{x}' in the data",
            )
            break


def _is_number(row: Row) -> bool:
    return len(row.via) == 1 and not row.via[0].response and row.via[0].function not in ("level", "factor", "offset")


def _far(designs: Sequence[Design], via: Product) -> bool:
    """Whether zero is farther from the data than they are wide."""
    import numpy as np

    ends = []
    for design in designs:
        x = design.columns[via]
        known = x[np.isfinite(x)]
        if known.size:
            ends += [float(known.min()), float(known.max())]
    return bool(ends) and min(ends) * max(ends) > 0.0 and min(abs(e) for e in ends) > max(ends) - min(ends) > 0.0
