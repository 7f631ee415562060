"""The counting rule: the table of moments and parameters, and degrees of freedom."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.checks.identification.moments import Block
from semlang.checks.identification.names import Names
from semlang.matrices.reduced import ReducedForm
from semlang.model.table import Product

PLURAL = {"quantity": "distribution parameters", "loading": "loadings", "path": "paths"}


def count_moments(blocks: Sequence[Block]) -> dict[str, int] | None:
    """Return the moments of a saturated model by kind, or None where their number is not defined.

    For each group: the coefficients of the K responses on the C covariates (thresholds in place of the constant; where
    covariates move the thresholds of a response, each threshold has coefficients of its own), and at each level the
    variances and covariances of the responses that vary there; a standardised response has no variance of its own.
    Random slopes and counts have no finite set of moments.
    """
    out = dict.fromkeys(("means", "thresholds", "slopes", "variances", "covariances"), 0)
    for block in blocks:
        form = block.form
        if len(form.random_columns) > 1 or any(m.residual not in ("theta", "known") for m in block.margins):
            return None
        if not all(m.exhaustive for m in block.margins) or any(form.quantities):
            return None
        if any(not m.standardised and m.residual == "known" for m in block.margins) or block.blind:
            return None
        k = len(form.responses)
        for i in range(k):
            out["thresholds" if i in form.thresholds else "means"] += len(form.thresholds.get(i, "1"))
            out["slopes"] += len(_columns(form)) * (len(form.thresholds[i]) if _moved(form, i) else 1)
        at: dict[int, set[int]] = {}
        for i, level in enumerate(block.response_levels):
            at.setdefault(level, set()).add(i)
        for i, _, j, _ in form.loading_cells.tolist():
            at.setdefault(block.disturbance_levels[j], set()).add(i)
        for level, members in at.items():
            n = len(members)
            out["covariances"] += n * (n - 1) // 2
            known = sum(block.margins[i].standardised and block.response_levels[i] == level for i in members)
            out["variances"] += n - known
    return {name: n for name, n in out.items() if n}


def _columns(form: ReducedForm) -> set[Product]:
    """Return the covariates of means and thresholds, without the constant."""
    moving = {a.via for thresholds in form.thresholds.values() for addends in thresholds for a in addends}
    return {via for via in (*form.mean_columns, *moving) if via}


def _moved(form: ReducedForm, i: int) -> bool:
    """Whether covariates move the thresholds of a response."""
    return any(a.via for addends in form.thresholds.get(i, ()) for a in addends)


def n_moments(blocks: Sequence[Block]) -> int | None:
    """Return the number of distinct moments, or None where it is not defined."""
    found = count_moments(blocks)
    return None if found is None else sum(found.values())


def count_parameters(names: Names, n: int) -> dict[str, int]:
    """Return the free parameters by role."""
    out: dict[str, int] = {}
    for p in range(n):
        if names.rows(p):
            role = names.role(p)
            plural = PLURAL.get(role, role + "s")
            out[plural] = out.get(plural, 0) + 1
    return out
