"""Fitted responses of units over a covariate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.errors import FitError
from semlang.model.table import ROWS
from semlang.results.items import refuse
from semlang.results.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    import pandas as pd

    from semlang.model.table import Variable
    from semlang.results.fit import Fit

__all__ = ["trajectories"]

Floats = NDArray[np.float64]

VALUES = 25
"""Most values of the covariate at which the marginal mean is computed."""

ROWS_AVERAGED = 200
"""Most rows whose other covariates the marginal mean is averaged over."""


def trajectories(fit: Fit, x: str | None = None, *, units: int = 20, ax: Any = None) -> Any:
    """Draw the fitted response of units over a covariate, with their data, and the marginal mean (bold).

    Fitted responses are expectations given the unit's data; where other covariates vary within units they are averages
    over these of the unit. The marginal mean is that of a new unit, averaged over the other covariates of the data.
    Of a nominal response it is the probability of each category. Censored durations are hollow.

    Parameters
    ----------
    x : str, optional
        A covariate; default the first that varies within units.
    units : int
        Number of units shown, spread over all.
    """
    if not fit.table.clusters:
        raise refuse("trajectories", "there are no clusters, so no unit has several rows")
    v = next((r for r in fit.table.responses if r.level == ROWS), None)
    if v is None:
        raise refuse("trajectories", "no response varies within units")
    if v.kind.sets:
        raise refuse("trajectories", f"what is chosen of '{v.name}' depends on whole sets, not on one row")
    plot = _Data(fit, v)
    chosen = plot.covariate(x)
    shown = plot.shown(units)
    ax = axes(ax)
    parts = plot.fitted(chosen, shown)
    mean = plot.marginal(chosen)
    names = plot.names
    strength = 0.8 if len(names) == 1 else 0.4
    for n, unit in enumerate(shown):
        part = parts[unit]
        for c in range(len(names)):
            colour = COLOURS[(c if len(names) > 1 else n) % (len(COLOURS) - 1)]
            ax.plot(part[chosen], part[f".fitted{c}"], color=colour, linewidth=0.9, alpha=strength)
        if len(names) == 1:
            for known, filled in ((plot.ended, colour), (~plot.ended, "none")):
                here = (plot.unit == unit) & known
                ax.plot(plot.frame.loc[here, chosen], plot.observed[here], "o", color=colour, markersize=3, alpha=0.7,
                        markerfacecolor=filled)  # fmt: skip
    if mean is not None:
        for c, name in enumerate(names):
            colour = COLOURS[c % len(COLOURS)] if len(names) > 1 else "black"
            label = name if len(names) > 1 else "marginal mean"
            ax.plot(mean[chosen], mean[f".fitted{c}"], color=colour, linewidth=2.5, label=label)
        ax.legend(frameon=False, fontsize="small")
    words = {True: f"expected category of {v.name}", False: v.name}[v.kind.thresholds]
    ax.set(xlabel=chosen, ylabel=words if len(names) == 1 else "probability")
    return ax


class _Data:
    """The rows of a fit by unit of the lowest cluster, and predictions of a response."""

    def __init__(self, fit: Fit, v: Variable) -> None:
        assert fit.origin is not None
        self.fit, self.v = fit, v
        self.frame = fit.origin.recipe.frame.reset_index(drop=True)
        n = len(self.frame)
        self.unit = np.full(n, -1)
        self.observed, self.weight = np.full(n, np.nan), np.zeros(n)
        self.ended = np.ones(n, dtype=bool)
        for design in fit.designs:
            one = np.ones(design.n_rows)
            self.unit[design.row] = design.clusters[fit.table.clusters[0]] + self.unit.max() + 1
            self.observed[design.row] = design.responses[v.key] / design.trials.get(v.key, one)
            self.ended[design.row] = design.event.get(v.key, one) == 1.0
            self.weight[design.row] = design.frequency.get(ROWS, one)
        covariates = [c for row in fit.table.rows for c in row.via if c.column in self.frame]
        self.columns = list(dict.fromkeys(c.column for c in covariates))
        self.numeric = dict.fromkeys(c.column for c in covariates if c.function in ("identity", "power"))
        self.by_response = any(c.response for c in covariates)
        self.names = [v.name]

    def within(self, column: str) -> bool:
        """Return whether a column varies within units."""
        used = self.unit >= 0
        return bool(self.frame.loc[used, column].groupby(self.unit[used]).nunique().max() > 1)

    def covariate(self, x: str | None) -> str:
        """Return the covariate to draw over."""
        responses = {r.name for r in self.fit.table.responses}
        numeric = [c for c in self.numeric if self.frame[c].dtype.kind in "iuf" and c not in responses]
        if x is not None:
            if x not in numeric:
                raise refuse("trajectories", f"'{x}' is no numeric covariate of the model")
            return x
        found = next((c for c in numeric if self.within(c)), None)
        if found is None:
            raise refuse("trajectories", "no numeric covariate varies within units")
        return found

    def shown(self, units: int) -> list[int]:
        """Return units, spread over all."""
        names = np.unique(self.unit[(self.unit >= 0) & ~np.isnan(self.observed)])
        return [int(names[k]) for k in np.unique(np.linspace(0, len(names) - 1, min(units, len(names))).astype(int))]

    def fitted(self, x: str, shown: list[int]) -> dict[int, pd.DataFrame]:
        """Return fitted values by unit, over increasing x."""
        import pandas as pd

        others = [c for c in self.columns if c != x and self.within(c)]
        if not others or self.by_response:
            data = self.frame[[x]].assign(**self._predicted("conditional", None))
            return {unit: data[self.unit == unit].dropna().sort_values(x) for unit in shown}
        # Rows without a response change no posterior and have a prediction all the same.
        parts = [self.frame[np.isin(self.unit, shown)]]
        keys = [np.full(len(parts[0]), -1)]
        for unit in shown:
            own = self.frame[self.unit == unit]
            values = np.unique(np.linspace(own[x].min(), own[x].max(), 9))
            grid = _crossed(own.iloc[_spread(len(own), 20)], x, values)
            parts.append(grid.assign(**{r.name: np.nan for r in self.fit.table.responses}))
            keys.append(np.full(len(grid), unit))
        data = pd.concat(parts, ignore_index=True)
        data = data[[x]].assign(**self._predicted("conditional", data))
        key = np.concatenate(keys)
        return {unit: data[key == unit].groupby(x, as_index=False).mean() for unit in shown}

    def marginal(self, x: str) -> pd.DataFrame | None:
        """Return the marginal means over x; None where they do not exist."""
        used = self.frame[(self.weight > 0) & self.frame[x].notna().to_numpy()]
        values = np.unique(used[x])
        if values.size > VALUES:
            values = np.linspace(values[0], values[-1], VALUES)
        part = used.iloc[_spread(len(used), ROWS_AVERAGED)]
        data = _crossed(part, x, values)
        try:
            predicted = self._predicted("marginal", data)
        except FitError:
            return None
        found = data[[x]].assign(**predicted, w=np.tile(self.weight[part.index], values.size)).dropna()
        columns = [c for c in found if str(c).startswith(".fitted")]
        out = found[columns].mul(found["w"], axis=0).groupby(found[x]).sum()
        return out.div(found.groupby(x)["w"].sum(), axis=0).reset_index()

    def _predicted(self, kind: str, data: pd.DataFrame | None) -> dict[str, Floats]:
        """Return predictions, one column each of `names`."""
        found = self.fit.predict(data, kind=kind)
        columns = [c for c in found.columns if c == self.v.name or str(c).startswith(f"{self.v.name}=")]
        p = found[columns].to_numpy()
        if self.v.kind.nominal:
            self.names = [f"{self.v.name} = {str(c).split('=', 1)[1]}" for c in columns]
        else:
            p = p @ (np.arange(len(columns)) if len(columns) > 1 else np.ones(1))[:, None]
        return {f".fitted{c}": p[:, c] for c in range(p.shape[1])}


def _spread(n: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def _crossed(rows: pd.DataFrame, x: str, values: Any) -> pd.DataFrame:
    """Return the rows once for each value of x, those of a value together."""
    import pandas as pd

    return pd.concat([rows.assign(**{x: value}) for value in values], ignore_index=True)
