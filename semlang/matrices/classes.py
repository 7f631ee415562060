"""Matrices of latent classes: class-specific coefficients and the multinomial logit of membership."""

from __future__ import annotations

from semlang.graph.model_graph import ModelGraph
from semlang.matrices.matrix import Addend, Cell, Floats, Matrix
from semlang.model.table import Row


def class_variables(graph: ModelGraph) -> tuple[str, ...]:
    """Return the keys of the class variables in order of appearance."""
    return tuple(v.key for v in graph.table.latents if v.kind.name == "class")


def class_matrices(graph: ModelGraph, key: str, theta: Floats | None = None) -> tuple[Matrix, Matrix]:
    r"""Return E, with a column a class, and the coefficients of membership.

    nu = ... + E e_c in class c, and Pr(class c) = exp(v' varrho_c) / sum_d exp(v' varrho_d) with varrho 0 for the
    reference class.
    """
    rows = [row for row in graph.others if row.class_variable == key and not _is_zero(row)]
    inside = [row for row in rows if row.target != key]
    membership = [row for row in rows if row.target == key]
    number = max((*(row.klass for row in inside), *(row.klass + 1 for row in membership)), default=1)
    number = max(number, int(graph.table.variables[key].arguments.get("classes", 1) or 1))
    columns = tuple(f"{key}@{k}" for k in range(1, number + 1))
    targets = tuple(dict.fromkeys(row.target for row in inside))
    e = Matrix(f"E({key})", targets, columns, _cells(inside, targets, via=True), theta)
    products = tuple(dict.fromkeys(_product(row) for row in sorted(membership, key=lambda row: bool(row.via))))
    return e, Matrix(f"varrho({key})", products, columns, _cells(membership, products, via=False), theta)


def _cells(rows: list[Row], names: tuple[str, ...], via: bool) -> dict[tuple[int, int], Cell]:
    cells: dict[tuple[int, int], Cell] = {}
    for row in rows:
        place = names.index(row.target if via else _product(row)), row.klass - 1
        addend = Addend(row.parameter, row.ustart or 0.0, row.via if via else (), row)
        cells[place] = (*cells.get(place, ()), addend)
    return cells


def _product(row: Row) -> str:
    return ":".join(c.name for c in row.via) or "1"


def _is_zero(row: Row) -> bool:
    return row.parameter < 0 and not row.ustart
