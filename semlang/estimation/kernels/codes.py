"""Which family and link a row of the kernels has: one integer code a pair."""

from __future__ import annotations

__all__ = ["CODES", "NO_THRESHOLD", "code_of"]

NO_THRESHOLD = 1e10
"""Stands for an infinite threshold: ``f1`` of the last category, ``-NO_THRESHOLD`` in ``f2`` of the first."""

CODES: dict[tuple[str, str], int] = {
    ("binomial", "logit"): 0,
    ("binomial", "probit"): 1,
    ("binomial", "cloglog"): 2,
    ("binomial", "loglog"): 3,
    ("binomial", "cauchit"): 4,
    ("poisson", "log"): 5,
    ("poisson", "identity"): 6,
    ("poisson", "sqrt"): 7,
    ("gaussian", "identity"): 8,
    ("gaussian", "log"): 9,
    ("gaussian", "reciprocal"): 10,
    ("ordinal", "logit"): 11,
    ("ordinal", "probit"): 12,
    ("ordinal", "cloglog"): 13,
    ("ordinal", "loglog"): 14,
}
"""Code of each (family, link).

Row parameters: ``f1`` is the number of trials (binomial), sigma (gaussian), the upper threshold
(ordinal); ``f2`` is the lower threshold (ordinal). The others are not read.
"""


def code_of(family: str, link: str) -> int:
    """Return the code of a family and link.

    Raises
    ------
    KeyError
        If the kernels do not have the pair.
    """
    return CODES[family, link]
