"""Simulated responses: from the estimates of a fit, or from given values of a model's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semlang.data.alternatives import as_written
from semlang.data.covariates import ProductColumns
from semlang.data.design import Design
from semlang.data.responses import censored
from semlang.diagnostics import error
from semlang.errors import FitError
from semlang.estimation.conditioning.conditions import is_conditional
from semlang.estimation.distributions import has_distribution
from semlang.graph.model_graph import ModelGraph
from semlang.model.kinds import limits
from semlang.model.table import ParameterTable, Product, Variable
from semlang.results.draw_group import Drawn, Normals, draw_group, with_drawn
from semlang.results.draw_mixture import Mixing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Population", "simulated"]

Floats = NDArray[np.float64]


class Population:
    """A model with values for all parameters and a design: what data sets are drawn from.

    Parameters
    ----------
    table : ParameterTable
    graphs : sequence of ModelGraph
    designs : sequence of Design
    theta : (P,) floats
    generator : numpy Generator, optional

    Raises
    ------
    FitError
        ``not-simulated`` where a kind of response, or a covariance matrix, can't be drawn.
    """

    def __init__(
        self,
        table: ParameterTable,
        graphs: Sequence[ModelGraph],
        designs: Sequence[Design],
        theta: Floats,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.generator = np.random.default_rng() if generator is None else generator
        self.table, self.graphs, self.designs, self.theta = table, tuple(graphs), tuple(designs), theta
        for v in table.responses:
            if not has_distribution(v):
                raise FitError(
                    [error("not-simulated", f"{v.kind.described} response is not simulated yet", table.source, v.span)]
                )
        self._mixing = Mixing(table, theta) if is_conditional(table) else None

    def draw(self, rng: np.random.Generator) -> list[Drawn]:
        """Return what is drawn of each group; no response is missing.

        A response of a higher level has its value in all rows of its unit.

        Raises
        ------
        FitError
            ``not-simulated`` where a mean is negative that has to be positive.
        """
        if self._mixing is not None:
            return [self._mixing.draw(n, d, rng) for n, d in enumerate(self.designs, 1)]
        return [
            draw_group(g, d, self.theta, Normals(d, rng), rng) for g, d in zip(self.graphs, self.designs, strict=True)
        ]

    def draw_designs(self, rng: np.random.Generator) -> tuple[Design, ...]:
        """Return designs with responses drawn anew, missing where they were missing."""
        out = []
        for design, new in zip(self.designs, self.draw(rng), strict=True):
            responses = {k: np.where(np.isnan(y), np.nan, new.responses[k]) for k, y in design.responses.items()}
            beyond = {k: censored(responses[k], design.low[k], design.high[k]) for k in design.censored}
            ends = {k: told(responses[k], design.low[k], design.high[k]) for k in _intervals(design)}
            observed = {k: np.where(np.isnan(y), np.nan, new.latent[k]) for k, y in design.observed.items()}
            columns = design.columns
            for v in self.table.responses:
                columns = with_drawn(columns, design, v, _seen(columns, v.name, new.responses[v.key]))
            out.append(replace(design, responses=responses, columns=columns, event=new.event, censored=beyond,
                               observed=observed, low={**design.low, **{k: low for k, (low, _) in ends.items()}},
                               high={**design.high, **{k: high for k, (_, high) in ends.items()}}))  # fmt: skip
        return tuple(out)


def _seen(columns: Mapping[Product, Floats], name: str, y: Floats) -> Floats:
    """Return a response where the data have a value of its column, NaN elsewhere."""
    return np.where(columns.known(name), y, np.nan) if isinstance(columns, ProductColumns) else y


def simulated(
    population: Population, frame: pd.DataFrame, rng: np.random.Generator, keep_missing: bool = True
) -> pd.DataFrame:
    """Return the frame with its responses drawn anew, in the values and types that they have there.

    Parameters
    ----------
    population : Population
    frame : DataFrame
        The rows that the designs count.
    rng : numpy Generator
    keep_missing : bool
        Leave responses missing that are missing in the frame.
    """
    import pandas as pd

    out = frame.copy()
    table = population.table
    values = {v.name: np.full(len(frame), np.nan) for v in table.responses}
    for design, new in zip(population.designs, population.draw(rng), strict=True):
        for key in _intervals(design):
            _write_ends(out, table.variables[key], design, new.responses[key])
        for v in table.responses:
            drawn = new.responses[v.key]
            if v.key in design.sets:
                gone = np.isnan(design.responses[v.key]) if keep_missing else False
                drawn = np.where(gone, np.nan, as_written(drawn, design.sets[v.key]) if ranked(v) else drawn)
            values[v.name][design.row] = drawn
            if v.key in new.event:
                events = out[str(v.arguments["event"])].to_numpy(dtype=np.float64, copy=True)
                events[design.row] = new.event[v.key]
                out[str(v.arguments["event"])] = events.astype(np.int64) if np.isfinite(events).all() else events
        for key, known in design.observed.items():
            column = str(table.variables[key].arguments["observed"])
            truth = out[column].to_numpy(dtype=np.float64, copy=True)
            truth[design.row] = np.where(np.isnan(known), np.nan, new.latent[key])
            out[column] = truth
    for v in table.responses:
        categories = next((d.categories[v.key] for d in population.designs if v.key in d.categories), ())
        y = values[v.name]
        own = keep_missing and v.name in frame and not ranked(v)
        missing = np.isnan(y) | (frame[v.name].isna().to_numpy() if own else False)
        if categories and not set(categories) <= {"0", "1"}:
            texts = np.array(categories, dtype=object)[np.where(missing, 0, np.nan_to_num(y)).astype(np.int64)]
            if isinstance(frame[v.name].dtype, pd.CategoricalDtype):
                back = {str(c): c for c in frame[v.name].cat.categories}
                drawn_values = [None if m else back[t] for t, m in zip(texts, missing, strict=True)]
                out[v.name] = pd.Categorical(drawn_values, categories=frame[v.name].cat.categories,
                                             ordered=frame[v.name].cat.ordered)  # fmt: skip
                continue
            if pd.api.types.is_numeric_dtype(frame[v.name].dtype):
                y = np.array([float(t) for t in texts])
            else:
                texts[missing] = None
                out[v.name] = texts
                continue
        counted = (
            v.kind.thresholds
            or v.kind.nominal
            or v.kind.sets
            or v.kind.name.removeprefix("composite ") in ("binomial", "poisson", "negbinomial")
        )
        whole = counted and not missing.any() and (y == np.round(y)).all()
        out[v.name] = y.astype(np.int64) if whole else np.where(missing, np.nan, y)
    return out


def ranked(v: Variable) -> bool:
    """Whether a response is a ranking, of which an empty cell says that an alternative was not ranked."""
    return v.kind.name == "ranking"


def _intervals(design: Design) -> list[str]:
    """Return the responses of which intervals are known."""
    return [key for key in design.low if key not in design.censored]


def told(values: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the intervals that tell drawn values: between the neighbouring ones of all limits in the data.

    A value that is exact in the data is exact.

    Parameters
    ----------
    values : (n,) floats
        As drawn; NaN where missing.
    low, high : (n,) floats
        Of the data.
    """
    exact = low == high
    cuts = np.unique(np.concatenate([low[~exact], high[~exact], [-np.inf, np.inf]]))
    place = np.searchsorted(cuts, np.where(np.isnan(values), 0.0, values))
    missing = np.isnan(values)
    new_low = np.where(missing, -np.inf, np.where(exact, values, cuts[place - 1]))
    new_high = np.where(missing, np.inf, np.where(exact, values, cuts[place]))
    return new_low, new_high


def _write_ends(out: pd.DataFrame, v: Variable, design: Design, values: Floats) -> None:
    """Write the intervals of drawn values into their columns, empty where they are open."""
    ends = told(values, design.low[v.key], design.high[v.key])
    for column, end in zip(limits(v.arguments["interval"]) or (), ends, strict=True):
        if isinstance(column, str):
            new = out[column].to_numpy(dtype=np.float64, copy=True)
            new[design.row] = np.where(np.isinf(end), np.nan, end)
            out[column] = new
