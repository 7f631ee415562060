"""To gllamm: responses stacked in long form, design variables, equations and the command.

Fixed loadings and equal parameters need no constraints: their design variables are added up, so that they share one
coefficient, or the reference loading of 1.
"""

from __future__ import annotations

from semlang.convert.converted import Conversion, Converted
from semlang.convert.designs import Designs, Term
from semlang.convert.stata import covariate, read_lines, stata_name, text_columns
from semlang.convert.writing import number, plain
from semlang.model.table import ROWS, ParameterTable, Product, Row, Variable

FAMILIES = {"gaussian": "gaussian", "binomial": "binomial", "poisson": "poisson", "gamma": "gamma"}
FAMILIES |= {"ordinal": "binomial", "multinomial": "binomial", "choice": "binomial"}
LINKS = {
    ("gaussian", "identity"): "identity",
    ("gaussian", "log"): "log",
    ("gaussian", "reciprocal"): "reciprocal",
    ("gamma", "log"): "log",
    ("gamma", "reciprocal"): "reciprocal",
    ("gamma", "identity"): "identity",
    ("poisson", "log"): "log",
    ("binomial", "logit"): "logit",
    ("binomial", "probit"): "probit",
    ("binomial", "cloglog"): "cll",
    ("ordinal", "logit"): "ologit",
    ("ordinal", "probit"): "oprobit",
    ("ordinal", "cloglog"): "ocll",
    ("multinomial", "logit"): "mlogit",
    ("choice", "logit"): "mlogit",
}
"""gllamm's links by kind and link."""


class Writer(Conversion):
    """Stata code with a ``gllamm`` command."""

    target = "gllamm"

    def __init__(self, table: ParameterTable) -> None:
        super().__init__(table)
        self.responses = [v for v in table.responses if self._sayable(v)]
        self.stacked = len(self.responses) > 1
        items = {v.key: (f"d{i}" if self.stacked else "") for i, v in enumerate(self.responses, 1)}
        self.designs = Designs(items, text_columns(table))
        self.classes = [v for v in table.latents if v.kind.name == "class"]
        self.rows = [r for r in table.rows if r.target]
        self.latents = [v for v in self._ordered() if self._direct(v)]
        self.equations: list[str] = []
        self.offset: list[Term] = []

    def _sayable(self, v: Variable) -> bool:
        if (v.kind.name, v.link) not in LINKS or set(v.arguments) - {"trials", "exposure", "level", "base", "set"}:
            self.findings.left_out(f"'{v.name} :: {v.kind.name}({v.link})' with its arguments", v)
            return False
        if v.kind.sets and len(self.table.responses) > 1:
            self.findings.left_out(f"the choice '{v.name}' beside other responses", v, help="stack the rows by hand")
            return False
        return True

    def _direct(self, v: Variable) -> bool:
        """Whether a response depends on a latent variable without another between them."""
        if v.role == "component" or any(r.source == v.key and self._is_response(r) for r in self.rows):
            return True
        self.findings.left_out(f"'{v.key}', which no response depends on directly, with its paths,", v)
        return False

    def _ordered(self) -> list[Variable]:
        """Return latent variables from the lowest level up; at one level effects come before their causes."""
        t = self.table
        left = [v for v in t.latents if v.kind.name != "class"]
        causes = {(r.target, r.source) for r in t.rows if r.op in ("~", "=~") and r.source}
        out: list[Variable] = []
        while left:
            low = min(t.levels.index(v.level) for v in left)
            own = [v for v in left if t.levels.index(v.level) == low]
            free = [v for v in own if not any((x.key, v.key) in causes for x in own)]
            chosen = (free or own)[0]
            out.append(chosen)
            left.remove(chosen)
        return out

    # ------------------------------------------------------------------ the do-file

    def write(self) -> Converted:
        t = self.table
        if len(t.groups) > 1:
            self.findings.impossible("a model of several groups", help="let dummies of the groups interact")
        if self.classes and (len(self.classes) > 1 or self.latents):
            self.findings.impossible("latent classes beside other latent variables", self.classes[0])
        if not self.responses:
            self.findings.impossible("a model without a response that gllamm has")
        if self.findings.hopeless:
            return self.findings.done((), "*")
        fixed, options = self._fixed_part()
        options += self._latent_part() if not self.classes else self._class_part()
        options += self._families() + self._scales() + self._weights()
        self._others()
        if self.offset:
            options.append(f"offset({self.designs.of(self.offset)})")
        points = t.options.get("points")
        if self.latents and not any("ip(f" in o for o in options):
            options.append(f"nip({int(points) if points else 15}) adapt")
        name = self._expanded(options) or ("resp" if self.stacked else stata_name(self.responses[0].name))
        command = f"gllamm {name} {' '.join(fixed)}".strip()
        designs = [f"generate double {name} = {text}" for name, text in self.designs.made.items()]
        lines = [*read_lines(t), *self._long(), *designs, *self.equations]
        return self.findings.done([*lines, " ///\n    ".join([f"{command},", *options])], "*")

    def _expanded(self, options: list[str]) -> str:
        """Say that rows are alternatives of a choice, which gllamm wants numbered; return the number's name, or ''."""
        v = self.responses[0]
        if not v.kind.sets:
            return ""
        units = [*(stata_name(c) for c in reversed(self.table.clusters)), stata_name(str(v.arguments["set"]))]
        self.equations.append(f"egen long set_id = group({' '.join(units)})")
        self.equations.append("bysort set_id: generate int alternative = _n")
        options.append(f"expanded(set_id {stata_name(v.name)} o)")
        return "alternative"

    def _long(self) -> list[str]:
        levels = {v.level for v in (*self.latents, *self.classes)}
        out = ["generate long row_id = _n"] if self.stacked or ROWS in levels else []
        if self.stacked:
            out += [f"generate double resp{i} = {stata_name(v.name)}" for i, v in enumerate(self.responses, 1)]
            out += ["reshape long resp, i(row_id) j(item)", "drop if missing(resp)"]
            for i, v in enumerate(self.responses, 1):
                if v.arguments.get("level", ROWS) != ROWS:
                    cluster = stata_name(str(v.arguments["level"]))
                    out.append(f"bysort {cluster} item (row_id): drop if _n > 1 & item == {i}")
            out += [f"generate byte d{i} = item == {i}  // {v.name}" for i, v in enumerate(self.responses, 1)]
        return out

    def _shared(self, rows: list[Row]) -> list[list[Row]]:
        """Group free rows by parameter."""
        out: dict[int, list[Row]] = {}
        for r in rows:
            out.setdefault(r.parameter, []).append(r)
        return list(out.values())

    def _equal(self, r: Row) -> bool:
        """Whether a row shares its parameter with another."""
        return sum(1 for x in self.table.rows if x.parameter == r.parameter >= 0) > 1

    def _is_response(self, r: Row) -> bool:
        return r.target in self.designs.items and not (r.quantity or r.klass or r.category or r.moderators)

    def _fixed_part(self) -> tuple[list[str], list[str]]:
        paths = [
            r for r in self.rows if self._is_response(r) and not r.source and r.op in ("~", "~1") and not r.threshold
        ]
        for r in paths:
            if any(c.function == "factor" for c in r.via):
                self.findings.left_out(f"'{r.rhs}' with unknown levels (give the data)", r)
        paths = [r for r in paths if all(c.function != "factor" for c in r.via)]
        self.offset += [(r.ustart, r.target, r.via) for r in paths if not r.free and r.ustart]
        for v in self.responses:
            if "exposure" in v.arguments:
                name = stata_name(str(v.arguments["exposure"]))
                self.equations.append(f"generate double log_{name} = log({name})")
                if self.stacked:
                    self.findings.left_out(f"'exposure={name}'", v, help=f"add offset(log_{name})")
        constants = [r for r in paths if r.op == "~1" and r.free]
        keep = constants and not self.stacked
        out = [
            self.designs.of([(1.0, r.target, r.via) for r in group])
            for group in self._shared([r for r in paths if r.free and not (keep and r.op == "~1")])
        ]
        options = [] if keep or all(v.kind.thresholds for v in self.responses) else ["nocons"]
        exposed = [v for v in self.responses if "exposure" in v.arguments]
        if exposed and not self.stacked:
            options.append(f"offset(log_{stata_name(str(exposed[0].arguments['exposure']))})")
        return out, options

    # ------------------------------------------------------------------ latent variables

    def _levels(self) -> list[str]:
        used = {v.level for v in (*self.latents, *self.classes)}
        return [x for x in self.table.levels if x in used]

    def _ids(self) -> str:
        return f"i({' '.join('row_id' if x == ROWS else self._id(x) for x in self._levels())})"

    def _id(self, cluster: str) -> str:
        """Return the identifier of a cluster, made unique over those around it."""
        t = self.table.clusters
        outer = [stata_name(c) for c in reversed(t[t.index(cluster) :])]
        if len(outer) == 1:
            return outer[0]
        made = f"egen long {outer[-1]}_id = group({' '.join(outer)})"
        if made not in self.equations:
            self.equations.append(made)
        return f"{outer[-1]}_id"

    def _latent_part(self) -> list[str]:
        if not self.latents:
            return ["init"]
        names: list[str] = []
        regressions: list[str] = []
        for i, v in enumerate(self.latents, 1):
            self.equations.append(f"eq f{i}: {' '.join(self._loadings(v))}")
            names.append(f"f{i}")
            gamma = [r for r in self.rows if r.target == v.key and r.op == "~" and not r.source and not r.quantity]
            for r in gamma:
                if not r.free or self._equal(r):
                    self.findings.left_out(f"the value or equality of '{r.lhs} ~ {r.rhs}'", r)
            if gamma:
                columns = (
                    [self.designs.of([(1.0, self.responses[0].key, r.via)]) for r in gamma]
                    if not self.stacked
                    else [self._column(r.via) for r in gamma]
                )
                self.equations.append(f"eq g{i}: {' '.join(columns)}")
                regressions.append(f"g{i}")
        counts = [sum(1 for v in self.latents if v.level == x) for x in self._levels()]
        out = [self._ids(), f"nrf({' '.join(map(str, counts))})", f"eqs({' '.join(names)})"]
        if regressions:
            out.append(f"geqs({' '.join(regressions)})")
        out += self._structure() + self._correlations()
        points = [v for v in self.latents if v.kind.name == "masspoints"]
        if points:
            out.append(f"ip(f) nip({int(points[0].arguments.get('classes', 2))})")
            if len(points) < len(self.latents):
                self.findings.left_out("mass points beside normal latent variables", points[0])
        return out

    def _column(self, via: Product) -> str:
        if len(via) == 1 and via[0].function == "identity":
            return stata_name(via[0].column)
        name = stata_name("_".join(plain(c.name) for c in via))
        self.designs.made[name] = "*".join(covariate(c, self.designs.texts) for c in via)
        return name

    def _loadings(self, v: Variable) -> list[str]:
        """Return the design variables of a latent variable; the loading of the first is 1."""
        paths = [r for r in self.rows if r.source == v.key and r.op in ("=~", "~") and self._is_response(r)]
        reference: list[Term] = [(r.ustart, r.target, r.via) for r in paths if not r.free and r.ustart]
        if v.role == "component":
            reference.append((1.0, v.response, ()))
        groups = [[(1.0, r.target, r.via) for r in g] for g in self._shared([r for r in paths if r.free])]
        variance = next((r for r in self.rows if r.op == "~~" and r.target == r.source == v.key), None)
        if variance is not None and not variance.free and v.kind.continuous:
            if reference or not groups:
                self.findings.left_out(f"the fixed variance of '{v.key}'", variance, help="constraint define, frload()")
            else:
                self.findings.differs(f"gllamm fixes the first loading of '{v.key}' instead of its variance", variance)
        if not reference and groups:
            reference = groups.pop(0)
        return [self.designs.of(x) for x in (reference, *groups)]

    def _structure(self) -> list[str]:
        keys = [v.key for v in self.latents]
        cells = [[0] * len(keys) for _ in keys]
        for r in self.rows:
            if r.op in ("~", "=~") and r.target in keys and r.source in keys:
                i, j = keys.index(r.target), keys.index(r.source)
                if not r.free or self._equal(r) or r.via or r.moderators or j <= i:
                    self.findings.left_out(f"'{r.lhs} {r.op} {r.rhs}' (fixed, equal, a product or a cycle)", r)
                else:
                    cells[i][j] = 1
        if not any(map(any, cells)):
            return []
        rows = " \\ ".join(", ".join(map(str, row)) for row in cells)
        self.equations.append(f"matrix B = ({rows})")
        return ["bmatrix(B)"]

    def _correlations(self) -> list[str]:
        pairs = {frozenset((r.target, r.source)): r for r in self.rows if r.op == "~~" and r.target != r.source}
        state: dict[str, set[bool]] = {}
        for i, a in enumerate(self.latents):
            for b in self.latents[i + 1 :]:
                row = pairs.get(frozenset((a.key, b.key)))
                if a.level == b.level:
                    state.setdefault(a.level, set()).add(row is not None and row.free > 0)
                elif row is not None and row.free:
                    self.findings.left_out(f"the covariance of '{a.key}' and '{b.key}' across levels", row)
        kinds = {x for s in state.values() for x in s}
        if kinds == {True, False}:
            self.findings.left_out("that some latent variables covary and others do not", help="constraint define")
        return ["nocorrel"] if kinds == {False} else []

    def _class_part(self) -> list[str]:
        c = self.classes[0]
        names = []
        for i, v in enumerate(self.responses, 1):
            own = [r for r in self.rows if r.target == v.key and r.klass]
            if any(not r.free or self._equal(r) or r.op != "~1" for r in own):
                self.findings.left_out(f"what is fixed, equal or a slope in a class of '{v.name}'", own[0])
            if own:
                self.equations.append(f"eq f{i}: {self.designs.of([(1.0, v.key, ())])}")
                names.append(f"f{i}")
        out = [self._ids(), f"nrf({len(names)})", f"eqs({' '.join(names)})"]
        out.append(f"ip(fn) nip({int(c.arguments.get('classes', 2))})")
        member = [r for r in self.rows if r.target == c.key and r.op == "~" and r.klass == 1]
        if member:
            self.equations.append(f"eq p: {' '.join(self._column(r.via) for r in member)}")
            out.append("peqs(p)")
        return out

    # ------------------------------------------------------------------ responses

    def _families(self) -> list[str]:
        families = list(dict.fromkeys(FAMILIES[v.kind.name] for v in self.responses))
        links = list(dict.fromkeys(LINKS[(v.kind.name, v.link)] for v in self.responses))
        out = [f"family({' '.join(families)}) link({' '.join(links)})"]
        if len(families) > 1 or len(links) > 1:
            for name, known in (("fam", [FAMILIES[v.kind.name] for v in self.responses]),
                                ("lnk", [LINKS[(v.kind.name, v.link)] for v in self.responses])):  # fmt: skip
                order = families if name == "fam" else links
                self.equations.append(f"generate byte {name} = .")
                self.equations += [
                    f"replace {name} = {order.index(x) + 1} if item == {i}" for i, x in enumerate(known, 1)
                ]
            out.append("fv(fam) lv(lnk)")
        trials = [(i, v) for i, v in enumerate(self.responses, 1) if "trials" in v.arguments]
        if trials and not self.stacked:
            n = trials[0][1].arguments["trials"]
            self.equations.append(f"generate double trials_ = {stata_name(n) if isinstance(n, str) else number(n)}")
        elif trials:
            self.equations.append("generate double trials_ = 1")
            for i, v in trials:
                n = v.arguments["trials"]
                self.equations.append(
                    f"replace trials_ = {stata_name(n) if isinstance(n, str) else number(n)} if item == {i}"
                )
        return [*out, "denom(trials_)"] if trials else out

    def _scales(self) -> list[str]:
        """Return the equation of log residual standard deviations, where they differ over responses."""
        variances = [r for r in self.rows if r.op == "~~" and r.target == r.source and r.target in self.designs.items]
        variances = [r for r in variances if self.table.variables[r.target].kind.name in ("gaussian", "gamma")]
        for r in variances:
            if not r.free:
                self.findings.left_out(f"the fixed value of '{r.lhs} ~~ {r.rhs}'", r, help="constraint define [lns1]")
        modelled = [r for r in self.rows if r.quantity == "sigma" and r.target in self.designs.items]
        terms = [[(1.0, r.target, r.via) for r in g] for g in self._shared([r for r in modelled if r.free])]
        terms += [[(1.0, r.target, ()) for r in g] for g in self._shared([r for r in variances if r.free])]
        if len(terms) < 2:
            return []
        self.equations.append(f"eq het: {' '.join(self.designs.of(x) for x in terms)}")
        return ["s(het)"]

    def _weights(self) -> list[str]:
        numbers = {x: i for i, x in enumerate(self._levels(), 2)}
        out = []
        for option, given in (("weight", self.table.frequency), ("pweight", self.table.weights)):
            stub = "fw" if option == "weight" else "pw"
            for level, column in given.items():
                self.equations.append(f"generate double {stub}{numbers.get(level, 1)} = {stata_name(column)}")
            if given:
                missing = [i for i in range(1, len(numbers) + 2) if i not in {numbers.get(x, 1) for x in given}]
                self.equations += [f"generate double {stub}{i} = 1" for i in missing]
                out.append(f"{option}({stub})")
        return out

    def _others(self) -> None:
        """Look at what has not been said."""
        t = self.table
        for r in t.rows:
            text = f"{r.lhs} {r.op} {r.rhs}".rstrip()
            covaries = r.op == "~~" and r.target != r.source and {r.target, r.source} & set(self.designs.items)
            odd = (
                r.op in ("<~", "|~", "|~1")
                or (r.op == "~*~" and (r.free or r.ustart != 1))
                or r.moderators
                or r.category
            )
            odd = (
                odd
                or (
                    r.quantity not in ("", "sigma", "shape" if r.op == "~1" and r.free else "")
                    or (r.threshold > 0 and r.op == "~")
                )
                or bool(r.rv)
            )
            odd = odd or bool(r.source and r.source not in self.table.variables)
            mean = r.op == "~1" and r.target in {v.key for v in self.latents} and (r.free or r.ustart) and not r.klass
            cut = r.op == "|" and (not r.free or self._equal(r))
            if (covaries and (r.free or r.ustart)) or odd or mean or cut:
                help = "see thresh()" if r.threshold and r.op == "~" else ""
                self.findings.left_out(f"'{text}'", r, help=help)
            if r.lower is not None or r.upper is not None:
                self.findings.left_out(f"the bound of '{text}'", r)
        for x in t.relations:
            self.findings.left_out(f"the constraint '{x.text}'", x.span, help="constraint define, if it is linear")
        for d in t.defined:
            self.findings.left_out(f"the defined parameter '{d.name}'", d.span, help="use nlcom after the fit")
        if any(r.free and r.ustart is not None for r in t.rows):
            self.findings.differs("start values are left to gllamm")
        if t.reshape:
            self.findings.left_out("'reshape:'", help="reshape the data before")
