"""Fit in a browser: numpy alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from semlang.data.sheet import Sheet
from semlang.data.sheet_binding import bind_sheet
from semlang.diagnostics import error, ordered, warning
from semlang.errors import FitError
from semlang.estimation.expressions import Dual, evaluate_defined
from semlang.model.parameter_names import level_of, parameter_names, row_name, written_label
from semlang.model.table import ParameterTable
from semlang.page.analyse import diagrams
from semlang.page.text_model import text_model
from semlang.plain.fit import NEAR, PlainFit, plain_fit, refusal, refused
from semlang.source import Source

Json = dict[str, Any]


def fit_here(source: Source, sheet: Sheet, csv: str) -> Json:
    """Fit a text to data, and draw it with the estimates: the answer of `semlang.page.full_fit.full_fit`.

    Raises
    ------
    SemlangError
        With all findings, where there is no fit; ``not-here`` where the model is not for this estimator.
    """
    model = text_model(source, sheet)
    if model.parameter_table.reshape:
        raise refused("the data are reshaped")
    found = model.check(read=False)
    if any(d.is_error for d in found):
        raise FitError(found)
    table = model.parameter_table
    why = refusal(table, model.graphs)
    if why:
        raise refused(why)
    fit = plain_fit(table, model.graphs, bind_sheet(table, sheet))
    if not fit.converged:
        found = ordered([*found, error("not-converged", "the climb ended before a maximum was found")])
    if not fit.settled:
        why = f"more nodes still change the log-likelihood by more than {NEAR:g}"
        found = ordered([*found, warning("points-not-settled", why, help="semlang serve places the nodes by person")])
    result = result_of(table, fit)
    return {
        "findings": [d.to_json() for d in found],
        "fit": result,
        "diagram": diagrams(table, {p["ids"][0]: p["est"] for p in result["parameters"]}),
    }


def result_of(table: ParameterTable, fit: PlainFit) -> Json:
    """Return a fit as ``semlang fit --json`` does, as far as this estimator knows it."""
    names = parameter_names(table)
    se = np.sqrt(np.maximum(np.diag(fit.vcov), 0.0)) if fit.converged else np.full(table.n_parameters, np.nan)
    parameters = []
    for row in table.rows:
        if row.exo or not row.target or (row.parameter < 0 and row.ustart is None):
            continue
        free = row.parameter >= 0
        parameters.append(
            {
                "name": names[row.parameter] if free else written_label(row) or row_name(table, row),
                "lhs": row.lhs,
                "op": row.op,
                "rhs": row.rhs,
                "level": level_of(table, row),
                "group": table.groups[row.group - 1] if table.groups != ("",) else "",
                "label": row.label,
                "free": row.parameter + 1 if free else 0,
                "est": float(fit.theta[row.parameter]) if free else row.ustart,
                "se": _number(se[row.parameter]) if free else None,
                "ids": [row.id],
            }
        )
    n = table.n_parameters
    return {
        "converged": fit.converged,
        "loglik": fit.loglik,
        "n_free": n,
        "n_rows": fit.n_rows,
        "method": fit.method,
        "parameters": parameters,
        "defined": _defined(table, fit),
        "information": {"aic": 2 * n - 2 * fit.loglik, "bic": n * math.log(max(fit.n_rows, 1.0)) - 2 * fit.loglik},
    }


def _defined(table: ParameterTable, fit: PlainFit) -> list[Json]:
    """Return defined parameters with standard errors by the delta method."""
    n = table.n_parameters
    unit = np.vstack([np.eye(n), np.zeros(n)])  # the last for what is fixed
    known = [*fit.theta.tolist(), 0.0]
    labels = {
        r.label: Dual(known[r.parameter] if r.parameter >= 0 else r.ustart or 0.0, unit[r.parameter])
        for r in table.rows
        if r.label
    }
    out = []
    for d, value in zip(table.defined, evaluate_defined(table.defined, labels, n).values()):
        variance = float(value.gradient @ fit.vcov @ value.gradient)
        se = math.sqrt(variance) if variance >= 0 else math.nan
        out.append(
            {"name": d.name, "lhs": d.name, "op": ":=", "rhs": d.text, "est": _number(value.value), "se": _number(se)}
        )
    return out


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
