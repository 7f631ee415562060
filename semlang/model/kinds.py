"""The kinds of variables: one row of a table each."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    composite : bool
        Whether the mean is a weighted sum of means: those of the records of a set.
    logarithm : bool
        Whether the density is that of the logarithm of the response.
    discrete : bool
        Whether a latent variable takes one of some values: it is a class, or a mass point.
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
    composite: bool = False
    logarithm: bool = False
    discrete: bool = False

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
    def continuous(self) -> bool:
        """Whether it is a kind of latent variable that is normal."""
        return self.latent and not self.discrete

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
        ),
        Kind(
            "lognormal",
            ("identity",),
            quantities=("sigma",),
            arguments=("level", "interval"),
            logarithm=True,
        ),
        Kind("gamma", ("log", "reciprocal", "identity"), quantities=("shape",), arguments=("level",)),
        Kind("beta", _BINARY, quantities=("shape",), arguments=("level",)),
        Kind(
            "binomial",
            _BINARY,
            binary=True,
            quantities=("guess", "slip"),
            arguments=("level", "trials", "success", "guess", "slip"),
        ),
        Kind(
            "poisson",
            ("log", "identity", "sqrt"),
            quantities=("zero",),
            arguments=("level", "exposure"),
        ),
        Kind(
            "negbinomial",
            ("log", "identity", "sqrt"),
            quantities=("shape", "zero"),
            arguments=("level", "exposure"),
        ),
        Kind("exponential", ("log", "aft"), arguments=("level", "event", "entry"), logarithm=True),
        Kind(
            "weibull",
            ("log", "aft"),
            quantities=("shape",),
            arguments=("level", "event", "entry"),
            logarithm=True,
        ),
        Kind(
            "loglogistic",
            ("log", "aft"),
            quantities=("shape",),
            arguments=("level", "event", "entry"),
            logarithm=True,
        ),
        Kind(
            "ordinal",
            ("logit", "probit", "cloglog", "loglog"),
            thresholds=True,
            intercept=False,
            quantities=("sigma",),
            arguments=("level", "categories"),
        ),
        Kind(
            "adjacent",
            ("logit",),
            thresholds=True,
            intercept=False,
            arguments=("level", "categories"),
            alternatives=True,
        ),
        Kind(
            "sequential",
            ("logit",),
            thresholds=True,
            intercept=False,
            arguments=("level", "categories"),
            sequence=True,
        ),
        Kind("multinomial", ("logit",), arguments=("level", "base"), alternatives=True, nominal=True),
        Kind("choice", ("logit",), intercept=False, arguments=("set", "success"), sets=True),
        Kind("ranking", ("logit",), intercept=False, arguments=("set",), sets=True),
        Kind("composite", (), arguments=("set", "weight", "trials", "success", "exposure")),
        Kind("normal", (), latent=True, arguments=("observed",)),
        Kind("class", (), latent=True, arguments=("observed",), discrete=True),
        Kind("masspoints", (), latent=True, discrete=True),
    )
}

_TAKEN = {"gaussian": (), "binomial": ("trials", "success"), "poisson": ("exposure",)}

COMPOSITES: dict[str, Kind] = {
    name: replace(
        KINDS[name],
        name=f"composite {name}",
        binary=False,
        composite=True,
        quantities=("sigma",) if KINDS[name].residual else (),
        arguments=("set", "weight", *taken),
    )
    for name, taken in _TAKEN.items()
}
"""What ``composite(family, ...)`` declares, by family. They are kinds of their own: nothing that holds for a response
of the family holds for a sum of its means unasked."""

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
