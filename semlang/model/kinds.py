"""The kinds of variables: one row of a table each."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Kind:
    """What ``::`` can declare.

    Parameters
    ----------
    name : str
    links : tuple of str
        The first is the default.
    latent : bool
        Whether it is a kind of latent variable.
    thresholds : bool
        Whether responses have thresholds (and then no automatic intercept).
    intercept : bool
        Whether a response has an automatic intercept.
    residual : bool
        Whether ``y ~~ y`` is a parameter.
    quantities : tuple of str
        Further distribution parameters that can be modelled: ``sigma(y) ~ x``.
    arguments : tuple of str
        Names of arguments of the declaration.
    binary : bool
        Whether a response is a failure or a success, or a number of successes.
    sequence : bool
        Whether a response is a product of steps from one category to the next.
    alternatives : bool
        Whether one of several linear predictors is chosen: that of a category.
    nominal : bool
        Whether each category has a linear predictor of its own.
    sets : bool
        Whether records are alternatives of sets, from which one is chosen, or which are ranked.
    logarithm : bool
        Whether the density is that of the logarithm of the response.
    estimable : bool
        Whether the engine has it; else a fit answers with the finding ``not-estimable``.
    """

    name: str
    links: tuple[str, ...] = ()
    latent: bool = False
    thresholds: bool = False
    intercept: bool = True
    residual: bool = False
    quantities: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    binary: bool = False
    sequence: bool = False
    alternatives: bool = False
    nominal: bool = False
    sets: bool = False
    logarithm: bool = False
    estimable: bool = False

    @property
    def described(self) -> str:
        """The name with its article.

        Examples
        --------
        >>> KINDS["adjacent"].described, KINDS["poisson"].described
        ('an adjacent', 'a poisson')
        """
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    @property
    def ordered(self) -> bool:
        """Whether a response has categories in an order: two, or those between thresholds."""
        return self.binary or self.thresholds

    @property
    def categorical(self) -> bool:
        """Whether a response has categories that have probabilities."""
        return self.ordered or self.nominal


_BINARY = ("logit", "probit", "cloglog", "loglog", "cauchit")

KINDS: dict[str, Kind] = {
    k.name: k
    for k in (
        Kind(
            "gaussian",
            ("identity", "log", "reciprocal"),
            residual=True,
            quantities=("sigma",),
            arguments=("level", "censored", "interval"),
            estimable=True,
        ),
        Kind(
            "lognormal",
            ("identity",),
            quantities=("sigma",),
            arguments=("level", "interval"),
            logarithm=True,
            estimable=True,
        ),
        Kind("gamma", ("log", "reciprocal", "identity"), quantities=("shape",), arguments=("level",), estimable=True),
        Kind("beta", _BINARY, quantities=("shape",), arguments=("level",), estimable=True),
        Kind(
            "binomial",
            _BINARY,
            binary=True,
            quantities=("guess", "slip"),
            arguments=("level", "trials", "success", "guess", "slip"),
            estimable=True,
        ),
        Kind(
            "poisson",
            ("log", "identity", "sqrt"),
            quantities=("zero",),
            arguments=("level", "exposure"),
            estimable=True,
        ),
        Kind(
            "negbinomial",
            ("log", "identity", "sqrt"),
            quantities=("shape", "zero"),
            arguments=("level", "exposure"),
            estimable=True,
        ),
        Kind("exponential", ("log", "aft"), arguments=("level", "event", "entry"), logarithm=True, estimable=True),
        Kind(
            "weibull",
            ("log", "aft"),
            quantities=("shape",),
            arguments=("level", "event", "entry"),
            logarithm=True,
            estimable=True,
        ),
        Kind(
            "loglogistic",
            ("log", "aft"),
            quantities=("shape",),
            arguments=("level", "event", "entry"),
            logarithm=True,
            estimable=True,
        ),
        Kind(
            "ordinal",
            ("logit", "probit", "cloglog", "loglog"),
            thresholds=True,
            intercept=False,
            quantities=("sigma",),
            arguments=("level", "categories"),
            estimable=True,
        ),
        Kind(
            "adjacent",
            ("logit",),
            thresholds=True,
            intercept=False,
            arguments=("level", "categories"),
            alternatives=True,
            estimable=True,
        ),
        Kind(
            "sequential",
            ("logit",),
            thresholds=True,
            intercept=False,
            arguments=("level", "categories"),
            sequence=True,
            estimable=True,
        ),
        Kind("multinomial", ("logit",), arguments=("level", "base"), alternatives=True, nominal=True, estimable=True),
        Kind("choice", ("logit",), intercept=False, arguments=("set", "success"), sets=True, estimable=True),
        Kind("ranking", ("logit",), intercept=False, arguments=("set",), sets=True, estimable=True),
        Kind("composite", (), arguments=("level",)),
        Kind("normal", (), latent=True, arguments=("observed",), estimable=True),
        Kind("class", (), latent=True, arguments=("observed",), estimable=True),
        Kind("masspoints", (), latent=True, estimable=True),
    )
}

ALIASES = {"bernoulli": "binomial"}
"""Other names of kinds."""


OPEN = frozenset({"inf", "Inf", "-inf", "-Inf", "NA"})
"""Words that say in ``censored=[0, Inf]`` that there is no limit on a side."""

Limit = float | str
"""A number, or the name of a column."""


def limits(value: object) -> tuple[Limit, Limit] | None:
    """Return both limits of ``censored=[low, high]`` or ``interval=[low, high]``, None where it has another form.

    Examples
    --------
    >>> limits([0.0, "high"]), limits(["-Inf", 3.0]), limits(["low"])
    ((0.0, 'high'), (-inf, 3.0), None)
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        return None
    low, high = (side if x in OPEN else x for x, side in zip(value, (-inf, inf), strict=True))
    if not isinstance(low, int | float | str) or not isinstance(high, int | float | str):
        return None
    if not isinstance(low, str) and not isinstance(high, str) and not low < high:
        return None
    return low, high
