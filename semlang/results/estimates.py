"""The table of estimates, for journals and for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from semlang.model.parameter_names import row_name, written_label
from semlang.model.table import ROWS, Row
from semlang.results.headline import equals
from semlang.results.latent_response import latent_response, why_none
from semlang.results.shared_thresholds import shared_thresholds
from semlang.results.standardized import standardized_estimates
from semlang.results.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["augment", "estimates", "glance", "tidy"]

GLANCE = {
    "logl": "logLik", "aic": "AIC", "bic": "BIC", "npar": "npar", "chisq": "chisq", "df": "df", "pvalue": "p.value",
    "cfi": "cfi", "tli": "tli", "rmsea": "rmsea", "rmsea.ci.lower": "rmsea.conf.low",
    "rmsea.ci.upper": "rmsea.conf.high", "srmr": "srmr",
}  # fmt: skip
"""Names of measures in broom's tables."""


def estimates(fit: Fit, standardized: bool) -> Table:
    """Return the estimates as they are printed: parameter, estimate, standard error, z, p.

    Parameters
    ----------
    fit : Fit
    standardized : bool
        Also the column ``std.all``.
    """
    columns = ["parameter", "estimate", "std. error", "z", "p"]
    standard = standardized_estimates(fit, "all") if standardized else []
    given = fit.params.to_dict("records")
    lines = shared_thresholds(fit.reported_rows)
    names = [_name(fit, row) for row, _ in lines] + [f"{d.name} := {d.text}" for d in fit.estimate.defined]
    places = [places for _, places in lines] + [[k] for k in range(len(fit.reported_rows), len(given))]
    records = []
    for name, which in zip(names, places, strict=True):
        row = given[which[0]]
        free = bool(row["free"]) or row["op"] == ":="
        values = {standard[k] for k in which if k < len(standard)}
        records.append(
            {"parameter": name, "estimate": row["est"], "std. error": row["se"] if free else None,
             "z": row["z"] if free else None, "p": row["p"] if free else None,
             "std.all": values.pop() if len(values) == 1 else None}
        )  # fmt: skip
    measures = fit.measures()
    words = [f"log-likelihood {fit.loglik:.2f}", f"{fit.n_free} parameters", f"{fit.estimate.n_rows} rows"]
    if "chisq" in measures and measures["df"] > 0:
        words.append(f"chi-squared({measures['df']:.0f}) = {measures['chisq']:.2f}, p {equals(measures['pvalue'])}")
        words += [f"CFI {measures['cfi']:.3f}"] if "cfi" in measures else []
        words += [
            f"RMSEA {measures['rmsea']:.3f} [{measures['rmsea.ci.lower']:.3f}, {measures['rmsea.ci.upper']:.3f}]",
            f"SRMR {measures['srmr']:.3f}",
        ]
    notes = (", ".join(words) + f"; {fit.estimate.method}.", *(_without(fit) if standardized else ()))
    return Table.of([*columns, *(["std.all"] if standardized else [])], records, notes, "Estimates")


def _name(fit: Fit, row: Row) -> str:
    """Return the row and, in brackets, its label."""
    label = written_label(row)
    return f"{row_name(fit.table, row)} ({label})" if label else row_name(fit.table, row)


def _without(fit: Fit) -> list[str]:
    """Return why responses have no standardised values."""
    none = [v for v in fit.table.responses if latent_response(v) is None]
    return [f"{v.name} has no standardised values: {why_none(v)}." for v in none]


def tidy(fit: Fit) -> Table:
    """Return one line a parameter with broom's columns.

    ``term op estimate std.error statistic p.value conf.low conf.high std.lv std.all label level group``; intervals are
    Wald's with 95 percent.
    """
    standard = {which: standardized_estimates(fit, which) for which in ("lv", "all")}
    records = []
    for k, row in enumerate(fit.params.to_dict("records")):
        known = np.isfinite(row["se"])
        records.append(
            {"term": row["name"], "op": row["op"], "estimate": row["est"], "std.error": row["se"],
             "statistic": row["z"], "p.value": row["p"],
             "conf.low": row["est"] - 1.959963984540054 * row["se"] if known else None,
             "conf.high": row["est"] + 1.959963984540054 * row["se"] if known else None,
             "std.lv": standard["lv"][k] if k < len(standard["lv"]) else None,
             "std.all": standard["all"][k] if k < len(standard["all"]) else None,
             "label": row["label"], "level": row["level"], "group": row["group"]}
        )  # fmt: skip
    columns = (
        "term", "op", "estimate", "std.error", "statistic", "p.value", "conf.low", "conf.high", "std.lv", "std.all",
        "label", "level", "group",
    )  # fmt: skip
    return Table.of(columns, records)


def glance(fit: Fit) -> Table:
    """Return one line with broom's columns: ``nobs logLik AIC BIC npar converged`` and measures."""
    measures = fit.measures()
    record: dict[str, Any] = {"nobs": fit.estimate.n_rows, "converged": fit.converged, "estimator": "ML"}
    record |= {name: float(measures[key]) for key, name in GLANCE.items() if key in measures}
    return Table.of(tuple(record), [record])


def augment(fit: Fit) -> pd.DataFrame:
    """Return the data with broom's columns: ``.fitted`` and ``.resid`` of each response, ``.f`` scores of rows and the
    most probable class of a class variable.

    Fitted values are expectations given the posterior of the unit; of several responses the columns have their names
    behind them, ``.fitted.y``. Ordinal responses have the expected number of their category, from 0; nominal ones the
    probability of each category, ``.fitted=category``, and no residual. ``.resid`` is
    observed less fitted, of binomial responses with trials in successes; censored durations have none.
    """
    assert fit.origin is not None
    out = fit.origin.recipe.frame.copy()
    fitted = fit.predict(kind="conditional")
    several = len(fit.table.responses) > 1
    for v in fit.table.responses:
        end = f".{v.name}" if several else ""
        names = [c for c in fitted.columns if c == v.name or str(c).startswith(f"{v.name}=")]
        values = fitted[names].to_numpy()
        if v.kind.nominal:
            for name in names:
                out[f".fitted{end}={name.split('=', 1)[1]}"] = fitted[name].to_numpy()
            continue
        mean = values @ np.arange(len(names)) if v.kind.thresholds else values[:, 0].copy()
        observed = np.full(len(out), np.nan)
        for design in fit.designs:
            ended = design.event.get(v.key, np.ones(design.n_rows)) == 1.0
            observed[design.row] = np.where(ended, design.responses[v.key], np.nan)
            if v.key in design.trials:
                mean[design.row] = mean[design.row] * design.trials[v.key]
        out[f".fitted{end}"], out[f".resid{end}"] = mean, observed - mean
    if any(v.kind.name == "class" for v in fit.table.latents):
        for key, classes in fit.class_probabilities().items():
            if fit.table.variables[key].level == ROWS:
                out[f".{fit.table.variables[key].name}"] = classes["class"]
    if any(v.kind.name != "class" for v in fit.table.latents):
        scores = fit.scores().get("rows")
        if scores is not None:
            for name in scores.columns:
                out[f".{name}"] = scores[name]
    return out
