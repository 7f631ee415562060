"""Parameters of the table as sums of those in the frame, and what they depend on."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["CONSTANT", "Choice", "Sum", "Term"]

CONSTANT = -1
"""Stands for no parameter in an expression."""

Term = Any
"""A parameter, or a pair: the product of a loading and a parameter."""


class Choice(NamedTuple):
    """What is done to a covariate in one place, or to a response.

    ``centre`` and ``scale`` of a path or row, ``slope`` and ``narrow`` (the same with a random slope), ``factor`` and
    ``slope factor`` (one factor of a product is centred, of which `place` holds the covariate, too), ``origin``.
    """

    what: str
    group: int
    place: Hashable


@dataclass
class Sum:
    """A parameter of the table as a sum of those in the frame, and the choices that it depends on."""

    terms: dict[Term, float]
    choices: set[Choice]

    def add(self, parameter: Term, value: float, choices: Collection[Choice] = ()) -> None:
        """Add value times a parameter."""
        if value:
            self.terms[parameter] = self.terms.get(parameter, 0.0) + value
            self.choices.update(choices)

    def add_all(self, other: Sum, factor: float, times: int = CONSTANT) -> None:
        """Add factor times another sum, also times a parameter."""
        for parameter, value in other.terms.items():
            term: Term = parameter
            if times != CONSTANT:
                term = times if parameter == CONSTANT else (times, parameter)
            self.add(term, factor * value, other.choices)

    def equals(self, other: Mapping[Any, float]) -> bool:
        """Return whether two sums are the same but for rounding."""
        if self.terms == other:
            return True
        return all(
            math.isclose(self.terms.get(k, 0.0), other.get(k, 0.0), rel_tol=1e-12)
            for k in self.terms.keys() | other.keys()
        )
