"""Random slopes: their mean is a fixed effect, which is easily forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from semlang.diagnostics import Diagnostic, warning
from semlang.graph.model_graph import ModelGraph, Path
from semlang.model.table import ParameterTable


def check(table: ParameterTable, graphs: Sequence[ModelGraph]) -> Iterable[Diagnostic]:
    """Find random slopes of a covariate that has no fixed effect."""
    for graph in graphs[:1]:
        for path in graph.paths:
            if path.kind == "regression" and path.source and path.via and not path.is_zero:
                v = table.variables[path.source]
                if v.role == "latent" and not v.measured and v.kind.name == "normal" and _centred(graph, path):
                    yield _finding(table, path)


def _centred(graph: ModelGraph, path: Path) -> bool:
    """Whether the mean of the slope is 0: neither the covariate has an effect nor the latent variable a mean."""
    names = sorted(c.name for c in path.via)
    fixed = any(not p.source and sorted(c.name for c in p.via) == names for p in graph.into(path.target))
    mean = any(not p.is_zero for p in graph.into(path.source))
    return not fixed and not mean


def _finding(table: ParameterTable, path: Path) -> Diagnostic:
    product = ":".join(c.name for c in path.via)
    return warning(
        "random-slope-without-mean",
        f"the slope of '{product}' varies, but its mean is fixed at 0: '{product}' itself is not in the formula",
        table.source,
        path.row.span if path.row else None,
        label=f"no fixed effect of {product} on {path.target}",
        help=f"add it: {path.target} ~ {product} + ...",
    )
