"""The families of the kernels: one row of a table each, whose place is the code of a kernel row."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

__all__ = [
    "CODES", "COMPOSITES", "ENTRIES", "MIXTURES", "NO_THRESHOLD", "SETS", "TERM", "Entry", "code_of", "family_of",
    "has_density", "with_role",
]  # fmt: skip

NO_THRESHOLD = 1e10
"""Stands for an infinite threshold: ``f1`` of the last category, ``-NO_THRESHOLD`` in ``f2`` of the first."""


class Entry(NamedTuple):
    """A density of one row.

    Parameters
    ----------
    family : str
        The kind of the response; with ``guessed`` or ``inflated`` before it where the density is a mixture.
    link : str
    f1, f2 : str
        What the numbers of the row are: a distribution parameter, a threshold (``upper``, ``lower``,
        ``continues``), or data (``trials``, ``event``, ``censored``, ``high``, ``one``, ``set``); empty where they
        are not read.
    density : str
        Module and function in this package; empty where rows have a density only together (`softmax`).
    """

    family: str
    link: str
    f1: str
    f2: str
    density: str


_BINARY = ("logit", "probit", "cloglog", "loglog", "cauchit")
_MEAN = ("identity", "log", "reciprocal")
_COUNT = ("log", "identity", "sqrt")

ENTRIES: tuple[Entry, ...] = (
    *(Entry("binomial", link, "trials", "", f"binomial.{link}") for link in _BINARY),
    *(Entry("poisson", link, "", "", f"poisson.{link}") for link in _COUNT),
    *(Entry("gaussian", link, "sigma", "", f"gaussian.{link}") for link in _MEAN),
    *(Entry("ordinal", link, "upper", "lower", f"ordinal.{link}") for link in _BINARY[:4]),
    Entry("lognormal", "identity", "sigma", "", "gaussian.identity"),
    *(Entry("gamma", link, "shape", "", f"gamma.{link}") for link in ("log", "reciprocal", "identity")),
    *(Entry("beta", link, "shape", "", f"beta.{link}") for link in _BINARY),
    *(Entry("negbinomial", link, "shape", "", f"negbinomial.{link}") for link in _COUNT),
    *(Entry("exponential", link, "one", "event", f"survival.weibull_{link}") for link in ("log", "aft")),
    *(Entry("weibull", link, "shape", "event", f"survival.weibull_{link}") for link in ("log", "aft")),
    *(Entry("loglogistic", link, "shape", "event", f"survival.loglogistic_{link}") for link in ("log", "aft")),
    Entry("sequential", "logit", "continues", "", "sequential.logit"),
    *(Entry("censored gaussian", link, "sigma", "censored", f"gaussian.censored_{link}") for link in _MEAN),
    *(Entry("interval gaussian", link, "sigma", "high", f"gaussian.interval_{link}") for link in _MEAN),
    Entry("interval lognormal", "identity", "sigma", "high", "gaussian.interval_identity"),
    *(Entry("guessed binomial", link, "guess", "slip", f"mixed.guessed_{link}") for link in _BINARY),
    *(Entry("inflated poisson", link, "zero", "", f"mixed.inflated_poisson_{link}") for link in _COUNT),
    *(Entry("inflated negbinomial", link, "shape", "zero", f"mixed.inflated_negbinomial_{link}") for link in _COUNT),
    *(Entry(family, "logit", "set", "", "") for family in ("adjacent", "multinomial", "choice", "ranking")),
    *(Entry("composite gaussian", link, "set", "sigma", "") for link in _MEAN),
    *(Entry("composite binomial", link, "set", "trials", "") for link in _BINARY),
    *(Entry("composite poisson", link, "set", "", "") for link in _COUNT),
    Entry("composite term", "", "set", "", ""),
)
"""All densities. The place is the code."""

CODES: dict[tuple[str, str], int] = {(e.family, e.link): code for code, e in enumerate(ENTRIES)}
"""Code of each (family, link)."""

SETS = min(code for code, e in enumerate(ENTRIES) if e.f1 == "set")
"""From this code on rows are alternatives of a set, of which one is chosen, or terms of a sum. They follow
each other, and f1 is how many rows of the set there are from a row on."""

COMPOSITES = min(code for code, e in enumerate(ENTRIES) if e.family.startswith("composite"))
"""From this code on the rows of a set have one response, whose mean is a weighted sum of means (`composite`)."""

TERM = CODES["composite term", ""]
"""Code of what is added up. The first row of a set is the response."""

MIXTURES = {"guess": "guessed", "slip": "guessed", "zero": "inflated"}
_WORDS = {**MIXTURES, "censored": "censored", "interval": "interval"}
"""Distribution parameters that make the density a mixture, and the word before its family."""


def family_of(kind: str, quantities: Collection[str]) -> str:
    """Return the family of a kind, given which distribution parameters are modelled and its arguments."""
    words = {_WORDS[q] for q in quantities if q in _WORDS}
    return " ".join([*sorted(words), kind])


def _pair(family: str, link: str, quantities: Collection[str]) -> tuple[str, str]:
    return family_of(family, quantities), link or "identity"


def code_of(family: str, link: str, quantities: Collection[str] = ()) -> int:
    """Return the code of a family and link, given which distribution parameters are modelled and its arguments.

    Raises
    ------
    KeyError
        If the kernels do not have it.
    """
    return CODES[_pair(family, link, quantities)]


def has_density(family: str, link: str, quantities: Collection[str] = ()) -> bool:
    """Whether the kernels have a density."""
    return _pair(family, link, quantities) in CODES


def with_role(*roles: str) -> list[tuple[bool, bool]]:
    """Return by code whether f1, and whether f2, has one of these roles."""
    return [(e.f1 in roles, e.f2 in roles) for e in ENTRIES]
