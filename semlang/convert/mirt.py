"""To mirt: the model of items and factors, and the call."""

from __future__ import annotations

import math

from semlang.convert.converted import Conversion, Converted
from semlang.convert.writing import number, plain, r_covariate
from semlang.model.table import ROWS, ParameterTable, Row, Variable

ITEMTYPES = {("binomial", "logit"): "2PL", ("ordinal", "logit"): "graded", ("adjacent", "logit"): "gpcm"}
"""mirt's item types by kind and link."""


class Writer(Conversion):
    """R code for mirt."""

    target = "mirt"

    def __init__(self, table: ParameterTable) -> None:
        super().__init__(table)
        self.items = list(table.responses)
        self.factors = [v for v in table.latents if v.measured]
        self.names = {v.key: plain(v.name) for v in self.factors}
        self.start: list[str] = []
        self.fixed: list[str] = []
        self.free: list[str] = []
        self.same: dict[str, list[str]] = {}
        self.regression: dict[str, list[str]] = {}

    def write(self) -> Converted:
        self._refuse()
        if self.findings.hopeless:
            return self.findings.done((), "#")
        for r in self.table.rows:
            self._row(r)
        lines = [f"{self.names[v.key]} = {', '.join(self._items_of(v))}" for v in self.factors]
        if self.free:
            lines.append(f"COV = {', '.join(self.free)}")
        for keyword, entries in (("START", self.start), ("FIXED", self.fixed)):
            if entries:
                lines.append(f"{keyword} = {', '.join(entries)}")
        equal = [f"({', '.join(_grouped(entries))})" for entries in self.same.values() if len(entries) > 1]
        if equal:
            lines.append(f"CONSTRAIN = {', '.join(equal)}")
        self._whole()
        columns = ", ".join(f'"{v.name}"' for v in self.items)
        code = ["library(mirt)", f'd <- read.csv("{self.table.data or "data.csv"}")', f"items <- d[, c({columns})]"]
        code += ["model <- '", *(f"  {line}" for line in lines), "'"]
        return self.findings.done([*code, f"fit <- mirt({', '.join(self._arguments())})"], "#")

    def _refuse(self) -> None:
        if len(self.table.groups) > 1:
            self.findings.impossible("a model of several groups", help="mirt has multipleGroup(); convert one group")
        if not self.factors:
            self.findings.impossible("a model without factors")
        for v in self.table.variables.values():
            if v.role == "response" and (v.kind.name, v.link) not in ITEMTYPES:
                self.findings.impossible(f"'{v.name} :: {v.kind.name}({v.link})'", v, help="mirt's items are logistic")
            elif v.role == "response" and set(v.arguments) & {"trials", "success"}:
                self.findings.left_out(f"arguments of '{v.name} :: {v.kind.name}'", v, help="code the item 0 and 1")
            elif v.role != "response" and (v.level != ROWS or not v.measured or not v.kind.continuous):
                self.findings.impossible(f"the latent variable '{v.key}'", v)

    def _items_of(self, f: Variable) -> list[str]:
        return [r.rhs for r in self.table.rows if r.op == "=~" and r.source == f.key and r.target not in self.names]

    def _row(self, r: Row) -> None:
        parameter = self._parameter(r)
        text = f"{r.lhs} {r.op} {r.rhs}".rstrip()
        if parameter is None:
            if r.free or r.ustart or r.quantity:
                self.findings.left_out(f"'{text}'", r)
            return
        if not parameter:
            return
        if r.lower is not None or r.upper is not None:
            self.findings.left_out(f"the bound of '{text}'", r)
        place, name, sign = parameter.split("|")
        if not r.free:
            value = (r.ustart or 0.0) * float(sign)
            self.start.append(f"({place}, {name}, {number(value)})")
            if place != "GROUP":
                self.fixed.append(f"({place}, {name})")
        elif r.label:
            self.same.setdefault(r.label, []).append(f"{place}|{name}")

    def _parameter(self, r: Row) -> str | None:
        """Return ``item|parameter|sign``; '' where mirt has it by itself, None where it can't be said."""
        factors = list(self.names)
        if r.quantity in ("guess", "slip") and r.op == "~1":
            return "" if not r.free or not r.label else None
        if r.quantity or r.klass or r.category or r.moderators:
            return None
        if r.op == "=~" and r.target not in self.names and r.source and not r.via:
            return f"{r.rhs}|a{factors.index(r.source) + 1}|1"
        if r.op == "~1" and r.target in self.names:
            return None if r.free or r.ustart else ""
        if r.op == "~1":
            return f"{r.lhs}|d|1"
        if r.op == "|":
            plain_ordinal = self.table.variables[r.target].kind.name == "ordinal"
            many = any(x.op == "|" and x.target == r.target and x.threshold > 1 for x in self.table.rows)
            name = f"d{r.threshold}" if many or not plain_ordinal else "d"
            return f"{r.lhs}|{name}|-1" if plain_ordinal else ("" if r.free and not r.label else None)
        if r.op == "~~" and r.target in self.names and r.source in self.names:
            return self._covariance(r, factors)
        if r.op == "~" and r.target in self.names and not r.source and r.free and not r.label:
            self.regression.setdefault(r.target, []).append(":".join(r_covariate(c) for c in r.via))
            return ""
        return None

    def _covariance(self, r: Row, factors: list[str]) -> str:
        i, j = sorted((factors.index(r.target) + 1, factors.index(r.source) + 1), reverse=True)
        if r.free:
            self.free.append(f"{self.names[r.target]}*{self.names[r.source]}")
        elif r.ustart == (1.0 if i == j else 0.0):
            return ""
        return f"GROUP|COV_{i}{j}|1"

    def _arguments(self) -> list[str]:
        types = [self._itemtype(v) for v in self.items]
        one = f'"{types[0]}"' if len(set(types)) == 1 else "c(" + ", ".join(f'"{t}"' for t in types) + ")"
        out = ["items", "model", f"itemtype = {one}"]
        for quantity, argument in (("guess", "guess"), ("slip", "upper")):
            known = [self._fixed_probability(v, quantity) for v in self.items]
            if any(known):
                values = [number(1 - p if quantity == "slip" else p) for p in known]
                out.append(f"{argument} = c({', '.join(values)})")
        if self.regression:
            columns = {f"{c.column}" for r in self.table.rows if r.target in self.names for c in r.via}
            out.append("covdata = d[, c(" + ", ".join(f'"{c}"' for c in sorted(columns)) + "), drop = FALSE]")
            parts = [f"{self.names[k]} = ~ {' + '.join(terms)}" for k, terms in self.regression.items()]
            out.append(
                f"formula = list({', '.join(parts)})"
                if len(self.names) > 1
                else f"formula = {parts[0][parts[0].index('~') :]}"
            )
        return [*out, "SE = TRUE"]

    def _itemtype(self, v: Variable) -> str:
        kind = ITEMTYPES[(v.kind.name, v.link)]
        free = {r.quantity for r in self.table.rows if r.target == v.key and r.quantity and r.free}
        if kind != "2PL":
            return kind
        return {frozenset(): "2PL", frozenset({"guess"}): "3PL", frozenset({"slip"}): "3PLu"}.get(
            frozenset(free), "4PL"
        )

    def _fixed_probability(self, v: Variable, quantity: str) -> float:
        for r in self.table.rows:
            if r.target == v.key and r.quantity == quantity and r.op == "~1" and not r.free and r.ustart is not None:
                return 1 / (1 + math.exp(-r.ustart))
        return 0.0

    def _whole(self) -> None:
        t = self.table
        for x in t.relations:
            self.findings.left_out(f"the constraint '{x.text}'", x.span)
        for d in t.defined:
            self.findings.left_out(f"the defined parameter '{d.name}'", d.span)
        for column in (*t.frequency.values(), *t.weights.values()):
            self.findings.left_out(f"the weights '{column}'", help="mirt() has survey.weights")
        if any(r.free and r.ustart is not None for r in t.rows):
            self.findings.differs("start values are left to mirt")
        if t.reshape:
            self.findings.left_out("'reshape:'", help="reshape the data before")


def _grouped(entries: list[str]) -> list[str]:
    """Return items, then parameter names, as mirt lists equal parameters."""
    places = [e.split("|")[0] for e in entries]
    names = [e.split("|")[1] for e in entries]
    return [*places, *(names[:1] if len(set(names)) == 1 else names)]
