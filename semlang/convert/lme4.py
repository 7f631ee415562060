"""To lme4: ``lmer``, ``glmer``, and ``lm``, ``glm`` where there are no random effects."""

from __future__ import annotations

from semlang.convert.converted import Conversion, Converted, Findings
from semlang.convert.mixed import Mixed, RandomPart, read_mixed
from semlang.convert.writing import number, r_covariate, r_name
from semlang.model.table import ROWS, ParameterTable, Product

FAMILIES = {
    ("gaussian", "identity"): "gaussian",
    ("gaussian", "log"): 'gaussian(link = "log")',
    ("gaussian", "reciprocal"): 'gaussian(link = "inverse")',
    ("binomial", "logit"): "binomial",
    ("binomial", "probit"): 'binomial(link = "probit")',
    ("binomial", "cloglog"): 'binomial(link = "cloglog")',
    ("binomial", "cauchit"): 'binomial(link = "cauchit")',
    ("poisson", "log"): "poisson",
    ("poisson", "identity"): 'poisson(link = "identity")',
    ("poisson", "sqrt"): 'poisson(link = "sqrt")',
    ("gamma", "log"): 'Gamma(link = "log")',
    ("gamma", "reciprocal"): "Gamma",
    ("gamma", "identity"): 'Gamma(link = "identity")',
    ("negbinomial", "log"): "",
}
"""R's families by kind and link; '' where there is a function of its own."""


class Writer(Conversion):
    """R code for lme4."""

    target = "lme4"

    def write(self) -> Converted:
        """Return the code and what is not in it."""
        table, findings = self.table, self.findings
        y = table.responses[0] if len(table.responses) == 1 else None
        if y is not None and (y.kind.name, y.link) not in FAMILIES:
            help = "clmm of the package ordinal fits cumulative models" if y.kind.name == "ordinal" else ""
            findings.impossible(f"'{y.name} :: {y.kind.name}({y.link})'", y, help=help)
        model = read_mixed(table, findings)
        if model is None or findings.hopeless:
            return findings.done((), "#")
        _whole(table, findings)
        formula = _formula(table, model)
        lines = ["library(lme4)", f'd <- read.csv("{table.data or "data.csv"}")']
        if any(p.cluster == ROWS for p in model.parts):
            lines.append("d$row_id <- factor(seq_len(nrow(d)))")
        return findings.done([*lines, *_call(table, model, formula, findings)], "#")


def _call(table: ParameterTable, model: Mixed, formula: str, findings: Findings) -> list[str]:
    y = model.response
    weights = f", weights = {r_name(table.frequency[ROWS])}" if _frequencies(table) else ""
    gaussian = (y.kind.name, y.link) == ("gaussian", "identity")
    family = FAMILIES[(y.kind.name, y.link)]
    if y.kind.name == "negbinomial":
        if not model.parts:
            return ["library(MASS)", f"fit <- glm.nb({formula}, data = d)"]
        return [f"fit <- glmer.nb({formula}, data = d)"]
    if not model.parts:
        return [
            f"fit <- lm({formula}, data = d)"
            if gaussian
            else f"fit <- glm({formula}, data = d, family = {family}{weights})"
        ]
    if gaussian:
        return [f"fit <- lmer({formula}, data = d, REML = FALSE)"]
    scalar = len(model.parts) == 1 and len(model.parts[0].via) == 1
    points = table.options.get("points")
    if scalar:
        agq = f", nAGQ = {int(points) if points else 25}"
        if points != 1:
            findings.differs("with nAGQ > 1, glmer's log-likelihood leaves out the constants of the distribution")
    else:
        agq = ""
        if points != 1:
            findings.differs(
                "lme4 has only the Laplace approximation for more than one random effect",
                help="fit(points=1) is the Laplace approximation here",
            )
    # lme4's default tolerance leaves log-likelihoods 0.0003 short of the maximum in the example of its own manual.
    control = 'control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12)'
    return [f"fit <- glmer({formula}, data = d, family = {family}{weights}{agq},", f"  {control})"]


def _formula(table: ParameterTable, model: Mixed) -> str:
    y = model.response
    name = r_name(y.name)
    left = name
    if "trials" in y.arguments:
        n = y.arguments["trials"]
        trials = r_name(n) if isinstance(n, str) else number(n)
        left = f"cbind({name}, {trials} - {name})"
    elif "success" in y.arguments:
        left = f'as.numeric({name} == "{y.arguments["success"]}")'
    terms = ["1" if model.constant else "0"]
    terms += [_product(via) for via in model.fixed]
    for value, via in model.offsets:
        inner = _product(via, "*") if via else ""
        terms.append(f"offset({'*'.join(x for x in (number(value) if value != 1 or not via else '', inner) if x)})")
    if "exposure" in y.arguments:
        terms.append(f"offset(log({r_name(str(y.arguments['exposure']))}))")
    terms += [_bar(table, p) for p in model.parts]
    return f"{left} ~ {' + '.join(terms)}"


def _product(via: Product, sign: str = ":") -> str:
    return sign.join(r_covariate(c) for c in via)


def _bar(table: ParameterTable, part: RandomPart) -> str:
    """Return lme4's bar; clusters are written with those around them, for their labels may repeat there."""
    inner = ["1" if () in part.via else "0", *(_product(via) for via in part.via if via)]
    if part.cluster == ROWS:
        return f"({' + '.join(inner)} | row_id)"
    outer = reversed(table.clusters[table.clusters.index(part.cluster) :])
    return f"({' + '.join(inner)} | {':'.join(r_name(c) for c in outer)})"


def _frequencies(table: ParameterTable) -> bool:
    return set(table.frequency) == {ROWS} and table.responses[0].kind.name in ("binomial", "poisson")


def _whole(table: ParameterTable, findings: Findings) -> None:
    if table.frequency and not _frequencies(table):
        findings.left_out("frequencies", help="repeat the rows: d[rep(seq_len(nrow(d)), n), ]")
    for level, column in table.weights.items():
        findings.left_out(f"the weights '{column}' of {level}", help="the package WeMix has weights at all levels")
    if table.reshape:
        findings.left_out("'reshape:'", help="reshape the data before")
    for x in table.relations:
        findings.left_out(f"the constraint '{x.text}'", x.span)
    for d in table.defined:
        findings.left_out(f"the defined parameter '{d.name}'", d.span)
    y = table.responses[0]
    for name in set(y.arguments) & {"guess", "slip", "censored", "interval"}:
        findings.left_out(f"'{name}=' of '{y.name}'", y)
