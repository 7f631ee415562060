"""The parameter space of covariance matrices of latent variables: a rule for each kind of row, whatever the engine."""

from __future__ import annotations

from semlang.model.table import ROWS, ParameterTable

__all__ = ["never_negative"]


def never_negative(table: ParameterTable) -> frozenset[str]:
    """Return the keys of latent variables whose covariance matrix has no negative eigenvalue, as in lme4 and gllamm.

    These are effects of the units of a cluster, ``(1 | school)``, ``y[school]`` and latent variables written with
    brackets, and random slopes. Latent variables of rows, and all that stands in lavaan's ``level:`` blocks, may have
    negative variances, as in lavaan, as long as the covariance matrix of the responses is positive definite. That
    holds for closed forms: by quadrature latent variables are integrated over, and have variances of zero or more.
    """
    slopes = {r.source for r in table.rows if r.source and r.via and r.op in ("~", "=~")}
    bars = {r.target for r in table.rows if r.rule == "random-effects bar" and r.op == "~~"}
    blocks = {r.target for r in table.rows if r.op == "~~" and r.target == r.source and r.level > 0}
    return frozenset(
        v.key for v in table.latents if v.key in slopes or v.key in bars or (v.level != ROWS and v.key not in blocks)
    )
