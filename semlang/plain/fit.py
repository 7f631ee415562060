"""Maximum likelihood by numpy alone: gaussian models of one level, any responses with up to two latent variables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import ROWS, ParameterTable
from semlang.plain.climb import climb
from semlang.plain.densities import KNOWN
from semlang.plain.gaussian import Gaussian
from semlang.plain.nodes import FINEST, Nodes
from semlang.plain.start import start

Floats = NDArray[np.float64]
NEAR = 1e-5
"""Change of the log-likelihood with twice as many nodes that is let be."""
MOST = 2
"""Latent variables that are integrated over."""


@dataclass(frozen=True)
class PlainFit:
    """Estimates.

    Parameters
    ----------
    theta : (P,), loglik : float
    vcov : (P, P)
        Inverse of the observed information; NaN where that is not positive definite.
    converged : bool
    n_rows : float
        Rows with at least one response, frequencies counted.
    method : str
    settled : bool
        Twice as many nodes would change the log-likelihood by less than `NEAR`.
    """

    theta: Floats
    loglik: float
    vcov: Floats = field(repr=False)
    converged: bool
    n_rows: float
    method: str
    settled: bool = True


class Likelihood:
    """The log-likelihood of all groups.

    Parameters
    ----------
    table, graphs, designs
        A model of one level with its data.
    points : int, optional
        Nodes a dimension, where there are nodes.

    Raises
    ------
    FitError
        ``not-here`` where the model is of another kind.
    """

    def __init__(
        self,
        table: ParameterTable,
        graphs: Sequence[ModelGraph],
        designs: Sequence[Design],
        points: int | None = None,
    ) -> None:
        why = refusal(table, graphs)
        if why:
            raise refused(why)
        self.parts: list[Gaussian | Nodes] = []
        for graph, design in zip(graphs, designs, strict=True):
            whole = reduced_form(graph, lift=True)
            if is_gaussian(table) and not _has_slopes(whole):
                self.parts.append(Gaussian(whole, design))
            else:
                self.parts.append(Nodes(reduced_form(graph), design, table.variables, points))

    @property
    def points(self) -> int:
        """Nodes a dimension; 0 where there are none."""
        return max(part.points for part in self.parts)

    @property
    def dims(self) -> int:
        """Dimensions of the nodes."""
        return max(len(part.form.disturbances) for part in self.parts)

    @property
    def n_rows(self) -> float:
        """Rows with at least one response."""
        return sum(part.n for part in self.parts)

    def value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient (P,)."""
        value, gradient = 0.0, np.zeros(theta.size)
        for part in self.parts:
            v, g = part.value_and_gradient(theta)
            value, gradient = value + v, gradient + g
        return value, gradient


def plain_fit(
    table: ParameterTable, graphs: Sequence[ModelGraph], designs: Sequence[Design], points: int | None = None
) -> PlainFit:
    """Estimate a model.

    Raises
    ------
    FitError
        ``not-here`` where the model is of another kind; ``no-start`` where the start values have no likelihood.
    """
    likelihood = Likelihood(table, graphs, designs, points)
    theta = start(table, designs)
    settled = True
    if not math.isfinite(likelihood.value_and_gradient(theta)[0]):
        raise FitError(
            [error("no-start", "the likelihood is not defined at the start values", help="give start values")]
        )
    top = climb(likelihood.value_and_gradient, theta)
    while points is None and top.converged and likelihood.points > 1:
        finer = Likelihood(table, graphs, designs, 2 * likelihood.points - 1)
        if abs(finer.value_and_gradient(top.theta)[0] - top.value) < NEAR:
            break
        if finer.points > FINEST[likelihood.dims]:
            settled = False
            break
        likelihood = finer
        top = climb(likelihood.value_and_gradient, top.theta)
    vcov = np.full(top.hessian.shape, np.nan)
    if top.converged and theta.size:
        vcov = np.linalg.inv(-top.hessian)
    method = "maximum likelihood by numpy, " + likelihood.parts[0].method
    return PlainFit(top.theta, top.value, vcov, top.converged, likelihood.n_rows, method, settled)


def refused(why: str) -> FitError:
    """Return the finding that a model is not for this estimator."""
    return FitError(
        [error("not-here", f"{why}: a browser does not fit that", help="semlang serve, the same page, fits it")]
    )


def is_gaussian(table: ParameterTable) -> bool:
    """Whether every response is gaussian with the identity link."""
    return all(v.is_gaussian for v in table.responses)


def _has_slopes(form: ReducedForm) -> bool:
    return bool(np.any(form.loading_cells[:, 1]))


def refusal(table: ParameterTable, graphs: Sequence[ModelGraph]) -> str:
    """Return what of a model this estimator does not know, '' where it knows all."""
    for v in table.variables.values():
        if v.level != ROWS or table.clusters:
            return "the model has several levels"
        if v.role != "response":
            if not v.kind.continuous:
                return f"{v.key} is discrete"
            if "observed" in v.arguments:
                return f"{v.key} is known for some"
            continue
        if v.link not in (*KNOWN.get(v.kind.name, ()), ""):
            return f"{v.key} is {v.kind.name}({v.link})" if v.link else f"{v.key} is {v.kind.name}"
        if v.kind.name not in KNOWN or set(v.arguments) - {"success", "level"}:
            return f"{v.key} is {v.kind.name} with {', '.join(sorted(set(v.arguments) - {'level'}))}"
    if table.relations:
        return "there are constraints"
    if table.weights or set(table.frequency) - {ROWS}:
        return "there are sampling weights"
    for r in table.rows:
        if r.quantity:
            return f"{r.quantity}({r.target}) is modelled"
        if r.moderators or r.klass or r.efa or r.rv or r.op == "<~":
            return "there are products of latent variables, classes, exploratory blocks or composites"
        if r.parameter >= 0 and (r.lower is not None or r.upper is not None):
            return "parameters have bounds"
        if r.category:
            return "there are nominal responses"
        if any(c.function == "factor" for c in r.via):
            return "a factor has no levels"
    for graph in graphs:
        form = reduced_form(graph)
        if is_gaussian(table) and not _has_slopes(reduced_form(graph, lift=True)):
            continue
        if len(form.disturbances) > MOST:
            return f"the model has {len(form.disturbances)} latent variables"
        if (form.theta.i != form.theta.j).any():
            return "residuals covary"
    return ""
