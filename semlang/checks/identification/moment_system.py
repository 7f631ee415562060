r"""The moments of a model as named complex numbers with derivatives, so that two models can be held against each other.

Over the complex numbers every polynomial system that is solvable at all is solvable without regard to signs of
variances, so that "b reaches the moments of a at generic points" is a property of the two models and not of their
parametrisations.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semlang.checks.identification.responses import Margin, margin
from semlang.graph.model_graph import ModelGraph
from semlang.matrices.build import reduced_form
from semlang.matrices.products import Products
from semlang.matrices.reduced import Cells, ReducedForm
from semlang.model.table import ParameterTable
from semlang.syntax import ast

Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Value:
    """A number with its derivatives (P,)."""

    value: complex
    slope: Complex

    def __add__(self, other: Value) -> Value:
        return Value(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Value) -> Value:
        return Value(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other: Value) -> Value:
        return Value(self.value * other.value, self.value * other.slope + other.value * self.slope)

    def __truediv__(self, other: Value) -> Value:
        q = self.value / other.value
        return Value(q, (self.slope - q * other.slope) / other.value)


class MomentSystem:
    """All moments of a model.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
    """

    def __init__(self, table: ParameterTable, graphs: Sequence[ModelGraph]) -> None:
        self.table = table
        self.n = table.n_parameters
        self.forms = tuple(reduced_form(g, lift=True) for g in graphs)
        self.margins: tuple[dict[str, Margin], ...] = tuple(
            {
                key: margin(table.variables[key], frozenset(q for (k, q) in form.quantities if k == i))
                for i, key in enumerate(form.responses)
            }
            for form in self.forms
        )
        self._relations = [(r.left, r.right) for r in table.relations if r.op == "=="]
        self._labels = {
            name: row for row in reversed(table.rows) for name in (row.label, row.plabel) if name and row.op != "=="
        }
        self._defined = {d.name: d.expression for d in table.defined}

    @property
    def scaled(self) -> tuple[tuple[int, str], ...]:
        """Group and key of responses that are identified up to their scale."""
        return tuple((g, k) for g, ms in enumerate(self.margins) for k, m in ms.items() if m.standardised)

    def moments(self, theta: Complex) -> tuple[dict[Hashable, complex], dict[Hashable, Complex]]:
        """Return moments by name, and their derivatives.

        Names are (group, 'mean', response, covariates), (group, 'threshold', response, number, covariates),
        (group, level, response, response, covariates, covariates) and (group, quantity, response, covariates).
        """
        values: dict[Hashable, complex] = {}
        slopes: dict[Hashable, Complex] = {}
        for g, form in enumerate(self.forms):
            self._group(g, form, theta, values, slopes)
        return values, slopes

    def constraints(self, theta: Complex) -> tuple[Complex, Complex]:
        """Return left minus right of the equality constraints, and derivatives."""
        found = [self._evaluate(a, theta) - self._evaluate(b, theta) for a, b in self._relations]
        values = np.array([f.value for f in found], dtype=complex)
        slopes = np.array([f.slope for f in found], dtype=complex).reshape(len(found), self.n)
        return values, slopes

    # ---------------------------------------------------------------- parts

    def _group(
        self,
        g: int,
        form: ReducedForm,
        theta: Complex,
        values: dict[Hashable, complex],
        slopes: dict[Hashable, Complex],
    ) -> None:
        s, ds = form.jacobian(theta)
        level = {v.key: v.level for v in self.table.variables.values()}

        def add(name: Hashable, value: complex, slope: Complex) -> None:
            values[name] = values.get(name, 0) + value
            slopes[name] = slopes[name] + slope if name in slopes else slope

        for k, c, slot in form.mean_cells.tolist():
            add((g, "mean", form.responses[k], _name(form.mean_columns[c])), s[slot], ds[slot])
        for k, rows in form.thresholds.items():
            for t, addends in enumerate(rows):
                for a in addends:
                    name = (g, "threshold", form.responses[k], t, _name(a.via))
                    add(name, theta[a.parameter] if a.parameter >= 0 else a.value, self._unit(a.parameter))
        for (k, quantity), addends in form.quantities.items():
            key = form.responses[k]
            if quantity == "sigma" and not self.margins[g][key].standardised and not any(a.via for a in addends):
                (a,) = addends  # a constant log standard deviation is a free variance
                add(
                    (g, level[key], key, key, "", ""),
                    theta[a.parameter] if a.parameter >= 0 else cmath.exp(2 * a.value),
                    self._unit(a.parameter),
                )
                continue
            for a in addends:
                add(
                    (g, quantity, key, _name(a.via)),
                    theta[a.parameter] if a.parameter >= 0 else a.value,
                    self._unit(a.parameter),
                )
        self._covariances(g, form, theta, s, ds, level, add)

    def _covariances(
        self,
        g: int,
        form: ReducedForm,
        theta: Complex,
        s: Complex,
        ds: Complex,
        level: Mapping[str, str],
        add: Callable[[Hashable, complex, Complex], None],
    ) -> None:
        n_k, n_j, n_a = len(form.responses), len(form.disturbances), len(form.random_columns)
        products = Products(form.random_columns)
        loading = np.zeros((n_k * n_a, n_j), dtype=complex)
        d_loading = np.zeros((n_k * n_a, n_j, self.n), dtype=complex)
        for k, a, j, slot in form.loading_cells.tolist():
            loading[k * n_a + a, j] = s[slot]
            d_loading[k * n_a + a, j] = ds[slot]
        psi, d_psi = self._dense(form.psi, theta)
        residual, d_residual = self._dense(form.theta, theta)
        for lv in dict.fromkeys(d.level for d in form.disturbances):
            js = [j for j, d in enumerate(form.disturbances) if d.level == lv]
            p, m, dm = psi[np.ix_(js, js)], loading[:, js], d_loading[:, js]
            total = m @ p @ m.T
            d_total = np.einsum("ijp,kj->ikp", dm, m @ p)
            d_total = d_total + d_total.transpose(1, 0, 2) + np.einsum("ij,jlp,kl->ikp", m, d_psi[np.ix_(js, js)], m)
            rows = [i for i in range(n_k * n_a) if m[i].any() or dm[i].any()]
            for i in rows:
                for q in rows:
                    one, two = form.responses[i // n_a], form.responses[q // n_a]
                    if (one, i) < (two, q):
                        continue
                    x, z = form.random_columns[i % n_a], form.random_columns[q % n_a]
                    if lv == level[one] == level[two]:
                        both = products.times(x, z)
                        if both is None:
                            continue
                        factor = 2.0 if one == two and i != q else 1.0
                        add((g, lv, one, two, _name(both), ""), factor * total[i, q], factor * d_total[i, q])
                    else:
                        names = (_name(x), _name(z))
                        if one == two and names[0] < names[1]:
                            names = names[1], names[0]
                        add((g, lv, one, two, *names), total[i, q], d_total[i, q])
        for i, one in enumerate(form.responses):
            for q, two in enumerate(form.responses):
                if two > one or level[one] != level[two]:
                    continue
                unit = self.margins[g][one].unit if one == two else 0
                if residual[i, q] or d_residual[i, q].any() or unit:
                    add((g, level[one], one, two, "", ""), residual[i, q] + unit, d_residual[i, q])

    def _dense(self, cells: Cells, theta: Complex) -> tuple[Complex, Complex]:
        out = np.zeros(cells.shape, dtype=complex)
        slope = np.zeros((*cells.shape, self.n), dtype=complex)
        for i, j, p, v in zip(
            cells.i.tolist(), cells.j.tolist(), cells.parameter.tolist(), cells.value.tolist(), strict=True
        ):
            for a, b in {(i, j), (j, i)}:
                out[a, b] = theta[p] if p >= 0 else v
                if p >= 0:
                    slope[a, b, p] = 1
        return out, slope

    def _unit(self, p: int) -> Complex:
        out = np.zeros(self.n, dtype=complex)
        if p >= 0:
            out[p] = 1
        return out

    def _evaluate(self, node: ast.Expression, theta: Complex) -> Value:
        zero = np.zeros(self.n, dtype=complex)
        match node:
            case ast.Number(value=v):
                return Value(complex(v), zero)
            case ast.Name(text=name):
                if name in self._defined:
                    return self._evaluate(self._defined[name], theta)
                row = self._labels[name]
                at = theta[row.parameter] if row.parameter >= 0 else complex(row.ustart or 0.0)
                return Value(at, self._unit(row.parameter))
            case ast.Unary(op="-", operand=x):
                return Value(0, zero) - self._evaluate(x, theta)
            case ast.Unary(operand=x):
                return self._evaluate(x, theta)
            case ast.Binary(op=op, left=left, right=right):
                a, b = self._evaluate(left, theta), self._evaluate(right, theta)
                if op == "^":
                    value = a.value**b.value
                    return Value(value, b.value * a.value ** (b.value - 1) * a.slope)
                return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__, "/": a.__truediv__}[op](b)
            case ast.Call(function="exp" | "log" | "sqrt" as f, arguments=(x,)):
                inner = self._evaluate(x, theta)
                value = {"exp": cmath.exp, "log": cmath.log, "sqrt": cmath.sqrt}[f](inner.value)
                slope = {"exp": value, "log": 1 / inner.value, "sqrt": 0.5 / value if value else 0}[f]
                return Value(value, slope * inner.slope)
            case _:
                raise ValueError("a constraint that is no arithmetic")


def _name(product: Sequence[object]) -> str:
    return ":".join(sorted(getattr(c, "name", str(c)) for c in product))


def stacked(
    values: Mapping[Hashable, complex], slopes: Mapping[Hashable, Complex], names: Sequence[Hashable], n: int
) -> tuple[Complex, Complex]:
    """Return moments and derivatives in the order of `names`; what a model does not have is 0."""
    zero = np.zeros(n, dtype=complex)
    return (
        np.array([values.get(k, 0) for k in names], dtype=complex),
        np.array([slopes.get(k, zero) for k in names], dtype=complex).reshape(len(names), n),
    )
