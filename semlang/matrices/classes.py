"""Matrices of what is not linear in the latent variables: classes, mass points, products."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from semlang.graph.model_graph import ModelGraph
from semlang.matrices.matrix import Addend, Cell, Floats, Matrix
from semlang.model.table import Row

__all__ = ["ClassMatrices", "class_matrices", "class_variables", "mass_points", "product_matrices", "scale_matrix"]

LINEAR = ("~", "~1", "=~", "<~")


@dataclass(frozen=True)
class ClassMatrices:
    r"""Matrices of one class variable, a column a class; those of no row are empty.

    nu = ... + E e_c and eta = ... + A e_c in class c, and Pr(class c) = exp(v' varrho_c) / sum_d exp(v' varrho_d) with
    varrho 0 for the reference class. Rows of ``class:`` blocks, which stand in the place of those of all classes, say
    ``in place``.

    Parameters
    ----------
    E, A : Matrix
        What a class adds to the equations of responses, and of continuous latent variables.
    kappa, alpha, Psi : Matrix
        Thresholds, further parameters of distributions, and (co)variances of a class.
    varrho : Matrix
        Coefficients of membership, a row a covariate (``1``: the constant), a latent variable, or a class of another
        class variable.
    """

    E: Matrix
    A: Matrix
    kappa: Matrix
    alpha: Matrix
    Psi: Matrix
    varrho: Matrix

    @property
    def all(self) -> tuple[Matrix, ...]:
        """Those that have cells, those of membership last."""
        return tuple(m for m in (self.E, self.A, self.kappa, self.alpha, self.Psi, self.varrho) if m.cells)


def class_variables(graph: ModelGraph) -> tuple[str, ...]:
    """Return the keys of the class variables in order of appearance."""
    return tuple(v.key for v in graph.table.latents if v.kind.name == "class")


def class_matrices(graph: ModelGraph, key: str, theta: Floats | None = None) -> ClassMatrices:
    """Return the matrices of a class variable."""
    variables = graph.table.variables
    discrete = class_variables(graph)
    rows = [r for r in graph.others if key in (r.class_variable, r.target) and not _is_zero(r)]
    inside = [r for r in rows if r.class_variable == key and r.target not in discrete]
    membership = [r for r in rows if r.target == key]
    number = int(variables[key].arguments.get("classes", 1) or 1)
    number = max(number, *(r.klass for r in inside), *(_logit(r) + 1 for r in membership), 1)
    columns = tuple(f"{key}@{k}" for k in range(1, number + 1))

    def matrix(symbol: str, own: list[Row], name: Callable[[Row], str], place: Callable[[Row], int]) -> Matrix:
        own = sorted(own, key=lambda r: bool(r.via or r.source)) if symbol == "varrho" else own
        names = tuple(dict.fromkeys(map(name, own)))
        cells = _cells(own, lambda r: (names.index(name(r)), place(r) - 1), alone=symbol == "varrho")
        return Matrix(f"{symbol}({key})", names, columns, cells, theta)

    def linear(role: bool) -> list[Row]:
        return [r for r in inside if r.op in LINEAR and not r.quantity and not r.threshold
                and (variables[r.target].role == "response") == role]  # fmt: skip

    def of_class(r: Row) -> int:
        return r.klass

    return ClassMatrices(
        matrix("E", linear(True), lambda r: _placed(r, _target(r)), of_class),
        matrix("A", linear(False), lambda r: _placed(r, _target(r)), of_class),
        matrix(
            "kappa", [r for r in inside if r.threshold], lambda r: _placed(r, f"{r.target}|t{r.threshold}"), of_class
        ),
        matrix("alpha", [r for r in inside if r.quantity], lambda r: _placed(r, f"{r.quantity}({r.target})"), of_class),
        matrix("Psi", [r for r in inside if r.op == "~~"], lambda r: _placed(r, f"{r.target}~~{r.source}"), of_class),
        matrix("varrho", membership, _cause, _logit),
    )


def product_matrices(graph: ModelGraph, theta: Floats | None = None) -> tuple[Matrix, Matrix]:
    """Return Omega of responses and of latent variables: coefficients of products of latent variables.

    nu = ... + Omega p and eta = ... + Omega p, the columns being the products p.
    """
    rows = [r for r in graph.others if r.moderators and not r.class_variable and not r.quantity and not _is_zero(r)]
    out = []
    for symbol, responses in (("Omega(nu)", True), ("Omega(eta)", False)):
        own = [r for r in rows if (graph.table.variables[r.target].role == "response") == responses]
        names, columns = (tuple(dict.fromkeys(map(of, own))) for of in (_target, _product))
        places = {r.id: (names.index(_target(r)), columns.index(_product(r))) for r in own}
        cells = _cells(own, lambda r, places=places: places[r.id], alone=True)  # type: ignore[misc]
        out.append(Matrix(symbol, names, columns, cells, theta))
    return out[0], out[1]


def mass_points(graph: ModelGraph, theta: Floats | None = None) -> tuple[Matrix, Matrix]:
    """Return places of the mass points and the logits of their probabilities, a row a latent variable.

    Joint mass points have the logits of the first of them. The place of a last point that follows from mean 0 is NaN.
    """
    own = [r for r in graph.others if r.target == r.class_variable and graph.table.variables[r.target].kind.name ==
           "masspoints"]  # fmt: skip
    number = max((r.klass for r in own), default=0)
    out = []
    for symbol, part in (("e", [r for r in own if not r.quantity]), ("pi", [r for r in own if r.quantity])):
        names = tuple(dict.fromkeys(r.target for r in part))
        cells: dict[tuple[int, int], Cell] = {}
        for r in part:
            value = float("nan") if r.parameter < 0 and r.ustart is None else r.ustart or 0.0
            cells[names.index(r.target), r.klass - 1] = (Addend(r.parameter, value, (), r),)
        out.append(Matrix(symbol, names, tuple(f"{k}" for k in range(1, number + 1)), cells, theta))
    return out[0], out[1]


def scale_matrix(graph: ModelGraph, theta: Floats | None = None) -> Matrix:
    """Return Delta, lavaan's scales of latent responses (``y ~*~ y``), a row a response."""
    own = [r for r in graph.others if r.op == "~*~"]
    cells = {(i, 0): (Addend(r.parameter, r.ustart or 0.0, (), r),) for i, r in enumerate(own)}
    return Matrix("Delta", tuple(r.target for r in own), ("",), cells, theta)


def _cells(rows: Iterable[Row], place: Callable[[Row], tuple[int, int]], alone: bool) -> dict[tuple[int, int], Cell]:
    """Return cells; what multiplies a coefficient stands beside it unless it is the name of its row or column."""
    cells: dict[tuple[int, int], Cell] = {}
    for row in rows:
        factors = () if alone else tuple(k for k in (row.source, *row.moderators) if k and row.op != "~~")
        also = tuple(f"{k}@{c}" for k, c in row.also)
        addend = Addend(row.parameter, row.ustart or 0.0, () if alone else row.via, row, (*factors, *also))
        cells[place(row)] = (*cells.get(place(row), ()), addend)
    return cells


def _product(row: Row) -> str:
    return ":".join([*(c.name for c in row.via), *(k for k in (row.source, *row.moderators) if k)]) or "1"


def _cause(row: Row) -> str:
    """Return what a coefficient of membership belongs to."""
    other = f"{row.class_variable}@{row.klass}" if row.category else ""
    product = _product(row)
    return ":".join(w for w in (other, "" if product == "1" and other else product) if w)


def _logit(row: Row) -> int:
    """Return the class whose logit a row of membership belongs to."""
    return int(row.category) if row.category else row.klass


def _target(row: Row) -> str:
    return f"{row.target}@{row.category}" if row.category else row.target


def _placed(row: Row, name: str) -> str:
    return f"{name}, in place" if row.replaces else name


def _is_zero(row: Row) -> bool:
    return row.parameter < 0 and not row.ustart
