"""From the parameter table to the graph of one group."""

from __future__ import annotations

from semlang.graph.model_graph import JOINED, Covariance, ModelGraph, Path
from semlang.model.composites import SAMPLE
from semlang.model.scale import PRODUCT
from semlang.model.table import ParameterTable, Row

_KINDS = {"=~": "loading", "~": "regression", "~1": "intercept", "<~": "regression"}


def build_graph(table: ParameterTable, group: int = 1) -> ModelGraph:
    """Return the graph of a group.

    Rows about observed covariates alone (lavaan's fixed exogenous rows) and constraints are left out.

    Parameters
    ----------
    table : ParameterTable
    group : int
        From 1.
    """
    paths: list[Path] = []
    covariances: list[Covariance] = []
    thresholds: list[Row] = []
    quantities: list[Row] = []
    others: list[Row] = []
    scales: list[Row] = []
    for row in table.rows:
        if row.group != group or row.target not in table.variables or row.exo or row.rule in (SAMPLE, PRODUCT):
            continue
        if row.op == "~*~" and row.parameter < 0 and row.ustart in (None, 1.0):
            continue
        of_class = row.category and table.variables[row.target].kind.name == "class"
        if _is_scale(table, row):
            scales.append(row)
            continue
        linear = not (row.klass or of_class or row.moderators)
        if not linear or (row.source and row.source not in table.variables):
            others.append(row)
        elif row.threshold:
            thresholds.append(row)
        elif row.quantity:
            quantities.append(row)
        elif row.op == "~~" and row.source:
            covariances.append(Covariance(row.target, row.source, row.parameter, row.ustart or 0.0, row))
        elif row.op in _KINDS:
            ends = row.target, row.source, row.via
            paths.append(Path(*ends, _KINDS[row.op], row.parameter, _value(row), row, row.category))
        else:
            others.append(row)
    moderated: dict[tuple[str, str], Row] = {}
    for row in quantities:
        if table.variables[row.target].is_normal:
            moderated.setdefault(row.joins or (row.target, row.target), row)
    covariances += [Covariance(a, b, -1, 1.0 if a == b else JOINED, row) for (a, b), row in moderated.items()]
    written = {(p.target, p.source) for p in paths if not p.via}
    for v in table.variables.values():
        if v.role == "component" and (v.response, v.key) not in written:
            paths.append(Path(v.response, v.key, (), "component", -1, 1.0))
    return ModelGraph(
        table, group, tuple(paths), tuple(covariances), tuple(thresholds), tuple(quantities), tuple(others),
        tuple(scales),
    )  # fmt: skip


def _is_scale(table: ParameterTable, row: Row) -> bool:
    """Whether a row is the scale of an ordinal response, or its residual variance, and not fixed at 1."""
    variable = table.variables[row.target]
    return (
        row.op in ("~*~", "~~")
        and row.source in ("", row.target)
        and variable.kind.name == "ordinal"
        and variable.role == "response"
        and not row.klass
        and (row.parameter >= 0 or row.ustart not in (None, 1.0))
    )


def _value(row: Row) -> float:
    """Return the value of a fixed path: 1 for lavaan's ``rv()``, whose latent variable is the slope itself."""
    return 1.0 if row.rv and row.parameter < 0 else row.ustart or 0.0


def build_graphs(table: ParameterTable) -> tuple[ModelGraph, ...]:
    """Return the graphs of all groups."""
    return tuple(build_graph(table, g) for g in range(1, len(table.groups) + 1))
