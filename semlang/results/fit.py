"""A fitted model: estimates, their uncertainty, and how they were found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semlang.diagnostics import Diagnostic, Severity
from semlang.errors import FitError
from semlang.model.parameter_names import level_of, parameter_names, row_name, written_label
from semlang.model.table import ParameterTable, Row
from semlang.results.item_response import ItemResponse
from semlang.results.predicting import Predicting
from semlang.results.reading import Reading
from semlang.results.showing import Showing
from semlang.results.summary import html, text, two_sided

if TYPE_CHECKING:
    import pandas as pd

    from semlang.data.design import Design
    from semlang.estimation.outcome import Estimate
    from semlang.graph.model_graph import ModelGraph
    from semlang.results.origin import Origin


@dataclass(frozen=True)
class Fit(Reading, Predicting, ItemResponse, Showing):
    """Maximum likelihood estimates of a model.

    Parameters
    ----------
    table : ParameterTable
        The table that was estimated, its factors and thresholds filled in from the data.
    estimate : Estimate
        What the engine returned.
    seconds : float
        Wall time of the fit.
    diagnostics : tuple of Diagnostic
        Everything that was found on the way.
    graphs, designs
        What was estimated, one of each a group.
    origin : Origin
        Where the fit comes from: its model's text, its data.
    """

    table: ParameterTable
    estimate: Estimate
    seconds: float
    diagnostics: tuple[Diagnostic, ...] = ()
    graphs: tuple[ModelGraph, ...] = ()
    designs: tuple[Design, ...] = ()
    origin: Origin | None = None

    @property
    def loglik(self) -> float:
        """Log density of the responses given the covariates at the estimates, with every constant."""
        return self.estimate.loglik

    @cached_property
    def unit_logliks(self) -> NDArray[np.float64] | None:
        """Log-likelihoods of the independent units, (C,); None where they are not known one by one."""
        from semlang.estimation.unit_values import unit_values

        e = self.estimate
        return unit_values(self.table, self.graphs, self.designs, e.theta, e.points, e.loglik, e.spread, e.engines)

    @property
    def converged(self) -> bool:
        """Whether the maximum was found."""
        return self.estimate.converged

    @property
    def n_free(self) -> int:
        """Number of free parameters, after equality constraints."""
        return self.estimate.n_free

    @property
    def vcov(self) -> pd.DataFrame | None:
        """Covariance matrix of the estimates, one row and column a parameter; None without standard errors."""
        import pandas as pd

        if self.estimate.vcov is None:
            return None
        names = self.parameter_names
        return pd.DataFrame(self.estimate.vcov, index=names, columns=names)

    @cached_property
    def parameter_names(self) -> list[str]:
        """The name of each entry of the parameter vector: its label, or like ``visual =~ x2``."""
        return list(parameter_names(self.table))

    @cached_property
    def aic(self) -> float:
        """Akaike's information criterion, -2 l + 2 p."""
        return 2.0 * (self.n_free - self.loglik)

    @cached_property
    def bic(self) -> float:
        """Schwarz's criterion, -2 l + p log J with J the number of top-level units, frequencies counted."""
        return self.n_free * math.log(max(self.estimate.n_top, 1.0)) - 2.0 * self.loglik

    @cached_property
    def reported_rows(self) -> tuple[Row, ...]:
        """The rows of the table that are reported, one for each of `parameters`."""
        return tuple(
            r for r in self.table.rows if not r.exo and r.target and (r.parameter >= 0 or r.ustart is not None)
        )

    @cached_property
    def parameters(self) -> list[dict[str, Any]]:
        """One dictionary a reported row, as in the interface's JSON; `name` is that of `vcov` where it is free."""
        e, names = self.estimate, self.parameter_names
        theta, vcov = e.theta, e.vcov
        out: list[dict[str, Any]] = []
        for row in self.reported_rows:
            free = row.parameter >= 0
            entry: dict[str, Any] = {
                "name": names[row.parameter] if free else written_label(row) or row_name(self.table, row),
                "lhs": row.lhs,
                "op": row.op,
                "rhs": row.rhs,
                "level": level_of(self.table, row),
                "group": self.table.groups[row.group - 1] if self.table.groups != ("",) else "",
                "label": row.label,
                "free": row.parameter + 1 if free else 0,
                "est": e.limits.get(row.parameter, float(theta[row.parameter])) if free else row.ustart,
                "se": _root(vcov, row.parameter) if free else None,
            }
            if row.klass:
                entry["class"] = row.klass
            out.append(entry)
        return out

    @cached_property
    def params(self) -> pd.DataFrame:
        """Estimates, standard errors, z values and two-sided p values as a DataFrame.

        Its column `name` joins `vcov`, the summary, start values and JSON. Defined parameters stand at the end.
        """
        import pandas as pd

        defined = [
            {"name": d.name, "lhs": d.name, "op": ":=", "rhs": d.text, "level": "", "group": "", "label": d.name,
             "free": 0, "est": d.est, "se": d.se}
            for d in self.estimate.defined
        ]  # fmt: skip
        frame = pd.DataFrame([*self.parameters, *defined])
        frame["est"] = frame["est"].astype(float)
        frame["se"] = frame["se"].astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            frame["z"] = frame["est"] / frame["se"].where(frame["se"] > 0)
        frame["p"] = [two_sided(z) if math.isfinite(z) else math.nan for z in frame["z"]]
        return frame

    @cached_property
    def tests(self) -> pd.DataFrame:
        """Log-likelihood, number of parameters and information criteria."""
        import pandas as pd

        return pd.DataFrame(
            {"value": [self.loglik, float(self.n_free), self.aic, self.bic]},
            index=["loglik", "n_free", "aic", "bic"],
        )

    @property
    def warnings(self) -> list[str]:
        """Messages of all warnings."""
        return [d.message for d in self.diagnostics if d.severity is Severity.WARNING]

    def to_json(self, brief: bool = False) -> dict[str, Any]:
        """Return `result` of ``semlang fit --json``.

        Parameters
        ----------
        brief : bool
            Without what takes further fits or passes over the data: fit measures, standardised estimates, explained
            variances.
        """
        from semlang.estimation.conditioning.conditions import is_conditional
        from semlang.results.measures import measures
        from semlang.results.r_squared import r_squared
        from semlang.results.standardized import standardized_estimates

        e = self.estimate
        standard: list[tuple[float | None, float | None]] = [(None, None)] * len(self.parameters)
        if self.designs and not brief:
            standard = list(zip(standardized_estimates(self, "all"), standardized_estimates(self, "lv"), strict=True))
        return {
            "converged": e.converged,
            "loglik": _finite(e.loglik),
            "n_free": e.n_free,
            "n_rows": e.n_rows,
            "n_rows_read": e.n_rows_read,
            "left_out": [{"what": o.what, "n": o.n, "reason": o.reason} for o in e.left_out],
            "n_clusters": dict(e.n_clusters),
            "method": e.method,
            "points": e.points,
            "points_history": [[p, _finite(v)] for p, v in e.points_history],
            "iterations": len(e.log),
            "seconds": round(self.seconds, 4),
            "parameters": [
                {k: _finite(v) for k, v in p.items()} | {"std_all": both[0], "std_lv": both[1]}
                for p, both in zip(self.parameters, standard, strict=True)
            ],
            "defined": [
                {"name": d.name, "lhs": d.name, "op": ":=", "rhs": d.text, "est": _finite(d.est), "se": _finite(d.se)}
                for d in e.defined
            ],
            "information": {"aic": _finite(self.aic), "bic": _finite(self.bic), "n": e.n_top},
            "class_sizes": {key: [_finite(p) for p in sizes] for key, sizes in e.class_sizes.items()},
            "measures": {} if brief else {k: _finite(v) for k, v in measures(self).values.items()},
            "r_squared": [] if brief or is_conditional(self.table) or not self.designs else r_squared(self).records(),
            "dropped": dict(e.dropped),
            "warnings": self.warnings,
        }

    def stopped(self) -> Fit:
        """Return the fit, marked as one that the user has interrupted."""
        origin = self.origin
        if origin is not None:
            origin = replace(origin, estimate=replace(origin.estimate, interrupted=True))
        return replace(self, estimate=replace(self.estimate, interrupted=True), origin=origin)

    def save(self, path: str | Path) -> None:
        """Write the fit as JSON; `semlang.load` reads it. The file holds the model's text and the data that it needs.

        Parameters
        ----------
        path : str or Path
        """
        from semlang.results.stored import stored_json

        Path(path).write_text(stored_json(self), encoding="utf-8")

    def summary(self, standardized: bool = False, brief: bool = False) -> str:
        """Return the results as text for a terminal.

        Parameters
        ----------
        standardized : bool
            Also the standardised solution, below.
        brief : bool
            Without fit measures, which may take further fits.
        """
        if not standardized:
            return text(self, brief)
        from semlang.results.standardized import standardized as standardise

        try:
            return f"{text(self)}\n\n{standardise(self).text()}"
        except FitError as problem:
            return f"{text(self)}\n\nNo standardised solution: {problem.diagnostics[0].message}"

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return (
            f"<semlang.Fit: log-likelihood {self.loglik:.4f}, {self.n_free} parameters, "
            f"{self.estimate.n_rows} rows, {state}>"
        )

    def _repr_html_(self) -> str:
        return html(self)

    def draw(
        self,
        path: str | None = None,
        *,
        what: str = "est",
        stars: bool = False,
        ci: float | None = None,
        r_squared: bool = False,
        against: Fit | None = None,
        **options: Any,
    ) -> Any:
        """Draw the path diagram with estimates; see `semlang.Model.draw`.

        Parameters
        ----------
        path : str or Path, optional
        what : {'est', 'std', 'names', 'none'}
            Estimates, standardised estimates, labels and fixed values, or nothing at arrows.
        stars : bool
            Whether ``*``, ``**``, ``***`` mark p below 0.05, 0.01, 0.001.
        ci : float, optional
            Level of the confidence intervals that stand behind estimates (``0.95``): estimate and standard error.
        r_squared : bool
            Whether explained variances stand in the nodes.
        against : Fit, optional
            Another fit: arrows that it alone has are dotted, those that it lacks are thick, and two estimates stand
            at an arrow where they differ, its own first.
        **options
            As of `semlang.Model.draw`.
        """
        from semlang.diagram.draw import draw
        from semlang.results.drawing import marks_of, notes_of, shown_of

        shown = shown_of(what)
        return draw(
            self.table,
            path,
            estimates=self.drawn(what),
            stars=marks_of(self, stars=stars, ci=ci if what == "est" else None, digits=options.get("digits")),
            notes=notes_of(self) if r_squared else None,
            against=None if against is None else (against.table, against.drawn(what)),
            show=shown,
            **options,
        )

    def drawn(self, what: str) -> dict[int, float] | None:
        """Return the numbers that stand at arrows, by row id."""
        from semlang.results.implied import refuse_conditional
        from semlang.results.standardized import standardized_estimates

        if what == "est":
            return dict(self.estimates_by_row())
        if what != "std":
            return None
        refuse_conditional(self.table)
        given = zip(self.reported_rows, standardized_estimates(self, "all"), strict=True)
        return {r.id: v for r, v in given if v is not None}

    def estimates_by_row(self) -> Mapping[int, float]:
        """Return estimates (or fixed values) by row id."""
        theta = self.estimate.theta
        free = {r.id: float(theta[r.parameter]) for r in self.table.rows if r.target and r.parameter >= 0}
        fixed = {r.id: r.ustart for r in self.table.rows if r.target and r.parameter < 0 and r.ustart is not None}
        return free | fixed


def _root(vcov: NDArray[np.float64] | None, k: int) -> float | None:
    if vcov is None:
        return None
    v = float(vcov[k, k])
    return math.sqrt(v) if v >= 0.0 and math.isfinite(v) else None


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
