"""The matrices of the GLLAMM: nu = X beta + sum_l sum_m eta Z lambda, eta = B eta + Gamma w + zeta."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from semlang.graph.by_category import graph_by_category
from semlang.graph.model_graph import ModelGraph, Path
from semlang.graph.order import triangular_order
from semlang.matrices.classes import (
    ClassMatrices,
    class_matrices,
    class_variables,
    mass_points,
    product_matrices,
    scale_matrix,
)
from semlang.matrices.matrix import Addend, Cell, Floats, Matrix, table_text
from semlang.model.table import ROWS, Product, Row

if TYPE_CHECKING:
    import pandas as pd


class GllammMatrices:
    """Matrices of one group's model, as in Rabe-Hesketh, Skrondal & Pickles (2004).

    Latent variables are ordered from the lowest level to the highest and, within a level, effects before causes,
    so that B is strictly upper triangular. Levels are numbered as in GLLAMM: the responses inside a row are level
    1, rows are level 2 where a latent variable varies over them, and so on up.

    Nominal responses have a line for each linear predictor, that of a category.

    Parameters
    ----------
    graph : ModelGraph
    theta : (P,) floats, optional
        Estimates to show in place of the names of parameters.

    Raises
    ------
    ValueError
        If the paths are cyclic.
    """

    def __init__(self, graph: ModelGraph, theta: Floats | None = None) -> None:
        graph = graph_by_category(graph)
        self.graph = graph
        self.theta = theta
        self.responses = graph.responses
        discrete = class_variables(graph)
        self.eta = triangular_order(graph, [k for k in graph.latents if k not in discrete])
        """Keys of the continuous latent variables in the order of B."""

    def with_estimates(self, theta: Floats) -> GllammMatrices:
        """Return the matrices with estimates filled in."""
        return GllammMatrices(self.graph, theta)

    # ------------------------------------------------------------------ levels

    @cached_property
    def level_numbers(self) -> dict[str, int]:
        """GLLAMM's number of each level."""
        variables = self.graph.table.variables
        latents = (*self.eta, *class_variables(self.graph))
        first = 2 if any(variables[k].level == ROWS for k in latents) else 1
        return {level: first + i for i, level in enumerate(self.graph.table.levels)}

    @cached_property
    def level(self) -> dict[str, int]:
        """GLLAMM's number of the level of each latent variable."""
        keys = (*self.eta, *class_variables(self.graph))
        return {k: self.level_numbers[self.graph.table.variables[k].level] for k in keys}

    # ------------------------------------------------------------------ response model

    @cached_property
    def _fixed_paths(self) -> list[Path]:
        """Paths from covariates and constants into responses: intercepts first, so that X begins with a unit matrix."""
        paths = [p for k in self.responses for p in self.graph.into(k) if not p.source]
        return sorted(paths, key=lambda p: bool(p.via))

    @cached_property
    def _beta_columns(self) -> dict[tuple[int, float], int]:
        return {key: j for j, key in enumerate(_columns(self._fixed_paths), 1)}

    def column(self, path: Path) -> int:
        """Return the number from 1 of the column of X, and so of beta, that a path of the fixed part belongs to."""
        return self._beta_columns[_column_key(path)]

    @cached_property
    def _fixed(self) -> tuple[Matrix, Matrix]:
        return self._design("X", "beta", self._fixed_paths)

    @property
    def X(self) -> Matrix:
        """Design matrix of the fixed part: covariates, a column a coefficient."""
        return self._fixed[0]

    @property
    def beta(self) -> Matrix:
        """Coefficients of the fixed part."""
        return self._fixed[1]

    @cached_property
    def _random(self) -> dict[str, tuple[Matrix, Matrix]]:
        found = {}
        for key in self.eta:
            paths = [p for k in self.responses for p in self.graph.into(k) if p.source == key]
            same = [k for k in self.eta if self.level[k] == self.level[key]]
            suffix = f"{same.index(key) + 1}({self.level[key]})"
            z, loadings = self._design(f"Z{suffix}", f"lambda{suffix}", paths)
            if not z.cells:
                z = Matrix(z.symbol, z.rows, ("1",), {}, self.theta)
                loadings = Matrix(loadings.symbol, ("1",), ("",), {(0, 0): (Addend(-1, 1.0),)}, self.theta)
            found[key] = z, loadings
        return found

    @property
    def Z(self) -> dict[str, Matrix]:
        """Design matrix of each latent variable; a column of zeros where no response measures it."""
        return {k: z for k, (z, _) in self._random.items()}

    @property
    def lambda_(self) -> dict[str, Matrix]:
        """Loadings of each latent variable."""
        return {k: loadings for k, (_, loadings) in self._random.items()}

    @cached_property
    def Lambda(self) -> Matrix:
        """Loadings of all responses on all latent variables; covariates multiply those of random slopes."""
        paths = [p for p in self.graph.paths if p.source and p.target in self.responses]
        return self._coefficients("Lambda", self.responses, self.eta, paths)

    def _design(self, symbol: str, vector: str, paths: Sequence[Path]) -> tuple[Matrix, Matrix]:
        """Return covariates (a column a distinct coefficient) and the coefficients."""
        columns = _columns(paths)
        index = {key: j for j, key in enumerate(columns)}
        cells: dict[tuple[int, int], Cell] = {}
        for p in paths:
            if p.is_zero:
                continue
            place = self.responses.index(p.target), index[_column_key(p)]
            cells[place] = (*cells.get(place, ()), Addend(-1, 1.0, p.via))
        coefficients = {(i, 0): (_addend(p, ()),) for i, p in enumerate(columns.values())}
        names = tuple(a.text() for (a,) in coefficients.values())
        return (
            Matrix(symbol, self.responses, names, cells, self.theta),
            Matrix(vector, names, ("",), coefficients, self.theta),
        )

    # ------------------------------------------------------------------ structural model

    @cached_property
    def B(self) -> Matrix:
        """Regressions of latent variables on latent variables, strictly upper triangular where levels are right."""
        paths = [p for p in self.graph.paths if p.source and p.target in self.eta]
        return self._coefficients("B", self.eta, self.eta, paths)

    @cached_property
    def w(self) -> tuple[Product, ...]:
        """Products of covariates in regressions of latent variables; the empty product is 1."""
        found = dict.fromkeys(p.via for p in self._structural if not p.is_zero)
        return tuple(sorted(found, key=lambda via: via != ()))

    @cached_property
    def Gamma(self) -> Matrix:
        """Regressions of latent variables on covariates; the column ``1`` holds means and intercepts."""
        index = {via: j for j, via in enumerate(self.w)}
        cells: dict[tuple[int, int], Cell] = {}
        for p in self._structural:
            if not p.is_zero:
                place = self.eta.index(p.target), index[p.via]
                cells[place] = (*cells.get(place, ()), _addend(p, ()))
        return Matrix("Gamma", self.eta, tuple(product_name(via) for via in self.w), cells, self.theta)

    @property
    def _structural(self) -> list[Path]:
        return [p for k in self.eta for p in self.graph.into(k) if not p.source]

    def _coefficients(
        self, symbol: str, rows: tuple[str, ...], columns: tuple[str, ...], paths: Sequence[Path]
    ) -> Matrix:
        i, j = ({k: n for n, k in enumerate(keys)} for keys in (rows, columns))
        cells: dict[tuple[int, int], Cell] = {}
        for p in paths:
            if not p.is_zero and p.source in j:
                place = i[p.target], j[p.source]
                cells[place] = (*cells.get(place, ()), _addend(p, p.via))
        return Matrix(symbol, rows, columns, cells, self.theta)

    # ------------------------------------------------------------------ distributions

    @cached_property
    def Psi(self) -> dict[str, Matrix]:
        """Covariance matrix of the disturbances of each level (``rows`` or a cluster) that has latent variables."""
        variables = self.graph.table.variables
        found = {}
        for level, number in self.level_numbers.items():
            keys = tuple(k for k in self.eta if variables[k].level == level)
            if keys:
                found[level] = self._covariances(f"Psi({number})", keys)
        return found

    @cached_property
    def Theta(self) -> Matrix:
        """Residual (co)variances of the gaussian responses."""
        kinds = {k: self.graph.table.variables[k].kind for k in self.responses}
        return self._covariances("Theta", tuple(k for k in self.responses if kinds[k].residual))

    def _covariances(self, symbol: str, keys: tuple[str, ...]) -> Matrix:
        index = {k: n for n, k in enumerate(keys)}
        cells: dict[tuple[int, int], Cell] = {}
        for c in self.graph.covariances:
            if c.a in index and c.b in index and not c.is_zero:
                for place in {(index[c.a], index[c.b]), (index[c.b], index[c.a])}:
                    cells[place] = (Addend(c.parameter, math.nan if c.moderated else c.value, (), c.row),)
        return Matrix(symbol, keys, keys, cells, self.theta)

    @cached_property
    def thresholds(self) -> Matrix:
        """Thresholds kappa: a row a response, a column a threshold; what moves them is added."""
        products = (row for row in self.graph.others if row.threshold and row.moderators)
        rows = sorted((*self.graph.thresholds, *products), key=lambda row: row.op != "|")
        keys = tuple(k for k in self.responses if any(row.target == k for row in rows))
        cells: dict[tuple[int, int], Cell] = {}
        for row in rows:
            place = keys.index(row.target), row.threshold - 1
            cells[place] = (*cells.get(place, ()), _row_addend(row))
        columns = tuple(f"t{s}" for s in range(1, max((row.threshold for row in rows), default=0) + 1))
        return Matrix("kappa", keys, columns, cells, self.theta)

    @cached_property
    def quantities(self) -> Matrix:
        """Linear predictors of further parameters of distributions, e.g. ``sigma(y)``."""
        moderated = (row for row in self.graph.others if row.quantity and row.moderators and not row.class_variable)
        rows = (*self.graph.quantities, *moderated)
        names = tuple(dict.fromkeys(map(_parameter, rows)))
        columns = tuple(dict.fromkeys(map(_cause, rows)))
        cells: dict[tuple[int, int], Cell] = {}
        for row in rows:
            place = names.index(_parameter(row)), columns.index(_cause(row))
            cells[place] = (*cells.get(place, ()), _row_addend(row, via=False))
        return Matrix("alpha", names, columns, cells, self.theta)

    @cached_property
    def classes(self) -> dict[str, ClassMatrices]:
        """For each class variable what its classes add to the equations, and the coefficients of membership."""
        return {key: class_matrices(self.graph, key, self.theta) for key in class_variables(self.graph)}

    @cached_property
    def products(self) -> tuple[Matrix, Matrix]:
        """Omega of the responses and of the latent variables: coefficients of products of latent variables."""
        return product_matrices(self.graph, self.theta)

    @cached_property
    def mass_points(self) -> tuple[Matrix, Matrix]:
        """Places of mass points, and the logits of their probabilities."""
        return mass_points(self.graph, self.theta)

    @cached_property
    def scales(self) -> Matrix:
        """Scales of latent responses."""
        return scale_matrix(self.graph, self.theta)

    # ------------------------------------------------------------------ as a whole

    @cached_property
    def all(self) -> tuple[Matrix, ...]:
        """Every matrix that is not empty, and each Z, in the order of the equations."""
        found = [self.X, self.beta]
        for key in self.eta:
            found += [self.Z[key], self.lambda_[key]]
        found += [self.products[0], self.B, self.Gamma, self.products[1], *self.Psi.values(), *self.mass_points]
        found += [self.Theta, self.thresholds, self.quantities, self.scales]
        found += [m for c in self.classes.values() for m in c.all]
        zero = {id(z) for z in self.Z.values()}  # a column of zeros tells that nothing measures a latent variable
        return tuple(m for m in found if m.cells or id(m) in zero)

    def to_frame(self) -> pd.DataFrame:
        """Return all cells that are not 0: columns matrix, row, column, text, parameter (index or -1), value."""
        import pandas as pd

        records = [
            (m.symbol, m.rows[i], m.columns[j], m.text(i, j), a.parameter, a.number(self.theta))
            for m in self.all
            for (i, j), cell in sorted(m.cells.items())
            for a in cell
        ]
        names = ["matrix", "row", "column", "text", "parameter", "value"]
        return pd.DataFrame.from_records(records, columns=names)

    def to_json(self) -> list[dict[str, object]]:
        """Return every matrix, for programs."""
        return [m.to_json() for m in self.all]

    def equations(self, theta: Floats | None = None) -> str:
        """Return the equations in LaTeX as a paper prints them, with numbers where estimates are given."""
        from semlang.matrices.equations import equations

        return equations(self if theta is None else self.with_estimates(theta))

    def latex(self, theta: Floats | None = None) -> str:
        """Return the equations in LaTeX with matrices written out, with numbers where estimates are given."""
        from semlang.matrices.latex import latex

        return latex(self if theta is None else self.with_estimates(theta))

    @property
    def heading(self) -> tuple[str, ...]:
        """The equations in plain text."""
        of_nu, of_eta = self.products
        terms = [f"{k} {self.Z[k].symbol} {self.lambda_[k].symbol}" for k in self.eta]
        terms += [f"{of_nu.symbol} p"] * bool(of_nu.cells)
        terms += [f"{c.E.symbol} e_c" for c in self.classes.values() if c.E.cells]
        lines = ["nu = " + (" + ".join(["X beta"] * bool(self.X.cells) + terms) or "0")]
        if self.eta:
            structural = ["B eta"] * bool(self.B.cells) + ["Gamma w"] * bool(self.Gamma.cells)
            structural += [f"{of_eta.symbol} p"] * bool(of_eta.cells)
            structural += [f"{c.A.symbol} e_c" for c in self.classes.values() if c.A.cells]
            lines.append("eta = " + " + ".join([*structural, "zeta"]))
        products = tuple(dict.fromkeys((*of_nu.columns, *of_eta.columns)))
        lines += ["p = (" + ", ".join(products) + ")"] * bool(products)
        points, logits = self.mass_points
        lines += [f"Pr({key} = {points.symbol}_k) = softmax({logits.symbol})" for key in points.rows]
        lines += [f"Pr({key}) = softmax(v' {c.varrho.symbol})" for key, c in self.classes.items()]
        return tuple(lines)

    def __str__(self) -> str:
        parts = ["\n".join(self.heading)]
        if self.eta:
            names = [["eta", "level", "varies over"]]
            names += [[k, f"({self.level[k]})", self.graph.table.variables[k].level] for k in self.eta]
            parts.append(table_text(names))
        parts += [str(m) for m in self.all]
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return f"<semlang.GllammMatrices: {', '.join(m.symbol for m in self.all)}>"

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line)}</p>" for line in self.heading)
        return lines + "".join(m._repr_html_() for m in self.all)


def product_name(via: Product) -> str:
    """Return the name of a product of covariates, ``1`` for the empty one."""
    return ":".join(c.name for c in via) or "1"


def _column_key(path: Path) -> tuple[int, float]:
    """Return what paths of one column share: the parameter, or the fixed value."""
    return path.parameter, 0.0 if path.parameter >= 0 else path.value


def _columns(paths: Sequence[Path]) -> dict[tuple[int, float], Path]:
    """Return the first path of each column, in order of appearance."""
    found: dict[tuple[int, float], Path] = {}
    for p in paths:
        if not p.is_zero:
            found.setdefault(_column_key(p), p)
    return found


def _addend(path: Path, via: Product) -> Addend:
    return Addend(path.parameter, path.value, via, path.row)


def _parameter(row: Row) -> str:
    """Return what a row is an addend of."""
    return row.lhs if row.joins else f"{row.quantity}({row.target})"


def _row_addend(row: Row, via: bool = True) -> Addend:
    beside = tuple(k for k in (row.source, *row.moderators) if k) if via else ()
    return Addend(row.parameter, row.ustart or 0.0, row.via if via else (), row, beside)


def _cause(row: Row) -> str:
    """Return the covariates and latent variables that a coefficient belongs to, ``1`` for none."""
    return ":".join([*(c.name for c in row.via), *(k for k in (row.source, *row.moderators) if k)]) or "1"
