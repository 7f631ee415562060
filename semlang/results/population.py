"""Populations: a model with values of its parameters, as the text and the call give them, and a design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semlang.data.design import Design
from semlang.data.placeholder import placeholder, sizes_of, with_responses
from semlang.data.reading import read_data
from semlang.diagnostics import Diagnostic, error
from semlang.errors import DataError, FitError
from semlang.estimation.start import user_values
from semlang.graph.model_graph import ModelGraph
from semlang.model.parameter_names import parameter_names
from semlang.model.table import ParameterTable, Row
from semlang.results.simulate import Population

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Bindable", "Fresh", "population", "population_values"]

Floats = NDArray[np.float64]


class Bindable(Protocol):
    """A model that data can be bound to."""

    @property
    def graphs(self) -> tuple[ModelGraph, ...]:
        """One a group."""

    parameter_table: ParameterTable

    def bind(self, data: Any) -> tuple[Any, tuple[Design, ...], tuple[Diagnostic, ...]]:
        """Return the model with what the data fill in, and the designs."""


def population(
    model: Bindable, values: Mapping[str, float] | None, data: Any, n: Any, seed: int | np.random.Generator | None
) -> tuple[Population, pd.DataFrame]:
    """Return what data sets are drawn from, and the frame that they have; `semlang.Model.simulate` says the rest."""
    rng = np.random.default_rng(seed)
    if data is not None:
        frame, found = read_data(data)
        if frame is None or any(d.is_error for d in found):
            raise DataError(found)
        frame = with_responses(model.parameter_table, frame)
    elif n is None or n == ():
        raise DataError([error("bad-size", "neither data nor a size are given", help="give n=200, or data=")])
    else:
        frame = placeholder(model.parameter_table, sizes_of(n), rng)
    bound, designs, _ = model.bind(frame)
    table: ParameterTable = bound.parameter_table
    return Population(table, bound.graphs, designs, population_values(table, values), rng), frame


@dataclass(frozen=True)
class Fresh:
    """Makes populations of one size, each with covariates of its own.

    Parameters
    ----------
    model : Bindable
    values : mapping, optional
    n : size
    """

    model: Bindable
    values: Mapping[str, float] | None
    n: Any

    def __call__(self, rng: np.random.Generator) -> Population:
        """Return a population."""
        return population(self.model, self.values, None, self.n, rng)[0]


def population_values(table: ParameterTable, values: Mapping[str, float] | None = None) -> Floats:
    """Return values of all free parameters (P,).

    Parameters
    ----------
    table : ParameterTable
    values : mapping from a parameter's name to float, optional
        They win over the text's ``start(...)``. Intercepts and covariances that neither names are 0, variances 1.

    Raises
    ------
    FitError
        ``no-value`` where a loading, a regression or a threshold has none; ``unknown-start``.
    """
    given = user_values(table, values)
    out = np.zeros(table.n_parameters)
    lost: dict[int, Row] = {}
    for row in table.rows:
        p = row.parameter
        if p < 0:
            continue
        if p in given:
            out[p] = given[p]
        elif row.op == "~~":
            out[p] = 1.0 if row.target == row.source else 0.0
        elif row.op in ("=~", "~", "|") or row.quantity:
            lost.setdefault(p, row)
    if lost:
        names = parameter_names(table)
        row = next(iter(lost.values()))
        term = row.rhs or "1"
        raise FitError(
            [error("no-value", _words(names, list(lost)), table.source, row.span,
                   help=f"write it in the model, {row.lhs} {row.op} start(0.5)*{term}, or give it in the call")]
        )  # fmt: skip
    return out


def _words(names: tuple[str, ...], lost: list[int]) -> str:
    n = len(lost) - 1
    more = f", nor {'has' if n == 1 else 'have'} {n} other parameter{'s' * (n > 1)}" if n else ""
    return f"'{names[lost[0]]}' has no value{more}"
