"""To Stata's gsem: paths, variances and covariances, all explicit."""

from __future__ import annotations

from itertools import combinations
from math import isfinite

from semlang.convert.converted import Conversion, Converted
from semlang.convert.stata import compute, equals, latent_name, read_lines, stata_name, text_columns
from semlang.convert.writing import Columns, expression, labels, number, plain
from semlang.model.kinds import limits
from semlang.model.table import ROWS, Covariate, ParameterTable, Row, Variable

FAMILIES = {
    "gaussian": "gaussian",
    "lognormal": "lognormal",
    "gamma": "gamma",
    "beta": "beta",
    "binomial": "bernoulli",
    "poisson": "poisson",
    "negbinomial": "nbinomial mean",
    "exponential": "exponential",
    "weibull": "weibull",
    "loglogistic": "loglogistic",
    "ordinal": "ordinal",
    "multinomial": "multinomial",
}
"""gsem's families by kind."""

LINKS = {"identity", "log", "logit", "probit", "cloglog"}


class Writer(Conversion):
    """Stata code with a ``gsem`` command."""

    target = "gsem"

    def __init__(self, table: ParameterTable) -> None:
        super().__init__(table)
        texts = text_columns(table)
        self.columns = Columns(lambda column, via: compute(column, via, texts), stata_name)
        self.labels = {i: plain(x) for i, x in labels(table).items()}
        self.groups = len(table.groups) > 1
        self.endogenous = {r.target for r in table.rows if r.op in ("~", "=~") and not r.quantity}
        self.factors: dict[str, str] = {}
        self.refused = {v.key for v in table.variables.values() if not self._sayable(v)}
        self.refused |= self.findings.products()
        self.classes = [v for v in table.latents if v.kind.name == "class"]
        self.coefficients: dict[str, str] = {}

    def _sayable(self, v: Variable) -> bool:
        if v.role == "response":
            link = v.link if v.kind.name != "weibull" and v.kind.name != "loglogistic" else "log"
            bad = set(v.arguments) & {"guess", "slip", "success", "interval"}
            if v.kind.name not in FAMILIES or (link not in LINKS and link != "aft") or bad:
                self.findings.left_out(
                    f"'{v.name} :: {v.kind.name}({v.link})'", v, help="see gsem's family() and link()"
                )
                return False
        elif v.kind.name == "masspoints" or v.arguments.get("observed"):
            self.findings.left_out(f"the {v.kind.name} variable '{v.name}'", v)
            return False
        elif v.kind.continuous and any(x.kind.name == "class" for x in self.table.latents):
            self.findings.left_out(f"the latent variable '{v.key}' beside latent classes", v)
            return False
        return True

    # ------------------------------------------------------------------ names

    def _name(self, key: str) -> str:
        v = self.table.variables[key]
        if v.role == "response":
            return stata_name(v.name)
        if v.level == ROWS:
            return latent_name(v.name)
        t = self.table.clusters
        chain = ">".join(stata_name(c) for c in reversed(t[t.index(v.level) :]))
        return f"{latent_name(v.key.split('[')[0] if v.role == 'latent' else v.name + '_between')}[{chain}]"

    def _at(self, r: Row) -> str:
        if not r.free:
            return f"@{number(r.ustart or 0.0)}"
        return f"@{self.labels[r.id]}" if r.id in self.labels else ""

    # ------------------------------------------------------------------ the command

    def write(self) -> Converted:
        paths: list[str] = []
        for g in range(1, len(self.table.groups) + 1):
            rows = [
                r for r in self.table.rows if r.group == g and not {r.target, r.source, *r.moderators} & self.refused
            ]
            prefix = f"{g}: " if self.groups else ""
            for key, v in self.table.variables.items():
                if key not in self.refused:
                    paths += self._equation(v, [r for r in rows if r.target == key], prefix)
        options: list[str] = []
        for g in range(1, len(self.table.groups) + 1):
            rows = [r for r in self.table.rows if r.group == g and not {r.target, r.source} & self.refused]
            options += self._moments(rows, f"{g}: " if self.groups else "")
        options += self._whole()
        lines = read_lines(self.table)
        if self.groups:
            column = self.table.group_column or "group"
            lines.append("generate byte group_id = .")
            lines += [
                f"replace group_id = {i} if {equals(stata_name(column), label)}"
                for i, label in enumerate(self.table.groups, 1)
            ]
        lines += [f"egen long {name} = group({column}), label" for name, column in self.factors.items()]
        lines += self.columns.statements
        for v in self.table.responses:
            if v.arguments.get("level", ROWS) != ROWS and v.key not in self.refused:
                lines.append(
                    f"bysort {stata_name(str(v.arguments['level']))}: replace {stata_name(v.name)} = . if _n > 1"
                )
        command = ["gsem", *(f"    {p}" for p in paths)]
        if options:
            command[-1] += ","
            command += [f"    {o}" for o in options]
        text = " ///\n".join(command)
        return self.findings.done([*lines, text, *self._after()], "*")

    def _equation(self, v: Variable, rows: list[Row], prefix: str) -> list[str]:
        if v.kind.name == "class":
            terms = [self._term(r) for r in rows if r.op == "~" and r.klass == 1]
            return [f"({prefix}{latent_name(v.name)} <- {' '.join(t for t in terms if t)})"] if terms else []
        right: list[str] = []
        constant, offset = "", ""
        for r in rows:
            text = f"{r.lhs} {r.op} {r.rhs}".rstrip()
            if r.quantity or r.category or (r.threshold and r.op == "~") or len(r.moderators) > 0:
                if v.is_normal or not (r.quantity in ("sigma", "shape") and r.op == "~1" and r.free):
                    self.findings.left_out(f"'{text}'", r)
            elif r.op in ("~", "=~"):
                if r.op == "~" and any(c.function == "offset" for c in r.via) and r.ustart == 1:
                    offset = self.columns.of(r.via)
                    continue
                right.append(self._term(r))
            elif r.op == "~1" and not r.klass:
                constant = "" if r.free and r.id not in self.labels else f"_cons{self._at(r)}"
                if r.id in self.labels:
                    self.coefficients[self.labels[r.id]] = f"_b[{self._name(r.target)}:_cons]"
            elif r.op == "~*~" and (r.free or r.ustart != 1):
                self.findings.left_out(f"'{text}'", r)
            elif r.op == "<~" or (r.op == "|" and (not r.free or r.id in self.labels)):
                self.findings.left_out(f"'{text}'", r, help="" if r.op == "<~" else "gsem's cut points are all free")
            if r.lower is not None or r.upper is not None:
                self.findings.left_out(f"the bound of '{text}'", r)
        if v.role == "latent" and constant == "_cons@0":
            constant = ""
        if constant and v.role != "response" and v.key not in self.endogenous:
            constant = ""  # said by means()
        if v.role != "response" and not right and not constant:
            return []
        if v.role == "component":
            return [f"({prefix}{self._name(v.key)} <- {' '.join(right)})"] if right else []
        right += [self._name(x.key) + "@1" for x in self.table.latents if x.role == "component" and x.response == v.key]
        return [f"({prefix}{self._name(v.key)} <- {' '.join([*right, constant]).strip()}{self._family(v, offset)})"]

    def _term(self, r: Row) -> str:
        if r.klass and self.table.variables[r.target].kind.name != "class":
            self.findings.left_out(f"'{r.lhs} {r.op} {r.rhs}' of one class", r)
            return ""
        if any(c.function == "factor" for c in r.via):
            return self._factor(r)
        v = self.table.variables.get(r.source)
        if v is not None and self.table.variables[r.target].role != "response" and v.level != ROWS:
            self.findings.differs(
                "paths from latent variables of clusters to latent variables were not tried in gsem", r
            )
        if r.source:
            column = self.columns.of(r.via) if r.via else ""
            name = f"c.{column}#{self._name(r.source)}" if column else self._name(r.source)
        else:
            name = self.columns.of(r.via)
        if r.id in self.labels:
            self.coefficients.setdefault(self.labels[r.id], f"_b[{self._name(r.target)}:{name}]")
        return f"{name}{self._at(r)}"

    def _factor(self, r: Row) -> str:
        if len(r.via) > 1 or r.source or r.via[0].argument is not None:
            self.findings.left_out(f"'{r.rhs}' with unknown levels (give the data)", r)
            return ""
        c: Covariate = r.via[0]
        name = stata_name(f"{c.column}_id")
        self.factors[name] = stata_name(c.column)
        return f"i.{name}"

    def _family(self, v: Variable, offset: str) -> str:
        if v.role != "response":
            return ""
        family = FAMILIES[v.kind.name]
        if "trials" in v.arguments:
            n = v.arguments["trials"]
            family = f"binomial {stata_name(n) if isinstance(n, str) else number(n)}"
        if v.arguments.get("censored"):
            sides = zip(("lcensored", "rcensored"), limits(v.arguments["censored"]) or (), strict=False)
            given = [(word, x) for word, x in sides if isinstance(x, str) or isfinite(x)]
            said = (f"{word}({stata_name(x) if isinstance(x, str) else number(x)})" for word, x in given)
            family += f", {' '.join(said)}"
        if "event" in v.arguments:
            family += f", failure({stata_name(str(v.arguments['event']))})"
        if "entry" in v.arguments:
            family += f" ltruncated({stata_name(str(v.arguments['entry']))})"
        if v.link == "aft":
            family += ", aft" if "," not in family else " aft"
        link = "" if v.kind.name in ("weibull", "exponential", "loglogistic", "multinomial") else f" link({v.link})"
        out = f", family({family}){link}"
        if "exposure" in v.arguments:
            out += f" exposure({stata_name(str(v.arguments['exposure']))})"
        return out + (f" offset({offset})" if offset else "")

    # ------------------------------------------------------------------ variances, covariances, means

    def _end(self, key: str) -> str:
        name = self._name(key)
        response = self.table.variables[key].role == "response"
        return f"e.{name}" if response or key in self.endogenous else name

    def _moments(self, rows: list[Row], prefix: str) -> list[str]:
        out: list[str] = []
        pairs = set()
        for r in rows:
            if r.op == "~~" and not r.exo and r.target and r.source:
                v = self.table.variables[r.target]
                if v.role == "response" and v.kind.name != "gaussian":
                    continue
                if v.role == "response" and self._level_of(r.source) != self._level_of(r.target):
                    self.findings.left_out(f"'{r.lhs} ~~ {r.rhs}'", r)
                    continue
                if r.target == r.source:
                    out.append(f"variance({prefix}{self._end(r.target)}{self._at(r)})")
                else:
                    pairs.add(frozenset((r.target, r.source)))
                    out.append(f"covariance({prefix}{self._end(r.target)}*{self._end(r.source)}{self._at(r)})")
            elif r.op == "~1" and r.target not in self.endogenous and (r.free or r.ustart):
                v = self.table.variables[r.target]
                if v.role == "latent" and v.kind.continuous and not r.quantity:
                    out.append(f"means({prefix}{self._name(r.target)}{self._at(r)})")
        latents = [
            v
            for v in self.table.latents
            if v.key not in self.refused and v.key not in self.endogenous and v.kind.continuous
        ]
        for a, b in combinations(latents, 2):
            if a.level == b.level and frozenset((a.key, b.key)) not in pairs:
                out.append(f"covariance({prefix}{self._name(a.key)}*{self._name(b.key)}@0)")
        return out

    def _level_of(self, key: str) -> str:
        return self.table.variables[key].level

    # ------------------------------------------------------------------ the rest

    def _whole(self) -> list[str]:
        t = self.table
        out = ["group(group_id) ginvariant(none)"] if self.groups else []
        for v in self.classes:
            n = int(v.arguments.get("classes", 2))
            out.append(f"lclass({latent_name(v.name)} {n}, base({n})) lcinvariant(coef errvar scale)")
        for column in t.frequency.values():
            self.findings.left_out(
                f"the frequencies '{column}'", help="add [fweight = n], or the option fweight of a level"
            )
        for column in t.weights.values():
            self.findings.left_out(f"the weights '{column}'", help="add [pweight = w], or svyset the levels")
        if t.reshape:
            self.findings.left_out("'reshape:'", help="reshape the data before")
        if any(r.free and r.ustart is not None for r in t.rows):
            self.findings.differs("start values are left to gsem")
        for x in t.relations:
            self.findings.left_out(f"the constraint '{x.text}'", x.span, help="gsem has linear constraints")
        points = t.options.get("points")
        if any(v.kind.continuous for v in t.latents) and points:
            out.append(f"intpoints({int(points)})")
        return out

    def _after(self) -> list[str]:
        out = []
        for d in self.table.defined:
            text = expression(d.expression, {k: self.coefficients.get(plain(k), k) for k in self._labels()})
            if "_b[" not in text or any(
                k not in self.coefficients for k in map(plain, self._labels()) if k in text.split()
            ):
                self.findings.left_out(f"the defined parameter '{d.name}'", d.span)
                continue
            out.append(f"nlcom ({plain(d.name)}: {text})")
        return out

    def _labels(self) -> set[str]:
        return {r.label for r in self.table.rows if r.label}
