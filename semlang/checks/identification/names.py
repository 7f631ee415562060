"""Names and roles of parameters, as people write them."""

from __future__ import annotations

from functools import cached_property

from semlang.model.table import ParameterTable, Row

Triple = tuple[str, str, str]


class Names:
    """Names of the parameter vector's entries.

    Parameters
    ----------
    table : ParameterTable
    """

    def __init__(self, table: ParameterTable) -> None:
        self.table = table
        self._rows: dict[int, list[Row]] = {}
        for row in table.rows:
            if row.parameter >= 0 and row.op not in ("==", "<", ">", ":="):
                self._rows.setdefault(row.parameter, []).append(row)

    def rows(self, p: int) -> list[Row]:
        """Return the rows of the table that a parameter stands in."""
        return self._rows.get(p, [])

    def row(self, p: int) -> Row:
        """Return the first row of a parameter."""
        return self._rows[p][0]

    def triple(self, p: int) -> Triple:
        """Return (lhs, op, rhs)."""
        row = self.row(p)
        return row.lhs, row.op, row.rhs

    def text(self, p: int) -> str:
        """Return the name as written: ``f =~ x2``, ``y ~ 1``, ``y | t1``; with group, class or label where needed."""
        row = self.row(p)
        out = f"{row.lhs} ~ 1" if row.op == "~1" else f"{row.lhs} {row.op} {row.rhs}"
        if len(self._rows[p]) > 1 and row.label:
            return f"{row.label} ({out})"
        more = []
        if self._ambiguous[self.triple(p)] > 1:
            if len(self.table.groups) > 1:
                more.append(f"group {self.table.groups[row.group - 1] or row.group}")
            if row.level:
                more.append(f"level {row.level}")
            if row.klass:
                more.append(f"class {row.klass}")
        return f"{out} [{', '.join(more)}]" if more else out

    @cached_property
    def _ambiguous(self) -> dict[Triple, int]:
        found: dict[Triple, int] = {}
        for p in self._rows:
            found[self.triple(p)] = found.get(self.triple(p), 0) + 1
        return found

    def role(self, p: int) -> str:
        """Return what a parameter is.

        One of ``loading``, ``path``, ``variance`` (of a latent variable), ``residual variance``, ``covariance``,
        ``residual covariance``, ``intercept``, ``latent mean``, ``threshold``, ``quantity``.
        """
        row, variables = self.row(p), self.table.variables
        if row.quantity:
            return "quantity"
        if row.op == "|" or row.threshold:
            return "threshold"
        response = row.target in variables and variables[row.target].role == "response"
        if row.op == "~*~":
            return "residual variance"
        if row.op == "~~":
            kind = "variance" if row.lhs == row.rhs else "covariance"
            return f"residual {kind}" if response else kind
        if row.op == "~1":
            return "intercept" if response else "latent mean"
        return "loading" if row.op == "=~" else "path"
