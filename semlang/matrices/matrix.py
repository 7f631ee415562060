"""A matrix of the model with names for its rows and columns; cells are numbers, parameters and covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import width
from semlang.model.table import Product, Row

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Addend:
    """Coefficient x product of covariates x product of latent variables.

    Parameters
    ----------
    parameter : int
        Index in the parameter vector, -1 where it is fixed at `value`.
    value : float
    via : Product
    row : Row, optional
        The row of the table, for names and findings.
    beside : tuple of str
        Keys of latent variables that multiply it, and classes in which alone it holds (``k@2``).
    """

    parameter: int
    value: float
    via: Product = ()
    row: Row | None = None
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Label of the parameter, else its row, as in ``ability=~i2``, with the class that it holds for."""
        row = self.row
        if row is None:
            return ""
        if row.label:
            return row.label
        told = not row.klass or f"@{row.klass}" in row.rhs
        return f"{row.lhs}{row.op}{row.rhs if row.op != '~1' else ''}" + ("" if told else f" (class {row.klass})")

    @property
    def moderated(self) -> bool:
        """Whether it is a variance or covariance that depends on covariates: it has no one value."""
        return self.parameter < 0 and self.value != self.value and self.row is not None and bool(self.row.quantity)

    def number(self, theta: Floats | None) -> float | None:
        """Return the coefficient: fixed, or of the estimates; None where it is unknown."""
        if self.parameter < 0:
            return self.value
        return None if theta is None else float(theta[self.parameter])

    def text(self, theta: Floats | None = None) -> str:
        """Return it in words, e.g. ``1``, ``ability=~i2``, ``x`` (1 times x), ``b*x``."""
        if self.moderated and self.row is not None:
            return self.row.lhs if self.row.joins else f"exp(2*{self.row.lhs})"
        number = self.number(theta)
        coefficient = self.name if number is None else number_text(number, self.parameter >= 0)
        product = ":".join([*(c.name for c in self.via), *self.beside])
        if not product:
            return coefficient
        if self.parameter < 0 and self.value == 1:
            return product
        plain = number is not None or (self.row is not None and self.row.label)
        return f"{coefficient}*{product}" if plain else f"({coefficient})*{product}"


Cell = tuple[Addend, ...]


def number_text(number: float, estimate: bool = False) -> str:
    """Return a number for people.

    Examples
    --------
    >>> number_text(1.0), number_text(0.25), number_text(1.0, estimate=True)
    ('1', '0.25', '1.000')
    """
    if number != number:
        return "by mean 0"
    return f"{number:.3f}" if estimate else f"{number:g}"


@dataclass(frozen=True)
class Matrix:
    """A named matrix.

    Parameters
    ----------
    symbol : str
        As in the papers: ``B``, ``Gamma``, ``Psi(2)``.
    rows, columns : tuple of str
        Names of its rows and columns.
    cells : mapping from (i, j) to tuple of Addend
        A place that is absent is 0.
    theta : (P,) floats, optional
        Estimates to show in place of names.
    """

    symbol: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[int, int], Cell]
    theta: Floats | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self.rows), len(self.columns)

    def text(self, i: int, j: int) -> str:
        """Return what stands at a place, ``0`` where nothing does."""
        return " + ".join(a.text(self.theta) for a in self.cells.get((i, j), ())) or "0"

    def to_json(self) -> dict[str, object]:
        """Return names and texts of the cells, for programs."""
        texts = [[self.text(i, j) for j in range(len(self.columns))] for i in range(len(self.rows))]
        return {"symbol": self.symbol, "rows": list(self.rows), "columns": list(self.columns), "cells": texts}

    def values(self, theta: Floats | None = None) -> Floats:
        """Return the numbers at parameter values `theta` (or the estimates); NaN where a variable multiplies."""
        theta = self.theta if theta is None else theta
        out = np.zeros(self.shape)
        for place, cell in self.cells.items():
            numbers = [None if a.via or a.beside else a.number(theta) for a in cell]
            out[place] = sum(np.nan if n is None else n for n in numbers)
        return out

    def is_strictly_upper(self) -> bool:
        """Whether everything on and below the diagonal is 0."""
        return all(j > i for i, j in self.cells)

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame of texts."""
        import pandas as pd

        body = [[self.text(i, j) for j in range(len(self.columns))] for i in range(len(self.rows))]
        return pd.DataFrame(body, index=list(self.rows), columns=list(self.columns), dtype=object)

    def __str__(self) -> str:
        return f"{self.symbol}\n{table_text(self._texts())}"

    def _texts(self) -> list[list[str]]:
        head = ["", *self.columns]
        return [head] + [
            [name, *(self.text(i, j) for j in range(len(self.columns)))] for i, name in enumerate(self.rows)
        ]

    def _repr_html_(self) -> str:
        head, *body = self._texts()
        cells = "".join(f"<th>{escape(c)}</th>" for c in head)
        lines = "".join(
            f"<tr><th>{escape(row[0])}</th>" + "".join(f"<td>{escape(c)}</td>" for c in row[1:]) + "</tr>"
            for row in body
        )
        return f"<table><caption>{escape(self.symbol)}</caption><tr>{cells}</tr>{lines}</table>"


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of texts with columns aligned.

    Examples
    --------
    >>> print(table_text([["", "a"], ["b", "1"]]))
         a
      b  1
    """
    widths = [max(width(row[j]) for row in rows) for j in range(len(rows[0]))]
    lines = ("  ".join(c + " " * (w - width(c)) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(("  " + line).rstrip() for line in lines)
