"""Values of the options that the engine reads: what this version knows, and what it can't do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from semlang.diagnostics import Diagnostic, error
from semlang.model.nearest import did_you_mean
from semlang.source import Source, Span

ROTATIONS = (
    "geomin", "oblimin", "quartimin", "varimax", "quartimax", "promax", "equamax", "parsimax", "bentler", "none",
)  # fmt: skip
"""Names of rotations."""

STANDARD_ERRORS = ("observed", "robust", "opg", "none")
"""Kinds of standard errors."""

KNOWN: Mapping[str, tuple[str, ...]] = {
    "rotation": ROTATIONS,
    "se": (*STANDARD_ERRORS, "default", "standard"),
    "missing": ("default", "ml", "fiml", "direct", "listwise"),
    "estimator": ("default", "ML", "MLR", "MLF"),
    "information": ("default", "observed"),
    "likelihood": ("default", "normal"),
    "rule": ("default", "adaptive"),
    "bounds": ("default", "none"),
}
"""Options that take one of a few words; letters may be large or small."""


NUMBERS: Mapping[str, tuple[bool, float, float]] = {
    "points": (True, 1, 199),
    "starts": (True, 1, 10_000),
    "threads": (True, 1, 1_024),
    "rotation.starts": (True, 1, 10_000),
    "geomin.epsilon": (False, 1e-12, 1.0),
    "oblimin.gamma": (False, -1e6, 1.0),
    "promax.kappa": (False, 1.0, 100.0),
}
"""Options that take a number: whether a whole one, the smallest and the largest."""

SWITCHES = (
    "int.ov.free", "int.lv.free", "auto.fix.first", "auto.fix.single", "auto.var", "auto.cov.lv.x", "auto.cov.x",
    "auto.cov.y", "auto.th", "auto.delta", "auto.efa", "std.lv", "orthogonal", "orthogonal.x", "orthogonal.y",
    "orthogonal.efa", "fixed.x", "rotation.std.ov",
)  # fmt: skip
"""Options that are true or false."""

ELSEWHERE: Mapping[str, str] = {
    "ordered": "declare the responses: y1 + y2 :: ordinal(probit)",
    "sampling.weights": "write a line 'weights: rows = w'",
    "conditional.x": "the likelihood is that of the responses given the covariates; leave the option out",
    "drop.missing": "write 'options: missing = listwise'",
    "marker.int.zero": "write the marker's intercept and the latent variable's mean: x1 ~ 0*1; f ~ 1",
}
"""lavaan's options that the language says otherwise."""


def option_findings(options: Mapping[str, Any], spans: Mapping[str, Span], source: Source) -> list[Diagnostic]:
    """Return an error for every option whose value this version does not know.

    lavaan's other estimators, expected information and least squares are none of them silently replaced by maximum
    likelihood.

    Examples
    --------
    >>> [d.message for d in option_findings({"rotation": "geomim"}, {}, Source(""))]
    ["rotation knows no 'geomim'"]
    """
    out = [
        error("unknown-option", f"'{name}' is not an option here", source, spans.get(name), help=instead)
        for name, instead in ELSEWHERE.items()
        if options.get(name) not in (None, False) and (name, options[name]) != ("conditional.x", True)
    ]
    out += [
        error("bad-option-value", problem, source, spans.get(name), help=f"write for example  {name} = {typed}")
        for name, problem, typed in _values(options)
    ]
    for name, known in KNOWN.items():
        value = options.get(name)
        if value is None or (value is False and "none" in known):
            continue
        if str(value).casefold() not in {k.casefold() for k in known}:
            words = ", ".join(k for k in known if k != "default")
            out.append(
                error(
                    "unknown-option",
                    f"{name} knows no '{value}'",
                    source,
                    spans.get(name),
                    help=(
                        *did_you_mean(str(value), known),
                        f"{words} are known" if "," in words else f"{words} is known",
                    ),
                )
            )
    return out


def _values(options: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, what is wrong and an example of options whose value is of the wrong type."""
    for name, (whole, least, most) in NUMBERS.items():
        value = options.get(name)
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least <= value <= most or (whole and value != int(value)):
            what = "a whole number" if whole else "a number"
            yield name, f"{name} is {what} from {least:g} to {most:g}, not '{value}'", f"{max(least, min(7, most)):g}"
    for name in SWITCHES:
        value = options.get(name)
        if value is not None and not isinstance(value, bool) and value not in (0, 1):
            yield name, f"{name} is true or false, not '{value}'", "true"


def standard_errors(options: Mapping[str, Any], weighted: bool = False) -> str:
    """Return the kind of standard errors that ``se`` or lavaan's ``estimator`` asks for.

    Parameters
    ----------
    options : mapping
    weighted : bool
        Whether there are sampling weights: their pseudo-likelihood has no information, so that robust standard errors
        are the default, which do not change when all weights are multiplied by a number.

    Examples
    --------
    >>> standard_errors({"estimator": "MLR"}), standard_errors({"se": "opg"}), standard_errors({})
    ('robust', 'opg', 'observed')
    """
    said = options.get("se")
    if said is False:
        return "none"
    if isinstance(said, str) and said.casefold() in STANDARD_ERRORS:
        return said.casefold()
    default = "robust" if weighted else "observed"
    return {"mlr": "robust", "mlf": "opg"}.get(str(options.get("estimator", "")).casefold(), default)
