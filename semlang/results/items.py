"""Responses as items: probabilities of their categories at the nodes of the latent variables of rows."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.distributions import Quantities, expected, has_distribution, transform
from semlang.estimation.linear_predictors import addend_of, distribution_rows, linear_predictors
from semlang.estimation.predictors import Predictors
from semlang.graph.model_graph import ModelGraph
from semlang.model.nearest import did_you_mean
from semlang.model.table import ROWS, Row, Variable
from semlang.results.scores import predictors_of

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["Items", "group_named", "item_named", "latent_of", "mean_design", "refuse"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NODES = {1: 61, 2: 25, 3: 15}
"""Nodes a dimension of the prior, by number of dimensions."""


def refuse(what: str, why: str) -> FitError:
    """Return the finding about a result that has no meaning for the model."""
    return FitError([error("not-for-this-model", f"{what} is not defined for this model: {why}")])


def item_named(fit: Fit, name: str) -> Variable:
    """Return a response by name.

    Raises
    ------
    FitError
        ``not-a-response``.
    """
    for v in fit.table.responses:
        if name in (v.name, v.key):
            return v
    names = [v.name for v in fit.table.responses]
    raise FitError(
        [error("not-a-response", f"'{name}' is no response of the model",
               help=did_you_mean(name, names) or f"it has {', '.join(names[:8])}")]
    )  # fmt: skip


def group_named(fit: Fit, name: str | None) -> int:
    """Return the number of a group, of the first where no name is given.

    Raises
    ------
    FitError
        ``unknown-group``.
    """
    if name is None:
        return 0
    names = [d.group for d in fit.designs]
    if name in names and len(names) > 1:
        return names.index(name)
    known = f"it has {', '.join(names)}" if len(names) > 1 else "it has no groups"
    raise FitError(
        [error("unknown-group", f"'{name}' is no group of the model", help=did_you_mean(name, names) or known)]
    )


def latent_of(fit: Fit, item: Variable, name: str | None = None) -> Variable:
    """Return the latent variable that an item measures: the one of that name, or the first.

    Raises
    ------
    FitError
        ``not-a-latent``, ``not-for-this-model``.
    """
    if is_conditional(fit.table):
        raise refuse("a curve", "it has classes, products of latent variables or latent scales")
    if not has_distribution(item):
        raise refuse("a curve", f"expected values of {item.kind.described} response are not computed yet")
    sources = [p.source for p in fit.graphs[0].into(item.key) if p.source and not p.is_zero and not p.via]
    found = [fit.table.variables[s] for s in sources]
    if name is not None:
        for v in fit.table.latents:
            if name in (v.name, v.key):
                return v
        raise FitError(
            [error("not-a-latent", f"'{name}' is no latent variable of the model",
                   help=did_you_mean(name, [v.name for v in fit.table.latents]) or ())]
        )  # fmt: skip
    if not found:
        raise refuse(f"the curve of '{item.name}'", "the response measures no latent variable")
    return next((v for v in found if v.measured), found[0])


def mean_design(design: Design) -> Design:
    """Return a design of one row, its covariates at their means."""
    columns = {p: np.array([np.nanmean(x) if not np.isnan(x).all() else np.nan]) for p, x in design.columns.items()}
    exposure = {k: np.array([np.nanmean(x)]) for k, x in design.exposure.items()}
    return replace(design, n_rows=1, columns=columns, exposure=exposure)


def probabilities_at(fit: Fit, item: Variable, latent: Variable, at: Floats, group: int = 0) -> Floats:
    """Return means or category probabilities (at, categories), covariates at their means, other disturbances 0."""
    graph, design = fit.graphs[group], mean_design(fit.designs[group])
    theta = fit.estimate.theta
    nu = np.array([linear_predictors(graph, design, theta, {latent.key: float(x)})[item.key][..., 0] for x in at]).T
    cuts, q = thresholds_of(fit, graph, design, item), quantities_of(fit, graph, design, item)
    return np.stack(expected(item, nu, q, None if cuts is None else np.repeat(cuts, at.size, axis=1)), axis=1)


def thresholds_of(fit: Fit, graph: ModelGraph, design: Design, item: Variable) -> Floats | None:
    """Return the thresholds of an item (S, n_rows), None where it has none."""
    rows = [r for r in graph.thresholds if r.target == item.key]
    if not rows:
        return None
    out = np.zeros((max(r.threshold for r in rows), design.n_rows))
    for r in rows:
        out[r.threshold - 1] += _addend(fit, design, r)
    return out


def quantities_of(fit: Fit, graph: ModelGraph, design: Design, item: Variable) -> Quantities:
    """Return the distribution parameters of a response by name, (n_rows,) each; a residual SD is ``sigma``."""
    sums: dict[str, Floats] = {}
    for name, rows in distribution_rows(graph, item.key)[0].items():
        sums[name] = np.zeros(design.n_rows) + sum(_addend(fit, design, r) for r in rows)
    out = {name: transform(name, value) for name, value in sums.items()}
    if item.kind.residual and "sigma" not in out:
        c = next(c for c in graph.covariances if c.a == c.b == item.key)
        value = fit.estimate.theta[c.parameter] if c.parameter >= 0 else c.value
        out["sigma"] = np.full(design.n_rows, np.sqrt(max(float(value), 0.0)))
    return out


def _addend(fit: Fit, design: Design, r: Row) -> Any:
    if r.op in ("~*~", "~~"):
        return addend_of(r, {}, 1.0, fit.estimate.theta)
    value = fit.estimate.theta[r.parameter] if r.parameter >= 0 else r.ustart or 0.0
    return value * (design.columns[r.via] if r.via else 1.0)


@cache
def _rule(points: int) -> tuple[Floats, Floats]:
    return np.polynomial.hermite_e.hermegauss(points)


class Items:
    """Items of one group whose probabilities depend on latent variables of rows alone.

    Parameters
    ----------
    fit : Fit
    what : str
        What is computed, for findings.
    predictors : Predictors, optional
        At the parameters of the fit; default: they are made.

    Attributes
    ----------
    items : tuple of Variable
    sizes : tuple of int
        Numbers of categories.
    y : (n, K) ints
        Categories from 0, -1 where missing.
    weight : (n,) floats
        Frequencies.
    v : (Q, D) floats
        Nodes, standard normal; `prior` (Q,) their probabilities.

    Raises
    ------
    FitError
        ``not-for-this-model``.
    """

    def __init__(self, fit: Fit, what: str, predictors: Predictors | None = None) -> None:
        table, design = fit.table, fit.designs[0]
        if is_conditional(table):
            raise refuse(what, "it has classes, products of latent variables or latent scales")
        if len(fit.designs) > 1:
            raise refuse(what, "there are several groups; fit them one by one")
        for v in table.responses:
            trials = v.arguments.get("trials", 1)
            if not (v.kind.ordered) or trials != 1:
                raise refuse(what, f"'{v.name}' is {v.kind.described} response, not binary or with ordered categories")
        p = predictors or predictors_of(fit, fit.designs)[0]
        layers = p.member.layers
        if not layers or any(layer.level != ROWS for layer in layers):
            raise refuse(what, "the latent variables are not of rows")
        if design.weights:
            raise refuse(what, "there are sampling weights")
        self.fit, self.predictors = fit, p
        self.items = tuple(table.variables[k] for k in p.form.responses)
        self.sizes = tuple(2 if v.kind.binary else len(design.categories[v.key]) for v in self.items)
        self.weight: Floats = np.asarray(design.frequency.get(ROWS, np.ones(design.n_rows)), dtype=np.float64)
        self.y: Ints = np.stack(
            [
                np.where(np.isnan(design.responses[v.key]), -1, np.nan_to_num(design.responses[v.key]))
                for v in self.items
            ],
            axis=1,
        ).astype(np.int64)
        self.o, self.A = self._constant(p, what)
        D = self.A.shape[1]
        if D not in NODES:
            raise refuse(what, f"it has {D} dimensions; it is computed for at most {max(NODES)}")
        self.quantities = [
            quantities_of(fit, fit.graphs[0], p.design, v) if v.kind.quantities else {} for v in self.items
        ]
        for v, q in zip(self.items, self.quantities, strict=True):
            if any(np.ptp(x) > 0.0 for x in q.values()):
                raise refuse(what, f"a distribution parameter of '{v.name}' depends on covariates")
        self.quantities = [{name: x[:1] for name, x in q.items()} for q in self.quantities]
        x, w = _rule(NODES[D])
        grids = np.meshgrid(*[x] * D, indexing="ij")
        self.v = np.stack([g.ravel() for g in grids], axis=1)
        self.prior = np.prod([g.ravel() for g in np.meshgrid(*[w / w.sum()] * D, indexing="ij")], axis=0)

    def _constant(self, p: Predictors, what: str) -> tuple[Floats, Floats]:
        """Return o (K,) and A (K, D) of each item, the same for all rows; blocks of one coordinate are spread."""
        layers = p.member.layers
        blocks = max(layers[0].block) if layers[0].block else 0
        own = blocks or layers[0].dims
        rest = sum(layer.dims for layer in layers[1:])
        o, A = np.zeros(len(self.items)), np.zeros((len(self.items), own + rest))
        for k in range(len(self.items)):
            i = p.rows_of(k)
            nu, a = p.inputs.o[i], p.inputs.A[:, i]
            if np.ptp(nu) > 1e-9 * (1 + np.abs(nu).max()) or (np.ptp(a, axis=1) > 1e-9 * (1 + np.abs(a).max())).any():
                raise refuse(what, "the probabilities depend on covariates, so rows can't be compared")
            if (p.inputs.scale[i] != 1.0).any():
                raise refuse(what, "a residual scale depends on covariates")
            o[k] = nu[0]
            if blocks:
                b = layers[0].block[k]
                if b:
                    A[k, b - 1] = a[0, 0]
                A[k, blocks:] = a[1:, 0]
            else:
                A[k] = a[:, 0]
        return o, A

    def probabilities(self, v: Floats, o: Floats | None = None, A: Floats | None = None) -> list[Floats]:
        """Return the probabilities of the categories of each item at some v (n, D): (n, categories) each."""
        o, A = self.o if o is None else o, self.A if A is None else A
        out = []
        for k, item in enumerate(self.items):
            nu = o[k] + v @ A[k]
            cuts = None
            if item.kind.thresholds:
                cuts = np.repeat(self.thresholds(k)[:, None], nu.size, axis=1)
            p = np.stack(expected(item, nu, self.quantities[k], cuts), axis=1)
            out.append(np.column_stack([1.0 - p[:, 0], p[:, 0]]) if item.kind.binary else p)
        return out

    def thresholds(self, k: int) -> Floats:
        """Return the thresholds of an item."""
        return np.asarray(self.predictors.thresholds(k)[:, 0])

    @cached_property
    def at_nodes(self) -> list[Floats]:
        """Probabilities of the categories of each item at the nodes, (Q, categories) each."""
        return self.probabilities(self.v)

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Which rows have all responses."""
        return np.asarray((self.y >= 0).all(axis=1), dtype=np.bool_)

    @cached_property
    def posterior(self) -> Floats:
        """Posterior probabilities of the nodes, (n, Q)."""
        log = np.tile(np.log(self.prior), (len(self.y), 1))
        for k, p in enumerate(self.at_nodes):
            known = self.y[:, k] >= 0
            log[known] += np.log(np.maximum(p, 1e-300)).T[self.y[known, k]]
        log -= log.max(axis=1, keepdims=True)
        out = np.exp(log)
        return np.asarray(out / out.sum(axis=1, keepdims=True))

    @cached_property
    def estimates(self) -> Floats:
        """Posterior means of v, (n, D)."""
        return np.asarray(self.posterior @ self.v)

    def n_parameters(self, k: int) -> int:
        """Number of free parameters that belong to one item alone."""
        users: dict[int, set[str]] = {}
        for row in self.fit.table.rows:
            if row.parameter >= 0:
                users.setdefault(row.parameter, set()).add(row.target)
        return sum(1 for who in users.values() if who == {self.items[k].key})
