"""Options of a model: lavaan's, with the defaults of its fitting functions, and the engine's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semlang.diagnostics import Diagnostic, error
from semlang.model.engine_options import option_findings
from semlang.model.nearest import did_you_mean
from semlang.source import Source, Span
from semlang.syntax import ast

_ALL_OFF: dict[str, Any] = {
    "meanstructure": True,
    "int.ov.free": False,
    "int.lv.free": False,
    "auto.fix.first": False,
    "auto.fix.single": False,
    "auto.var": False,
    "auto.cov.lv.x": False,
    "auto.cov.x": False,
    "auto.cov.y": False,
    "auto.th": False,
    "auto.delta": False,
    "auto.efa": False,
    "std.lv": False,
    "orthogonal": False,
    "orthogonal.x": False,
    "orthogonal.y": False,
    "orthogonal.efa": False,
    "fixed.x": True,
    "effect.coding": (),
    "marker.int.zero": False,
    "marker": {},
    "group.equal": (),
    "group.partial": (),
    "parameterization": "delta",
}

_SEM = _ALL_OFF | {
    "int.ov.free": True,
    "auto.fix.first": True,
    "auto.fix.single": True,
    "auto.var": True,
    "auto.cov.lv.x": True,
    "auto.cov.y": True,
    "auto.th": True,
    "auto.delta": True,
    "auto.efa": True,
}

DEFAULTS: dict[str, dict[str, Any]] = {
    "lavaan": _ALL_OFF,
    "sem": _SEM,
    "cfa": _SEM,
    "growth": _SEM | {"int.ov.free": False, "int.lv.free": True},
}
"""Options as lavaan's functions set them."""

ENGINE = frozenset(
    [
        "points",
        "rule",
        "se",
        "defaults",
        "starts",
        "threads",
        "missing",
        "estimator",
        "ordered",
        "information",
        "bounds",
        "conditional.x",
        "likelihood",
        "sampling.weights",
        "rotation",
        "rotation.starts",
        "rotation.std.ov",
        "geomin.epsilon",
        "oblimin.gamma",
        "promax.kappa",
        "drop.missing",
    ]
)
"""Options that elaboration hands on without looking at them."""

_GROUP_EQUAL = [
    "loadings",
    "composite.weights",
    "intercepts",
    "means",
    "thresholds",
    "regressions",
    "residuals",
    "residual.covariances",
    "lv.variances",
    "lv.covariances",
]


def canonical(name: str) -> str:
    """Return an option's name as lavaan writes it, whether it came with dots, dashes or underscores.

    Examples
    --------
    >>> canonical("std_lv")
    'std.lv'
    """
    return name.replace("_", ".").replace("-", ".")


def _read(value: Any) -> Any:
    """Return truth values for the words that mean them."""
    if isinstance(value, str) and value.casefold() in ("true", "t", "yes"):
        return True
    if isinstance(value, str) and value.casefold() in ("false", "f", "no"):
        return False
    return value


def _several(value: Any) -> tuple[str, ...]:
    if value is None or value is False or value == "":
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(str(v) for v in value)


def from_directives(model: ast.Model) -> dict[str, tuple[Any, Span]]:
    """Collect what ``options:`` directives say; a later one wins."""
    found: dict[str, tuple[Any, Span]] = {}
    for s in model.statements:
        if isinstance(s, ast.Directive) and s.key == "options":
            for a in s.arguments:
                name = a.name if a.name is not None else str(a.value)
                found[canonical(name)] = (_read(a.value) if a.name is not None else True, a.span)
    return found


def merge(
    written: Mapping[str, tuple[Any, Span]],
    arguments: Mapping[str, Any],
    defaults: str,
    source: Source,
    findings: list[Diagnostic],
) -> dict[str, Any]:
    """Merge defaults, the file's options and arguments, in rising order of precedence.

    Parameters
    ----------
    defaults : str
        ``sem``, ``cfa``, ``growth`` or ``lavaan``; a value other than ``sem`` wins over the file's own.
    """
    given = {name: value for name, (value, _) in written.items()}
    spans = {name: span for name, (_, span) in written.items()}
    given |= {canonical(k): _read(v) for k, v in arguments.items() if v is not None}
    function = defaults if defaults != "sem" else str(given.get("defaults", "sem"))
    if function not in DEFAULTS:
        findings.append(
            error(
                "unknown-defaults",
                f"no set of defaults is called '{function}'",
                source,
                spans.get("defaults"),
                help=(*did_you_mean(function, DEFAULTS), "sem, cfa, growth and lavaan are known"),
            )
        )
        function = "sem"
    merged = dict(DEFAULTS[function])
    for name in given:
        if name not in merged and name not in ENGINE:
            findings.append(
                error(
                    "unknown-option",
                    f"no option is called '{name}'",
                    source,
                    spans.get(name),
                    help=did_you_mean(name, [*merged, *ENGINE]),
                )
            )
    if given.get("std.lv") is True and "auto.fix.first" not in given:
        merged["auto.fix.first"] = False
    merged |= given
    merged["defaults"] = function
    coding = merged["effect.coding"]
    merged["effect.coding"] = ("loadings", "intercepts") if coding is True else _several(coding)
    if merged["effect.coding"] and "auto.fix.first" not in given:
        merged["auto.fix.first"] = False
    for name in ("group.equal", "group.partial"):
        merged[name] = _several(merged[name])
    for name in merged["group.equal"]:
        if name not in _GROUP_EQUAL:
            findings.append(
                error(
                    "unknown-option",
                    f"group.equal knows no '{name}'",
                    source,
                    spans.get("group.equal"),
                    help=did_you_mean(name, _GROUP_EQUAL),
                )
            )
    findings += option_findings(merged, spans, source)
    if merged["auto.cov.x"]:
        merged["auto.cov.lv.x"] = True
    return merged
