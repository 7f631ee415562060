"""What is read off a fit: standardised solutions, fit measures, residuals, tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.nearest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["Reading", "choice", "teller"]


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

    def confint(  # type: ignore[misc]
        self: Fit, method: str = "wald", level: float = 0.95, parameters: Sequence[str] | None = None, **options: Any
    ) -> pd.DataFrame:
        """Return confidence intervals: ``name est lower upper``.

        Parameters
        ----------
        method : {'wald', 'profile', 'bootstrap'}
        level : float
        parameters : sequence of str, optional
            Names of free parameters; default all.
        **options
            Of the bootstrap: ``n``, ``seed``, ``parametric``, ``processes``, ``file``; ``progress`` shows how far it
            is. See `semlang.results.confint.confint`.
        """
        from semlang.results.confint import METHODS, confint

        tell = teller(options.pop("progress", False))
        return confint(self, choice("method", method, METHODS), level, parameters, tell=tell, **options).frame()

    def bootstrap(  # type: ignore[misc]
        self: Fit,
        n: int = 1000,
        seed: int = 1,
        parametric: bool = True,
        progress: bool | Callable[[str], None] = False,
        processes: int | None = None,
        file: str | Path | None = None,
    ) -> pd.DataFrame:
        """Return estimates from n data sets that are drawn from the model, or from the data's units.

        Parameters
        ----------
        n, seed : int
        parametric : bool
        progress : bool or callable
        processes : int, optional
            Default: all processors. Results do not depend on it.
        file : str or Path, optional
            Replicates are kept there; a run that was stopped goes on. See `semlang.results.bootstrap.bootstrap`.
        """
        from semlang.results.bootstrap import bootstrap

        return bootstrap(self, n, seed, parametric, processes, file, teller(progress))


def teller(progress: bool | Callable[[str], None]) -> Callable[[str], None] | None:
    """Return what takes a line about how far a run is: one line on standard error that is written over."""
    if progress is True:
        import sys

        return lambda line: print(f"\r{line}", end="", file=sys.stderr, flush=True)
    return progress or None
