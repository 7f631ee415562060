"""Which standard errors a model asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semlang.model.option_table import STANDARD_ERRORS


def standard_errors(options: Mapping[str, Any], weighted: bool = False) -> str:
    """Return the kind of standard errors that ``se`` or lavaan's ``estimator`` asks for.

    Parameters
    ----------
    options : mapping
    weighted : bool
        Whether there are sampling weights: their pseudo-likelihood has no information, so that robust standard errors
        are the default, which do not change when all weights are multiplied by a number.

    Examples
    --------
    >>> standard_errors({"estimator": "MLR"}), standard_errors({"se": "opg"}), standard_errors({})
    ('robust', 'opg', 'observed')
    """
    said = options.get("se")
    if said is False:
        return "none"
    if isinstance(said, str) and said.casefold() in STANDARD_ERRORS:
        return said.casefold()
    default = "robust" if weighted else "observed"
    return {"mlr": "robust", "mlf": "opg"}.get(str(options.get("estimator", "")).casefold(), default)
