"""The counting rule: how many moments there are, and degrees of freedom."""

from __future__ import annotations

from collections.abc import Sequence

from semlang.checks.identification.moments import Block


def n_moments(blocks: Sequence[Block]) -> int | None:
    """Return the number of distinct moments of a saturated model, or None where it is not defined.

    For each group: the coefficients of the K responses on the C covariates (thresholds in place of the constant), and
    at each level the variances and covariances of the responses that vary there; a standardised response has no
    variance of its own. Random slopes and counts have no finite set of moments.
    """
    total = 0
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
            total += len(form.thresholds[i]) if i in form.thresholds else 1
            total += len(form.mean_columns) - 1
        at: dict[int, set[int]] = {}
        for i, level in enumerate(block.response_levels):
            at.setdefault(level, set()).add(i)
        for i, _, j, _ in form.loading_cells.tolist():
            at.setdefault(block.disturbance_levels[j], set()).add(i)
        for level, members in at.items():
            n = len(members)
            total += n * (n + 1) // 2
            total -= sum(block.margins[i].standardised and block.response_levels[i] == level for i in members)
    return total


def table_of_moments(block: Block, names: Sequence[str] | None = None) -> list[str]:
    """Return the moments of a small model by name: ``cov(y1, y2)``, ``E(y1)``."""
    keys = list(names or block.form.responses)
    out = [f"E({k})" for k in keys]
    for i, a in enumerate(keys):
        out += [f"var({a})" if i == j else f"cov({keys[j]}, {a})" for j in range(i + 1)]
    return out
