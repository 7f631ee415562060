"""To Mplus: an input file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from pathlib import PurePath

from semlang.convert.converted import Conversion, Converted
from semlang.convert.mplus_names import Names, compute, listed
from semlang.convert.writing import Columns, expression, labels, number, plain, renamed
from semlang.model.table import ROWS, ParameterTable, Row, Variable

LISTS = {
    ("gaussian", "identity"): "",
    ("binomial", "logit"): "CATEGORICAL",
    ("binomial", "probit"): "CATEGORICAL",
    ("ordinal", "logit"): "CATEGORICAL",
    ("ordinal", "probit"): "CATEGORICAL",
    ("poisson", "log"): "COUNT",
    ("negbinomial", "log"): "COUNT",
    ("multinomial", "logit"): "NOMINAL",
}
"""The list that names a response, by kind and link."""


class Writer(Conversion):
    """An Mplus input file."""

    target = "mplus"

    def __init__(self, table: ParameterTable) -> None:
        super().__init__(table)
        self.name = Names(table.columns())
        self.columns = Columns(compute(self.name), self.name)
        own = labels(table)
        self.labels = {i: plain(x)[:8] for i, x in own.items()}
        self.renamed = {k: plain(x)[:8] for k, x in renamed(table, own).items()}
        self.renamed |= {d.name: plain(d.name)[:8] for d in table.defined}
        self.blocks = any(r.level for r in table.rows)
        self.slopes: dict[str, str] = {}
        self.alias: dict[str, str] = {}
        self.refused = {v.key for v in table.variables.values() if not self._sayable(v)}
        self.refused |= self.findings.products()
        for v in table.latents:
            paths = [r for r in table.rows if r.source == v.key and r.op == "~"]
            if v.level != ROWS and not v.measured and paths and all(self._crosses(r) for r in paths):
                self.refused.add(v.key)
                self.findings.left_out(f"the effect of '{v.key}' on a factor of rows", v)

    def _sayable(self, v: Variable) -> bool:
        if v.role == "response":
            bad = set(v.arguments) & {"trials", "exposure", "guess", "slip", "success", "interval", "event", "entry"}
            if (v.kind.name, v.link) not in LISTS or bad:
                self.findings.left_out(f"'{v.name} :: {v.kind.name}({', '.join([v.link, *sorted(bad)])})'", v)
                return False
        elif v.kind.name == "masspoints" or v.arguments.get("observed"):
            self.findings.left_out(f"the {v.kind.name} variable '{v.name}'", v, help="see KNOWNCLASS")
            return False
        elif v.level != ROWS and len(self.table.clusters) > 1:
            self.findings.left_out(f"the latent variable '{v.key}' of a third level", v, help="see TYPE = THREELEVEL")
            return False
        return True

    # ------------------------------------------------------------------ the file

    def write(self) -> Converted:
        t = self.table
        self.alias = self._aliases()
        self.slopes = {r.source: self._shown(r.source) for r in t.rows if r.op == "~" and r.source and r.via}
        model = self._model()
        constraints = self._constraints()
        uses = [self.name(c) for c in t.columns() if c not in self._factors()]
        lines = [
            f"TITLE: {PurePath(t.source.name).name};",
            "DATA:",
            f'  FILE = "{t.data or "data.dat"}";  ! numbers only, no header',
        ]
        if self.name.changed:
            lines += [f"! Mplus names have eight characters: {', '.join(self.name.changed)}"]
        lines += ["VARIABLE:", *listed("NAMES", uses), "  MISSING = .;"]
        not_used = {*t.clusters, t.group_column, *t.frequency.values(), *t.weights.values()}
        used = [self.name(c) for c in self._used_columns() if c not in not_used]
        lines += listed("USEVARIABLES", [*used, *self.columns.made])
        lines += self._variable_lists()
        if self.columns.statements:
            lines += ["DEFINE:", *(f"  {s}" for s in self.columns.statements)]
        lines += ["ANALYSIS:", *(f"  {s}" for s in self._analysis()), *model]
        if constraints:
            lines += ["MODEL CONSTRAINT:", *(f"  {s}" for s in constraints)]
        self._whole()
        return self.findings.done(lines, "!")

    def _factors(self) -> set[str]:
        return {c.column for r in self.table.rows for c in r.via if c.function == "factor"}

    def _used_columns(self) -> list[str]:
        plain_columns = {
            c.column for r in self.table.rows if len(r.via) == 1 for c in r.via if c.function == "identity"
        }
        out = [v.name for v in self.table.responses if v.key not in self.refused]
        return out + [c for c in self.table.columns() if c in plain_columns and c not in out]

    def _variable_lists(self) -> list[str]:
        t = self.table
        lists: dict[str, list[str]] = {}
        for v in t.responses:
            if v.key in self.refused:
                continue
            word = LISTS[(v.kind.name, v.link)]
            name = self.name(v.name) + (" (nb)" if v.kind.name == "negbinomial" else "")
            if "censored" in v.arguments:
                self.findings.differs(f"'{v.name}' is censored at its extreme values in Mplus", v)
                word, name = "CENSORED", f"{name} (b)"
            if word:
                lists.setdefault(word, []).append(name)
        out = [line for word, names in lists.items() for line in listed(word, names)]
        if t.clusters:
            out += listed("CLUSTER", [self.name(t.clusters[0])]) + self._places()
        if t.group_column or len(t.groups) > 1:
            values = " ".join(f"{i} = g{i}" for i in range(1, len(t.groups) + 1))
            out.append(f"  GROUPING = {self.name(t.group_column or 'group')} ({values});")
            said = ", ".join(f"{i} is {label}" for i, label in enumerate(t.groups, 1))
            self.findings.differs(f"groups have numbers in Mplus: {said}")
        classes = [v for v in t.latents if v.kind.name == "class"]
        if classes:
            out.append(
                "  CLASSES = " + " ".join(f"{self.name(v.name)}({v.arguments['classes']})" for v in classes) + ";"
            )
        for level, column in t.weights.items():
            out.append(f"  {'WEIGHT' if level == ROWS else 'BWEIGHT'} = {self.name(column)};")
        if ROWS in t.frequency:
            out.append(f"  FREQWEIGHT = {self.name(t.frequency[ROWS])};")
        return out

    def _analysis(self) -> list[str]:
        t = self.table
        kinds = [w for w, on in (
            ("TWOLEVEL", bool(t.clusters)),
            ("MIXTURE", any(v.kind.name == "class" for v in t.latents)),
            ("RANDOM", bool(self.slopes)),
        ) if on]  # fmt: skip
        out = [f"TYPE = {' '.join(kinds)};"] if kinds else []
        out.append("ESTIMATOR = ML;")
        links = {v.link for v in t.responses if LISTS.get((v.kind.name, v.link)) == "CATEGORICAL"}
        if links:
            out.append(f"LINK = {sorted(links)[0].upper()};")
        if len(links) > 1:
            self.findings.left_out("both logit and probit responses")
        if any(LISTS.get((v.kind.name, v.link)) for v in t.responses) and any(v.kind.continuous for v in t.latents):
            out.append(f"ALGORITHM = INTEGRATION; INTEGRATION = {int(t.options.get('points') or 15)};")
        return out

    # ------------------------------------------------------------------ MODEL

    def _model(self) -> list[str]:
        out: list[str] = []
        for g, _ in enumerate(self.table.groups, 1):
            rows = [
                r for r in self.table.rows if r.group == g and not {r.target, r.source, *r.moderators} & self.refused
            ]
            several = len(self.table.groups) > 1
            heads = [f"MODEL g{g}:"] if several else ["MODEL:"]
            if several and g == 1:
                out += ["MODEL:", *(f"  {s}" for s in self._skeleton(rows))]
            within = [s for r in rows if not self._between(r) for s in self._statement(r)]
            between = [s for r in rows if self._between(r) for s in self._statement(r)]
            more = self._rest(rows)
            within += more[0]
            between += more[1]
            if self.table.clusters:
                out += [*heads, "  %WITHIN%", *(f"    {s}" for s in within), "  %BETWEEN%"]
                out += [f"    {s}" for s in between]
            else:
                out += [*heads, *self._by_class(rows, within)]
        return out

    def _skeleton(self, rows: list[Row]) -> list[str]:
        """Name the factors once, as Mplus wants it before the models of the groups."""
        return [f"{self._shown(r.source)} BY {self._shown(r.target)};" for r in rows if r.op == "=~" and r.target]

    def _by_class(self, rows: list[Row], statements: list[str]) -> list[str]:
        marked = [r for r in rows if r.klass and self.table.variables[r.target].kind.name != "class"]
        if not marked:
            return [f"  {s}" for s in statements]
        out = ["  %OVERALL%", *(f"  {s}" for s in statements)]
        for k in sorted({r.klass for r in marked}):
            out.append(f"  %{self.name(marked[0].class_variable.split('[')[0])}#{k}%")
            out += [f"  {s}" for r in marked if r.klass == k for s in self._statement(r, inside=True)]
        return out

    def _between(self, r: Row) -> bool:
        """Whether a row belongs to the between part."""
        if not self.table.clusters:
            return False
        if self.blocks:
            return r.level == 2
        if self._slope_of(r):
            return True
        keys = [k for k in (r.target, r.source) if k]
        if r.op == "~" and r.source and not r.via and self.table.variables[r.source].level != ROWS:
            return True
        levels = {self.table.variables[k].level for k in keys}
        if r.op in ("~1", "|"):
            return True  # means and thresholds are those of the between part
        return bool(keys) and levels != {ROWS} and (r.op == "~~" or self.table.variables[r.target].level != ROWS)

    def _shown(self, key: str) -> str:
        v = self.table.variables[self.alias.get(key, key)]
        return self.name(v.name if v.role != "component" else self.table.variables[v.response].name)

    def _mark(self, r: Row, star: bool = False) -> str:
        value = (
            f"@{number(r.ustart or 0.0)}" if not r.free else ("*" + (number(r.ustart) if r.ustart is not None else ""))
        )
        if r.free and r.ustart is None and not star:
            value = ""
        return value + (f" ({self.labels[r.id]})" if r.id in self.labels and r.free else "")

    def _statement(self, r: Row, *, inside: bool = False) -> Iterable[str]:
        text = f"{r.lhs} {r.op} {r.rhs}".rstrip()
        target = self.table.variables.get(r.target)
        if r.lower is not None or r.upper is not None:
            self.findings.left_out(f"the bound of '{text}'", r, help="see MODEL CONSTRAINT")
        if (
            r.exo
            or target is None
            or (not r.free and r.ustart is None)
            or (r.klass and not inside and target.kind.name != "class")
        ):
            return
        if r.quantity == "shape" and r.op == "~1" and r.free and not r.label:
            return
        obstacle = r.quantity or r.category or r.moderators or (r.threshold and r.op == "~") or r.rv or r.efa
        if obstacle or r.op in ("<~", "|~", "|~1") or (r.op == "~*~" and (r.free or r.ustart != 1)):
            self.findings.left_out(f"'{text}'", r)
            return
        categorical = target.role == "response" and bool(target.kind.thresholds or target.kind.name == "binomial")
        match r.op:
            case "=~":
                if r.via:
                    self.findings.left_out(f"'{text}'", r)
                else:
                    yield f"{self._shown(r.source)} BY {self._shown(r.target)}{self._mark(r, True)};"
            case "~":
                yield from self._regression(r)
            case "~1" if target.kind.name == "class":
                yield f"[{self._shown(r.target)}#{r.klass}{self._mark(r)}];"
            case "~1" if target.kind.name == "binomial":
                self.findings.differs("Mplus has thresholds for binary responses: intercepts with their sign changed")
                mark = f"@{number(-(r.ustart or 0.0))}" if not r.free else self._mark(r)
                yield f"[{self._shown(r.target)}$1{mark}];"
            case "~1" if not categorical:
                yield f"[{self._shown(r.target)}{self._mark(r)}];"
            case "|":
                yield f"[{self._shown(r.target)}${r.threshold}{self._mark(r)}];"
            case "~~" if not categorical:
                two = r.target != r.source
                yield f"{self._shown(r.target)}{f' WITH {self._shown(r.source)}' if two else ''}{self._mark(r)};"

    def _regression(self, r: Row) -> Iterable[str]:
        target = self._shown(r.target) + (f"#{r.klass}" if self.table.variables[r.target].kind.name == "class" else "")
        if any(c.function == "factor" for c in r.via):
            self.findings.left_out(f"'{r.rhs}' with unknown levels (give the data)", r)
        elif self._crosses(r):
            self.findings.left_out(
                f"'{r.lhs} ~ {r.rhs}' across levels", r, help="measure the factor at both levels, with equal loadings"
            )
        elif not r.source and self._slope_of(r):
            yield f"[{self._slope_of(r)}{self._mark(r)}];"
        elif not r.source:
            if r.ustart is not None and not r.free and any(c.function == "offset" for c in r.via):
                self.findings.differs(f"the offset '{r.rhs}' is a covariate with coefficient 1", r)
            yield f"{target} ON {self.columns.of(r.via)}{self._mark(r)};"
        elif not r.via:
            effect = self.table.variables[r.source]
            if effect.level != ROWS and not self.blocks and not effect.measured:
                yield from self._random_intercept(r)
            else:
                yield f"{target} ON {self._shown(r.source)}{self._mark(r)};"
        elif r.free or r.ustart != 1:
            self.findings.left_out(f"'{r.lhs} {r.op} {r.rhs}'", r)
        else:
            yield f"{self._shown(r.source)} | {target} ON {self.columns.of(r.via)};"

    def _crosses(self, r: Row) -> bool:
        """Whether a path goes from a higher level to a latent variable of rows."""
        if not r.source or self.blocks:
            return False
        source, target = self.table.variables[r.source], self.table.variables[r.target]
        return source.level != ROWS and target.level == ROWS and target.role != "response"

    def _places(self) -> list[str]:
        """Return the lists of variables that vary at one level only."""
        t = self.table
        between = [v.name for v in t.responses if v.arguments.get("level", ROWS) != ROWS and v.key not in self.refused]
        within: list[str] = []
        above: list[str] = []
        for r in t.rows:
            if r.op == "~" and r.via and r.target in t.variables:
                high = r.level == 2 or t.variables[r.target].level != ROWS
                (above if high or r.target in between else within).append(self.columns.of(r.via))
        names = list(dict.fromkeys(c for c in within if c not in above))
        if names and not self.blocks:
            self.findings.differs(
                f"covariates are taken to vary within clusters: {', '.join(names)}",
                help="move those that do not to BETWEEN, and their paths to %BETWEEN%",
            )
        out = listed("WITHIN", names) if names else []
        high_names = list(dict.fromkeys([*(self.name(c) for c in between), *(c for c in above if c not in within)]))
        return out + (listed("BETWEEN", high_names) if high_names else [])

    def _slope_of(self, r: Row) -> str:
        """Return the random slope whose mean a fixed slope is, or ''."""
        if r.source or r.op != "~":
            return ""
        own = (x for x in self.table.rows if x.source in self.slopes and (x.target, x.via) == (r.target, r.via))
        return next((self.slopes[x.source] for x in own), "")

    def _random_intercept(self, r: Row) -> Iterable[str]:
        """Say a random effect as the between part of its one response, or as a factor behind those of several."""
        if r.source not in self.alias:
            yield f"{self._shown(r.source)} BY {self._shown(r.target)}{self._mark(r, True)};"

    def _aliases(self) -> dict[str, str]:
        """Return the random intercepts of a single response: in Mplus its between part."""
        if self.blocks:
            return {}
        out: dict[str, str] = {}
        for v in self.table.latents:
            if v.level == ROWS or v.measured or v.key in self.refused:
                continue
            paths = [r for r in self.table.rows if r.source == v.key and r.op == "~" and not r.via]
            if v.role == "component":
                out[v.key] = v.response
            elif len(paths) == 1 and not paths[0].free and paths[0].ustart == 1:
                y = self.table.variables[paths[0].target]
                if y.role == "response" and y.key not in out.values():
                    out[v.key] = y.key
        return out

    def _rest(self, rows: list[Row]) -> tuple[list[str], list[str]]:
        """Return what has to be said against Mplus's defaults, within and between."""
        within: list[str] = []
        between: list[str] = []
        pairs = {frozenset((r.target, r.source)) for r in rows if r.op == "~~"}
        latents = [v for v in self.table.latents if v.kind.continuous and v.key not in self.refused]
        ends = [v.key for v in latents if v.role == "latent"]
        indicators = {r.target for r in rows if r.op == "=~"}
        predicted = {r.target for r in rows if r.op == "~" and not r.threshold} - indicators
        causes = {r.source for r in rows if r.op == "~"} | {c.column for r in rows for c in r.via}
        ends += [v.key for v in self.table.responses if v.key in predicted - causes and v.kind.name == "gaussian"]
        for a, b in combinations(ends, 2):
            va, vb = self.table.variables[a], self.table.variables[b]
            if va.level == vb.level and frozenset((a, b)) not in pairs and not {a, b} & indicators:
                where = between if self.table.clusters and va.level != ROWS else within
                where.append(f"{self._shown(a)} WITH {self._shown(b)}@0;")
        if self.table.clusters and not self.blocks:
            fixed = {(r.target, r.via) for r in rows if r.op == "~" and not r.source}
            for v in self.table.responses:
                if v.key not in self.refused | set(self.alias.values()) and v.level == ROWS:
                    between.append(f"{self.name(v.name)}@0;")
            for r in rows:
                if r.source in self.slopes and r.via and (r.target, r.via) not in fixed:
                    between.append(f"[{self.slopes[r.source]}@0];")
        return within, between

    # ------------------------------------------------------------------ the rest

    def _constraints(self) -> list[str]:
        out = [f"NEW({plain(d.name)[:8]});" for d in self.table.defined]
        for d in self.table.defined:
            out.append(f"{plain(d.name)[:8]} = {expression(d.expression, self.renamed, '**')};")
        for x in self.table.relations:
            sign = "=" if x.op == "==" else x.op
            out.append(f"{expression(x.left, self.renamed, '**')} {sign} {expression(x.right, self.renamed, '**')};")
        return out

    def _whole(self) -> None:
        for c in (c for r in self.table.rows for c in r.via if c.function == "level"):
            if not str(c.argument).replace(".", "", 1).isdigit():
                self.findings.left_out(f"the text '{c.argument}' of '{c.column}'", help="give its levels numbers")
        if self.table.reshape:
            self.findings.left_out("'reshape:'", help="reshape the data before")
        for level in self.table.frequency:
            if level != ROWS:
                self.findings.left_out(f"the frequencies of level {level}")
        self.findings.differs("Mplus reads numbers without a header line: write the columns in the order of NAMES")
