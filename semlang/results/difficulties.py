"""Slopes and difficulties of items, as item response theory writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.results.implied import Implied, by_complex_step, refuse_conditional
from semlang.results.items import refuse
from semlang.results.standardized import delta
from semlang.results.table import Table

if TYPE_CHECKING:
    from semlang.model.table import Variable
    from semlang.results.fit import Fit

__all__ = ["difficulties"]

Numbers = NDArray[Any]


def difficulties(fit: Fit) -> Table:
    """Return slopes and difficulties of items with ordered categories that measure one latent variable.

    With f standardised, z = (f - mean) / SD, the predictor is a (z - b): a = l SD and b = -(nu + l mean) / (l SD) of a
    binary item with loading l and intercept nu; the difficulty of step s of an item with thresholds (cumulative,
    adjacent or sequential) is (tau_s - l mean) / (l SD). Standard errors by the delta method.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Table
        ``item latent group parameter est se``; parameters are ``slope``, ``difficulty`` or ``difficulty 1``, ...
    """
    refuse_conditional(fit.table)
    names: list[tuple[str, str, str, str]] = []
    implied = [Implied(g, d) for g, d in zip(fit.graphs, fit.designs, strict=True)]
    used = [(n, v, _latent(fit, n, v)) for n in range(len(fit.graphs)) for v in fit.table.responses]
    kept = [(n, v, f) for n, v, f in used if f is not None]
    if not kept:
        raise refuse("a difficulty", "no response with two or ordered categories measures exactly one latent variable")

    def values(theta: Numbers) -> Numbers:
        out: list[Any] = []
        names.clear()
        moments = [(i.mean(theta), i.covariance(theta)) for i in implied]
        for n, v, f in kept:
            mean, covariance = moments[n]
            place = implied[n].place
            graph, group = fit.graphs[n], fit.designs[n].group
            sd = np.sqrt(covariance[place[f], place[f]])
            path = next(p for p in graph.into(v.key) if p.source == f)
            loading = theta[path.parameter] if path.parameter >= 0 else theta.dtype.type(path.value)
            at_mean = loading * mean[place[f]]
            intercept = mean[place[v.key]] - at_mean
            latent = fit.table.variables[f].name
            out.append(loading * sd)
            names.append((v.name, latent, group, "slope"))
            if v.kind.binary:
                out.append(-(intercept + at_mean) / (loading * sd))
                names.append((v.name, latent, group, "difficulty"))
                continue
            rows = [r for r in graph.thresholds if r.target == v.key and r.op == "|"]
            for r in sorted(rows, key=lambda r: r.threshold):
                cut = theta[r.parameter] if r.parameter >= 0 else theta.dtype.type(r.ustart or 0.0)
                out.append((cut - intercept - at_mean) / (loading * sd))
                names.append((v.name, latent, group, f"difficulty {r.threshold}"))
        return np.array(out)

    with np.errstate(divide="ignore", invalid="ignore"):
        est, jacobian = by_complex_step(values, fit.estimate.theta)
    records = [
        {"item": i, "latent": f, "group": g, "parameter": p, "est": e, "se": delta(fit.estimate.vcov, gradient)}
        for (i, f, g, p), e, gradient in zip(names, est.tolist(), jacobian, strict=True)
    ]
    return Table.of(("item", "latent", "group", "parameter", "est", "se"), records, (), "Slopes and difficulties")


def _latent(fit: Fit, group: int, v: Variable) -> str | None:
    """Return the key of the only latent variable that a response with ordered categories measures."""
    if not v.kind.ordered:
        return None
    sources = [p.source for p in fit.graphs[group].into(v.key) if p.source and not p.is_zero]
    return sources[0] if len(sources) == 1 and fit.table.variables[sources[0]].measured else None
