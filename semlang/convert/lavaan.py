"""To lavaan: model syntax in which every parameter is explicit."""

from __future__ import annotations

from collections.abc import Iterator

from semlang.convert.converted import Conversion, Converted
from semlang.convert.writing import Columns, expression, labels, number, plain, r_covariate, r_name, renamed
from semlang.model.table import ROWS, ParameterTable, Product, Row, Variable

Statement = tuple[str, str, list[str]]
"""Left side, operator, terms."""


class Writer(Conversion):
    """lavaan model syntax; a comment at its head holds the call."""

    target = "lavaan"

    def __init__(self, table: ParameterTable) -> None:
        super().__init__(table)
        self.columns = Columns(_compute, lambda name: name)
        self.labels = labels(table)
        self.probits: list[str] = []
        self.refused = {v.key for v in table.variables.values() if not self._sayable(v)}

    # ------------------------------------------------------------------ what can be said

    def _sayable(self, v: Variable) -> bool:
        blocks = any(r.level for r in self.table.rows)
        if v.role == "response":
            if v.kind.name == "binomial" and v.link == "probit" and not (set(v.arguments) - {"link"}):
                self.probits.append(v.key)
                return True
            known = (v.kind.name, v.link) in (("gaussian", "identity"), ("ordinal", "probit"))
            if not known or set(v.arguments) & {"censored", "interval"}:
                kind = f"{v.kind.name}({v.link})" if v.link else v.kind.name
                self.findings.left_out(f"'{v.name} :: {kind}'", v, help="lavaan has gaussian and probit responses")
                return False
            if v.arguments.get("level", ROWS) != ROWS and not blocks:
                self.findings.left_out(f"the response '{v.name}' of level {v.arguments['level']}", v)
                return False
            return True
        if not v.kind.continuous or v.arguments.get("observed"):
            self.findings.left_out(f"the {v.kind.name} variable '{v.name}'", v, help="--to mplus has latent classes")
            return False
        if v.level != ROWS and not (blocks and self._in_blocks(v)):
            self.findings.left_out(
                f"the random effect '{v.key}'", v, help="lavaan has two levels in 'level:' blocks; see also --to lme4"
            )
            return False
        return v.level != ROWS or v.measured or self._effect(v)

    def _effect(self, v: Variable) -> bool:
        """Tell whether a latent variable that measures nothing can be said."""
        if not any(r.op == "~" and r.source == v.key for r in self.table.rows):
            self.findings.left_out(f"the latent variable '{v.name}', which affects nothing", v)
            return False
        self.findings.differs(f"lavaan's latent variables stand on the left of =~: '{v.name} =~' for its paths", v)
        return True

    def _in_blocks(self, v: Variable) -> bool:
        own = [r for r in self.table.rows if v.key in (r.target, r.source)]
        return all(r.level for r in own) and all("[" not in f"{r.lhs}{r.rhs}" for r in own)

    def _obstacle(self, r: Row) -> str | None:
        """Return why a row can't be said, or None; '' where its variable has been reported."""
        if {r.target, r.source, *r.moderators} & self.refused:
            return ""
        if r.quantity:
            return f"'{r.quantity}(...)'"
        if r.klass or r.category:
            return f"'{r.lhs} {r.op} {r.rhs}' of one class or category"
        if r.threshold and r.op != "|":
            return f"a covariate of the threshold '{r.lhs}'"
        if r.moderators:
            return f"the product of latent variables '{r.rhs}'"
        if r.op == "=~" and r.via:
            return f"the loading '{r.lhs} =~ {r.rhs}' that multiplies a covariate"
        if r.source and r.via:
            return f"the random slope '{r.rhs}'"
        if any(c.function == "factor" for c in r.via):
            return f"'{r.rhs}' with unknown levels (give the data)"
        if r.level > 2:
            return "a third level"
        return None

    # ------------------------------------------------------------------ the text

    def write(self) -> Converted:
        body: list[str] = []
        numbered = max((r.block for r in self.table.rows), default=0) > len(self.table.groups)
        for block in dict.fromkeys(r.block for r in self.table.rows):
            rows = [r for r in self.table.rows if r.block == block]
            if len(self.table.groups) > 1 and (not body or rows[0].level < 2):
                body += ["", f"group: {_quoted(self.table.groups[rows[0].group - 1])}"]
            if rows[0].level:
                body += ["", f"level: {rows[0].level}"]
            elif numbered:
                self.findings.differs("lavaan reads 'class:' blocks and does not fit them")
                body += ["", f"class: {block}"]
            body += _merged(list(self._statements(rows)))
        body += self._constraints()
        self._whole()
        return self.findings.done([*self._head(), *body], "#")

    def _statements(self, rows: list[Row]) -> Iterator[Statement]:
        for r in rows:
            obstacle = self._obstacle(r)
            if obstacle:
                self.findings.left_out(obstacle, r)
            if obstacle is not None or r.exo:
                continue
            if not r.free and r.ustart is None and not r.rv:
                continue  # follows from the data or from other rows
            if r.op == "=~" and not r.target and r.rule == "random slope":
                continue
            yield from self._statement(r)

    def _statement(self, r: Row) -> Iterator[Statement]:
        lhs, op, rhs = r.lhs, r.op, r.rhs
        v = self.table.variables.get(r.source)
        if op == "~" and v is not None and v.role == "latent" and not v.measured and not r.level:
            lhs, op, rhs = v.name, "=~", lhs
        elif op == "~" and r.via:
            rhs = self._covariates(r.via)
        efa = f'efa("{r.efa}")*' if r.efa else ""
        match op:
            case "~1":
                if r.target in self.probits:
                    yield from self._probit(r)
                    return
                op, rhs = "~", "1"
            case "|~1":
                op, rhs = "|~", "1"
            case "=~" if not r.target:
                yield efa + r_name(lhs), op, [number(r.ustart or 0.0)]
                return
        target = rhs if rhs == "1" or ":" in rhs else r_name(rhs)
        yield efa + r_name(lhs), op, [f"{m}{target}" for m in self._modifiers(r)]

    def _covariates(self, via: Product) -> str:
        if len(via) <= 2 and all(c.function == "identity" for c in via):
            return ":".join(c.column for c in via)
        column = self.columns.of(via)
        self.findings.differs(f"'{':'.join(c.name for c in via)}' is computed as the column '{column}' before the fit")
        return column

    def _modifiers(self, r: Row, sign: float = 1.0) -> list[str]:
        out = []
        if r.rv:
            return [f'rv("{r.rv}")*']
        if not r.free and r.ustart is not None:
            out.append(f"{number(sign * r.ustart)}*")
        if r.free and r.ustart is not None:
            out.append(f"start({number(sign * r.ustart)})*")
        low, high = (r.lower, r.upper) if sign > 0 else (_minus(r.upper), _minus(r.lower))
        if low is not None:
            out.append(f"lower({number(low)})*")
        if high is not None:
            out.append(f"upper({number(high)})*")
        if r.id in self.labels:
            label = self.labels[r.id]
            out.append(f"{label}*" if r_name(label) == label else f'label("{label}")*')
        return out or [""]

    def _probit(self, r: Row) -> Iterator[Statement]:
        """Say the intercept of a probit response as a threshold."""
        self.findings.differs(
            f"lavaan has thresholds for binary responses: {r.lhs} | t1 is the intercept with its sign changed",
            r,
        )
        yield r_name(r.lhs), "|", [f"{m}t1" for m in self._modifiers(r, -1.0)]
        yield r_name(r.lhs), "~", ["0*1"]
        yield r_name(r.lhs), "~~", [f"1*{r_name(r.lhs)}"]
        yield r_name(r.lhs), "~*~", [f"1*{r_name(r.lhs)}"]

    def _constraints(self) -> list[str]:
        names = renamed(self.table, self.labels)
        out = [f"{d.name} := {expression(d.expression, names)}" for d in self.table.defined]
        for x in self.table.relations:
            out.append(f"{expression(x.left, names)} {x.op} {expression(x.right, names)}")
        flipped = {self.labels.get(r.id) for r in self.table.rows if r.op == "~1" and r.target in self.probits}
        if flipped - {None} and out:
            self.findings.left_out("a constraint on the intercept of a probit response")
        return ["", *out] if out else []

    # ------------------------------------------------------------------ the call

    def _whole(self) -> None:
        """Look at what stands outside the rows."""
        t = self.table
        for level, column in t.weights.items():
            if level != ROWS:
                self.findings.left_out(f"the weights '{column}' of level {level}")
            else:
                self.findings.differs(f"lavaan rescales the weights '{column}' to the number of rows")
        for column in t.frequency.values():
            self.findings.left_out(f"the frequencies '{column}'", help="repeat the rows: d[rep(seq_len(nrow(d)), n), ]")
        if t.reshape:
            self.findings.left_out("'reshape:'", help="reshape the data before")
        if len(t.clusters) > 1 and any(r.level for r in t.rows):
            self.findings.left_out("more than one cluster variable")
        if self._ordered():
            self.findings.differs(
                "lavaan fits ordinal responses by weighted least squares, not by maximum likelihood",
                help="estimates are close, log-likelihoods do not exist there",
            )

    def _ordered(self) -> list[str]:
        kept = [v for v in self.table.responses if v.key not in self.refused]
        return [v.name for v in kept if v.kind.thresholds or v.key in self.probits]

    def _head(self) -> list[str]:
        t = self.table
        ordered = self._ordered()
        arguments = ["model", "data = d", "meanstructure = TRUE"]
        if not t.options.get("fixed.x", True):
            arguments.append("fixed.x = FALSE")
        if len(t.groups) > 1:
            arguments.append(f'group = "{t.group_column or "group"}"')
        if t.clusters and any(r.level for r in t.rows):
            arguments.append(f'cluster = "{t.clusters[0]}"')
        elif not ordered and not t.weights:
            arguments.append('missing = "ml"')
        if ordered:
            names = ", ".join(f'"{name}"' for name in ordered)
            arguments += [f"ordered = c({names})", 'parameterization = "theta"']
            if any(v.kind.thresholds and not self._thresholds(v) for v in t.responses):
                arguments.append("auto.th = TRUE")
        if ROWS in t.weights:
            arguments.append(f'sampling.weights = "{t.weights[ROWS]}"')
        read = f'd <- read.csv("{t.data}")' if t.data else 'd <- read.csv("data.csv")'
        lines = ["library(lavaan)", read, *self.columns.statements]
        lines += ['model <- paste(readLines("model.lav"), collapse = "\\n")', f"fit <- lavaan({', '.join(arguments)})"]
        return [
            "# lavaan: every parameter is explicit. In R, with this text in model.lav:",
            *(f"#   {x}" for x in lines),
        ]

    def _thresholds(self, v: Variable) -> int:
        return sum(1 for r in self.table.rows if r.op == "|" and r.target == v.key)


def _minus(x: float | None) -> float | None:
    return None if x is None else -x


def _quoted(label: str) -> str:
    return label if plain(label) == label or label.isdigit() else f'"{label}"'


def _compute(column: str, via: Product) -> str:
    return f"d${r_name(column)} <- {'*'.join(r_covariate(c, 'd$') for c in via)}"


def _merged(statements: list[Statement]) -> list[str]:
    """Return one line for neighbours with the same left side and operator, wrapped at plus signs."""
    joined: list[Statement] = []
    for lhs, op, terms in statements:
        if joined and joined[-1][:2] == (lhs, op):
            joined[-1][2].extend(terms)
        else:
            joined.append((lhs, op, list(terms)))
    out: list[str] = []
    for lhs, op, terms in joined:
        line = f"{lhs} {op} "
        for i, term in enumerate(terms):
            piece = term if i == len(terms) - 1 else f"{term} + "
            if len(line) + len(piece) > 110:
                out.append(line.rstrip())
                line = "    "
            line += piece
        out.append(line)
    return out
