"""Standardised solutions with standard errors by the delta method."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.constraints import labels_at
from semlang.estimation.expressions import Dual, evaluate_defined
from semlang.model.parameter_names import level_of
from semlang.model.table import Row
from semlang.results.implied import Implied, by_complex_step, refuse_conditional
from semlang.results.summary import two_sided
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["WHICH", "standardized", "standardized_estimates"]

Floats = NDArray[np.float64]
Numbers = NDArray[Any]

WHICH = ("all", "lv", "nox")
COLUMNS = ("lhs", "op", "rhs", "level", "group", "est.std", "se", "z", "p")


def standardized(fit: Fit, which: str = "all") -> Table:
    """Return the standardised solution.

    A path from b to a is multiplied by SD(b) / SD(a), a variance divided by the variance of its variable, a covariance
    by the standard deviations of the two disturbances, intercepts and thresholds by the SD of their variable. SDs are
    those that the model implies, averaged over the covariates of the data. Responses that are not gaussian stand for
    their latent response (residual variance pi^2/3 with the logit link, 1 with probit, pi^2/6 with cloglog and loglog;
    `semlang.results.latent_response`): a nominal one has one a category, and durations are logarithms.
    Inside lavaan's level blocks a response stands for its part of that level.

    Parameters
    ----------
    fit : Fit
    which : {'all', 'lv', 'nox'}
        All variables; latent variables alone; all but observed covariates.

    Returns
    -------
    Table
        ``lhs op rhs level group est.std se z p``; standard errors sqrt(diag(J V J')) with J the exact derivatives.
        What can't be standardised is left out, and a note says why.
    """
    refuse_conditional(fit.table)
    theta = fit.estimate.theta
    implied = [Implied(g, d) for g, d in zip(fit.graphs, fit.designs, strict=True)]
    rows = list(fit.reported_rows)
    scales = [_Scales(i, which) for i in implied]
    notes: dict[str, None] = {}

    def values(at: Numbers) -> Numbers:
        groups = [s.at(at) for s in scales]
        out = []
        for row in rows:
            est = at[row.parameter] if row.parameter >= 0 else at.dtype.type(row.ustart)
            out.append(est * groups[row.group - 1].factor(row))
        return np.array(out)

    with np.errstate(divide="ignore", invalid="ignore"):
        est, jacobian = by_complex_step(values, theta)
    for i in implied:
        notes.update((f"{key} is left out: {why}", None) for key, why in i.undefined.items() if which != "lv")
    records = []
    for row, value, gradient in zip(rows, est.tolist(), jacobian, strict=True):
        if math.isfinite(value):
            records.append(_record(fit, row, value, gradient))
        elif not any(i.key(row) in i.undefined for i in implied):
            notes[f"{row.lhs} {row.op} {row.rhs} is left out: a variance is not positive"] = None
    records += _defined(fit, rows, est, jacobian)
    titles = {"all": "all variables", "lv": "latent variables", "nox": "all variables but covariates"}
    return Table.of(COLUMNS, records, tuple(notes), f"Standardised solution ({titles[which]})")


def standardized_estimates(fit: Fit, which: str) -> list[float | None]:
    """Return the standardised value of every reported row, without standard errors; None where there is none.

    Parameters
    ----------
    fit : Fit
    which : {'all', 'lv', 'nox'}
    """
    if is_conditional(fit.table):
        return [None] * len(fit.reported_rows)
    theta = fit.estimate.theta.astype(np.complex128)
    out: list[float | None] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        groups = [_ScalesAt(Implied(g, d), which, theta) for g, d in zip(fit.graphs, fit.designs, strict=True)]
        for row in fit.reported_rows:
            est = theta[row.parameter] if row.parameter >= 0 else row.ustart
            value = float(np.real(est * groups[row.group - 1].factor(row)))
            out.append(value if math.isfinite(value) else None)
    return out


def _record(fit: Fit, row: Row, value: float, gradient: Floats) -> dict[str, Any]:
    several = fit.table.groups != ("",)
    return {
        "lhs": row.lhs, "op": row.op, "rhs": row.rhs, "level": level_of(fit.table, row),
        "group": fit.table.groups[row.group - 1] if several else "",
    } | _uncertain(fit, value, gradient)  # fmt: skip


def _uncertain(fit: Fit, value: float, gradient: Floats) -> dict[str, Any]:
    """Return a value with its standard error; None where it is the same whatever the data."""
    se = delta(fit.estimate.vcov, gradient)
    known = se is not None and se > 1e-12 * max(1.0, abs(value))
    z = value / se if known and se else None
    return {"est.std": value, "se": se if known else None, "z": z, "p": None if z is None else two_sided(z)}


def delta(vcov: Floats | None, gradient: Floats) -> float | None:
    """Return sqrt(g' V g); None where there is no V, or a parameter that matters has no standard error."""
    if vcov is None:
        return None
    unknown = np.isnan(np.diag(vcov))
    if np.abs(gradient[unknown]).max(initial=0.0) > 1e-10:
        return None
    variance = float(gradient @ np.nan_to_num(vcov) @ gradient)
    return math.sqrt(variance) if variance >= 0.0 and math.isfinite(variance) else None


def _defined(fit: Fit, rows: list[Row], est: Floats, jacobian: Floats) -> list[dict[str, Any]]:
    """Evaluate defined parameters at the standardised values of their labels, as lavaan does."""
    if not fit.table.defined:
        return []
    n = fit.estimate.theta.size
    labels = dict(labels_at(fit.table, fit.estimate.theta))
    for d in fit.table.defined:
        labels.pop(d.name, None)
    for row, value, gradient in reversed(list(zip(rows, est.tolist(), jacobian, strict=True))):
        for name in (row.label, row.plabel):
            if name:
                labels[name] = Dual(value, gradient)
    values = evaluate_defined(fit.table.defined, labels, n)
    out = []
    for d in fit.table.defined:
        dual = values[d.name]
        if math.isfinite(dual.value):
            entry = {"lhs": d.name, "op": ":=", "rhs": d.text, "level": "", "group": ""}
            out.append(entry | _uncertain(fit, dual.value, dual.gradient))
    return out


class _Scales:
    """Standard deviations of one group's variables."""

    def __init__(self, implied: Implied, which: str) -> None:
        self.implied, self.which = implied, which

    def at(self, theta: Numbers) -> _ScalesAt:
        return _ScalesAt(self.implied, self.which, theta)


class _ScalesAt:
    """Factors of the rows of one group at given parameters."""

    def __init__(self, implied: Implied, which: str, theta: Numbers) -> None:
        self.implied, self.which = implied, which
        self.total = implied.variances(theta)
        self.within = self.total
        if implied.graph.table.clusters:
            self.within = implied.variances(theta, above=False)
        self.own = implied.disturbance_variances(theta)
        self.one = theta.dtype.type(1)

    def sd(self, key: str, row: Row) -> Any:
        """Return the SD that a variable is divided by: 1 where it keeps its scale."""
        variable = self.implied.graph.table.variables[key]
        if self.which == "lv" and variable.role == "response":
            return self.one
        if key in self.implied.undefined:
            return self.one * math.nan
        variances = self.within if row.level == 1 and variable.role == "response" else self.total
        return root(variances[self.implied.place[key]])

    def factor(self, row: Row) -> Any:
        """Return what the estimate of a row is multiplied by."""
        if row.op == "~~":
            return self._covariance(row)
        if row.quantity:
            return self.one
        out = self.one / self.sd(self.implied.key(row), row)
        if row.source:
            out = out * self.sd(row.source, row)
        return out * self._columns(row)

    def _columns(self, row: Row) -> Any:
        """Return the SD of the product of covariates that multiplies a path."""
        observed = [c for c in row.via if c.response and c.function == "identity"]
        out: Any = self.one
        rest = row.via
        if len(observed) == 1 and observed[0].column in self.implied.place:
            out = out * self.sd(observed[0].column, row)
            rest = tuple(c for c in row.via if c is not observed[0])
        if rest and self.which == "all":
            out = out * self.implied.spread(rest, self.implied.graph.table.variables[self.implied.key(row)].level)
        return out

    def _covariance(self, row: Row) -> Any:
        a, b = row.target, row.source or row.target
        if a == b:
            return self.one / self.sd(a, row) ** 2
        out = self.one
        for key in (a, b):
            role = self.implied.graph.table.variables[key].role
            if self.which != "lv" or role != "response":
                out = out / root(self.own[key])
        return out


def root(value: Any) -> Any:
    """Return the square root, NaN where the real part is not positive."""
    return np.sqrt(value) if np.real(value) > 0 else value * math.nan
