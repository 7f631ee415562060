"""Latent responses: what a response that is not gaussian stands for where variances are needed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from semlang.model.table import Variable

__all__ = ["LatentResponse", "latent_response", "why_none"]


class LatentResponse(NamedTuple):
    """A continuous variable y* = nu + e whose values decide the response.

    Parameters
    ----------
    variance : float
        Of e; 0 where a residual variance or a ``sigma`` is all of it.
    shape : bool
        Whether a modelled ``shape`` a divides e, so that its variance is ``variance / a**2``.
    """

    variance: float
    shape: bool = False


_BY_LINK = {"logit": math.pi**2 / 3.0, "probit": 1.0, "cloglog": math.pi**2 / 6.0, "loglog": math.pi**2 / 6.0}
_CHOICE = {"logit": LatentResponse(math.pi**2 / 3.0)}
_THRESHOLD = {link: LatentResponse(v) for link, v in _BY_LINK.items()}

LATENT_RESPONSES: Mapping[str, Mapping[str, LatentResponse]] = {
    "gaussian": {"identity": LatentResponse(0.0)},
    "lognormal": {"identity": LatentResponse(0.0)},
    "binomial": _THRESHOLD,
    "ordinal": _THRESHOLD,
    "adjacent": _CHOICE,
    "sequential": _CHOICE,
    "multinomial": _CHOICE,
    "exponential": {link: LatentResponse(math.pi**2 / 6.0) for link in ("log", "aft")},
    "weibull": {"log": LatentResponse(math.pi**2 / 6.0), "aft": LatentResponse(math.pi**2 / 6.0, True)},
    "loglogistic": {"log": LatentResponse(math.pi**2 / 3.0), "aft": LatentResponse(math.pi**2 / 3.0, True)},
}


def latent_response(variable: Variable) -> LatentResponse | None:
    """Return the latent response of a response, None where it has none.

    That of binary and ordinal responses is cut by thresholds. Of adjacent categories it decides between two neighbours,
    of sequential ones whether to go on, of nominal ones it is the difference of the utilities of a category and the
    base. Of durations it is minus the logarithm of time, in units of the inverse shape (``log``), or that logarithm
    itself (``aft``). Errors are logistic (variance pi^2/3), normal (1) or Gumbel's (pi^2/6).

    References
    ----------
    McFadden (1974), in Frontiers in Econometrics, 105-142. Skrondal and Rabe-Hesketh (2004), Generalized Latent
    Variable Modeling, sections 2.4 and 3.

    Examples
    --------
    >>> from semlang.model.kinds import KINDS
    >>> round(latent_response(Variable("t", "t", "rows", "response", KINDS["weibull"], link="aft")).variance, 4)
    1.6449
    """
    return LATENT_RESPONSES.get(variable.kind.name, {}).get(variable.link or "identity")


def why_none(variable: Variable) -> str:
    """Return why a response has no latent response."""
    return f"{variable.kind.described} response ({variable.link or 'identity'}) has no latent response"
