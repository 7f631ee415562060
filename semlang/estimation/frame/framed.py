"""The model in the frame, the way back to the table's parameters, and a parametrisation that takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.estimation.frame.columns import FramedColumns, Standard
from semlang.estimation.parameters import Parametrisation
from semlang.estimation.scaling import Scaled
from semlang.graph.model_graph import ModelGraph
from semlang.model.table import Covariate

__all__ = ["Frame", "Framed"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """A model in the frame, and the way back.

    Parameters
    ----------
    graphs, designs : tuples, one a group
    A : (P, P) floats
    b : (P,) floats
        theta = A theta' + b + products.
    products : tuple of (int, int, int, float)
        A parameter takes so many times the product of two others, which have no products of their own.
    changed : mapping from Covariate to Standard
        Covariates that stand for products.
    origins : one a group: mapping from response to its origin
    """

    graphs: tuple[ModelGraph, ...]
    designs: tuple[Design, ...]
    A: Floats
    b: Floats
    products: tuple[tuple[int, int, int, float], ...] = ()
    changed: Mapping[Covariate, Standard] = field(default_factory=dict)
    origins: tuple[Mapping[str, float], ...] = ()

    def design(self, g: int, design: Design) -> Design:
        """Return data of group g, counted from 0, in the frame."""
        return design.moved(self.origins[g], FramedColumns(design.columns, self.changed))

    @cached_property
    def plain(self) -> bool:
        """Whether origins of responses alone have moved: the derivatives of theta are those of theta'."""
        return not self.products and np.array_equal(self.A, np.eye(len(self.A)))

    def _added(self, inside: Floats) -> Floats:
        out = np.zeros(inside.size)
        for p, i, j, value in self.products:
            out[p] += value * inside[i] * inside[j]
        return out

    def theta(self, inside: Floats) -> Floats:
        """Return the table's parameters."""
        moved = inside if self.plain else self.A @ inside
        return np.asarray(moved + self.b + self._added(inside))

    def inside(self, theta: Floats) -> Floats:
        """Return the parameters in the frame."""
        if self.plain:
            return np.asarray(theta - self.b, dtype=np.float64)
        first: Floats = np.asarray(np.linalg.solve(self.A, theta - self.b), dtype=np.float64)
        if not self.products:
            return first
        return np.asarray(first - np.linalg.solve(self.A, self._added(first)), dtype=np.float64)

    def jacobian(self, inside: Floats) -> Floats:
        """Return dtheta/dtheta' (P, P)."""
        out = self.A.copy()
        for p, i, j, value in self.products:
            out[p, i] += value * inside[j]
            out[p, j] += value * inside[i]
        return out

    def carried(
        self, inside: Floats, vcov: Floats | None, scores: Floats | None
    ) -> tuple[Floats, Floats | None, Floats | None]:
        """Return the table's parameters, their covariance matrix and the scores of the top-level units.

        Parameters without a variance (NaN) have none in the table either, unless others are a part of them.
        """
        if self.plain:
            return self.theta(inside), vcov, scores
        A = self.jacobian(inside)
        if vcov is not None:
            unknown = np.isnan(np.diagonal(vcov))
            lost = ~((A != 0.0) @ ~unknown)
            vcov = A @ np.where(unknown[:, None] | unknown, 0.0, vcov) @ A.T
            vcov[lost], vcov[:, lost] = np.nan, np.nan
        return self.theta(inside), vcov, None if scores is None else scores @ np.asarray(np.linalg.inv(A))


class Framed:
    """A parametrisation of the model in the frame, carried on to the table's parameters.

    Parameters
    ----------
    inner : Parametrisation or Scaled
    frame : Frame
    """

    def __init__(self, inner: Parametrisation | Scaled, frame: Frame) -> None:
        self.inner, self.frame = inner, frame
        self.n_parameters = inner.n_parameters
        self.factored, self.blocks = inner.factored, inner.blocks

    def theta(self, x: Floats) -> Floats:
        """Return the table's parameters."""
        return self.frame.theta(self.inner.theta(x))

    def coordinates(self, theta: Floats) -> Floats:
        """Return coordinates of parameters."""
        return self.inner.coordinates(self.frame.inside(theta))

    def jacobian(self, x: Floats) -> Floats:
        """Return dtheta/dx (P, P)."""
        inner = self.inner.jacobian(x)
        if self.frame.plain:
            return inner
        return np.asarray(self.frame.jacobian(self.inner.theta(x)) @ inner)
