"""What the data identify of each response, by its kind."""

from __future__ import annotations

from dataclasses import dataclass

from semlang.model.table import Variable

_FREE = {"negbinomial": "shape", "gamma": "shape", "beta": "shape", "weibull": "shape", "loglogistic": "shape"}
_CATEGORICAL = ("ordinal", "adjacent", "sequential")


@dataclass(frozen=True, slots=True)
class Margin:
    """How the second moments of a response read its linear predictor.

    Parameters
    ----------
    standardised : bool
        Only ratios to the standard deviation of the underlying response are identified (binary, ordinal).
    residual : str
        ``theta`` (a free residual variance or covariances), ``known`` (0 or 1), or the name of the distribution
        parameter whose linear predictor is the log of the residual variance, up to a factor.
    exhaustive : bool
        Whether the distribution of the response depends on the parameters through these moments alone.
    hidden : tuple of str
        Distribution parameters that no second moment shows (``guess``, ``slip``, ``zero``).
    supported : bool
        Whether the moments of this kind are known to the check.
    """

    standardised: bool
    residual: str
    exhaustive: bool
    hidden: tuple[str, ...] = ()
    supported: bool = True

    @property
    def unit(self) -> int:
        """Known residual variance of the underlying response: 1 where it is standardised, else 0."""
        return int(self.standardised and self.residual == "known")


def margin(variable: Variable, quantities: frozenset[str] = frozenset()) -> Margin:
    """Return the margin of a response.

    Parameters
    ----------
    variable : Variable
    quantities : frozenset of str
        Names of its distribution parameters that have a linear predictor in the model.

    References
    ----------
    Skrondal and Rabe-Hesketh (2004), Generalized Latent Variable Modeling, ch. 5: identification of models with
    continuous, categorical and count responses.
    """
    kind, link = variable.kind.name, variable.link
    hidden = tuple(sorted(quantities & {"guess", "slip", "zero"}))
    if kind in ("gaussian", "lognormal"):
        plain = link in ("", "identity")
        return Margin(False, "sigma" if "sigma" in quantities else "theta", plain, hidden)
    if kind == "binomial":
        many = variable.arguments.get("trials", 1) not in (1, 1.0, None)
        if many:
            return Margin(False, "known", not hidden, hidden)
        return Margin(True, "known", link == "probit" and not hidden, hidden)
    if kind in _CATEGORICAL:
        exhaustive = kind == "ordinal" and link == "probit"
        return Margin(True, "sigma" if "sigma" in quantities else "known", exhaustive, hidden)
    if kind in ("poisson", "exponential"):
        return Margin(False, "known", not hidden, hidden)
    if kind in _FREE:
        return Margin(False, _FREE[kind], False, hidden)
    return Margin(False, "known", False, hidden, supported=False)
