"""Bootstrap replicates of the estimates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.model.parameter_names import parameter_names
from semlang.results.replicates import Run, replicates
from semlang.results.simulate import Population

if TYPE_CHECKING:
    import pandas as pd

    from semlang.results.fit import Fit

__all__ = ["bootstrap"]


def bootstrap(
    fit: Fit,
    n: int,
    seed: int,
    parametric: bool,
    processes: int | None,
    file: str | Path | None,
    tell: Callable[[str], None] | None,
) -> pd.DataFrame:
    """Return estimates from n data sets that are like the fit's.

    Parametric: responses are drawn from the model at the estimates, for the covariates of the data, missing where they
    are missing. Otherwise independent units (those of the highest cluster, or rows) are drawn with replacement, in each
    group apart.

    Parameters
    ----------
    fit : Fit
    n : int
    seed : int
    parametric : bool
    processes, file, tell
        See `semlang.results.replicates.replicates`.

    Returns
    -------
    DataFrame
        One row a data set whose fit converged, indexed by its number; a column a parameter and defined parameter, then
        ``loglik``. ``attrs["notes"]`` tell how many failed, and why.
    """
    import pandas as pd

    if fit.estimate.rotation:
        raise FitError(
            [error("not-simulated", "rotated factors are not bootstrapped: their order differs between data sets",
                   help="fit without rotation: options: rotation = none")]
        )  # fmt: skip
    population = Population(fit.table, fit.graphs, fit.designs, fit.estimate.theta)
    done = replicates(Run(population, seed, fit.estimate.points_again, not parametric), n, processes, _path(file), tell)
    good = [r for r in done if not r.problem]
    names = [*parameter_names(fit.table), *(d.name for d in fit.table.defined), "loglik"]
    values = [np.concatenate([r.theta, [d[0] for d in r.defined], [r.loglik]]) for r in good]
    out = pd.DataFrame(np.array(values).reshape(-1, len(names)), columns=names, index=[r.number for r in good])
    out.index.name = "replicate"
    failed = [r.problem for r in done if r.problem]
    out.attrs["notes"] = [f"{len(failed)} of {n} fits failed (first: {failed[0]})"] if failed else []
    return out


def _path(file: str | Path | None) -> Path | None:
    return None if file is None else Path(file)
