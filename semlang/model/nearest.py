"""Which known name a misspelt one may have meant, as a line of help."""

from __future__ import annotations

from collections.abc import Iterable

from semlang.syntax.nearest import nearest


def did_you_mean(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """Return the help line for a misspelt name: one text, or none.

    Examples
    --------
    >>> did_you_mean("clustr", ["cluster", "groups"])
    ("did you mean 'cluster'?",)
    """
    found = nearest(name, (c for c in dict.fromkeys(candidates) if c != name))
    return (f"did you mean '{found}'?",) if found else ()
