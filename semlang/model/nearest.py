"""Which known name a misspelt one may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that looks most like `name`, or None where none is close.

    Examples
    --------
    >>> nearest("binomal", ["binomial", "gaussian"])
    'binomial'
    >>> nearest("x33", ["x1", "x2", "x3"])
    'x3'
    >>> nearest("zeta", ["y1", "y2"]) is None
    True
    """
    known = list(dict.fromkeys(candidates))
    folded = {c.casefold(): c for c in reversed(known)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    found = difflib.get_close_matches(name, [c for c in known if c != name], 1, 0.75)
    if found:
        return found[0]
    close = difflib.get_close_matches(name.casefold(), [c for c in folded if c != name.casefold()], 1, 0.6)
    return folded[close[0]] if close else None


def did_you_mean(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Return the help line for a misspelt name: one text, or none.

    Examples
    --------
    >>> did_you_mean("clustr", ["cluster", "groups"])
    ("did you mean 'cluster'?",)
    """
    found = nearest(name, candidates)
    return (f"did you mean '{found}'?",) if found else ()
