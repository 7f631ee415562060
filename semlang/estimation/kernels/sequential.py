"""One step of a sequence of categories: whether the response goes beyond category s, given that it came so far.

The threshold tau_s is f1. A response is the product of its steps, each a row of its own.
"""

from __future__ import annotations

from semlang.estimation.kernels import binomial
from semlang.estimation.kernels.binomial import Density
from semlang.estimation.kernels.declaring import inline


@inline
def logit(y: float, f1: float, f2: float, nu: float) -> Density:
    """P(y > s | y >= s) = F(nu - tau_s)."""
    value, g, w, dw, _, _, _, _, _, _ = binomial.logit(y, 1.0, 0.0, nu - f1)
    return value, g, w, dw, -g, w, -dw, 0.0, 0.0, 0.0
