"""What a dialect of path diagrams can decide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """A dialect.

    Parameters
    ----------
    name : str
    loops : bool
        Whether variances and residual variances are double-headed loops; else residuals are short arrows, and variances
        of exogenous latent variables words beside them.
    errors : bool
        Whether short arrows are named: epsilon for responses, zeta for latent variables.
    direction : {'auto', 'down', 'right'}
        In which direction causes and effects follow, where the user does not say.
    means : {'latent', 'all', 'none'}
        Whose means and intercepts are arrows from the constant 1, where the user does not say.
    """

    name: str
    loops: bool = False
    errors: bool = False
    direction: str = "auto"
    means: str = "latent"
