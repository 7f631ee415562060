"""The options of a model in one table: name, type, what they may be, default, and what they mean.

`check` and `fit` read it, the language server offers it, and ``docs/options.md`` is printed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Parameters
    ----------
    name : str
        As lavaan writes it, with dots.
    doc : str
        What it says, in a few words.
    kind : {'switch', 'whole', 'number', 'word', 'words', 'texts', 'mapping'}
        True or false; a number; one of `values`; several of `values`; several texts; a name for each of some names.
    default : object
        Without anything said; None where it depends on the model.
    values : tuple of str
        What a word may be; letters may be large or small.
    least, most : float
        Limits of a number.
    off : object
        Default under ``defaults = lavaan``, where that differs.
    automatic : bool
        Whether it decides about automatic parameters (lavaan's functions differ in these) rather than about the fit.
    inert : str
        Why another value than the default has no effect here; empty where each has one.
    """

    name: str
    doc: str
    kind: str = "switch"
    default: Any = False
    values: tuple[str, ...] = ()
    least: float = 0.0
    most: float = 0.0
    off: Any = None
    automatic: bool = False
    inert: str = ""

    @property
    def allowed(self) -> str:
        """What may stand behind ``=``, in words."""
        match self.kind:
            case "switch":
                return "true or false"
            case "whole":
                return f"a whole number from {self.least:g} to {self.most:g}"
            case "number":
                return f"a number from {self.least:g} to {self.most:g}"
            case "word":
                return " or ".join(self.values)
            case "words":
                return f"one or more of {', '.join(self.values)}, in brackets"
            case "texts":
                return "texts in brackets"
        return "a mapping, in Python"

    @property
    def example(self) -> str:
        """A value that can be typed."""
        match self.kind:
            case "switch":
                return "true"
            case "whole" | "number":
                return f"{max(self.least, min(7, self.most)):g}"
            case "word":
                return self.values[0]
            case "words":
                return f"[{', '.join(self.values[:2])}]"
        return '["f =~ x1"]'

    def allows(self, value: Any) -> bool:
        """Whether the option can have a value.

        Examples
        --------
        >>> OPTIONS["std.lv"].allows("foo"), OPTIONS["points"].allows(7.5), OPTIONS["group.equal"].allows("Loadings")
        (False, False, True)
        """
        match self.kind:
            case "switch":
                return isinstance(value, bool) or value in (0, 1)
            case "whole" | "number":
                number = isinstance(value, int | float) and not isinstance(value, bool)
                return number and self.least <= value <= self.most and (self.kind == "number" or value == int(value))
            case "word":
                return (value is False and "none" in self.values) or self.spelling(value) is not None
            case "words":
                if isinstance(value, bool):
                    return not value or self.name == "effect.coding"
                return all(self.spelling(v) is not None for v in several(value))
            case "texts":
                return value is False or isinstance(value, str | list | tuple)
        return isinstance(value, Mapping)

    def read(self, value: Any) -> Any:
        """Return an allowed value as the program uses it."""
        match self.kind:
            case "switch":
                return bool(value)
            case "word":
                return "none" if value is False else self.spelling(value)
            case "words":
                return self.values if value is True else tuple(str(self.spelling(v)) for v in several(value))
            case "texts":
                return several(value)
        return value

    def spelling(self, word: Any) -> str | None:
        """Return one of `values` for the same letters, large or small, or None."""
        return next((v for v in self.values if v.casefold() == str(word).casefold()), None)


def several(value: Any) -> tuple[Any, ...]:
    """Return what a list in brackets, or a single text, holds."""
    if value is False or value == "":
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


ROTATIONS = (
    "geomin", "oblimin", "quartimin", "varimax", "quartimax", "promax", "equamax", "parsimax", "bentler", "none",
)  # fmt: skip
"""Names of rotations."""

STANDARD_ERRORS = ("observed", "robust", "opg", "none")
"""Kinds of standard errors."""

FUNCTIONS = ("sem", "cfa", "growth", "lavaan")
"""lavaan's functions, whose automatic parameters differ."""

EQUAL = (
    "loadings", "composite.weights", "intercepts", "means", "thresholds", "regressions", "residuals",
    "residual.covariances", "lv.variances", "lv.covariances",
)  # fmt: skip
"""What can be equal in all groups."""


def _switch(name: str, doc: str, default: bool = False, off: bool | None = None, inert: str = "") -> Option:
    return Option(name, doc, "switch", default, off=off, automatic=True, inert=inert)


OPTIONS: Mapping[str, Option] = {
    o.name: o
    for o in (
        Option("defaults", "whose automatic parameters: those of this function of lavaan", "word", "sem", FUNCTIONS),
        _switch("std.lv", "variances of latent variables are 1, and no loading is fixed"),
        _switch("auto.fix.first", "the first loading of a latent variable is 1", True, False),
        _switch("auto.fix.single", "a single indicator has no residual", True, False),
        _switch("auto.var", "variances and residual variances", True, False),
        _switch("auto.cov.lv.x", "covariances of latent variables that nothing acts on", True, False),
        _switch("auto.cov.x", "covariances of all variables that nothing acts on"),
        _switch("auto.cov.y", "residual covariances of responses that act on nothing", True, False),
        _switch("auto.th", "thresholds of ordinal responses", True, False),
        _switch("auto.delta", "scales of ordinal responses are 1", True, False, "they are 1 with or without it"),
        _switch("auto.efa", "constraints that identify exploratory factors", True, False),
        _switch("int.ov.free", "intercepts of responses are free", True, False),
        _switch("int.lv.free", "means of latent variables are free"),
        _switch("meanstructure", "means are modelled", True, inert="means are always modelled"),
        _switch("fixed.x", "observed covariates are conditioned on", True),
        _switch("orthogonal", "automatic covariances of latent variables are 0"),
        _switch("orthogonal.x", "those of latent variables that nothing acts on"),
        _switch("orthogonal.y", "those of latent variables that act on nothing"),
        _switch("orthogonal.efa", "those of exploratory factors; the rotation is then orthogonal"),
        Option("effect.coding", "loadings or intercepts of a latent variable have mean 1 or 0", "words", (),
               ("loadings", "intercepts"), automatic=True),
        Option("marker", "which indicator has loading 1, by latent variable", "mapping", {}, automatic=True),
        Option("group.equal", "parameters that are equal in all groups", "words", (), EQUAL, automatic=True),
        Option("group.partial", "parameters that differ between groups all the same", "texts", (), automatic=True),
        Option("parameterization", "theta: a written residual variance of an ordinal response may be free", "word",
               "delta", ("delta", "theta"), automatic=True),
        Option("points", "exactly this number of quadrature points a dimension; else it is raised until they suffice",
               "whole", None, least=1, most=199),
        Option("rule", "where nodes stand: at modes, as in gllamm at posterior means and SDs, or at the prior; "
               "a sparse rule at modes", "word", "adaptive", ("default", "adaptive", "gllamm", "ordinary", "sparse")),
        Option("se", "standard errors; robust where there are sampling weights, else observed", "word", None,
               (*STANDARD_ERRORS, "default", "standard")),
        Option("estimator", "lavaan's word for kinds of standard errors: MLR is robust, MLF opg", "word", "ML",
               ("default", "ML", "MLR", "MLF")),
        Option("information", "which information standard errors come from", "word", "observed",
               ("default", "observed")),
        Option("likelihood", "the likelihood of gaussian responses divides by n", "word", "normal",
               ("default", "normal")),
        Option("missing", "rows with missing responses: used, or left out (listwise)", "word", "ml",
               ("default", "ml", "fiml", "direct", "listwise")),
        Option("bounds", "automatic bounds of parameters", "word", "none", ("default", "none")),
        Option("starts", "sets of start values; without it 20 for models with discrete latent variables, else 1",
               "whole", None, least=1, most=10_000),
        Option("threads", "processors; without it all, or SEMLANG_THREADS", "whole", None, least=1, most=1_024),
        Option("rotation", "rotation of exploratory factors", "word", "geomin", ROTATIONS),
        Option("rotation.starts", "starts of a rotation", "whole", 30, least=1, most=10_000),
        Option("rotation.std.ov", "rotate the loadings of standardised responses", default=True),
        Option("geomin.epsilon", "epsilon of geomin", "number", 0.001, least=1e-12, most=1.0),
        Option("oblimin.gamma", "gamma of oblimin", "number", 0.0, least=-1e6, most=1.0),
        Option("promax.kappa", "power of promax", "number", 4.0, least=1.0, most=100.0),
    )
}  # fmt: skip
"""All options, in the order of the documentation."""

ELSEWHERE: Mapping[str, str] = {
    "ordered": "declare the responses: y1 + y2 :: ordinal(probit)",
    "sampling.weights": "write a line 'weights: rows = {value}'",
    "weights": "write a line 'weights: rows = {value}'",
    "frequency": "write a line 'frequency: {value}'",
    "group": "write a line 'groups: {value}'",
    "groups": "write a line 'groups: {value}'",
    "group.label": "write 'group: LABEL' blocks in the order that is meant",
    "cluster": "write a line 'cluster: {value}'",
    "data": "write a line 'data: \"file.csv\"'",
    "family": "declare the response: y :: binomial(logit)",
    "link": "declare the response: y :: binomial(logit)",
    "test": "leave the option out: tests are asked of the fit",
    "mimic": "leave the option out",
    "conditional.x": "the likelihood is that of the responses given the covariates; leave the option out",
    "drop.missing": "write 'options: missing = listwise'",
    "marker.int.zero": "write the marker's intercept and the latent variable's mean: x1 ~ 0*1; f ~ 1",
}
"""Options of other programs that the language says otherwise; ``{value}`` is what was given."""


def defaults(function: str) -> dict[str, Any]:
    """Return the value of every option as one of lavaan's functions sets it.

    Examples
    --------
    >>> defaults("sem")["auto.var"], defaults("lavaan")["auto.var"], defaults("growth")["int.lv.free"]
    (True, False, True)
    """
    lavaan = function == "lavaan"
    out = {o.name: o.off if lavaan and o.off is not None else o.default for o in OPTIONS.values()}
    if function == "growth":
        out |= {"int.ov.free": False, "int.lv.free": True}
    out["defaults"] = function
    return out


def page() -> str:
    """Return the documentation of all options as Markdown."""
    lines = [
        "# Options",
        "",
        "`options: std.lv = true, points = 15` in a text, or by name in Python, `Model(text, std_lv=True)`; these win.",
        "An option that is unknown, or has another value than stands here, is an error; one that changes nothing is",
        "warned of.",
        "",
        "Defaults are those of `sem` and `cfa`; in brackets those of `lavaan`, where they differ. `growth` frees the",
        "means of latent variables instead of the intercepts of responses.",
    ]
    for title, automatic in (("Automatic parameters", True), ("The fit", False)):
        lines += ["", f"## {title}", "", "| option | may be | default | what |", "| --- | --- | --- | --- |"]
        for o in OPTIONS.values():
            if o.automatic is automatic:
                inert = f"; no effect here: {o.inert}" if o.inert else ""
                lines.append(f"| `{o.name}` | {o.allowed} | {_default(o)} | {o.doc}{inert} |")
    lines += ["", "## Said otherwise", "", "| option | here |", "| --- | --- |"]
    lines += [f"| `{name}` | {instead.format(value='COLUMN')} |" for name, instead in ELSEWHERE.items()]
    return "\n".join(lines) + "\n"


def _default(o: Option) -> str:
    def said(value: Any) -> str:
        return (
            "-" if value is None or value in ((), {}) else str(value).lower() if isinstance(value, bool) else str(value)
        )

    return said(o.default) if o.off is None else f"{said(o.default)} ({said(o.off)})"
