"""Tables of conditional distributions at the nodes, and the adjoint of their parameters.

A table has lines that sum to one, so that one whose distribution is narrower than the distance of the nodes makes an
error in the shape of the distribution, not in its mass.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semlang.estimation.elimination.standard import Conditional

__all__ = ["adjoint_of_table", "conditional_table", "slopes_of_table"]

Floats = NDArray[np.float64]


def _deviation(z: Floats, c: Conditional) -> tuple[Floats, list[Floats]]:
    """Return the deviations from the conditional mean, and the nodes of the given variables, with all axes."""
    g = c.b.size
    given = [z.reshape(*(-1 if k == m else 1 for k in range(g)), 1) for m in range(g)]
    mean = sum((b * v for b, v in zip(c.b, given, strict=True)), np.zeros((1,) * (g + 1)))
    return z.reshape(*(1,) * g, -1) - mean, given


def conditional_table(z: Floats, c: Conditional) -> Floats:
    """Return the probabilities of the nodes z (Q,) of a variable given nodes of others (Q, ..., Q), the own last."""
    d, _ = _deviation(z, c)
    log_p = -0.5 * d * d / c.variance
    p = np.exp(log_p - log_p.max(axis=-1, keepdims=True))
    out: Floats = p / p.sum(axis=-1, keepdims=True)
    return out


def slopes_of_table(z: Floats, c: Conditional, table: Floats) -> Floats:
    """Return the derivatives (g + 1, Q, ..., Q) of the logarithms in b and in the variance."""
    d, given = _deviation(z, c)
    parts = [np.broadcast_to(d * v / c.variance, table.shape) for v in given]
    parts.append(np.broadcast_to(0.5 * d * d / c.variance**2, table.shape))
    slopes = np.stack(parts)
    out: Floats = slopes - (slopes * table).sum(axis=-1, keepdims=True)
    return out


def adjoint_of_table(z: Floats, c: Conditional, table: Floats, bar: Floats) -> Floats:
    """Return the gradient (P,) from the derivatives `bar` of the logarithms of the table."""
    slopes = slopes_of_table(z, c, table)
    flat = slopes.reshape(len(slopes), -1) @ bar.ravel()
    out: Floats = flat[:-1] @ c.db + flat[-1] * c.dvariance
    return out
