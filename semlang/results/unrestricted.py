"""The unrestricted model beside a fit: what fit measures and residuals compare with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.gaussian.one_level import OneLevel
from semlang.estimation.gaussian.saturated import Saturated, saturated
from semlang.estimation.member import Infeasible
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Product

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["Unrestricted", "unrestricted"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Unrestricted:
    """Unrestricted and baseline models of all groups.

    Parameters
    ----------
    forms : tuple of ReducedForm
        Of the fit, by group.
    groups : tuple of Saturated
    baseline, baseline_parameters
        Log-likelihood and number of parameters of the independence model.
    """

    forms: tuple[ReducedForm, ...]
    groups: tuple[Saturated, ...]
    baseline: float
    baseline_parameters: int

    @property
    def loglik(self) -> float:
        """Log-likelihood of the unrestricted model."""
        return sum(g.loglik for g in self.groups)

    @property
    def n_parameters(self) -> int:
        """Its number of parameters."""
        return sum(g.n_parameters for g in self.groups)

    @property
    def n(self) -> float:
        """Rows with a response, frequencies counted."""
        return sum(g.n for g in self.groups)

    def names(self, group: int) -> tuple[str, ...]:
        """Return the names of a group's moments: responses, then covariates."""
        form = self.forms[group]
        return (*form.responses, *(_name(p) for p in form.mean_columns[1:]))

    def moments(self, fit: Fit, group: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Return observed and implied covariance matrices and means of responses and covariates."""
        form, free = self.forms[group], self.groups[group]
        theta = fit.estimate.theta
        slots = form.slots(theta)
        m, L = form.mean(slots), form.loadings(slots)[:, 0]
        S = L @ form.psi.matrix(theta) @ L.T + form.theta.matrix(theta)
        model = Saturated(0.0, free.n, m, S, free.xx, 0)
        observed = np.concatenate([free.mean, free.xx[0, 1:]])
        return free.covariance, model.covariance, observed, np.concatenate([model.mean, free.xx[0, 1:]])

    def residual_means(self, fit: Fit) -> tuple[float, float]:
        """Return the root mean square residual, raw and standardised (Bentler 1995), weighted by group size."""
        raw = standard = 0.0
        for g, free in enumerate(self.groups):
            observed, implied, mean, implied_mean = self.moments(fit, g)
            sd = np.sqrt(np.diag(observed))
            lower = np.tril_indices(len(observed))
            R, r = observed - implied, mean - implied_mean
            count = lower[0].size + r.size
            raw += free.n * math.sqrt((np.sum(R[lower] ** 2) + np.sum(r**2)) / count)
            standard += free.n * math.sqrt((np.sum((R / np.outer(sd, sd))[lower] ** 2) + np.sum((r / sd) ** 2)) / count)
        return raw / self.n, standard / self.n


def unrestricted(fit: Fit) -> Unrestricted | str:
    """Return the unrestricted model of a fit, or why there is none."""
    known = fit.__dict__.get("_unrestricted")
    if known is None:
        known = fit.__dict__["_unrestricted"] = _unrestricted(fit)
    answer: Unrestricted | str = known
    return answer


def _unrestricted(fit: Fit) -> Unrestricted | str:
    if not fit.designs:
        return "the rows of the fit lie in partitions"
    for v in fit.table.responses:
        if not v.is_gaussian:
            return f"'{v.name}' is not gaussian, so there is no unrestricted covariance matrix to compare with"
        if v.arguments.get("censored") or v.arguments.get("interval"):
            return f"'{v.name}' is censored, so there is no unrestricted covariance matrix to compare with"
    if any(g.others for g in fit.graphs):
        return "the model is not linear in its latent variables, so its moments are not all that it says"
    if any(d.weights for d in fit.designs):
        return "sampling weights make the log-likelihood a pseudo-likelihood, whose ratio is not chi-squared"
    forms = tuple(reduced_form(g, lift=True) for g in fit.graphs)
    for form, design in zip(forms, fit.designs, strict=True):
        if form.quantities:
            return "a residual variance depends on covariates, so no unrestricted model contains this one"
        if form.moderated:
            return "a variance or covariance depends on covariates, so no unrestricted model contains this one"
        if any(z.level != "rows" for z in form.disturbances):
            return "there are latent variables of clusters; measures are defined for one level"
        if not OneLevel.supports(form, design):
            return "a random slope makes the covariance matrix differ between rows"
        if any(c.response for p in form.mean_columns for c in p):
            return "a function of a response is a predictor, so the responses are not jointly normal"
    try:
        both = [saturated(f, d) for f, d in zip(forms, fit.designs, strict=True)]
    except (Infeasible, np.linalg.LinAlgError) as problem:
        return str(problem)
    alone = [independent for _, independent in both]
    groups = tuple(free for free, _ in both)
    return Unrestricted(forms, groups, sum(a.loglik for a in alone), sum(a.n_parameters for a in alone))


def _name(product: Product) -> str:
    return ":".join(c.name for c in product)
