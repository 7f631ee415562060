"""Ordinal responses: names of thresholds, and residual variances, which set the scale and stay 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semlang.diagnostics import Diagnostic, warning
from semlang.model.draft import Draft
from semlang.model.namespace import Namespace


def is_usual(name: str) -> bool:
    """Whether a threshold has its usual name.

    Examples
    --------
    >>> is_usual("t12"), is_usual("a")
    (True, False)
    """
    return name[:1] == "t" and name[1:].isdigit()


def fix_ordinal_residuals(
    rows: list[Draft], ns: Namespace, options: Mapping[str, Any], findings: list[Diagnostic]
) -> None:
    """Fix at 1 what the text frees, as lavaan does unless ``parameterization = theta`` says otherwise."""
    if options["parameterization"] == "theta":
        return
    reported: set[str] = set()
    for r in rows:
        v = ns.variables.get(r.target)
        if not (r.is_variance and r.free and r.user == 1) or v is None or v.role != "response":
            continue
        if v.kind.thresholds and v.name not in ns.declared.kinds:
            r.fix(1.0, "residual variance of an ordinal response")
            if v.key not in reported:
                reported.add(v.key)
                findings.append(
                    warning(
                        "ordinal-residual-variance",
                        f"the residual variance of '{v.name}' sets its scale: it is 1",
                        ns.source,
                        r.span,
                        help=f"model the scale with 'sigma({v.name}) ~ x', or say 'options: parameterization = theta'",
                    )
                )
