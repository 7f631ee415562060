"""The few numbers about fit that stand above the tables of a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.results.summary import probability

if TYPE_CHECKING:
    from semlang.results.fit import Fit

__all__ = ["equals", "headline"]

MOST_MARGINS = 300
"""Most margins of items for which M2 is part of a summary; `fit.m2()` takes more."""


def headline(fit: Fit) -> list[tuple[str, str]]:
    """Return what is defined of chi-squared, CFI, TLI, RMSEA, SRMR; M2; entropy; intraclass correlations.

    Parameters
    ----------
    fit : Fit
    """
    if not fit.designs:
        return []
    return [*_moments(fit), *_items(fit), *_classes(fit), *_clusters(fit)]


def _moments(fit: Fit) -> list[tuple[str, str]]:
    m = fit.measures()
    if "pvalue" not in m:
        return []
    out = [("Chi-squared", f"{m['chisq']:.2f}, {m['df']:.0f} df, p {equals(float(m['pvalue']))}")]
    if "cfi" in m and "tli" in m:
        out.append(("CFI, TLI", f"{m['cfi']:.3f}, {m['tli']:.3f}"))
    out.append(("RMSEA", f"{m['rmsea']:.3f}, 90 % [{m['rmsea.ci.lower']:.3f}, {m['rmsea.ci.upper']:.3f}]"))
    return [*out, ("SRMR", f"{m['srmr']:.3f}")]


def _items(fit: Fit) -> list[tuple[str, str]]:
    from semlang.results.m2 import m2

    responses = fit.table.responses
    if is_conditional(fit.table) or not all(v.kind.ordered for v in responses):
        return []
    atoms = sum(max(len(fit.designs[0].categories.get(v.key, ("0", "1"))) - 1, 1) for v in responses)
    if atoms * (atoms + 1) // 2 > MOST_MARGINS:
        return []
    try:
        found = m2(fit).records()[0]
    except FitError:
        return []
    interval = f"[{found['rmsea2.ci.lower']:.3f}, {found['rmsea2.ci.upper']:.3f}]"
    return [
        ("M2", f"{found['m2']:.2f}, {found['df']} df, p {equals(found['p'])}"),
        ("RMSEA2, SRMSR", f"{found['rmsea2']:.3f}, 90 % {interval}; {found['srmsr']:.3f}"),
    ]


def _classes(fit: Fit) -> list[tuple[str, str]]:
    from semlang.results.class_probabilities import classification

    if not fit.estimate.class_sizes:
        return []
    values = {r["variable"]: r["entropy"] for r in classification(fit).records()}
    shown = ", ".join(f"{e:.3f}" if len(values) == 1 else f"{k}: {e:.3f}" for k, e in values.items() if e is not None)
    return [("Entropy", shown)] if shown else []


def _clusters(fit: Fit) -> list[tuple[str, str]]:
    from semlang.results.icc import icc

    if is_conditional(fit.table) or not fit.table.clusters:
        return []
    rows = icc(fit).records()
    several = len({r["variable"] for r in rows}) > 1
    groups = len({r["group"] for r in rows}) > 1
    if not rows or len(rows) > 12:
        return []
    words = [
        f"{r['variable'] + ' ' if several else ''}{r['level']}{' ' + r['group'] if groups else ''} {r['icc']:.3f}"
        for r in rows
    ]
    return [("Intraclass correlations", ", ".join(words))]


def equals(p: float) -> str:
    """Return a p value as it stands in a sentence.

    Examples
    --------
    >>> equals(0.0412), equals(1e-9)
    ('= 0.041', '< 0.001')
    """
    text = probability(p)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"
