"""What is read off a fit: standardised solutions, fit measures, residuals, tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.nearest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["Reading", "choice"]


def choice(what: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return an argument that must be one of a few words.

    Raises
    ------
    FitError
        ``not-a-choice``.
    """
    if value in allowed:
        return value
    words = ", ".join(f"'{a}'" for a in allowed)
    raise FitError(
        [error("not-a-choice", f"{what} is {value!r}, not one of {words}", help=did_you_mean(str(value), allowed))]
    )


class Reading:
    """Methods of `semlang.results.fit.Fit` that return tables; each is described where it is computed."""

    def standardized(self: Fit, which: str = "all") -> pd.DataFrame:  # type: ignore[misc]
        """Return the standardised solution: ``lhs op rhs level group est.std se z p``.

        Parameters
        ----------
        which : {'all', 'lv', 'nox'}
            All variables, latent variables alone, or all but observed covariates; see
            `semlang.results.standardized.standardized`. Notes stand in ``attrs["notes"]``.
        """
        from semlang.results.standardized import WHICH, standardized

        return standardized(self, choice("which", which, WHICH)).frame()

    def r_squared(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return explained variance by variable; see `semlang.results.r_squared.r_squared`."""
        from semlang.results.r_squared import r_squared

        return r_squared(self).frame().set_index("variable")

    def icc(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return intraclass correlations by response; see `semlang.results.icc.icc`."""
        from semlang.results.icc import icc

        return icc(self).frame().set_index("variable")

    def reliability(self: Fit) -> pd.DataFrame:  # type: ignore[misc]
        """Return reliabilities by latent variable; see `semlang.results.reliability.reliability`."""
        from semlang.results.reliability import reliability

        return reliability(self).frame().set_index("variable")

    @overload
    def measures(self, name: None = None) -> pd.Series[float]: ...

    @overload
    def measures(self, name: str) -> float: ...

    def measures(self: Fit, name: str | None = None) -> Any:  # type: ignore[misc]
        """Return the fit measures that are defined, by lavaan's names, or one of them.

        Parameters
        ----------
        name : str, optional
            A measure; where it is not defined the finding ``undefined-measure`` says why.
        """
        import pandas as pd

        from semlang.results.measures import measures

        found = measures(self)
        return pd.Series(found.values, dtype=float) if name is None else found[name]

    def residuals(self: Fit, kind: str = "raw") -> pd.DataFrame:  # type: ignore[misc]
        """Return observed less implied moments: a square matrix of covariances, means in the column ``mean``.

        Parameters
        ----------
        kind : {'raw', 'correlation', 'standardized'}
            See `semlang.results.residuals.residuals`. With several groups the index has the group first.
        """
        import pandas as pd

        from semlang.results.residuals import KINDS, residuals

        tables = residuals(self, choice("kind", kind, KINDS))
        frames = [t.frame().set_index("variable") for t in tables]
        return frames[0] if len(frames) == 1 else pd.concat(dict(zip(self.table.groups, frames)), names=["group"])

    def modification_indices(self: Fit, minimum: float = 0.0) -> pd.DataFrame:  # type: ignore[misc]
        """Return score tests of what the model fixes, shares or leaves out: ``... mi epc sepc.all p``.

        Parameters
        ----------
        minimum : float
            Leave smaller indices out; see `semlang.results.modification_indices.modification_indices`.
        """
        from semlang.results.modification_indices import modification_indices

        return modification_indices(self, minimum).frame()

    def wald(self: Fit, equations: str) -> pd.DataFrame:  # type: ignore[misc]
        """Test equations of labels, ``"a == b; c == 0"``: ``test statistic df p``; see `semlang.results.wald.wald`."""
        from semlang.results.wald import wald

        return wald(self, equations).frame()

    def score_test(self: Fit, formulas: str) -> pd.DataFrame:  # type: ignore[misc]
        """Test what is freed, ``"f =~ x9; x7 ~~ x8"``, or the model's constraint, ``"a == b"``, without a new fit.

        See `semlang.results.score_test.score_test`.
        """
        from semlang.results.score_test import score_test

        return score_test(self, formulas).frame()
