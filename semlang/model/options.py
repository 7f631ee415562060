"""Options of a model: what the text and the call say, on top of the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semlang.diagnostics import Diagnostic, warning
from semlang.model.option_findings import option_findings
from semlang.model.option_table import FUNCTIONS, OPTIONS
from semlang.model.option_table import defaults as defaults_of
from semlang.source import Source, Span
from semlang.syntax import ast


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


def from_directives(model: ast.Model, findings: list[Diagnostic]) -> dict[str, tuple[Any, Span]]:
    """Collect what ``options:`` directives say; a later one wins, and a warning says so."""
    found: dict[str, tuple[Any, Span]] = {}
    for s in model.statements:
        if isinstance(s, ast.Directive) and s.key == "options":
            for a in s.arguments:
                name = canonical(a.name if a.name is not None else str(a.value))
                if name in found:
                    findings.append(
                        warning("directive-twice", f"'{name}' stands twice; the later holds", model.source, a.span)
                    )
                found[name] = (_read(a.value) if a.name is not None else True, a.span)
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
    findings += option_findings(given | {"defaults": function}, spans, source)
    function = function.casefold() if function.casefold() in FUNCTIONS else "sem"
    merged = defaults_of(function)
    known = {name: OPTIONS[name] for name, value in given.items() if name in OPTIONS and value is not None}
    merged |= {name: o.read(given[name]) for name, o in known.items() if o.allows(given[name])}
    merged["defaults"] = function
    if (merged["std.lv"] or merged["effect.coding"]) and "auto.fix.first" not in given:
        merged["auto.fix.first"] = False
    if merged["auto.cov.x"]:
        merged["auto.cov.lv.x"] = True
    return merged
