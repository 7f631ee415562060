"""Monte Carlo power, bias and coverage."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from semlang.estimation.constraints import labels_at
from semlang.model.parameter_names import parameter_names
from semlang.results.population import Fresh
from semlang.results.replicates import Run, replicates
from semlang.results.simulate import Population
from semlang.results.table import Table

__all__ = ["power"]

COLUMNS = ("n", "name", "value", "mean", "bias", "sd", "se", "coverage", "power", "replications")


def power(
    populations: Sequence[tuple[Any, Population, Fresh | None]],
    replications: int,
    seed: int,
    alpha: float,
    points: int | None,
    processes: int | None,
    file: str | Path | None,
    tell: Callable[[str], None] | None,
) -> Table:
    """Return, for every size and free or defined parameter, what its estimates do over data sets.

    Parameters
    ----------
    populations : sequence of (size, Population, Fresh or None)
        `Fresh` where covariates are drawn anew for each data set.
    replications : int
    seed : int
    alpha : float
    points, processes, file, tell
        See `semlang.results.replicates.replicates`; with several sizes each has a file of its own, ``NAME.SIZE``.

    Returns
    -------
    Table
        `value` in the population, `mean` and `sd` of the estimates, `bias` of the mean, mean standard error `se`, share
        of the 1 - alpha Wald intervals that hold the value (`coverage`) and of the Wald tests that reject 0 (`power`),
        over the replications whose fit converged, the number of which stands last.
    """
    z = float(ndtri(1.0 - alpha / 2.0))
    records: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    for size, population, fresh in populations:
        shown = "data" if size is None else str(size) if isinstance(size, int | str) else "x".join(map(str, size))
        path = None if file is None else Path(file) if len(populations) == 1 else Path(f"{file}.{shown}")
        done = replicates(
            Run(population, seed, points, fresh=fresh), replications, processes, path, tell, f"n = {shown} "
        )
        good = [r for r in done if not r.problem]
        failed = len(done) - len(good)
        if failed:
            why = next(r.problem for r in done if r.problem)
            notes[f"n = {shown}: {failed} of {len(done)} fits failed (first: {why})"] = None
        if not good:
            continue
        est = np.stack([np.append(r.theta, [d[0] for d in r.defined]) for r in good])
        se = np.stack([np.append(r.se, [d[1] for d in r.defined]) for r in good])
        table = population.table
        labels = labels_at(table, population.theta)
        truth = np.append(population.theta, [labels[d.name].value for d in table.defined])
        for k, name in enumerate((*parameter_names(table), *(d.name for d in table.defined))):
            known = se[:, k] > 0
            inside = np.abs(est[known, k] - truth[k]) <= z * se[known, k]
            rejected = np.abs(est[known, k]) > z * se[known, k]
            records.append(
                {"n": shown, "name": name, "value": float(truth[k]), "mean": float(est[:, k].mean()),
                 "bias": float(est[:, k].mean() - truth[k]),
                 "sd": float(est[:, k].std(ddof=1)) if len(good) > 1 else math.nan,
                 "se": float(se[known, k].mean()) if known.any() else None,
                 "coverage": float(inside.mean()) if known.any() else None,
                 "power": float(rejected.mean()) if known.any() else None, "replications": len(good)}
            )  # fmt: skip
    return Table.of(COLUMNS, records, tuple(notes), f"Monte Carlo study, {replications} data sets, seed {seed}")
